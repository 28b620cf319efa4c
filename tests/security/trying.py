"""What principals try, and how it is seen whether it was done: by its effect."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import nats
from nats.aio.client import Client

from infra.nats.provision import ask
from infra.nats.rights import inbox
from shared.contracts import SERVICES

COUNTRIES = ("BLZ", "CAN", "CRI", "DOM", "GTM", "HND", "MEX", "NIC", "PAN", "SLV", "USA")
SECRETARIATS = ("ST", "SV")
HANDS = ("operator", "deployer", "provisioner")
EVERYBODY = (*COUNTRIES, *SECRETARIATS, *SERVICES, *HANDS, "nobody")
NOT_IT, IT = "MEX", "HND"
REPORT = "victims.witness.protected"
BRIEF_S, PATIENCE_S = 0.15, 10.0
"""So long the effect is waited for of what may not be done, and of what may."""


class Trying:
    """A principal's connection, and a root's that sees what came of it."""

    def __init__(self, region: Any, root: Client, who: str) -> None:
        self.region, self.root, self.who = region, root, who
        self.name = who if who in (*COUNTRIES, *SECRETARIATS) else ""
        self.denied = asyncio.Event()
        self.patience_s = BRIEF_S
        """How long an effect is waited for."""

    async def __aenter__(self) -> Self:
        self.nc: Client | None = None
        if self.who != "nobody":
            self.nc = await self.region.connect(self.who, error_cb=self._refused)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.nc:
            await self.nc.close()

    async def _refused(self, _: Exception) -> None:
        self.denied.set()

    async def says(self, subject: str, payload: bytes = b"{}") -> None:
        if self.nc:
            await self.nc.publish(subject, payload)
            await self.nc.flush()

    async def asks(self, question: str, body: Any = None) -> dict[str, Any]:
        """What the JetStream API answers; {} where it is refused, or nobody is there."""
        if not self.nc:
            return {}
        self.denied.clear()
        payload = json.dumps(body).encode() if body is not None else b""
        asking = asyncio.create_task(self.nc.request(f"$JS.API.{question}", payload, timeout=2))
        denied = asyncio.create_task(self.denied.wait())
        await asyncio.wait({asking, denied}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
            return {}
        denied.cancel()
        if asking.exception():
            return {}
        message = asking.result()
        if message.headers and "Status" in message.headers:
            return {}
        try:
            return json.loads(message.data)
        except ValueError:
            return {"data": message.data}

    async def state(self, stream: str) -> dict[str, Any] | None:
        return (await ask(self.root, f"STREAM.INFO.{stream}")).get("state")

    async def last(self, stream: str) -> int:
        return (await self.state(stream) or {}).get("last_seq", 0)

    async def comes_into(self, stream: str, subject: str) -> bool:
        """Whether what it says on `subject` comes into the stream; what the root says afterwards comes behind it."""
        before = await self.last(stream)
        await self.says(subject, b'{"by":"it"}')
        end = time.monotonic() + self.patience_s
        while await self.last(stream) == before:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def hears(self, pattern: str, subject: str, by: Client | None = None) -> bool:
        if not self.nc:
            return False
        heard = asyncio.Event()

        async def told(_: Any) -> None:
            heard.set()

        subscription = await self.nc.subscribe(pattern, cb=told)
        await self.nc.flush()
        await (by or self.root).publish(subject, b"x")
        await (by or self.root).flush()
        try:
            await asyncio.wait_for(heard.wait(), self.patience_s)
        except TimeoutError:
            return False
        finally:
            await subscription.unsubscribe()
        return True


def own(trying: Trying) -> str:
    return trying.name or "GTM"


async def reports(t: Trying) -> bool:
    local = t.name != ""
    return await t.comes_into(f"INTAKE_{own(t)}", f"report.{REPORT}" if local else f"crm.in.GTM.{REPORT}")


async def reports_as_mexico(t: Trying) -> bool:
    if t.who == NOT_IT:
        return False  # its own name
    tried = (f"crm.in.{NOT_IT}.{REPORT}", f"report.{NOT_IT}.{REPORT}", f"report.../{NOT_IT}")
    return any([await t.comes_into(f"INTAKE_{NOT_IT}", subject) for subject in tried])


async def asks_as(t: Trying, country: str, *subjects: str) -> bool:
    """Whether victims gets a question in the name of a country."""
    victims = await t.region.connect("victims")
    heard = asyncio.Event()

    async def told(message: Any) -> None:
        if message.subject == f"crm.ask.{country}.victims.q":
            heard.set()

    await victims.subscribe("crm.ask.*.victims.>", cb=told)
    await victims.flush()
    for subject in subjects:
        await t.says(subject, b"q")
    try:
        await asyncio.wait_for(heard.wait(), t.patience_s)
    except TimeoutError:
        return False
    finally:
        await victims.close()
    return True


async def gets(t: Trying, stream: str) -> bool:
    """Whether it gets the stream's last message, by any of the two ways."""
    sequence = await t.last(stream)
    assert sequence, f"{stream} has nothing to get"
    ways = [(f"STREAM.MSG.GET.{stream}", {"seq": sequence}), (f"DIRECT.GET.{stream}", {"seq": sequence})]
    answers = [await t.asks(*way) for way in ways]
    return any(answer and "error" not in answer for answer in answers)


