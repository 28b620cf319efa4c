"""What somebody with a key might try beyond their rights, and what becomes of it."""

import asyncio
import json

import nats
import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from infra.nats.config import accounts, keys
from infra.nats.provision import ask
from shared.contracts.vocabulary import MEMBERS
from shared.flow.provisioned import intakes
from tests.harness.servers import ROOT

REPORT = "report.intel.document.flagged"


async def stored(region, stream):
    return (await ask(await region.connect("operator"), f"STREAM.INFO.{stream}"))["state"]["messages"]


async def taken_in(region):
    return sum([await stored(region, name) for name in intakes()])


async def subjects(region, stream):
    operator = await region.connect("operator")
    answer = await ask(operator, f"STREAM.INFO.{stream}", {"subjects_filter": ">"})
    return answer["state"].get("subjects", {})


async def publish(client, subject, payload=b"{}", **headers):
    answer = await client.request(subject, payload, timeout=2, headers=headers or None)
    return json.loads(answer.data)


async def test_the_server_says_which_country_a_report_is_from(region):
    for name in MEMBERS:
        assert (await publish(await region.connect(name), REPORT))["stream"] == f"INTAKE_{name}"
        assert await subjects(region, f"INTAKE_{name}") == {f"crm.in.{name}.intel.document.flagged": 1}


