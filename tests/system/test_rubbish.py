"""Whatever a country sends: it hears everything that was wrong, its bytes are kept, and nothing good is held up."""

import json
import time

import nats
import pytest

from infra.keyfiles import identity_file
from shared.contracts import Problem, Refused
from shared.flow import refusing
from shared.flow.sealing import Unopened, opened
from shared.flow.taken import Taken
from tests.harness.sealing import fresh
from tests.system.test_spine import FLAGGED

pytestmark = pytest.mark.long

SECRET = "Juana-Inventada-1984"


def report(**changes):
    event = {
        "specversion": "1.0",
        "id": "r-1",
        "source": "urn:crm:country:GTM:sicam",
        "type": "crm.intel.document.flagged.v1",
        "time": "2004-03-01T10:00:00Z",
        "subject": "doc-1",
        "data": FLAGGED,
    }
    return {key: value for key, value in (event | changes).items() if value is not ...}


def data(**changes):
    return report(data={key: value for key, value in (FLAGGED | changes).items() if value is not ...})


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


RUBBISH = {
    "not JSON": (b"hello", {("", "not_json")}),
    "empty": (b"", {("", "not_json")}),
    "not UTF-8": (b'{"id":"\xff\xfe"}', {("", "not_utf8")}),
    "a list": (b"[]", {("", "wrong_type")}),
    "deep nesting": (nested(5000), {("", "too_deep")}),
    "somewhat deep": (nested(40), {("", "too_deep")}),
    "NaN": (json.dumps(data(carrier=float("nan"))).encode(), {("", "not_json")}),
    "duplicate keys": (
        json.dumps(report()).encode().replace(b'"subject"', b'"id": "x", "subject"'),
        {("", "duplicate_key")},
    ),
    "a wrong type": (data(mrz_check="yes"), {("/data/mrz_check", "wrong_type")}),
    "a missing field": (data(issuing=...), {("/data/issuing", "missing_field")}),
    "two faults": (
        data(issuing=..., detected_by="second_lane"),
        {("/data/issuing", "missing_field"), ("/data/detected_by", "unknown_value")},
    ),
    "an unknown field": (data(full_name=SECRET), {("/data", "unknown_field")}),
    "a name as a field": (data(**{SECRET: 1}), {("/data", "unknown_field")}),
    "another country's source": (
        report(source="urn:crm:country:MEX:sicam"),
        {("/source", "country_mismatch")},
    ),
    "the region's source": (report(source="urn:crm:service:intel"), {("/source", "country_mismatch")}),
    "an unknown type": (report(type="crm.intel.document.flaged.v1"), {("/type", "unknown_type")}),
    "an unknown value": (data(issuing=SECRET), {("/data/issuing", "unknown_value")}),
    "a trailing newline in a code": (data(issuing="HND\n"), {("/data/issuing", "unknown_value")}),
    "a trailing newline in an id": (report(id="r-1\n"), {("/id", "bad_format")}),
    "a time without offset": (report(time="2004-03-01T10:00:00"), {("/time", "bad_format")}),
    "a time in words": (report(time="yesterday"), {("/time", "bad_format")}),
    "the far future": (report(time="2999-01-01T00:00:00Z"), {("/time", "in_future")}),
    "a null character": (report(id="a\u0000b"), {("/id", "bad_format")}),
    "what only the service fills in": (
        report(
            type="crm.intel.operation.executed.v1",
            data={"operation_id": "o-1", "kind": "ordinary", "participants": ["GTM"], "joint": True,
                  "reported_by": "police"},
            subject="o-1",
        ),
        {("/data/joint", "unknown_field")},
    ),
}  # fmt: skip


