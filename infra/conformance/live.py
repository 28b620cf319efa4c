"""The inspector: plays a script against a country's system on a region of its own, and says which rules it keeps.

The candidate is a program. It is started with `CRM_COUNTRY`, `CRM_NATS_URL`, `CRM_KEY` (the file of its nkey seed).
Where the address is `tls://`, also with `CRM_CA`, `CRM_CERTIFICATE` and `CRM_CERTIFICATE_KEY` (PEM). Where it is to be
a witness of the logs, with `CRM_KEYS` (a folder with `GTM.witness`, `logs` and `witnesses`). It is told on standard
input, a JSON object a line, what has happened in its country: `name`, `data`, `subject`, `time`. It is to report each,
mend by the suggestions what is refused, read its mailbox, and accept each referral that is open. All that is judged is
what reaches the region.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from infra.conformance.door import EXPIRED, GOOD, STRANGE, Door, opened
from infra.conformance.forging import rewrite
from infra.conformance.verdict import Verdict
from infra.nats.asking import ask
from infra.testkit.country import Country, example
from infra.testkit.processes import POLL_S, until
from infra.testkit.servers import ROOT
from infra.testkit.system import CrmSystem
from infra.witnessing import logs_file, witnesses_file
from shared.contracts import Event
from shared.flow.streams import MAILBOX, intake_of

CANDIDATE, OTHER = "GTM", "SLV"
PATIENCE_S, STEADY_S, NOTICED_S, ENDING_S = 60.0, 1.0, 0.3, 5.0
FLAGGED, SENT, REVOKED = "intel.document.flagged", "victims.referral.sent", "victims.referral.revoked"
ACCEPTED = "victims.referral.accepted"
REWRITTEN, HONEST = "intel", "victims"
"""Whose log is rewritten beneath a witness, and by whose the inspector sees that the witness still looks."""
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
        """Wait until it has sent anything, so that what is done to its link meets it at work."""
        await self.tell("doc-0")
        with contextlib.suppress(Broken):
            await self.until(self.arrived, "nothing has come")

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


async def _reports(one: Candidate) -> None:
    await one.tell("doc-1")
    event = await one.awaited("doc-1", "nothing of it is on record")
    if event.time.isoformat() != one.told["doc-1"]:
        raise Broken("time is not when it happened")
    if event.country != CANDIDATE:
        raise Broken("it is another country's")


async def _refused(one: Candidate) -> None:
    await one.tell("doc-2", issuing="HN")
    await one.awaited("doc-2", "what was refused was not mended (issuing: HN, suggested: HND)")
    await one.steady()


async def _repeats(one: Candidate) -> None:
    one.own.link.deafen()
    await one.tell("doc-3")
    await one.awaited("doc-3", "nothing of it arrived while no answer came back")
    one.own.link.cut()
    await asyncio.sleep(POLL_S)
    one.own.link.mend()
    await one.tell("doc-4")
    await one.awaited("doc-4", "it did not go on after its link was lost")
    await one.steady()
    if (number := len(await one.recorded("doc-3"))) != 1:
        raise Broken(f"recorded {number} times, under as many ids")


async def _patient(one: Candidate) -> None:
    one.own.link.cut()
    await asyncio.sleep(NOTICED_S)
    await one.tell("doc-5")
    await asyncio.sleep(STEADY_S)
    one.own.link.mend()
    await one.awaited("doc-5", "it is lost")


async def _reads(one: Candidate) -> None:
    await one.offer("ref-1")
    await one.read("mail lies unread, or is read and never acknowledged")


async def _keeps(one: Candidate) -> None:
    await one.offer("ref-6")
    await one.tell("doc-8")
    await one.awaited("doc-8", "nothing of it is on record")
    with contextlib.suppress(Broken):  # that it is not read is another rule's
        await one.read("mail lies unread")
    await one.system.operator.flush()
    if one.terminated:
        raise Broken(f"mail is terminated, first at {one.terminated[0]}")


async def _answers(one: Candidate) -> None:
    await one.offer("ref-2")
    await one.until(lambda: one.accepted("ref-2"), "no answer is on record")
    await one.steady()


async def _redelivered(one: Candidate) -> None:
    await one.offer("ref-3")
    await one.until(lambda: one.accepted("ref-3"), "no answer is on record")
    await one.read("mail lies unread")
    before = await one.steady(), await one.refusals()
    root = await one.system.region.connect(ROOT)
    assert "error" not in await ask(root, f"CONSUMER.RESET.{MAILBOX}.{CANDIDATE}", {"seq": 1})
    await one.read("what was delivered again is not read")
    if (await one.steady(), await one.refusals()) != before:
        raise Broken("it reported again because of mail that it had before")


async def _withdrawn(one: Candidate) -> None:
    before = await one.refusals()
    one.own.link.cut()
    await one.offer("ref-4")
    assert (await one.other.tell(REVOKED, referral_id="ref-4", reason="moved_on")).recorded
    await one.offer("ref-5")
    one.own.link.mend()
    await one.until(lambda: one.accepted("ref-5"), "the referral that stands is not answered")
    await one.read("mail lies unread")
    await one.steady()
    if new := [code for _, code in (await one.refusals())[len(before) :]]:
        raise Broken(f"it answered what was taken back: {', '.join(new)}")


async def _goes_on(one: Candidate) -> None:
    await one.system.restart()
    await one.tell("doc-6")
    await one.awaited("doc-6", "nothing is reported after the restart")


async def _owns(one: Candidate) -> None:
    await one.tell("doc-7")
    await one.awaited("doc-7", "nothing of it is on record")
    other = [f"{pointer} {code}" for pointer, code in await one.refusals() if pointer != "/data/issuing"]
    if other:
        raise Broken(f"refused: {', '.join(sorted(set(other)))}")


async def _trusts(one: Candidate) -> None:
    with tempfile.TemporaryDirectory() as folder:
        region = one.system.region
        at = opened(region.nats.url, region.seed(CANDIDATE), CANDIDATE, Path(folder))
        async with at as (door, env), one.again(env) as second:
            await second.tell("doc-9")
            await second.awaited("doc-9", "it does not come to tls://, whose certificate holds")
            await _turns_away(second, door, EXPIRED, "whose certificate has expired")
            await _turns_away(second, door, STRANGE, "whose certificate another authority has made")
            door.show(GOOD)
            await second.tell("doc-10")
            await second.awaited("doc-10", "it does not come back when the certificate holds again")


async def _turns_away(one: Candidate, door: Door, which: str, who: str) -> None:
    door.show(which)

    async def seen() -> bool:
        return door.spoken or door.turned_away > 0

    await one.until(seen, f"it does not try again where there was one {who}")
    if door.spoken:
        raise Broken(f"it speaks to one {who}")


async def _witnesses(one: Candidate) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder)
        given = one.system.region.keys.folder
        for file in (given / f"{CANDIDATE}.witness", logs_file(given), witnesses_file(given)):
            shutil.copy(file, keys)
        env = {"CRM_NATS_URL": one.own.address, "CRM_KEY": str(one.own.key), "CRM_KEYS": folder}
        async with one.again(env) as witness:
            assert (await one.other.tell(FLAGGED, **example(FLAGGED))).recorded
            await witness.until(lambda: witness.cosigned(REWRITTEN), "it cosigns no checkpoint")
            await one.system.settled(figures=False)
            await rewrite(one.system, REWRITTEN)
            assert (await one.other.tell(FLAGGED, **example(FLAGGED))).recorded
            before = await one.rows(HONEST)

            async def goes_on() -> bool:
                return await witness.cosigned(HONEST) > before

            await one.offer("ref-7")
            with contextlib.suppress(Broken):  # whoever finds it may look at nothing any more
                await witness.until(goes_on, "it has stopped")
            if await one.cosigned(REWRITTEN):
                raise Broken("it cosigns a log that is not what it cosigned before")


RULES: Mapping[str, tuple[str, Callable[[Candidate], Awaitable[None]]]] = {
    "reports": ("What happened is reported: once, as it was, and when it was.", _reports),
    "refused": (
        "What is refused is mended by its suggestion and sent again; not as it was, not without end.",
        _refused,
    ),
    "repeats": ("Without an answer the same report is sent again under the same id: it is recorded once.", _repeats),
    "patient": ("What happens while the link is cut is reported when there is one again.", _patient),
    "reads": ("All mail is read, and acknowledged.", _reads),
    "keeps": ("No mail is terminated: what is not understood is acknowledged, and asked for again later.", _keeps),
    "answers": ("An open referral is answered, once.", _answers),
    "redelivered": ("Mail that comes again sets nothing off again.", _redelivered),
    "withdrawn": (
        "What was taken back before it was read is not answered, in whatever order it comes.",
        _withdrawn,
    ),
    "goes_on": ("After a restart of the region it goes on by itself.", _goes_on),
    "trusts": (
        "By tls:// it speaks only to whom it can trust: no certificate that has expired, or of others.",
        _trusts,
    ),
    "owns": (
        "Nothing else is refused: no foreign source, no name of a person, no unknown field.",
        _owns,
    ),
    "witnesses": (
        "It cosigns what the logs sign, and no log that does not begin with what it cosigned.",
        _witnesses,
    ),
}
"""Each rule in words, and how it is tried, in this order."""


async def inspected(
    system: CrmSystem, command: Sequence[str], patience_s: float = PATIENCE_S, rules: Iterable[str] = RULES
) -> list[Verdict]:
    """Play the script against a program on a system that is fresh; return a verdict for each of the rules."""
    verdicts = []
    async with _started(system, command, patience_s) as one:
        await one.begin()
        for name in rules:
            rule, tried = RULES[name]
            faults: tuple[str, ...] = ()
            try:
                await tried(one)
            except Broken as broken:
                faults = (str(broken),)
            finally:
                one.own.link.mend()
            verdicts.append(Verdict(name, rule, faults))
    return verdicts


@asynccontextmanager
async def _started(system: CrmSystem, command: Sequence[str], patience_s: float) -> AsyncIterator[Candidate]:
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
