"""Whatever one message is, it is recorded, refused or set aside; the others go on, and every durable becomes empty."""

import asyncio
import json
import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared import contracts
from shared.contracts.schema import example_event
from tests.harness.faulty import BUGS
from tests.harness.speaking import example
from tests.harness.system import free_port, until
from tests.system.test_spine import FLAGGED

pytestmark = pytest.mark.long


def flagged(country, **changes):
    return country.report("intel.document.flagged", FLAGGED | changes, subject="doc-1")


async def aside(system, service="intel"):
    rows = await system.rows(service, "select stream, kind, reason, tries from aside order by stored")
    return [tuple(row) for row in rows]


def measured(port, metric, **labels):
    """A sample of a process's metrics; None: there is none with these labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [one for family in families for one in family.samples if one.name == metric]
    return next((one.value for one in samples if labels.items() <= one.labels.items()), None)


async def emptied(system, *services):
    """Wait until the services' durables hold nothing and wait for nothing."""
    operator = (await system.region.connect("operator")).jetstream()

    async def empty():
        found = [
            await operator.consumer_info(f"INTAKE_{country}", service)
            for country in ("GTM", "MEX")
            for service in services
        ]
        return not any(one.num_pending or one.num_ack_pending for one in found)

    await until(empty, "the durables to be empty")


async def refusals(system, service="intel", number=1):
    events = await system.recorded(service, f"{service}.report.rejected", number)
    return [{(one.pointer, one.code) for one in event.data.problems} for event in events]


async def test_a_type_that_is_no_text_is_refused_and_so_are_many(system):
    system.start("intel")
    await system.ready()
    client = await system.region.connect("GTM")
    for wrong in ({}, [], 1, None, True, 1.5):
        payload = json.dumps({"type": wrong}).encode()
        await client.request("report.intel.document.flagged", payload, timeout=30)
    mex = await system.country("MEX")
    await mex.publish(flagged(mex))
    await system.recorded("intel", "intel.document.flagged")
    assert all(("/type", "wrong_type") in told for told in await refusals(system, number=6))
    await emptied(system, "intel")
    assert await aside(system) == []


async def test_a_list_of_unknown_words_is_refused_at_once_and_so_are_forty(system):
    """Each took 1.9 s to explain, and 32 of them ended the process by its watchdog."""
    system.start("intel", CRM_STUCK_S="5")
    await system.ready()
    client = await system.region.connect("GTM")
    gtm = await system.country("GTM")
    words = [f"w{number:05}" for number in range(6_000)]
    report = gtm.report("intel.route.reported", example("intel.route.reported") | {"modes": words}, subject="r-1")
    unknown = gtm.report("intel.document.flagged", FLAGGED | dict.fromkeys(words[:4000], 1), subject="d")
    for one in (report, unknown) * 20:
        payload = json.dumps(one, separators=(",", ":")).encode()
        assert 40_000 < len(payload) < 64_000
        await client.publish(f"report.{one['type'][4:-3]}", payload)
    await client.flush()
    begun = time.monotonic()
    told = await refusals(system, number=40)
    took = time.monotonic() - begun
    assert took < 20, took  # 76 s of difflib before
    assert all(1 <= len(one) <= 50 for one in told)
    await emptied(system, "intel")
    assert system.processes["intel"].poll() is None


async def test_a_bug_in_a_rule_sets_its_report_aside_the_rest_goes_on_and_once_mended_it_is_taken_in(system):
    system.modules["intel"] = "tests.harness.faulty"
    port = free_port()
    system.start("intel", CRM_OPS_PORT=str(port))
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    good = [flagged(one) for one in (gtm, mex) for _ in range(10)]
    bad = [flagged(gtm, carrier=f"bug-{number}") for number in range(len(BUGS))]
    await gtm.publish_all([*good[:5], *bad, *good[5:10]])
    await mex.publish_all(good[10:])
    await system.recorded("intel", "intel.document.flagged", len(good))
    await emptied(system, "intel")
    await until(lambda: aside(system), "the failed")
    rows = await aside(system)
    assert [row[:2] for row in rows] == [("INTAKE_GTM", "failed")] * len(BUGS)
    assert {row[2] for row in rows} >= {"KeyError", "TypeError", "OSError", "TimeoutError", "InterfaceError"}

    def shown():
        return measured(port, "crm_aside_events", service="intel", stream="INTAKE_GTM", kind="failed") == len(BUGS)

    await until(shown, "the metric")
    told = [line for line in system.output("intel") if line["event"] == "message failed and is set aside"]
    assert {line["sequence"] for line in told} == set(range(6, 6 + len(BUGS)))
    assert "of ours" not in str(told)
    await until(lambda: _tried_again(system), "a second try")
    system.kill("intel")
    del system.modules["intel"]
    system.start("intel")
    await system.recorded("intel", "intel.document.flagged", len(good) + len(BUGS))
    assert await aside(system) == []
    recorded = [event.id for event in await system.log("intel", "intel.document.flagged")]
    assert sorted(recorded) == sorted(report["id"] for report in [*good, *bad])