async def test_every_fault_is_told_once_in_the_mailbox_nothing_is_echoed_and_nothing_good_is_held_up(system):
    system.start("intel")
    await system.ready()
    client = await system.region.connect("GTM")
    sequences = {}
    for kind, (sent, _) in RUBBISH.items():
        payload = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        name = "operation.executed" if kind.startswith("what only") else "document.flagged"
        answer = json.loads((await client.request(f"report.intel.{name}", payload, timeout=30)).data)
        sequences[answer["seq"]] = kind
        good = json.dumps(report(id=f"good-{answer['seq']}")).encode()
        assert "seq" in json.loads((await client.request("report.intel.document.flagged", good, timeout=30)).data)

    told, recorded = {}, []
    gtm = await system.country("GTM")
    async for event in gtm.mailbox(idle_s=60):
        if event.name == "intel.report.rejected":
            found = {(problem.pointer, problem.code) for problem in event.data.problems}
            assert told.setdefault(sequences[event.data.intake_sequence], found) is found, "told twice"
        else:
            recorded.append(event.id)
        if len(told) == len(RUBBISH) == len(recorded):
            break
    assert told == {kind: expected for kind, (_, expected) in RUBBISH.items()}
    assert recorded == [f"good-{sequence}" for sequence in sequences]
    assert system.processes["intel"].poll() is None

    quarantine = (await system.region.connect("operator")).jetstream()
    kept = [await quarantine.get_msg("QUARANTINE", number + 1) for number in range(len(RUBBISH))]
    raw = [sent if isinstance(sent, bytes) else json.dumps(sent).encode() for sent, _ in RUBBISH.values()]
    assert not [one for one in kept if SECRET.encode() in one.data or SECRET in str(one.headers)]
    for name in ("operator", "GTM"):
        key = identity_file(system.region.keys.folder, name)
        assert sorted(opened(message.data, key) for message in kept) == sorted(raw)
    with pytest.raises(Unopened):
        opened(kept[0].data, identity_file(system.region.keys.folder, "MEX"))
    assert {message.subject for message in kept} == {"crm.bad.GTM.intel"}
    assert SECRET not in (system.folder / "intel.log").read_text()
    assert SECRET not in str([event.data for event in await system.log("intel", "intel.report.rejected")])


async def test_a_report_over_64_kb_is_refused_at_once_and_one_of_64_kb_is_not(system):
    client = await system.region.connect("GTM")
    answer = await client.request("report.intel.document.flagged", b"x" * (64 * 1024 + 1), timeout=30)
    assert json.loads(answer.data)["error"]["err_code"] == 10054
    answer = await client.request("report.intel.document.flagged", b"x" * (64 * 1024 - 200), timeout=30)
    assert "seq" in json.loads(answer.data)


async def test_an_unknown_service_is_answered_at_once(system):
    client = await system.region.connect("GTM")
    with pytest.raises(nats.errors.NoRespondersError):
        await client.request("report.intl.document.flagged", b"{}", timeout=30)


async def test_the_same_report_again_is_one_and_another_under_its_id_is_refused_not_lost(system):
    system.start("intel")
    await system.ready()
    gtm = await system.country("GTM")
    first = gtm.report("intel.document.flagged", FLAGGED, id="r-1", subject="doc-1")
    await gtm.publish_all([first, first, first | {"data": FLAGGED | {"issuing": "SLV"}}])
    (rejected,) = await system.recorded("intel", "intel.report.rejected")
    assert [(p.pointer, p.code) for p in rejected.data.problems] == [("/id", "id_conflict")]
    await gtm.publish(first)
    await gtm.publish(first | {"time": "2004-03-01T11:00:00Z"})
    await system.recorded("intel", "intel.report.rejected", 2)
    binary = {f"ce-{name}": value for name, value in first.items() if name not in {"data", "datacontenttype"}}
    again = {"payload": json.dumps(FLAGGED).encode(), "stream": None}
    for subject in ("doc-1", "doc-2"):
        headers = binary | {"ce-subject": subject, "Content-Type": "application/json"}
        await gtm.client.jetstream().publish("report.intel.document.flagged", headers=headers, **again)
    await system.recorded("intel", "intel.report.rejected", 3)
    assert len(await system.log("intel", "intel.document.flagged")) == 1


async def test_what_is_refused_together_is_kept_by_one_write_and_each_report_once(region):
    """A restart meets some of them again, in another batch."""
    client = await region.connect("intel")
    stored = time.time_ns()
    each = [
        Taken("INTAKE_GTM", number, stored, "crm.in.GTM.intel.document.flagged", None, b"rubbish")
        for number in range(9)
    ]
    verdict = Refused(Problem("", "not_json", "it is not JSON"))
    await refusing.quarantine("intel", client, fresh(), [(one, verdict) for one in each[:6]])
    await refusing.quarantine("intel", client, fresh(), [(one, verdict) for one in each[3:]])
    stream = (await region.connect("operator")).jetstream()
    found = [(await stream.get_msg("QUARANTINE", number + 1)).headers for number in range(9)]
    assert [one["Nats-Msg-Id"].split("|")[1] for one in found] == [str(number) for number in range(9)]
    assert len({one.get("Nats-Batch-Id") for one in found[:6]} - {None}) == 1
    assert (await stream.stream_info("QUARANTINE")).state.messages == len(each)
