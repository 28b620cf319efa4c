"""Inputs from the real world that once failed (tests/cases), sent as their senders do; each is judged by its effects.

One running region serves them all: what one case leaves behind must not spoil the next.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.nats import Nats
from infra.local.process import stop
from infra.nats.config import accounts
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from shared.contracts import SERVICES, Event
from tests.harness.cases import CASES, Case, other, read
from tests.harness.servers import Region
from tests.harness.system import ROOT, System, free_port, until

REFERENCE_WAIT_S = 2
ALPHA_3 = {
    "BR": "BRA", "CA": "CAN", "CR": "CRI", "CU": "CUB", "ES": "ESP", "HN": "HND", "IN": "IND", "NI": "NIC", "PK": "PAK",
    "SV": "SLV",
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory, postgres_server, nats_keys) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("cases")
    server = Nats(folder / "nats")
    server.start(accounts(nats_keys.public))
    region = Region(server, postgres_server, nats_keys, asyncio.run(postgres_server.lend()))
    system = System(region, folder)
    port = free_port()
    try:
        asyncio.run(_provisioned(region))
        system.start(*SERVICES, CRM_HTTP_PORT=str(port), CRM_REFERENCE_WAIT_S=str(REFERENCE_WAIT_S))
        asyncio.run(system.ready())
        yield Case(region, system, f"http://127.0.0.1:{port}")
    finally:
        for process in system.processes.values():
            process.kill()
            process.wait()
        stop(server.process, 9)
        asyncio.run(postgres_server.take_back(region.database))


@pytest.fixture
async def case(running) -> Any:
    yield running
    await running.system.close()
    for client in running.region.clients:
        await client.close()
    running.region.clients.clear()
    running.connections.clear()


async def _provisioned(region: Region) -> None:
    client = await region.connect(PROVISIONER)
    await provision(client)
    await client.close()
    region.clients.clear()


async def test_01_a_default_date_is_refused_and_nothing_behind_it_waits(case):
    zero, good, retraction = (read(f"01-zero-time/{name}.json") for name in ("a_zero_time_madrid", "b_next_report",
                                                                             "c_retraction"))  # fmt: skip
    times = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
    sent = [zero, *(other(zero, number, time=at) for number, at in enumerate(times))]
    for report in sent:
        await case.send(report)
    await case.send(good)
    for report in sent:
        outcome = await case.outcome("intel", report["id"])
        assert outcome in ({("/time", "out_of_range")}, {("/time", "in_future")}), report["time"]
    assert isinstance(await case.outcome("intel", good["id"]), Event)
    await case.send(retraction)
    assert await case.outcome("intel", retraction["id"]) == {("/data/supersedes", "unknown_reference")}
    await case.settled()


@pytest.mark.parametrize(
    ("name", "service", "pointer"),
    [
        ("1_information.requested_due", "intel", "/data/due"),
        ("3_service.provided_started", "victims", "/data/started"),
        ("i_law_not_yet_in_force", "legal", "/data/effective_from"),
    ],
)
async def test_02_never_written_as_the_year_9999_is_refused_with_its_field(case, name, service, pointer):
    report = read(f"02-far-future/{name}.json")
    await case.send(report)
    assert await case.outcome(service, report["id"]) == {(pointer, "out_of_range")}
    await case.settled()


async def test_02_what_rests_on_the_refused_law_goes_on(case):
    certificate, law, corrected = (read(f"02-far-future/{name}.json") for name in (
        "h_certificate", "i_law_not_yet_in_force", "j_law_corrected"))  # fmt: skip
    await case.send(certificate)
    assert isinstance(await case.outcome("training", certificate["id"]), Event)
    again = other(law, "again")
    await case.send(again)
    await case.send(other(corrected, "again", data=corrected["data"] | {"supersedes": again["id"]}))
    assert await case.outcome("legal", f"{corrected['id']}-again") == {("/data/supersedes", "unknown_reference")}
    await case.settled()


async def test_03_one_message_id_used_by_two_countries_loses_nothing(case):
    report = read("06-same-id-other-subject/a_doc-aaa.json")
    theirs = other(report, "hnd", source="urn:crm:country:HND:sicam")
    await asyncio.gather(*(case.send(one, **{"Nats-Msg-Id": "1"}) for one in (other(report, "gtm"), theirs)))
    for one in ("gtm", "hnd"):
        assert isinstance(await case.outcome("intel", f"{report['id']}-{one}"), Event)


async def test_04_two_countries_number_their_referrals_alike(case):
    first, second = (
        read("04-own-numbers/a_gtm_referral_2024-001.json"),
        read("04-own-numbers/b_hnd_referral_2024-001.json"),
    )
    for report in (first, second):
        await case.send(report)
        assert isinstance(await case.outcome("victims", report["id"]), Event)
    offers = await case.system.recorded("victims", "victims.referral.offered", 2)
    assert {offer.country for offer in offers} == {"MEX", "CRI"}
    await case.send(_answer("MEX", "c04-mex", "2024-001"))
    assert isinstance(await case.outcome("victims", "c04-mex"), Event)
    states = {country: await case.ask(country, "victims.referral", b'{"referral_id":"2024-001"}') for country in
              ("GTM", "HND", "CRI", "NIC")}  # fmt: skip
    assert states["GTM"]["answer"]["state"] == "accepted"
    assert states["HND"]["answer"]["receiver"] == states["CRI"]["answer"]["receiver"] == "CRI"
    assert states["HND"]["answer"]["state"] != "accepted"
    assert states["NIC"]["error"]["code"] == "not_permitted"


async def test_04_one_receiver_of_two_equal_numbers_is_asked_which(case):
    for name, report_id in (("a_gtm", "c04-g2"), ("b_hnd", "c04-h2")):
        report = read(f"04-own-numbers/{name}_referral_2024-001.json")
        data = report["data"] | {"referral_id": "2024-002", "to": "NIC"}
        await case.send(report | {"id": report_id, "subject": "2024-002", "data": data})
        assert isinstance(await case.outcome("victims", report_id), Event)
    await case.send(_answer("NIC", "c04-n1", "2024-002"))
    assert await case.outcome("victims", "c04-n1") == {("/data/referral_id", "ambiguous_reference")}
    await case.send(_answer("NIC", "c04-n2", "HND:2024-002"))
    assert isinstance(await case.outcome("victims", "c04-n2"), Event)
    asked = b'{"referral_id":"2024-002"}'
    assert (await case.ask("HND", "victims.referral", asked))["answer"]["state"] == "accepted"
    assert (await case.ask("GTM", "victims.referral", asked))["answer"]["state"] != "accepted"


def _answer(country: str, report_id: str, referral: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": report_id,
        "source": f"urn:crm:country:{country}:sicam",
        "type": "crm.victims.referral.accepted.v1",
        "time": "2024-03-01T11:00:00Z",
        "subject": referral,
        "data": {"referral_id": referral, "receiving_org": "shelter", "reported_by": "ngo"},
    }


async def test_05_a_number_beyond_the_database_concerns_its_asker_only(case):
    wrong = json.dumps({"after": 10**30}).encode()
    asked = [("GTM", wrong), ("HND", b"{}")] * 50
    await case.connection("GTM")
    await case.connection("HND")
    answers = await asyncio.gather(*(case.ask(country, "intel.mailbox", question) for country, question in asked))
    for (country, _), answer in zip(asked, answers, strict=True):
        assert answer["error"]["code"] == "invalid" if country == "GTM" else "answer" in answer


async def test_06_another_subject_under_the_same_id_is_a_conflict(case):
    first, second = (
        read("06-same-id-other-subject/a_doc-aaa.json"),
        read("06-same-id-other-subject/b_same_id_doc-bbb.json"),
    )
    await case.send(first)
    assert isinstance(await case.outcome("intel", first["id"]), Event)
    await case.send(second)
    (refusal,) = await until(lambda: case.refusals("intel", second["id"]), "the conflict")
    assert [(problem.pointer, problem.code) for problem in refusal.problems] == [("/id", "id_conflict")]


@pytest.mark.parametrize("code", ALPHA_3)
async def test_07_a_code_of_two_letters_is_told_its_three_or_nothing(case, code):
    report = read(f"07-two-letter-countries/{code}.json")
    await case.send(report)
    (refusal,) = await until(lambda: case.refusals("victims", report["id"]), "the refusal")
    (problem,) = refusal.problems
    assert (problem.pointer, problem.code) == ("/data/citizenship", "unknown_value")
    assert problem.suggestion == ALPHA_3[code]


@pytest.mark.parametrize("digits", ["9999999", "999999999", "9999995", "999999"])
async def test_08_the_last_instant_of_a_year_counts_in_that_year(case, digits):
    report = read("08-seven-digits/a_dotnet_end_of_day.json")
    await case.send(other(report, digits, time=f"2003-12-31T23:59:59.{digits}Z"))
    recorded = await case.outcome("intel", f"{report['id']}-{digits}")
    assert isinstance(recorded, Event)
    assert recorded.time.isoformat() == "2003-12-31T23:59:59.999999+00:00"


async def test_12_statistics_are_replaced_and_never_added_up_twice(case):
    january, revised, quarter = (read(f"12-revised-aggregate/{name}.json") for name in (
        "a_january", "b_january_revised", "c_first_quarter"))  # fmt: skip

    def inspections() -> float:
        with urllib.request.urlopen(f"{case.http}/api/indicators/IE-3.1iv", timeout=10) as answer:
            values = json.load(answer)["values"]
        return sum(v["value"] for v in values if v["country"] == "CRI" and v["labels"].get("kind") == "inspections")

    await case.send(january)
    await case.send(revised)
    assert isinstance(await case.outcome("intel", revised["id"]), Event)
    await case.send(quarter)
    outcome = await case.outcome("intel", quarter["id"])
    expected = 3300 if isinstance(outcome, Event) else 1100
    if expected == 1100:
        assert {code for _, code in outcome} == {"overlapping_period"}
    await case.settled()
    await until(lambda: inspections() == expected, f"{expected} inspections", 10)


@pytest.mark.parametrize("name", sorted(path.stem for path in (CASES / "14-foreign-documents").glob("*.json")))
async def test_14_papers_and_people_of_all_the_world_are_recorded(case, name):
    report = read(f"14-foreign-documents/{name}.json")
    await case.send(report)
    assert isinstance(await case.outcome("intel", report["id"]), Event)
    await case.settled()


@pytest.mark.parametrize("name", ["a_ratified_action_withdrawal", "b_acceded_action_reservation"])
async def test_15_an_act_that_contradicts_its_word_is_refused(case, name):
    report = read(f"15-act-and-word/{name}.json")
    await case.send(report)
    outcome = await case.outcome("legal", report["id"])
    assert isinstance(outcome, set)
    assert {pointer for pointer, _ in outcome} == {"/data/action"}


@pytest.mark.parametrize("name", ["a_charset", "b_charset_tight", "c_upper"])
async def test_17_the_ways_that_clients_write_json_are_all_json(case, name):
    report = read(f"17-charset/{name}.json")
    await case.send(report)
    assert isinstance(await case.outcome("intel", report["id"]), Event)


async def test_18_a_refusal_of_binary_mode_names_its_report(case):
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "c18-1",
        "ce-source": "urn:crm:country:GTM:sicam",
        "ce-type": "crm.intel.document.flagged.v1",
        "ce-time": "2024-03-01T10:00:00Z",
        "ce-subject": "doc-18",
        "content-type": "application/json; charset=utf-8",
    }
    payload = (CASES / "18-binary-refusal" / "a_binary_bad_data.json").read_bytes()
    await case.send(payload, "report.intel.document.flagged", "GTM", **attributes)
    assert await case.outcome("intel", "c18-1") == {("/data/doc_code", "unknown_value")}


async def test_20_a_plan_of_the_year_one_is_refused(case):
    report = read("20-plan-year-one/a_zero_time.json")
    await case.send(report)
    outcome = await case.outcome("indicators", report["id"])
    assert isinstance(outcome, set)
    assert ("/time", "out_of_range") in outcome
    await case.settled()


@pytest.mark.parametrize(("name", "read"), [("bom", True), ("utf16", None), ("surrogate", False)])
def test_22_files_of_windows_editors_are_read_or_told_in_one_line(case_files, name, read):
    done = case_files(CASES / "22-files-for-pub" / f"{name}.json")
    assert "Traceback" not in done.stderr
    assert read is None or (done.returncode == 0) is read, done.stderr
    assert done.returncode == 0 or len(done.stderr.strip().splitlines()) <= 6  # typer frames its one line


@pytest.fixture
def case_files(running):
    def pub(file: Path) -> subprocess.CompletedProcess[str]:
        keys = ["--as", "GTM", "--nats-url", running.region.nats.url, "--seed", str(running.region.seed("GTM"))]
        command = [sys.executable, "-m", "infra.cli", "pub", str(file), *keys]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    return pub


async def test_27_a_question_with_half_a_character_is_invalid_and_ends_nothing(case):
    for service in SERVICES:
        answer = await case.ask("GTM", f"{service}.mailbox", b'{"since":"2003-06-01T00:00:00\\ud800Z"}')
        assert answer["error"]["code"] == "invalid"
        assert "answer" in await case.ask("HND", f"{service}.mailbox", b"{}")
    await case.settled()


@pytest.mark.parametrize("type_", [{}, [], 5, None, True, "crm.\ud800", "x" * 60_000])
async def test_28_a_type_that_is_no_type_is_refused(case, type_):
    before = len(await case.system.log("intel", "intel.report.rejected"))
    await case.send(json.dumps({"type": type_}).encode(), "report.intel.document.flagged", "GTM")
    await case.system.recorded("intel", "intel.report.rejected", before + 1)
    await case.settled()


async def test_29_thousands_of_wrong_values_are_refused_at_once(case):
    report = read("12-revised-aggregate/a_january.json")
    words = [f"Wrongword{number}" for number in range(3500)]
    data = {"trafficker_pid": "tr-29", "offences": words, "role": "Smuggler", "reported_by": "police"}
    begun = time.monotonic()
    for number in range(40):
        kind = {"type": "crm.intel.trafficker.detected.v1", "data": data, "subject": "tr-29"}
        await case.send(report | kind | {"id": f"c29-{number}"})
    await case.send(other(read("06-same-id-other-subject/a_doc-aaa.json"), "behind-29"))
    for number in range(40):
        assert isinstance(await case.outcome("intel", f"c29-{number}"), set)
    assert isinstance(await case.outcome("intel", "c06-1-behind-29"), Event)
    assert time.monotonic() - begun < 60, "what took 1.9 s of a processor each would take longer"
    await case.settled()


@pytest.mark.long
async def test_30_answers_without_questions_wait_for_themselves_only(case):
    client = await case.connection("GTM")
    for number in range(1000):
        answer = _answer("GTM", f"c30-{number}", f"never-{number}")
        await client.publish("report.victims.referral.accepted", json.dumps(answer).encode())
    await client.flush(timeout=30)
    begun = time.monotonic()
    registered = read("07-two-letter-countries/SV.json") | {"id": "c30-mex", "source": "urn:crm:country:MEX:sicam"}
    await case.send(registered | {"data": registered["data"] | {"citizenship": "SLV"}})
    assert isinstance(await case.outcome("victims", "c30-mex"), Event)
    assert time.monotonic() - begun < 20
    assert await case.outcome("victims", "c30-999") == {("/data/referral_id", "unknown_reference")}
    await case.settled()