async def pulls(t: Trying, stream: str, durable: str) -> bool:
    if not t.nc:
        return False
    got = asyncio.Event()
    box = t.nc.new_inbox()

    async def told(message: Any) -> None:
        if not (message.headers or {}).get("Status"):
            got.set()

    subscription = await t.nc.subscribe(box, cb=told)
    body = json.dumps({"batch": 1, "no_wait": True}).encode()
    await t.nc.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", body, reply=box)
    await t.nc.flush()
    try:
        await asyncio.wait_for(got.wait(), t.patience_s)
    except TimeoutError:
        return False
    finally:
        await subscription.unsubscribe()
    return True


async def reads_whole(t: Trying) -> bool:
    if not t.nc:
        return False
    box = t.nc.new_inbox()
    heard = asyncio.Event()

    async def told(_: Any) -> None:
        heard.set()

    await t.nc.subscribe(box, cb=told)
    body = {"stream_name": "VICTIMS", "config": {"deliver_subject": box, "ack_policy": "none", "deliver_policy": "all"}}
    await t.asks("CONSUMER.CREATE.VICTIMS", body)
    try:
        await asyncio.wait_for(heard.wait(), t.patience_s)
    except TimeoutError:
        return False
    return True


async def config(t: Trying, stream: str) -> dict[str, Any]:
    return (await ask(t.root, f"STREAM.INFO.{stream}")).get("config", {})


async def alters(t: Trying, stream: str, **change: Any) -> bool:
    before = await config(t, stream)
    await t.asks(f"STREAM.UPDATE.{stream}", {**before, **change})
    after = await config(t, stream)
    if after == before:
        return False
    await ask(t.root, f"STREAM.UPDATE.{stream}", before)
    return True


async def deletes(t: Trying, stream: str) -> bool:
    await t.asks(f"STREAM.DELETE.{stream}", {})
    return await t.state(stream) is None


async def makes_own(t: Trying) -> bool:
    republished = {"src": ">", "dest": f"crm.in.{NOT_IT}.{REPORT}"}
    subjects = {"subjects": ["evil.>"]}
    for body in (subjects | {"republish": republished}, subjects, {"mirror": {"name": "VICTIMS"}}):
        await t.asks("STREAM.CREATE.EVIL", {"name": "EVIL", **body})
    return await t.state("EVIL") is not None


async def makes_again(t: Trying) -> bool:
    before = await config(t, "QUARANTINE")
    await ask(t.root, "STREAM.DELETE.QUARANTINE")
    await t.asks("STREAM.CREATE.QUARANTINE", before)
    return await t.state("QUARANTINE") is not None


async def empties(t: Trying, stream: str) -> bool:
    await t.asks(f"STREAM.PURGE.{stream}", {})
    return not (await t.state(stream) or {})["messages"]


async def erases(t: Trying) -> bool:
    sequence = await t.last(f"INTAKE_{IT}")
    await t.asks(f"STREAM.MSG.DELETE.INTAKE_{IT}", {"seq": sequence})
    return "message" not in await ask(t.root, f"STREAM.MSG.GET.INTAKE_{IT}", {"seq": sequence})


async def alters_durable(t: Trying) -> bool:
    before = (await ask(t.root, "CONSUMER.INFO.LEGAL.training"))["config"]
    body = {"stream_name": "LEGAL", "config": {**before, "ack_wait": 10**10}, "action": "update"}
    for question in ("CONSUMER.DURABLE.CREATE.LEGAL.training", "CONSUMER.CREATE.LEGAL.training"):
        await t.asks(question, body)
    return (await ask(t.root, "CONSUMER.INFO.LEGAL.training"))["config"] != before


async def deletes_durable(t: Trying) -> bool:
    await t.asks("CONSUMER.DELETE.LEGAL.training", {})
    return "error" in await ask(t.root, "CONSUMER.INFO.LEGAL.training")


