"""One sender's reports as another would like to meet them: by effect, each with a control that shows what it would be.

`shared` is the way it was: all senders in one stream. Every attack succeeds there, so a test of it can fail.
"""

import asyncio
import json

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from infra.nats.asking import ask
from shared.contracts import SERVICES
from shared.flow.provisioned import intakes
from shared.flow.streams import CLOSED, DAY, KEPT, SECOND
from tests.harness.servers import ROOT

REPORT = "report.intel.document.flagged"
SHARED = {
    "name": "INTAKE",
    **KEPT,
    **CLOSED,
    "subjects": [f"crm.in.*.{service}.*.*" for service in SERVICES],
    "max_age": 7 * DAY,
    "discard": "new",
    "duplicate_window": SECOND // 10,
    "allow_atomic": True,
}


@pytest.fixture(params=["apart", "shared"])
async def apart(request, region):
    """Whether senders are apart, as they are now; else one stream takes all in, as it did before."""
    if request.param == "shared":
        root = await region.connect(ROOT)
        for name in intakes():
            await ask(root, f"STREAM.DELETE.{name}")
        assert "error" not in await ask(root, "STREAM.CREATE.INTAKE", SHARED)
    return request.param == "apart"


async def raw(client, payload=b"{}", **headers):
    answer = await client.request(REPORT, payload, timeout=30, headers=headers or None)
    return json.loads(answer.data)


async def both(region):
    return await region.connect("GTM"), await region.connect("MEX")


async def test_two_countries_with_one_message_id_lose_nothing(region, apart):
    gtm, mex = await both(region)
    one, other = await asyncio.gather(*(raw(client, **{"Nats-Msg-Id": "case-1"}) for client in (gtm, mex)))
    assert ("duplicate" not in one and "duplicate" not in other) == apart


async def test_two_systems_of_one_country_with_one_message_id_lose_nothing(region, apart):
    one, other = await region.connect("GTM"), await region.connect("GTM")
    answers = await asyncio.gather(*(raw(client, **{"Nats-Msg-Id": "case-1"}) for client in (one, other)))
    assert ({answer["seq"] for answer in answers} == {1, 2}) == apart