async def _tried_again(system):
    return all(tries > 1 for *_, tries in await aside(system))


async def test_a_report_waits_is_woken_by_what_it_refers_to_and_else_refused_in_its_time(system):
    system.start("intel", CRM_REFERENCE_WAIT_S="6")
    await system.ready()
    gtm = await system.country("GTM")
    first = flagged(gtm)
    correction = gtm.report("intel.document.corrected", _correction(first["id"]))
    second = gtm.report("intel.document.corrected", _correction(correction["id"], fraud_type="pseudo"))
    lost = gtm.report("intel.document.corrected", _correction("never"))
    for report in (second, correction, lost, lost, correction):
        await gtm.publish(report)
    await emptied(system, "intel")
    await until(lambda: _number(system, 3), "three that wait, none of them twice")
    await gtm.publish(first)
    corrected = await system.recorded("intel", "intel.document.corrected", 2)
    assert [event.id for event in corrected] == [correction["id"], second["id"]]
    assert await refusals(system) == [{("/data/supersedes", "unknown_reference")}]
    assert await aside(system) == []
    assert len(await system.log("intel", "intel.report.rejected")) == 1


def _correction(supersedes, **changes):
    return {"supersedes": supersedes, "data": FLAGGED | changes, "reported_by": FLAGGED["reported_by"]}


async def _number(system, number):
    return len(await aside(system)) == number


async def test_reports_that_wait_have_a_limit_for_each_country_and_survive_a_restart(system):
    system.start("intel", CRM_ASIDE_MAX="20")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    waiting = [gtm.report("intel.document.corrected", _correction(f"never-{n}")) for n in range(50)]
    await gtm.publish_all(waiting)
    await mex.publish(mex.report("intel.document.corrected", _correction("later")))
    assert {one for told in await refusals(system, number=30) for one in told} == {
        ("/data/supersedes", "too_many_waiting")
    }
    await until(lambda: _number(system, 21), "those that wait")
    await emptied(system, "intel")
    system.kill("intel")
    system.start("intel", "intel-2", CRM_ASIDE_MAX="20", CRM_REFERENCE_WAIT_S="60")
    await system.ready()
    await mex.publish(flagged(mex) | {"id": "later"})
    await system.recorded("intel", "intel.document.corrected")
    assert len(await aside(system)) == 20


async def test_another_services_event_that_nobody_can_read_is_set_aside_and_the_rest_is_heard(system):
    system.start("training")
    await system.ready()
    legal = (await system.region.connect("legal")).jetstream()
    repealed = example_event(contracts.registry()["crm.legal.law.repealed.v1"])
    for number, payload in enumerate((b"\xff", b"{}", json.dumps(repealed | {"time": 7}).encode()), 1):
        ack = await legal.publish("crm.evt.legal.law.repealed.GTM", payload)
        assert ack.seq == number
    await legal.publish("crm.evt.legal.law.repealed.GTM", json.dumps(repealed | {"sequence": 4}).encode())

    async def heard():
        return [row["sequence"] for row in await system.rows("training", "select sequence from heard")] == [4]

    await until(heard, "the good one to be heard")
    assert [row[:2] for row in await aside(system, "training")] == [("LEGAL", "failed")] * 3


NEVER = "9999-12-31"
FAR = (
    ("intel", "information.requested", {"due": f"{NEVER}T23:59:59-06:00"}),
    ("victims", "service.provided", {"started": f"{NEVER}T23:59:59-06:00"}),
    ("legal", "law.amended", {"effective_from": NEVER}),
)


async def test_never_written_as_the_year_9999_is_refused_with_its_field(system):
    """Some were neither recorded nor refused, and came again for seven days."""
    system.start(*(service for service, *_ in FAR))
    await system.ready()
    client, gtm = await system.region.connect("GTM"), await system.country("GTM")
    for service, name, changes in FAR:
        report = gtm.report(f"{service}.{name}", example(f"{service}.{name}") | changes, subject="far-1")
        await client.request(f"report.{service}.{name}", json.dumps(report).encode(), timeout=30)
    for service, _, (field, *_) in FAR:
        (told,) = await refusals(system, service)
        assert (f"/data/{field}", "out_of_range") in told
    await emptied(system, *(service for service, *_ in FAR))


async def test_an_old_event_that_a_rule_cannot_work_with_waits_alone_and_so_does_its_correction(system):
    """A law of the year 9999, recorded before there were bounds: training waited on it, and on its correction."""
    system.start("training")
    await system.ready()
    legal, gtm = (await system.region.connect("legal")).jetstream(), await system.country("GTM")
    certified = example("training.officer.certified", aligned_to=[{"law_id": "law-1", "version": "1"}])
    await gtm.publish(gtm.report("training.officer.certified", certified))
    await system.recorded("training", "training.officer.certified")
    law = example_event(contracts.registry()["crm.legal.law.amended.v1"])
    law["data"] |= {"law_id": "law-1", "effective_from": NEVER, "version": "2"}
    good = law | {"id": "good", "data": law["data"] | {"law_id": "law-2", "effective_from": "2024-07-01"}}
    for number, event in enumerate((law, good), 1):
        payload = json.dumps(event | {"sequence": number}).encode()
        assert (await legal.publish("crm.evt.legal.law.amended.GTM", payload)).seq == number

    async def heard():
        return {row["sequence"] for row in await system.rows("training", "select sequence from heard")} >= {2}

    await until(heard, "the good law to be heard")
    await until(lambda: _settled_on(system, 1), "the far law to be heard or set aside")