async def begins_anew(t: Trying) -> bool:
    answer = await t.asks(f"CONSUMER.RESET.INTAKE_{IT}.victims", {"seq": 1})
    return bool(answer) and "error" not in answer


async def looks(t: Trying) -> bool:
    return "streams" in await t.asks("STREAM.LIST", {})


async def asks_server(t: Trying) -> bool:
    if not t.nc:
        return False
    try:
        return bool(await t.nc.request("$SYS.REQ.SERVER.PING.CONNZ", b"", timeout=0.15))
    except nats.errors.Error:
        return False


Action = Callable[[Trying], Awaitable[bool]]


def _event(service: str) -> str:
    return f"crm.evt.{service}.thing.happened.GTM"


def actions() -> dict[str, Action]:
    """How each action is done."""
    into: dict[str, Action] = {}
    for one in SERVICES:
        into |= {
            f"write into the stream of {one}": lambda t, one=one: t.comes_into(one.upper(), _event(one)),
            f"sign for the log of {one}": lambda t, one=one: t.comes_into("CHECKPOINTS", f"crm.log.{one}"),
            f"put aside a refused report of {one}": lambda t, one=one: t.comes_into("QUARANTINE", f"crm.bad.GTM.{one}"),
            f"hear questions to {one}": lambda t, one=one: t.hears(f"crm.ask.*.{one}.>", f"crm.ask.GTM.{one}.q"),
            f"get a message of {one.upper()}": lambda t, one=one: gets(t, one.upper()),
        }
    return {
        **into,
        "report in its own name": reports,
        "report in Mexico's name": reports_as_mexico,
        "report as the operator": lambda t: t.comes_into("INTAKE_OPERATOR", "crm.in.OPERATOR.indicators.seat.assigned"),
        "ask in its own name": lambda t: asks_as(t, own(t), "ask.victims.q", f"crm.ask.{own(t)}.victims.q"),
        "ask in Mexico's name": lambda t: (
            no() if t.who == NOT_IT else asks_as(t, NOT_IT, f"crm.ask.{NOT_IT}.victims.q", f"ask.{NOT_IT}.victims.q")
        ),
        "hear what services sign of their logs": lambda t: t.hears("log.*", "crm.log.intel"),
        "hear another's answers": lambda t: t.hears(answers_to(t), answers_to(t)),
        "hear what countries report": lambda t: t.hears("crm.in.>", f"crm.in.{IT}.{REPORT}"),
        "hear what services write": lambda t: t.hears("crm.evt.>", _event("legal")),
        "read its own mailbox": lambda t: pulls(t, "MAILBOX", own(t)),
        "read Mexico's mailbox": lambda t: no() if t.who == NOT_IT else pulls(t, "MAILBOX", NOT_IT),
        "take what Honduras reported to victims": lambda t: pulls(t, f"INTAKE_{IT}", "victims"),
        "take what Honduras reported to legal": lambda t: pulls(t, f"INTAKE_{IT}", "legal"),
        "get a message of INTAKE_HND": lambda t: gets(t, f"INTAKE_{IT}"),
        "get a message of MAILBOX": lambda t: gets(t, "MAILBOX"),
        "get a message of QUARANTINE": lambda t: gets(t, "QUARANTINE"),
        "read the whole stream VICTIMS": reads_whole,
        "look at streams": looks,
        "make a stream of its own": makes_own,
        "make a stream again that is gone": makes_again,
        "have QUARANTINE publish again": lambda t: alters(
            t, "QUARANTINE", republish={"src": "crm.bad.>", "dest": f"crm.in.{NOT_IT}.>"}
        ),
        "narrow QUARANTINE": lambda t: alters(t, "QUARANTINE", max_age=7200 * 10**9),
        "delete the copy of a log": lambda t: deletes(t, "TRAINING"),
        "delete an intake": lambda t: deletes(t, f"INTAKE_{IT}"),
        "delete the mailbox": lambda t: deletes(t, "MAILBOX"),
        "empty a country's intake": lambda t: empties(t, f"INTAKE_{IT}"),
        "empty a stream of a service": lambda t: empties(t, "VICTIMS"),
        "erase a message of an intake": erases,
        "alter a durable": alters_durable,
        "delete a durable": deletes_durable,
        "have a durable begin anew": begins_anew,
        "ask the server for all connections": asks_server,
    }


def answers_to(t: Trying) -> str:
    return f"{inbox('intel' if t.who != 'intel' else 'legal')}.1"


async def no() -> bool:
    return False
