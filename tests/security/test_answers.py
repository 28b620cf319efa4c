"""Where a server's answers can be had to go: each hand names others' words as the reply of all that it may ask.

nats-server publishes its answer to the reply subject, and asks nobody's rights. What came of it is looked at in every
stream and durable. The control asks from inside the account that has the streams: there each answer arrives.
"""

import asyncio

import pytest

from infra.nats.provision import ask
from infra.nats.rights import central, hands
from shared.contracts import SERVICES
from shared.flow.streams import EMPTY, durables, stream_configs
from tests.harness.servers import ROOT

REPORT = "victims.witness.protected"
VERBS = ("INFO", "NAMES", "LIST", "GET", "NEXT")
"""Questions whose answers change nothing by themselves."""
BODIES = {
    "DIRECT.GET": (b'{"seq":1}', b'{"seq":1,"batch":10}'),
    "MSG.GET": (b'{"seq":1}',),
    "MSG.NEXT": (b'{"batch":1,"no_wait":true}', b"1"),
}
ORDERS = (
    "$JS.API.STREAM.DELETE.TRAINING",
    "$JS.API.STREAM.PURGE.INTAKE_MEX",
    "$JS.API.CONSUMER.DELETE.LEGAL.training",
    "$JS.ACK.LEGAL.training.1.1.1.1.0",
)
"""What somebody else may say, and an answer without a body would say as well."""


EMPTIED = stream_configs()[EMPTY]["subjects"][0]
"""All intakes read it; the one subject without a pattern that a stream listens to."""


async def quiet(_):
    pass


def words(who):
    """Subjects of others' that streams take in, and others' orders."""
    events = [f"crm.evt.{one}.alert.issued.MEX" for one in SERVICES if one != who]
    own = [word for one in SERVICES if one != who for word in (f"crm.log.{one}", f"crm.bad.MEX.{one}")]
    senders = [f"crm.in.{one}.{REPORT}" for one in ("MEX", "ST", "OPERATOR") if one != who and one != who.upper()]
    orders = [word for word in ORDERS if not said_by(who, word)]
    return [*senders, *events, *own, *orders, "$JS.EVENT.METRIC.CONSUMER.ACK.MAILBOX.x"]


def said_by(who, subject):
    return who in central() and subject in central()[who].publish


def questions(who):
    """One of each kind of question, with something behind it where there can be: subject and bodies."""
    kinds = {}
    for pattern in central()[who].publish if who != ROOT else ROOTS:
        if not pattern.startswith("$JS.API.") or not {*pattern.split(".")} & {*VERBS}:
            continue
        subject = (
            pattern.replace(".*.*", ".MAILBOX.GTM").replace(".*", ".LEGAL").replace(".>", ".crm.evt.legal.x.y.GTM")
        )
        kind = ".".join(
            token for token in subject.split(".") if token in {*VERBS, "STREAM", "CONSUMER", "MSG", "DIRECT"}
        )
        full = subject.endswith((f"INTAKE_HND.{who}", "LEGAL", who.upper()))
        kinds.setdefault((kind, full), subject)
    for subject in kinds.values():
        yield subject, next((bodies for kind, bodies in BODIES.items() if kind in subject), (b"",))


ROOTS = (
    "$JS.API.STREAM.INFO.LEGAL",
    "$JS.API.DIRECT.GET.LEGAL",
    "$JS.API.STREAM.MSG.GET.LEGAL",
    "$JS.API.CONSUMER.INFO.INTAKE_HND.legal",
    "$JS.API.CONSUMER.MSG.NEXT.INTAKE_HND.legal",
    "$JS.API.CONSUMER.MSG.NEXT.INTAKE_USA.legal",
)


async def filled(region):
    """Something to be had from each stream that anybody may read."""
    hnd = await region.connect("HND")
    for service in SERVICES:
        client = await region.connect(service)
        await client.request(f"crm.evt.{service}.alert.issued.GTM", b"+TERM", timeout=10)
        await client.request(f"crm.log.{service}", b"signed", timeout=10)
        await client.request(f"crm.bad.GTM.{service}", b"{}", timeout=10)
        for _ in range(5):
            await hnd.request(f"report.{service}.a.b", b"+TERM", timeout=10)
    root = await region.connect(ROOT)
    while (await ask(root, "STREAM.INFO.MAILBOX"))["state"]["messages"] < len(SERVICES):
        await asyncio.sleep(0.02)
    return root


async def held(root):
    """What each stream holds, and up to where each durable was acknowledged; None: it is gone."""
    found = {}
    for stream in stream_configs():
        state = (await ask(root, f"STREAM.INFO.{stream}")).get("state")
        found[stream] = state and (state["last_seq"], state["messages"])
    for stream, wanted in durables().items():
        for name in wanted:
            told = await ask(root, f"CONSUMER.INFO.{stream}.{name}")
            found[f"{stream}.{name}"] = told.get("ack_floor", {}).get("stream_seq")
    return found


async def settled(root):
    """What is held once nothing changes any more."""
    before = await held(root)
    while True:
        await asyncio.sleep(0.3)
        if before == (after := await held(root)):
            return after
        before = after


async def tried(client, who, word):
    for subject, bodies in questions(who):
        for body in bodies:
            await client.publish(subject, body, reply=word)
            await client.publish(subject, body, reply=word, headers={"Nats-Msg-Id": "x"})


@pytest.mark.parametrize("who", hands())
async def test_no_answer_comes_into_anothers_words(region, who):
    root = await filled(region)
    before = await settled(root)
    client = await region.connect(who, error_cb=quiet)
    for word in words(who):
        await tried(client, who, word)
    await client.flush()
    assert await settled(root) == before


async def test_from_inside_the_account_that_has_the_streams_each_answer_arrives(region):
    """The control."""
    root = await filled(region)
    before = await settled(root)
    for word in words("nobody"):
        await tried(root, ROOT, word)
    await root.flush()
    after = await settled(root)
    reached = {name for name in after if after[name] != before[name]}
    expected = {"INTAKE_MEX", "INTAKE_ST", "INTAKE_OPERATOR", "QUARANTINE", "CHECKPOINTS", "RECEIPTS"}
    assert reached >= {*expected, *(one.upper() for one in SERVICES)}


@pytest.mark.parametrize("who", ["indicators", "deployer", "provisioner"])
async def test_no_consumer_delivers_into_anothers_words(region, who):
    """Who may make a consumer names where it delivers to, in the account that has the streams."""
    root = await filled(region)
    before = await settled(root)
    client = await region.connect(who, error_cb=quiet)
    for word in (*words(who), EMPTIED):
        for body in ({"ack_policy": "none"}, {"ack_policy": "none", "idle_heartbeat": 10**8, "flow_control": True}):
            config = {"deliver_subject": word, "deliver_policy": "all", **body}
            if who == "indicators":
                await ask(client, "CONSUMER.CREATE.LEGAL", {"stream_name": "LEGAL", "config": config})
            else:
                wanted = {**durables()["LEGAL"]["training"], **config, "ack_policy": "explicit"}
                question = "CONSUMER.DURABLE.CREATE.LEGAL.training"
                await ask(client, question, {"stream_name": "LEGAL", "config": wanted})
    await client.flush()
    await asyncio.sleep(1)
    after = await settled(root)
    assert {name for name in stream_configs() if after[name] != before[name]} == set()
