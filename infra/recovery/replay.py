"""A log from an older backup, brought to where its stream ends: rows as they were, tables as they became.

The rows are the stream's messages, byte for byte. The tables beside the log follow from the same judgements, by the
same engine (shared/record), on the same events at the same recorded times, in the order that the stream shows. What the
judgements give is compared with what was recorded, and every difference is told; the stream's word is never changed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from infra.recovery.heard import Heard, unheard
from infra.recovery.history import History
from infra.recovery.reading import Message
from shared import contracts
from shared.contracts import Data, Event
from shared.contracts.notice import Alert
from shared.contracts.victims import ProgrammeEnrolled
from shared.contracts.vocabulary import REGION
from shared.count import tally
from shared.flow.streams import stream_of
from shared.record.deciding import Deciding
from shared.record.engine import ROUNDS_MAX, Decided, Judgements
from shared.record.judgement import enriched
from shared.record.log import Key, head, insert
from shared.record.storing import load
from shared.record.tables import At, Tables
from shared.run.database import APPEND, Connection

BATCH = 500
POLL_S = 0.05
READ_AHEAD = 2000
"""Events that one event may set off, at most."""
SINCE: Mapping[type[Data], tuple[str, ...]] = {Alert: ("owner",), ProgrammeEnrolled: ("sender",)}
"""Fields that services came to fill in since their types were first recorded: an older one left them out."""
Recorded: TypeAlias = tuple[Event[Any], Message]
Which: TypeAlias = tuple[str, str]
"""(id, source)"""
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Replay:
    """One log on its way to the end of its stream."""

    history: History
    connection: Connection
    service: str
    judgements: Judgements
    differences: list[str] = field(default_factory=list)
    """Where the judgements give something else than was recorded, in words."""
    rows: int = 0
    piece: int = BATCH
    """How many events are decided together."""
    _at: tuple[int, bytes] = (0, b"")
    _ahead: "deque[Recorded]" = field(default_factory=deque)
    _foreign: "list[deque[Heard]]" = field(default_factory=list)
    _waiting: dict[str, list[Heard]] = field(default_factory=dict)
    """Heard events not acted on yet, by id: those of several sources may have the same."""

    async def run(self) -> None:
        """Append all that the stream has beyond the log. It may be run again after a failure, and goes on."""
        while not await self.connection.fetchval("select try_lead($1)", APPEND):  # noqa: ASYNC110 - it is the database
            await asyncio.sleep(POLL_S)  # a process of the service records still
        try:
            self._at = await head(self.connection)
            self._foreign = await unheard(self.history, self.connection, self.service)
            for one in (one for queue in self._foreign for one in queue):
                self._waiting.setdefault(one.event.id, []).append(one)
            stream = self.history.messages(stream_of(self.service), self._at[0] + 1)
            while await self._read(stream):
                async with self.connection.transaction():
                    await self._piece()
        finally:
            await self.connection.execute("select pg_advisory_unlock(hashtext($1), $2)", self.service, APPEND)

    async def _read(self, stream: AsyncIterator[Message]) -> bool:
        while len(self._ahead) < READ_AHEAD and (message := await anext(stream, None)):
            self._ahead.append((contracts.decode(message.payload), message))
        return bool(self._ahead)

    async def _piece(self) -> None:
        """Take the next events of the stream, decided in rounds as a batch is (shared/record/engine.py)."""
        deciding = Deciding(self.service, self.judgements, Tables(), again=True, head=self._at[0])
        due = await self._due()
        for _ in range(ROUNDS_MAX):
            piece = _Piece(deciding, due, [*self._ahead], self._foreign, self._waiting, self.piece)
            piece.run()
            if not deciding.tables.missing():
                break
            await load(deciding.tables, self.connection)
        else:
            message = f"a judgement asked for something new in each of {ROUNDS_MAX} rounds"
            raise RuntimeError(message)
        self.differences += piece.differences
        counted = await tally.counted(self.connection, [event for event, _ in deciding.events])
        recorded: list[tuple[Event[Any], bytes]] = []
        signatures: dict[Key, bytes] = {}
        for number, one in enumerate(counted.events):
            event, payload, signature = self._taken(one)
            if signature:
                signatures[event.id, event.source] = signature.encode()
            if number in counted.failed:
                self.differences.append(f"{event.type} {event.id}: counting it now raises")
            elif _encode(_as_then(one, event)) != payload:
                self.differences.append(f"{event.type} {event.id}: the judgements now fill in something else")
            recorded.append((event, payload))
        self._at = await insert(self.connection, self.service, self._at, recorded, signatures=signatures)
        await Decided([], recorded, deciding.tables, counted).write(self.connection)
        self.rows += len(recorded)
        for queue, taken in zip(self._foreign, piece.taken, strict=True):
            for _ in range(taken):
                queue.popleft()
        for heard in piece.acted.values():
            self._waiting[heard.event.id].remove(heard)

    def _taken(self, computed: Event[Any]) -> tuple[Event[Any], bytes, str]:
        """Return what the stream has next, with its signature; behind its end, what the judgements give."""
        if not self._ahead:
            return computed, _encode(computed), ""
        event, message = self._ahead.popleft()
        return event, message.payload, message.signature

    async def _due(self) -> dict[Which, tuple[str, Event[Any]]]:
        """Return the deadlines that may fire in the next piece, by id and source of their events."""
        until = max(event.recordedtime for event, _ in self._ahead)
        rows = await self.connection.fetch("select id, event from deadline where due <= $1", until)
        found = [(row["id"], contracts.decode(row["event"])) for row in rows]
        return {(event.id, event.source): (name, event) for name, event in found}


@dataclass(slots=True)
class _Piece:
    """A piece of the stream on its way through the judgements; run anew in each round, from where it began."""

    deciding: Deciding
    due: Mapping[Which, tuple[str, Event[Any]]]
    ahead: "Sequence[Recorded]"
    foreign: "Sequence[deque[Heard]]"
    waiting: Mapping[str, Sequence[Heard]]
    most: int
    differences: list[str] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    """How many of each queue of heard events were looked at."""
    acted: dict[At, Heard] = field(default_factory=dict)
    """Those that were acted on."""

    def run(self) -> None:
        """Take up to so many events of the stream, and what was heard before them."""
        self.deciding.restart()
        self.taken = [0] * len(self.foreign)
        while len(self.deciding.events) < min(self.most, len(self.ahead)):
            self._step()

    def _here(self) -> int:
        return len(self.deciding.events)

    def _step(self) -> None:
        """Take the next event of the stream, or what was heard before it."""
        event, _ = self.ahead[self._here()]
        cause = self._waits(event.causationid)
        for number in range(len(self.foreign)):
            while (one := self._next(number)) is not None and _before(one, event, cause):
                self.taken[number] += 1
                if self._hear(one, event):
                    return
        if cause is not None and self._hear_cause(cause, event):
            return
        if contracts.sender_of(event.source) != REGION:
            self._act(_as_reported(event))
        else:
            # A deadline's, or what no event of this log set off (a delivery told by a mailbox): as it was recorded.
            self._act(self._fired(event) or event)

    def _waits(self, event_id: str | None) -> Heard | None:
        return next((one for one in self.waiting.get(event_id or "", ()) if one.at not in self.acted), None)

    def _next(self, number: int) -> Heard | None:
        queue, taken = self.foreign[number], self.taken[number]
        return queue[taken] if taken < len(queue) else None

    def _hear_cause(self, cause: Heard, event: Event[Any]) -> bool:
        """Act on what set off `event`, but first on what replicas may have heard before it, where it needs that.

        Return whether that took the stream forward.
        """
        while cause.at not in self.acted:
            if self._hear(cause, event):
                return True
            numbers = range(len(self.foreign))
            earlier = (
                number
                for number in numbers
                if (one := self._next(number)) is not None and one.event.recordedtime < event.recordedtime
            )
            if (number := next(earlier, None)) is None:
                return self._hear(cause, event, whatever=True)
            one = self._next(number)
            assert one is not None
            self.taken[number] += 1
            if self._hear(one, event):
                return True
        return False

    def _hear(self, heard: Heard, event: Event[Any], *, whatever: bool = False) -> bool:
        """Act on another service's event if the stream goes on with what it sets off, or it sets off nothing.

        Return whether that took the stream forward.
        """
        if heard.at in self.acted:
            return False
        caused = event.causationid == heard.event.id
        recorded = event.recordedtime if caused and not whatever else heard.event.recordedtime
        foreign = msgspec.structs.replace(heard.event, recordedtime=recorded)
        before = self._here()

        def fits(given: Sequence[Event[Any]]) -> bool:
            known = self._known(given, before)
            return whatever or (bool(known) if caused else known == len(given))

        try:
            done = self.deciding.decide(0, foreign, heard.at, fits)
        except Exception as error:  # noqa: BLE001 - what it is is told, and the stream's word stands
            self.differences.append(f"{foreign.type} {foreign.id}: the judgements now raise {type(error).__name__}")
            return False
        if not done:
            return False
        self.acted[heard.at] = heard
        if self._here() == before:
            return False
        self._cut(before)
        return True

    def _act(self, event: Event[Any]) -> None:
        """Judge an event of our own, and take it with what it set off."""
        before = self._here()
        try:
            self.deciding.decide(0, event, None)
        except Exception as error:  # noqa: BLE001 - what it is is told, and the stream's word stands
            self.differences.append(f"{event.type} {event.id}: the judgements now raise {type(error).__name__}")
            self.deciding.append(event)
        self._cut(before)

    def _fired(self, event: Event[Any]) -> Event[Any] | None:
        """Take the deadline away whose time this event is; return its event as the judgements see it."""
        which, deadlines = (event.id, event.source), self.deciding.tables.deadlines
        fresh = {(one[1].id, one[1].source): (name, one[1]) for name, one in deadlines.batch.items() if one}
        found = fresh.get(which) or self.due.get(which)
        if found is None:
            return None
        name, due = found
        deadlines.batch[name] = None
        return msgspec.structs.replace(due, recordedtime=event.recordedtime)

    def _known(self, given: Sequence[Event[Any]], since: int) -> int:
        """Return how many of the events, from the first on, are what the stream goes on with."""
        pairs = zip(given, self.ahead[since : since + len(given)], strict=False)
        same = [(one.id, one.source) == (recorded.id, recorded.source) for one, (recorded, _) in pairs]
        return same.index(False) if False in same else len(given)

    def _cut(self, since: int) -> None:
        """Keep of what was set off what the stream has; where it ends in the midst of it, all."""
        given = [event for event, _ in self.deciding.events[since:]]
        known = max(1, self._known(given, since))
        if known < len(given):
            self.differences.append(f"{given[0].type} {given[0].id}: the judgements now set off something else")
            del self.deciding.events[since + known :]


def _as_then(given: Event[Any], recorded: Event[Any]) -> Event[Any]:
    """Return the event without what the version that recorded it could not say yet."""
    since = [name for name in SINCE.get(type(given.data), ()) if getattr(recorded.data, name, None) is None]
    return enriched(given, **dict.fromkeys(since)) if since else given


def _before(heard: Heard, event: Event[Any], cause: Heard | None) -> bool:
    """Tell whether the service had heard this before it recorded `event`."""
    if cause is not None and heard.stream == cause.stream:
        return heard.sequence <= cause.sequence
    return heard.event.recordedtime < event.recordedtime


def _as_reported(event: Event[Any]) -> Event[Any]:
    """Return the event without what the service filled in."""
    agreed = contracts.registry().get(event.type)
    if agreed is None or not agreed.derived:
        return event
    said: dict[str, Any] = dict.fromkeys(agreed.derived)
    said.pop("owners", None)  # whose identifiers they are was found out then, by what was on record then
    return enriched(event, **said)