async def test_a_batch_with_a_known_id_is_not_joined(region, apart):
    gtm, mex = await both(region)
    await mex.request(REPORT, b"1", headers={"Nats-Batch-Id": "known", "Nats-Batch-Sequence": "1"})
    await gtm.request(REPORT, b"x", headers={"Nats-Batch-Id": "known", "Nats-Batch-Sequence": "2"}, timeout=30) if (
        not apart
    ) else await raw_or_error(gtm)
    last = {"Nats-Batch-Id": "known", "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
    answer = await raw(mex, b"2", **last)
    assert (answer.get("count") == 2 and "error" not in answer) == apart


async def raw_or_error(gtm):
    """What joining is answered with where there is nothing to join."""
    answer = await raw(gtm, b"x", **{"Nats-Batch-Id": "known", "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"})
    assert "error" in answer


ORACLES = [
    {"Nats-Expected-Last-Sequence": "999"},
    {"Nats-Expected-Last-Msg-Id": "none"},
    {
        "Nats-Expected-Last-Subject-Sequence": "999",
        "Nats-Expected-Last-Subject-Sequence-Subject": "crm.in.MEX.legal.witness.protected",
    },
    {"Nats-Expected-Last-Subject-Sequence": "999", "Nats-Expected-Last-Subject-Sequence-Subject": "crm.in.MEX.>"},
    {"Nats-Expected-Last-Subject-Sequence": "999", "Nats-Expected-Last-Subject-Sequence-Subject": "crm.in.*.>"},
    {"Nats-Expected-Stream": "INTAKE_MEX"},
    {},
]


@pytest.mark.parametrize("headers", ORACLES, ids=lambda headers: " ".join(headers) or "the sequence told")
async def test_no_header_tells_what_another_sends(region, apart, headers):
    """The answer to the same question is the same, whether another has sent something in between or not."""
    gtm, mex = await both(region)
    await raw(gtm)
    before = await raw(gtm, **headers)
    sent = await mex.request(
        "report.legal.witness.protected", b"{}", timeout=30, headers={"Nats-Msg-Id": "witness-of-mex"}
    )
    assert "seq" in json.loads(sent.data)
    after = await raw(gtm, **headers)
    told = _apart_from_own(before), _apart_from_own(after)
    if "Nats-Expected-Stream" in headers:
        assert told[0] == told[1]  # names a stream; tells nothing in either world
    else:
        assert (told[0] == told[1]) == apart


def _apart_from_own(answer):
    """The answer without what an own report in between changes by itself."""
    if "error" in answer:
        return answer["error"]
    return {"seq": "own" if answer["stream"] != "INTAKE" else answer["seq"]}


async def test_sequences_count_the_own_reports_only(region, apart):
    gtm, mex = await both(region)
    await raw(gtm)
    for _ in range(5):
        await raw(mex)
    assert ((await raw(gtm))["seq"] == 2) == apart


# --- who may make streams ----------------------------------------------------------------------------------------
FORGERY = {
    "name": "EVIL",
    "subjects": ["$JS.API.EVIL.x", "evil.x"],
    "no_ack": True,
    "republish": {"src": "evil.x", "dest": "crm.in.MEX.intel.document.flagged"},
}
AS_MEX = b'{"forged": true}'


async def forged(region, principal, free=False):
    """Whether `principal` brings a report of its own into the intake of MEX by a stream that publishes again."""
    key = await region.connect(principal, error_cb=_quiet)
    body = {**FORGERY, "subjects": ["$JS.API.EVIL.x"], "republish": {**FORGERY["republish"], "src": "$JS.API.EVIL.x"}}
    try:
        await ask(key, "STREAM.CREATE.EVIL", body)
        await key.publish("$JS.API.EVIL.x", AS_MEX)
        await key.flush()
        await asyncio.wait_for(_arrived(region), 10 if free else 1)
    except (NatsTimeoutError, TimeoutError):
        return False
    return True


async def _arrived(region):
    operator = await region.connect("operator")
    while not (await ask(operator, "STREAM.INFO.INTAKE_MEX"))["state"]["messages"]:
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("principal", ["operator", "provisioner"])
async def test_no_key_of_the_operators_speaks_as_a_country(region, principal):
    assert not await forged(region, principal)
    assert await forged(region, ROOT, free=True), "the attack works for who may make any stream"


@pytest.mark.parametrize("principal", ["operator", "provisioner"])
async def test_no_key_of_the_operators_erases(region, principal):
    mex = await region.connect("MEX")
    await raw(mex)
    key = await region.connect(principal, error_cb=_quiet)
    root = await region.connect(ROOT)
    before = {one.config.name: one.state.messages for one in await root.jetstream().streams_info()}
    found = (await ask(root, "STREAM.INFO.INTAKE_MEX"))["config"]
    attempts = [("STREAM.DELETE.MAILBOX", None), ("STREAM.DELETE.INTAKE_MEX", None), ("STREAM.PURGE.MAILBOX", None)]
    attempts += [("STREAM.MSG.DELETE.INTAKE_MEX", {"seq": 1}), ("CONSUMER.DELETE.INTAKE_MEX.intel", None)]
    if principal == "operator":
        attempts += [("STREAM.UPDATE.INTAKE_MEX", {**found, "max_age": SECOND}), ("STREAM.DELETE.INTEL", None)]
        attempts += [("CONSUMER.DURABLE.CREATE.INTAKE_MEX.intel", {"stream_name": "INTAKE_MEX", "config": {}})]
    else:
        attempts += [("STREAM.PURGE.INTAKE_MEX", None)]
    for attempt, body in attempts:
        with pytest.raises(NatsTimeoutError):
            await asyncio.wait_for(key.request(f"$JS.API.{attempt}", json.dumps(body or {}).encode(), timeout=0.3), 5)
    assert {one.config.name: one.state.messages for one in await root.jetstream().streams_info()} == before
    assert (await ask(root, "STREAM.INFO.INTAKE_MEX"))["config"] == found


async def test_a_stream_that_publishes_again_is_a_difference(region):
    """The provisioner may change the streams that there are; what it puts in is seen by status and at each start."""
    from infra.nats.provision import all_differences  # noqa: PLC0415 - for this one

    provisioner = await region.connect("provisioner")
    found = (await ask(provisioner, "STREAM.INFO.INTAKE_GTM"))["config"]
    again = {"src": "crm.in.GTM.>", "dest": "elsewhere.>"}
    assert "error" not in await ask(provisioner, "STREAM.UPDATE.INTAKE_GTM", {**found, "republish": again})
    (fault,) = await all_differences(provisioner)
    assert fault.startswith("stream INTAKE_GTM: republish is ")


async def _quiet(_):
    pass
