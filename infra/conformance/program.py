"""The program that is inspected: started, told what has happened, and looked at by what reaches the region."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from infra.nats.asking import ask
from infra.testkit.country import Country, example
from infra.testkit.processes import until
from infra.testkit.system import CrmSystem
from shared.contracts import Event
from shared.flow.streams import MAILBOX, intake_of

CANDIDATE, OTHER = "GTM", "SLV"
PATIENCE_S, STEADY_S, ENDING_S = 60.0, 1.0, 5.0
FLAGGED, SENT = "intel.document.flagged", "victims.referral.sent"
ACCEPTED = "victims.referral.accepted"
TERMINATED = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED"
"""Where the server tells who may look that a reader has ended a message."""
HELD = timedelta(minutes=90)
"""So long before it is told of it what the candidate reports has happened."""


class Broken(Exception):  # noqa: N818 - names what the rule is
    """The rule that is looked at is not kept."""


@dataclass
class Candidate:
    """The program, and what it was told."""

    system: CrmSystem
    own: Country
    other: Country
    process: asyncio.subprocess.Process
    command: Sequence[str]
    patience_s: float = PATIENCE_S
    told: dict[str, str] = field(default_factory=dict)
    """Subject of each thing told -> when it happened."""
    answered: set[str] = field(default_factory=set)
    terminated: list[int] = field(default_factory=list)
    """Where in the mailbox it has ended what it had not done with."""

    @asynccontextmanager
    async def again(self, env: Mapping[str, str]) -> AsyncIterator["Candidate"]:
        """Start the program once more beside this one, in another environment."""
        async with _running(self.command, env) as process:
            yield replace(self, process=process)

    async def begin(self) -> None:
        """Wait until it has sent anything, and been answered, so that what is done to its link meets it at work.

        One that sends a thing at a time would else still wait for that answer, and send nothing of what it is told.
        """
        await self.tell("doc-0")
        with contextlib.suppress(Broken):
            await self.until(self.arrived, "nothing has come")
            await self.steady()

    async def tell(self, subject: str, **changes: Any) -> None:
        """Tell it of a document that was flagged."""
        at = (self.system.clock.now() - HELD).isoformat()
        self.told[subject] = at
        thing = {"name": FLAGGED, "data": example(FLAGGED, **changes), "subject": subject, "time": at}
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(thing).encode() + b"\n")
            await self.process.stdin.drain()

    async def recorded(self, subject: str) -> list[Event[Any]]:
        """Return what is on record of a thing."""
        return [event for event in await self.system.log("intel", FLAGGED) if event.subject == subject]

    async def awaited(self, subject: str, why: str) -> Event[Any]:
        """Wait until a thing is on record; Broken where it does not get there."""
        found: list[Event[Any]] = await self.until(lambda: self.recorded(subject), why)
        return found[0]

    async def offer(self, name: str) -> None:
        """Have the other country send a referral to the candidate's."""
        said = {"referral_id": name, "from": OTHER, "to": CANDIDATE, "urgency": "danger"}
        assert (await self.other.tell(SENT, **said)).recorded

    async def accepted(self, name: str) -> bool:
        """Return whether a referral is accepted on record."""
        return any(event.data.referral_id == name for event in await self.system.log("victims", ACCEPTED))

    async def arrived(self) -> int:
        """Return how many messages the candidate's country has sent in all."""
        return int((await ask(self.system.operator, f"STREAM.INFO.{intake_of(CANDIDATE)}"))["state"]["last_seq"])

    async def mailbox(self) -> Mapping[str, int]:
        """Return how much of the mailbox is not read, and how much not acknowledged."""
        info = await ask(self.system.operator, f"CONSUMER.INFO.{MAILBOX}.{CANDIDATE}")
        return {name: int(info[name]) for name in ("num_pending", "num_ack_pending")}

    async def read(self, why: str) -> None:
        """Wait until the whole mailbox is read and acknowledged; Broken where it does not get there."""

        async def empty() -> bool:
            await self.system.settled(figures=False)
            return not any((await self.mailbox()).values())

        await self.until(empty, why)

    async def steady(self) -> int:
        """Wait until it has sent nothing for a while, and return how much it has sent; Broken: it goes on."""
        end = asyncio.get_running_loop().time() + self.patience_s
        while (before := await self.arrived()) is not None:
            await asyncio.sleep(STEADY_S)
            if await self.arrived() == before:
                return before
            if asyncio.get_running_loop().time() > end:
                raise Broken("it sends and sends, though nothing new has happened")
        raise AssertionError

    async def rows(self, service: str) -> int:
        """Return how many rows a service's log has."""
        return int((await self.system.processes.rows(service, "select count(*) from log"))[0][0])

    async def cosigned(self, service: str) -> int:
        """Return the rows of a service's largest checkpoint that is cosigned, 0: none is; nobody else does so here."""
        found = await self.system.processes.rows(service, "select coalesce(max(size), 0) from cosignature")
        return int(found[0][0])

    async def refusals(self) -> list[tuple[str, str]]:
        """Return pointer and code of all that was refused of the candidate's country."""
        found = [e for s in ("intel", "victims") for e in await self.system.log(s, f"{s}.report.rejected")]
        return [(one.pointer, one.code) for event in found if event.country == CANDIDATE for one in event.data.problems]

    async def until(self, condition: Callable[[], Awaitable[Any]], why: str) -> Any:
        """Wait for a condition; Broken with the reason where it is not reached, or the candidate has ended."""

        async def reached() -> Any:
            return await condition() or self.process.returncode is not None

        with contextlib.suppress(TimeoutError):
            await until(reached, why, self.patience_s)
        if found := await condition():
            return found
        ended = f"; it has ended with {self.process.returncode}" if self.process.returncode is not None else ""
        raise Broken(why + ended)


@asynccontextmanager
async def started(system: CrmSystem, command: Sequence[str], patience_s: float) -> AsyncIterator[Candidate]:
    """Start a program on a system that is fresh, for as long as the context lasts."""
    own, other = await system.country(CANDIDATE), await system.country(OTHER)
    env = {"CRM_NATS_URL": own.address, "CRM_KEY": str(own.key)}
    async with _running(command, env) as process:
        one = Candidate(system, own, other, process, command, patience_s)

        async def hear(told: Msg) -> None:
            one.terminated.append(int(json.loads(told.data)["stream_seq"]))

        heard = await system.operator.subscribe(f"{TERMINATED}.{MAILBOX}.{CANDIDATE}", cb=hear)
        try:
            yield one
        finally:
            with contextlib.suppress(NatsError):
                await heard.unsubscribe()


@asynccontextmanager
async def _running(command: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    whole = {**os.environ, "CRM_COUNTRY": CANDIDATE, **env}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, env=whole, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), ENDING_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