async def _settled_on(system, sequence):
    rows = await system.rows(
        "training", "select sequence from heard union all select sequence from aside where kind = 'failed'"
    )
    return sequence in {row["sequence"] for row in rows}


def crowd(gtm, number):
    return [gtm.report("intel.document.corrected", _correction(f"never-{n}")) for n in range(number)]


async def test_a_crowd_that_waits_keeps_nobody_else_waiting(system):
    system.start("intel", CRM_ASIDE_MAX="100", CRM_REFERENCE_WAIT_S="600")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    sending = asyncio.create_task(gtm.publish_all(crowd(gtm, 1_000)))
    took = []
    for number in range(20):
        begun = time.monotonic()
        await mex.publish(flagged(mex))
        await system.recorded("intel", "intel.document.flagged", number + 1)
        took.append(time.monotonic() - begun)
    await sending
    print(f"recorded beside a crowd: median {sorted(took)[10]:.3f} s, longest {max(took):.3f} s")
    assert sorted(took)[10] < 5
    await system.recorded("intel", "intel.report.rejected", 900)
    assert len(await aside(system)) == 100


async def test_a_subject_that_is_no_text_and_headers_that_are_none_end_nobodys_reading(system):
    """nats-py ended its reading at each, and a message of a stream comes again: deaf for as long as it stands there."""
    system.start("intel")
    await system.ready()
    client, mex = await system.region.connect("GTM"), await system.country("MEX")
    lone = b"NATS/1.0 \xff\xfe\xfd\r\n\r\n"
    raw = [
        b"PUB report.intel.document.\xff\xfe 2\r\nhi\r\n",
        b"PUB report.intel.\xc3.flagged 2\r\nhi\r\n",
        b"HPUB report.intel.document.flagged 1 3\r\nXhi\r\n",
        b"HPUB report.intel.document.flagged %d %d\r\n%shi\r\n" % (len(lone), len(lone) + 2, lone),
        b"HPUB report.intel.document.flagged 0 2\r\nhi\r\n",
        b"PUB ask.intel.\xff\xfe _INBOX.a 2\r\n{}\r\n",
        b"PUB ask.intel.mailbox \xff\xfe 2\r\n{}\r\n",
    ]
    for one in raw:
        await client._send_command(one)
    await client.flush()
    await mex.publish(flagged(mex))
    await system.recorded("intel", "intel.document.flagged")
    assert (await mex.ask("intel", "mailbox", {})).events
    told = await refusals(system, number=5)
    assert told == [{("", "not_json")}] * 5
    await emptied(system, "intel")


HARMFUL = (
    b'{"since":"2003-06-01T00:00:00\\ud800Z"}',
    b'{"after":1' + b"0" * 30 + b"}",
    b'{"after":9007199254740991}',
    b'{"after":9223372036854775807}',
    b'{"after":1e400}',
    b'{"after":-1}',
    b'{"after":1' + b"0" * 5_000 + b"}",
    b'{"since":"0001-01-01T00:00:00+14:00"}',
    b'{"since":"9999-12-31T23:59:59-14:00"}',
    b'{"since":{}}',
    b'{"\\ud800":1}',
    b'{"a":' * 1_300,
    b"[" * 8_000,
    b"\xff",
    b"null",
    json.dumps({f"k{number}": number for number in range(600)}).encode(),
)


async def test_whatever_is_asked_its_asker_is_answered_and_others_too(system):
    system.start("victims")
    await system.ready()
    client, hnd = await system.region.connect("GTM"), await system.country("HND")

    async def ask(payload, name="mailbox"):
        """The answer, asked again while there are too many questions at once."""
        while True:
            answer = json.loads((await client.request(f"ask.victims.{name}", payload, timeout=60)).data)
            if answer.get("error", {}).get("code") != "too_many":
                return answer
            await asyncio.sleep(answer["error"]["wait_s"])

    for _ in range(5):
        good = [hnd.ask("victims", "mailbox", {}) for _ in range(3)]
        nul = ask(b'{"referral_id":"a\\u0000b"}', "referral")
        answers = asyncio.gather(*(ask(payload) for payload in HARMFUL), nul)
        assert all(one.next == 0 for one in await asyncio.gather(*good))
        codes = [one["error"]["code"] if "error" in one else "answered" for one in await answers]
        assert "unavailable" not in codes
        assert codes[0] == codes[1] == "invalid"
    assert system.processes["victims"].poll() is None
