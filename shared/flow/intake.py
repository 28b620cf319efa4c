"""Intake: batches of reports and of other services' events; each message is recorded, refused, or set aside.

Two kinds of failure, told apart here and nowhere else: what the sender got wrong is refused with all the reasons; what
we got wrong is set aside, tried again for ever, and seen in the metrics. What refers to something that has not come is
set aside too. So no message holds up another, whatever is in it, and a message is acknowledged once the database has
it. Only when a server is away does a batch come again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared import contracts
from shared.contracts import Event, Problem, Refused
from shared.contracts.report import accepted, said
from shared.flow import aside, refusing, signing
from shared.flow.aside import Kind, Row
from shared.flow.lost import LOST
from shared.flow.pull import Before
from shared.flow.refusing import rejection_id
from shared.flow.sealing import Sealing
from shared.flow.streams import INTAKE
from shared.flow.taken import Key, Taken, taken
from shared.record.engine import Unfit
from shared.record.judgement import NotReady, Unknown
from shared.record.log import Draft, Log
from shared.run import crash
from shared.run.database import Connection, of_a_value
from shared.run.settings import Settings
from shared.run.telemetry import BATCH_SECONDS, INTAKE_DELAY, RECEIVED, trace_id, where
from shared.run.tracing import Way, carried, sent_with, tracing, way

log = structlog.get_logger()

AGAIN_FACTOR_S = 0.5
"""The delay before a message comes again, times two for each delivery, while a server is away."""
LARGE_BYTES = 4 * 1024
"""A report of this size may take long to read and to explain: that happens beside the event loop."""
NONE: frozenset[Key] = frozenset()
TURN_S = 0.02
"""How long small reports are read before others have their turn on the event loop."""


@dataclass(slots=True)
class _Judged:
    """A message and what is to become of it."""

    taken: Taken
    read: Draft | Exception
    """The draft, or what reading it raised."""
    outcome: Exception | None = None
    """As the log gives it: None: it is done."""
    way: Way | None = None
    """Its trace, where there are any."""

    @property
    def event(self) -> Event[Any] | None:
        """What was read."""
        return self.read.event if isinstance(self.read, Draft) else None

    @property
    def unread(self) -> Refused | None:
        """Why it is refused as it is read, where it is a report."""
        return self.read if self.taken.is_report and isinstance(self.read, Refused) else None

    @property
    def said(self) -> bytes | None:
        """The digest of what the sender said, where it is a report that can be read."""
        return (self.read.said or None) if isinstance(self.read, Draft) else None


@dataclass(slots=True)
class _Sorted:
    """A batch by what becomes of its messages."""

    done: list[_Judged] = field(default_factory=list)
    unread: list[_Judged] = field(default_factory=list)
    """What is refused as it is read: its refusal is recorded with the batch."""
    refused: list[tuple[Taken, Refused]] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Intake:
    """What a service does with the messages that reach it."""

    log: Log
    client: Client
    settings: Settings
    sealing: Sealing
    """What it seals with what is refused or set aside."""
    _examples: dict[Key, dict[str, str]] = field(default_factory=dict)
    """Of messages that are traced, and not acknowledged yet: which trace."""

    async def take(self, messages: Sequence[Msg], before: Before = None) -> None:
        """Record the reports of countries, act on the events of other services, each once; refuse what is wrong.

        What is settled is acknowledged; the rest comes again. All is read while the batch before is recorded, and
        judged when that has ended: by what is on record then.
        """
        crash.point("fetched")
        begun = time.perf_counter()
        batch = [taken(message) for message in messages]
        settled = await self._settled(batch, before)
        now_s, labels = time.time(), [_label(one) for one in batch]
        delays = {stream: INTAKE_DELAY.labels(self.log.service, stream).observe for stream in set(labels)}
        for message, one, stream in zip(messages, batch, labels, strict=True):
            example = self._examples.pop(one.key, None)
            if one.key in settled:
                await message.ack()
                delays[stream](max(0.0, now_s - one.stored / 1e9), example)
                crash.point("acknowledged")
            else:
                RECEIVED.labels(self.log.service, stream, "failed").inc()
                await message.nak(delay=self._delay_s(message.metadata.num_delivered))
        for stream in delays:
            BATCH_SECONDS.labels(self.log.service, stream).observe(time.perf_counter() - begun)

    def _delay_s(self, deliveries: int) -> float:
        return float(min(AGAIN_FACTOR_S * 2 ** min(deliveries, 16), self.settings.retry_delay_s_max))

    async def _settled(self, batch: Sequence[Taken], before: Before = None) -> set[Key]:
        """Return the keys of those that were settled: all of them, unless a server is away."""
        try:
            await self.settle(batch, before=before)
        except LOST as error:
            log.warning("batch waits", stream=batch[0].stream, size=len(batch), error=type(error).__name__)
            return set()
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns only the message that has it
            if len(batch) == 1:
                return await self._unsettled(batch[0], error)
            settled: set[Key] = set()
            for one in batch:
                settled |= await self._settled([one], before)
            return settled
        return {one.key for one in batch}

    async def _unsettled(self, one: Taken, error: Exception) -> set[Key]:
        try:
            await self.set_aside(one, error)
        except Exception as again:  # noqa: BLE001 - then it is not the message's fault
            log.warning("message waits", stream=one.stream, error=type(again).__name__)
            return set()
        return {one.key}

    async def set_aside(self, one: Taken, error: Exception) -> None:
        """Set aside a message that cannot even be judged, without looking into it."""
        self._tell(one, None, error)
        async with self.log.pool.acquire() as connection, connection.transaction():
            await aside.put(connection, [Row(one, "failed", type(error).__name__)], self.sealing)

    async def settle(
        self, batch: Sequence[Taken], over: frozenset[Key] = NONE, *, again: bool = False, before: Before = None
    ) -> None:
        """Record, refuse or set aside each message; on return the database has it all.

        `again`: they come out of `aside`, and those with a key in `over` have waited long enough. Raises one of `LOST`
        when a server is away; nothing is lost by settling the same again.
        """
        refusals = {rejection_id(one): one for one in batch if one.is_report}
        # A refusal that the sender was told stands, whatever came since.
        old = {refusals[told].key: refusals[told] for told in await self.log.told([*refusals])}
        judged = await self._read([one for one in batch if one.key not in old] if old else batch)
        judged, lost = await self._kept(judged)
        drafts = [(one, one.read) for one in judged if isinstance(one.read, Draft)]
        if before:
            await asyncio.wait([before])
        sorted_ = _Sorted()

        decided: list[int] = []

        async def then(connection: Connection, outcomes: Sequence[Exception | None]) -> None:
            decided.append(time.time_ns())
            for (one, _), outcome in zip(drafts, outcomes, strict=False):
                one.outcome = outcome
            refusing.told(outcomes[len(drafts) :])
            await self._sort(judged, over, sorted_, connection, again=again)
            if sorted_.aside:
                await aside.put(connection, sorted_.aside, self.sealing)
            if again:
                gone = (*sorted_.done, *sorted_.unread)
                await aside.drop(connection, [*old.values(), *(one.taken for one in gone)])

        if judged or again:
            unread = [(one, one.unread) for one in judged if one.unread]
            rejections = refusing.drafts(self.log, [(one.taken, verdict) for one, verdict in unread])
            if tracing():  # a refusal goes on in the trace of what is refused
                rejections = [
                    replace(draft, event=carried(draft.event, one.way))
                    for draft, (one, _) in zip(rejections, unread, strict=True)
                ]
            begun = time.time_ns()
            await self.log.record([*(draft for _, draft in drafts), *rejections], then)
            _traced(judged, sorted_, begun, decided)
        self._examples.update(_examples(judged, again=again))
        if sorted_.refused:
            await refusing.refuse(self.log, self.client, self.sealing, sorted_.refused, again=again)
        if lost:
            raise lost
        self._account(sorted_)

    async def _read(self, batch: Sequence[Taken]) -> list[_Judged]:
        """Decode and check each; large ones beside the event loop, which is never kept long."""
        judged = []
        since = time.perf_counter()
        for one in batch:
            begun = time.time_ns()
            if len(one.payload) > LARGE_BYTES:
                read = await asyncio.to_thread(self._draft, one)
            else:
                read = self._draft(one)
            judged.append(_way(one, read, begun))
            if time.perf_counter() - since > TURN_S:
                await asyncio.sleep(0)
                since = time.perf_counter()
        return judged

    async def _kept(self, judged: list[_Judged]) -> tuple[list[_Judged], Exception | None]:
        """Keep the bytes of what is refused as it is read; where that cannot be now, return the others, and why.

        They do not wait for it. What is left out comes again: nobody is told of a refusal whose bytes are not kept.
        """
        unread = [(one.taken, one.unread) for one in judged if one.unread]
        try:
            if unread:
                await refusing.quarantine(self.log.service, self.client, self.sealing, unread)
        except LOST as error:
            return [one for one in judged if not one.unread], error
        return judged, None

    def _draft(self, one: Taken) -> Draft | Exception:
        try:
            if one.is_report:
                event = accepted(one.subject, one.headers, one.payload, self.log.clock.now())
                digest = said(one.headers, one.payload, event)
                return Draft(event, said=digest, signature=signing.of_report(event, one), sent=one.stored)
            event = contracts.decode(one.payload)
            return Draft(event, (one.stream, one.sequence), signature=signing.of_event(event, one))
        except Refused as verdict:
            # It is kept until its batch is written; what the report was read into need not be.
            verdict.__context__ = None
            return verdict.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - a fault: told where all outcomes are
            return error

    async def _sort(
        self, judged: Sequence[_Judged], over: frozenset[Key], into: _Sorted, connection: Connection, *, again: bool
    ) -> None:
        """Sort a batch by what becomes of its messages; what a country has too much of aside is refused."""
        room: Counter[tuple[str, Kind]] = Counter()
        for one in judged:
            verdict = self._verdict(one, over=one.taken.key in over)
            if verdict is None:
                into.done.append(one)
                continue
            if one.unread:
                into.unread.append(one)
                continue
            if isinstance(verdict, Refused):
                into.refused.append((one.taken, verdict))
                continue
            which = one.taken.country, verdict.kind
            if one.taken.is_report and not again:
                if which not in room:
                    room[which] = self.settings.aside_max - await aside.count(connection, *which)
                room[which] -= 1
                if room[which] < 0:
                    into.refused.append((one.taken, Refused(_too_many(verdict))))
                    continue
            into.aside.append(verdict)

    def _verdict(self, one: _Judged, *, over: bool) -> Refused | Row | None:
        """Return why the message is refused or set aside; None: it is done.

        Another service's event has no sender to refuse it to: there a refusal is a fault of ours.
        """
        outcome, report = one.outcome, one.taken.is_report
        if outcome is None or (report and isinstance(outcome, Refused)):
            return outcome
        if isinstance(outcome, Unknown):
            return self._waiting(one, outcome, over=over)
        if report and (isinstance(outcome, Unfit) or of_a_value(outcome)):
            at = outcome.pointer if isinstance(outcome, Unfit) else ""
            return Refused(Problem(at, "out_of_range", "a value, or what follows from it, is beyond what can be kept"))
        self._tell(one.taken, one.event, outcome)
        return Row(one.taken, "failed", type(outcome).__name__, said=one.said)

    def _waiting(self, one: _Judged, outcome: Unknown, *, over: bool) -> Refused | Row:
        """Have a report wait for what it refers to; for what this service has on its way itself, it waits for ever."""
        endless = not one.taken.is_report or isinstance(outcome, NotReady)
        if over and not endless:
            return Refused(outcome.problem)
        wanted = None if isinstance(outcome, NotReady) else _wanted(one.event, outcome.pointer)
        wait_s = None if endless else self.settings.reference_wait_s
        return Row(one.taken, "waiting", outcome.pointer, wanted, wait_s, one.said)

    def _tell(self, one: Taken, event: Event[Any] | None, error: Exception) -> None:
        """Log a fault of ours: where it is, and nothing of the content."""
        log.error(
            "message failed and is set aside",
            stream=one.stream,
            sequence=one.sequence,
            type=event.type if event else None,
            event_id=event.id if event else None,
            trace_id=trace_id(event) if event else None,
            error=type(error).__name__,
            where=where(error),
        )

    def _account(self, batch: _Sorted) -> None:
        """Count what became of a batch."""
        service = self.log.service
        for one in batch.done if log.is_enabled_for(logging.DEBUG) else ():
            if one.event:
                log.debug("taken in", type=one.event.type, event_id=one.event.id, trace_id=trace_id(one.event))
        outcomes = Counter((_label(one.taken), "recorded") for one in batch.done)
        refused = [*(one for one, _ in batch.refused), *(one.taken for one in batch.unread)]
        outcomes += Counter((_label(one), "refused") for one in refused)
        outcomes += Counter((_label(row.taken), row.kind) for row in batch.aside)
        for (stream, outcome), number in outcomes.items():
            RECEIVED.labels(service, stream, outcome).inc(number)


def _examples(judged: Sequence[_Judged], *, again: bool) -> dict[Key, dict[str, str]]:
    """Return the traces of what is about to be acknowledged."""
    return {} if again else {one.taken.key: one.way.exemplar for one in judged if one.way}


def _way(one: Taken, read: Draft | Exception, begun: int) -> _Judged:
    """Begin the trace of what was read from `begun` (ns since 1970) until now."""
    outcome = read if isinstance(read, Exception) else None
    if not tracing():
        return _Judged(one, read, outcome)
    event = read.event if isinstance(read, Draft) else None
    parent = event.traceparent if event and event.traceparent else sent_with(one.headers, one.payload)
    step = "intake" if one.is_report else "hear"
    found = way(f"{step} {event.name}" if event else step, one.stored, parent, event)
    if found:
        found.step("queued", one.stored, begun)
        found.step("decode", begun, time.time_ns())
    if isinstance(read, Draft):
        read = replace(read, event=carried(read.event, found))
    return _Judged(one, read, outcome, found)


def _traced(judged: Sequence[_Judged], batch: _Sorted, begun: int, decided: Sequence[int]) -> None:
    """End the traces of a batch that was judged from `begun`, and written and committed from `decided` on."""
    if not tracing():
        return
    now = time.time_ns()
    outcomes = {row.taken.key: row.kind for row in batch.aside} | {one.key: "refused" for one, _ in batch.refused}
    outcomes |= {one.taken.key: "refused" for one in batch.unread}
    for one in judged:
        if one.way:
            one.way.step("judge", begun, decided[-1])
            one.way.step("commit", decided[-1], now)
            outcome = outcomes.get(one.taken.key, "recorded")
            one.way.end(outcome, good=outcome in ("recorded", "waiting"))


def _label(one: Taken) -> str:
    """Return what metrics call the stream: all countries' intakes are one there."""
    return INTAKE if one.is_report else one.stream


def _too_many(row: Row) -> Problem:
    if row.kind == "waiting":
        return Problem(
            row.reason, "too_many_waiting", "too many of your reports wait for what they refer to; send again"
        )
    return Problem("", "unavailable", "too many of your reports met a fault of this service; send again later")


def _wanted(event: Event[Any] | None, pointer: str) -> str | None:
    """Return the id that stands at the pointer in the event."""
    value: Any = msgspec.to_builtins(event)
    for step in pointer.split("/")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
