"""Attacks by what the server does besides: each is tried as somebody with a key, and looked at by its effect."""

import asyncio
import json

import nats
import pytest

from infra.nats.provision import ask
from infra.nats.rights import hands, inbox
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS
from tests.harness.servers import ROOT

REPORT = "victims.witness.protected"
THERE = ("INTAKE_MEX", "INTAKE_OPERATOR", "QUARANTINE", "CHECKPOINTS", *(service.upper() for service in SERVICES))
"""Streams in which nothing of what is tried here may come to be."""
WORDS = (f"crm.in.MEX.{REPORT}", "crm.evt.intel.alert.issued.MEX", "crm.log.intel", "crm.bad.MEX.intel")
SAYS = {
    "GTM": f"report.{REPORT}",
    "ST": "report.indicators.seat.assigned",
    "operator": "$JS.API.STREAM.INFO.INTEL",
    "deployer": "$JS.API.STREAM.INFO.INTEL",
    "provisioner": "$JS.API.STREAM.INFO.INTEL",
    "training": "$JS.API.STREAM.LIST",
    "indicators": "$JS.API.STREAM.LIST",
}


async def quiet(_):
    pass


async def lasts(region) -> dict[str, int]:
    root = await region.connect(ROOT)
    return {name: (await ask(root, f"STREAM.INFO.{name}"))["state"]["last_seq"] for name in THERE}


async def settled(region) -> dict[str, int]:
    """What the streams hold once all that was said before is stored: the root's own word comes behind it."""
    root = await region.connect(ROOT)
    await root.flush()
    await asyncio.sleep(0.3)
    return await lasts(region)


@pytest.mark.parametrize("who", SAYS)
async def test_the_trace_of_a_message_goes_where_its_sender_may_publish_and_nowhere_else(region, who):
    """`Nats-Trace-Dest` has the server itself publish: how the message went, to a subject that the sender chooses."""
    before = await lasts(region)
    client = await region.connect(who, error_cb=quiet)
    for word in WORDS:
        for more in ({}, {"Nats-Trace-Only": "true"}):
            await client.publish(SAYS[who], b"{}", headers={"Nats-Trace-Dest": word, **more})
    await client.flush()
    assert await settled(region) == before


@pytest.mark.parametrize("who", SAYS)
async def test_an_answer_goes_where_its_asker_may_not_publish_inside_the_central_account_only(region, who):
    """The server publishes to the reply subject that the asker names, and asks nobody's rights.

    Countries and hands have accounts of their own, in which there is nothing of others'. A service, which has a user in
    the account CRM, can have the server put its answer into any stream: not protected (docs/security.md), and to be
    seen here when it is.
    """
    before = await lasts(region)
    client = await region.connect(who, error_cb=quiet)
    for word in WORDS:
        await client.publish(SAYS[who], b"{}", reply=word)
    await client.flush()
    after = await settled(region)
    reached = {name for name in THERE if after[name] != before[name]}
    assert reached == (set() if who in {*RECEIVERS, *hands()} else {"INTAKE_MEX", "INTEL", "CHECKPOINTS", "QUARANTINE"})


async def test_a_country_hears_nothing_but_its_own_account(region):
    heard = []

    async def told(message):
        heard.append(message.subject)

    gtm = await region.connect("GTM", error_cb=quiet)
    own = (">", "*.*", "report.>", "ask.>", "crm.>", "_R_.>", "_INBOX_intel.>")
    for pattern in (*own, "$JS.>", "$SYS.>", "$JSC.>", "$SRV.>"):
        await gtm.subscribe(pattern, cb=told)
        await gtm.subscribe(pattern, queue="intel", cb=told)
    await gtm.subscribe("_INBOX.>", cb=told)
    await gtm.flush()
    mex, intel, root = await region.connect("MEX"), await region.connect("intel"), await region.connect(ROOT)
    await mex.request(f"report.{REPORT}", b"{}", timeout=10)
    await intel.request("crm.evt.intel.alert.issued.MEX", b"{}", timeout=10)
    await root.publish(f"{inbox('intel')}.1", b"x")
    await root.publish("_INBOX.1", b"x")
    await root.flush()
    await gtm.request(f"report.{REPORT}", b"{}", timeout=10)
    assert [subject for subject in heard if not subject.startswith("_INBOX.")] == []
    assert len(heard) == 1, "the answer to its own report"


@pytest.mark.parametrize("who", ["GTM", "ST", "training"])
async def test_nobody_poses_as_a_service_by_discovery_or_queue(region, who):
    client = await region.connect(who, error_cb=quiet)
    asked = []

    async def told(message):
        asked.append(message.subject)

    for pattern in ("crm.ask.*.intel.>", "crm.ask.>", "ask.intel.>", "ask.>"):
        await client.subscribe(pattern, queue="intel", cb=told)
    await client.flush()
    intel = await region.connect("intel")

    async def answer(message):
        await message.respond(b"yes")

    await intel.subscribe("crm.ask.*.intel.>", queue="intel", cb=answer)
    await intel.flush()
    mex = await region.connect("MEX")
    assert [(await mex.request("ask.intel.quota", b"", timeout=10)).data for _ in range(20)] == [b"yes"] * 20
    assert asked == []


async def test_a_mailbox_is_not_delivered_into_anothers_words(region):
    """A pull names where its messages go: the server publishes them there."""
    intel = await region.connect("intel")
    await intel.request("crm.evt.intel.alert.issued.GTM", b"{}", timeout=10)
    before = await lasts(region)
    gtm = await region.connect("GTM", error_cb=quiet)
    body = json.dumps({"batch": 10, "no_wait": True}).encode()
    for word in (*WORDS, "$JS.API.STREAM.DELETE.INTEL", "$JS.ACK.MAILBOX.MEX.1.1.1.1.1"):
        for subject in ("$JS.API.CONSUMER.MSG.NEXT.MAILBOX.GTM", "$JS.CRM.API.CONSUMER.MSG.NEXT.MAILBOX.GTM"):
            await gtm.publish(subject, body, reply=word)
    await gtm.flush()
    assert await settled(region) == before


@pytest.mark.parametrize("name", ["GTM", "ST"])
async def test_no_api_of_jetstream_but_its_mailbox_answers_a_country(region, name):
    client = await region.connect(name, error_cb=quiet)
    answers = []
    asked = ("INFO", "STREAM.LIST", "STREAM.INFO.VICTIMS", "STREAM.MSG.GET.INTAKE_MEX", "DIRECT.GET.MAILBOX")
    for prefix in ("$JS.API", "$JS.CRM.API", "$JS.hub.API", "$JS.GTM.API"):
        for question in asked:
            try:
                answers.append((await client.request(f"{prefix}.{question}", b'{"seq":1}', timeout=0.2)).data)
            except nats.errors.Error:
                continue
    assert answers == []


def test_each_account_stands_for_itself(region):
    """A subject of the one central account is given to a country's account by name, and never by a wildcard."""
    told = json.dumps(region.accounts())
    for name in MEMBERS:
        theirs = json.dumps(region.accounts()["accounts"][name])
        assert not [other for other in MEMBERS if other != name and f".{other}." in theirs]
    assert "trusted" not in told
    assert "no_auth_user" not in told