async def test_a_backlog_goes_in_one_atomic_batch(region):
    client = await region.connect("GTM")
    await client.request(REPORT, b"1", headers={"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1"})
    await client.publish(REPORT, b"2", headers={"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "2"})
    last = {"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "3", "Nats-Batch-Commit": "1"}
    answer = json.loads((await client.request(REPORT, b"3", headers=last)).data)
    assert (answer["seq"], answer["count"]) == (3, 3)


async def test_a_country_cannot_name_another(region):
    client = await region.connect("GTM", error_cb=_quiet)
    for subject in ("crm.in.MEX.intel.document.flagged", "crm.in.GTM.intel.document.flagged"):
        with pytest.raises(NatsTimeoutError):
            await client.request(subject, b"{}", timeout=0.2)
    assert await taken_in(region) == 0


@pytest.mark.parametrize("service", ["intelx", "*", "indicator"])
async def test_a_report_to_an_unknown_service_is_answered_at_once(region, service):
    client = await region.connect("GTM", error_cb=_quiet)
    with pytest.raises((NoRespondersError, NatsTimeoutError, nats.errors.BadSubjectError)):
        await client.request(f"report.{service}.document.flagged", b"{}", timeout=1)
    assert await taken_in(region) == 0


HARMFUL = {
    "another subject by schedule": {
        "Nats-Schedule": "@at 2003-05-09T00:00:00Z",
        "Nats-Schedule-Target": "crm.in.MEX.intel.document.flagged",
    },
    "erasing by rollup": {"Nats-Rollup": "all"},
    "erasing its subject by rollup": {"Nats-Rollup": "sub"},
    "vanishing by time to live": {"Nats-TTL": "1s"},
    "counting": {"Nats-Incr": "1"},
}


@pytest.mark.parametrize("headers", HARMFUL.values(), ids=HARMFUL.keys())
async def test_headers_give_no_power_beyond_the_own_subject(region, headers):
    victim = await region.connect("MEX")
    await publish(victim, REPORT, b'{"first": true}')
    client = await region.connect("GTM")
    await publish(client, REPORT, b'{"own": true}', **headers)
    kept = await subjects(region, "INTAKE_MEX")
    assert kept["crm.in.MEX.intel.document.flagged"] == 1


async def test_a_report_that_is_too_large_is_refused_with_a_reason(region):
    client = await region.connect("GTM")
    answer = await publish(client, REPORT, b"x" * (64 * 1024 + 1))
    assert "exceeds" in answer["error"]["description"]


async def test_a_country_reads_its_own_mailbox_and_no_other(region):
    intel = await region.connect("intel")
    await publish(intel, "crm.evt.intel.alert.issued.GTM", b"for GTM")
    await publish(intel, "crm.evt.intel.alert.issued.MEX", b"for MEX")
    gtm = await region.connect("GTM", error_cb=_quiet)
    mailbox = await gtm.jetstream().pull_subscribe_bind(durable="GTM", stream="MAILBOX")
    (message,) = await mailbox.fetch(1, timeout=30)
    assert message.data == b"for GTM"
    await message.ack()
    with pytest.raises(NatsTimeoutError):
        await mailbox.fetch(1, timeout=0.3)
    others = await gtm.jetstream().pull_subscribe_bind(durable="MEX", stream="MAILBOX")
    with pytest.raises(NatsTimeoutError):
        await others.fetch(1, timeout=0.3)
    mex = await region.connect("MEX")
    own = await mex.jetstream().pull_subscribe_bind(durable="MEX", stream="MAILBOX")
    assert [message.data for message in await own.fetch(1, timeout=30)] == [b"for MEX"]


async def test_an_acknowledged_message_does_not_come_again_and_only_its_owner_acknowledges(region):
    intel = await region.connect("intel")
    await publish(intel, "crm.evt.intel.alert.issued.MEX", b"for MEX")
    mex = await region.connect("MEX")
    own = await mex.jetstream().pull_subscribe_bind(durable="MEX", stream="MAILBOX")
    (message,) = await own.fetch(1, timeout=30)
    gtm = await region.connect("GTM", error_cb=_quiet)
    await gtm.publish(message.reply, b"+ACK")
    await gtm.flush()
    operator = await region.connect("operator")
    assert (await ask(operator, "CONSUMER.INFO.MAILBOX.MEX"))["num_ack_pending"] == 1
    await message.ack_sync(timeout=30)
    assert (await ask(operator, "CONSUMER.INFO.MAILBOX.MEX"))["num_ack_pending"] == 0


async def test_a_question_carries_the_country_and_its_answer_comes_back(region):
    asked = []
    intel = await region.connect("intel")

    async def answer(message):
        asked.append(message.subject)
        await message.respond(b"yes")

    await intel.subscribe("crm.ask.*.intel.>", queue="intel", cb=answer)
    await intel.flush()
    gtm = await region.connect("GTM")
    assert (await gtm.request("ask.intel.specimen", b"?", timeout=30)).data == b"yes"
    assert asked == ["crm.ask.GTM.intel.specimen"]


async def test_a_service_cannot_write_anothers_stream(region):
    victims = await region.connect("victims", error_cb=_quiet)
    with pytest.raises(NatsTimeoutError):
        await victims.request("crm.evt.intel.alert.issued.GTM", b"{}", timeout=0.3)
    assert await stored(region, "INTEL") == 0


async def test_what_is_recorded_cannot_be_erased_even_by_an_operator(region):
    intel = await region.connect("intel")
    await publish(intel, "crm.evt.intel.alert.issued.GTM")
    operator = await region.connect("operator", error_cb=_quiet)
    root = await region.connect(ROOT)
    for may_ask in (operator, root):
        for attempt, body in (("STREAM.PURGE.INTEL", None), ("STREAM.MSG.DELETE.INTEL", {"seq": 1})):
            try:
                assert "error" in await ask(may_ask, attempt, body)
            except NatsTimeoutError:
                assert may_ask is operator, "the API refuses even who may ask it"
    assert await stored(region, "INTEL") == 1


async def test_the_fold_reads_in_order_but_makes_no_durable(region):
    intel = await region.connect("intel")
    for number in range(3):
        await publish(intel, "crm.evt.intel.alert.issued.GTM", str(number).encode())
    fold = await region.connect("indicators", error_cb=_quiet)
    ordered = await fold.jetstream().subscribe("crm.evt.intel.>", stream="INTEL", ordered_consumer=True)
    assert [(await ordered.next_msg(timeout=30)).data for _ in range(3)] == [b"0", b"1", b"2"]
    await ordered.unsubscribe()
    body = {"stream_name": "INTEL", "config": {"durable_name": "training", "name": "training", "ack_policy": "none"}}
    answer = await ask(fold, "CONSUMER.CREATE.INTEL", body)
    assert "error" in answer
    config = (await ask(await region.connect("operator"), "CONSUMER.INFO.INTEL.training"))["config"]
    assert config["ack_policy"] == "explicit"


@pytest.mark.parametrize("target", ["crm.evt.intel.alert.issued.GTM", "crm.in.GTM.intel.document.flagged"])
async def test_the_fold_cannot_have_the_server_write_in_its_place(region, target):
    """A consumer may deliver to any subject, but only while somebody listens there; and there nobody may."""
    victims = await region.connect("victims")
    await publish(victims, "crm.evt.victims.alert.issued.GTM", b"x")
    fold = await region.connect("indicators")
    body = {"stream_name": "VICTIMS", "config": {"deliver_subject": target, "ack_policy": "none"}}
    made = await ask(fold, "CONSUMER.CREATE.VICTIMS", body)
    found = await ask(await region.connect("operator"), f"CONSUMER.INFO.VICTIMS.{made['name']}")
    assert (found.get("push_bound", False), found["num_pending"], found["delivered"]["stream_seq"]) == (False, 1, 0)
    assert (await stored(region, "INTEL"), await taken_in(region)) == (0, 0)


async def test_a_key_taken_away_is_cut_off_at_once(region, nats_keys, tmp_path):
    closed = asyncio.Event()

    async def gone():
        closed.set()

    gtm = await region.connect("GTM", closed_cb=gone, allow_reconnect=False, error_cb=_quiet)
    stays = await region.connect("MEX")
    fresh = {**nats_keys.public, "GTM": keys(tmp_path / "fresh")["GTM"]}
    region.nats.reload(accounts(fresh))
    await asyncio.wait_for(closed.wait(), 30)
    assert gtm.is_closed
    assert (await publish(stays, REPORT))["stream"] == "INTAKE_MEX"


async def _quiet(_):
    pass
