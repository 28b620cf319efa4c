"""A log from an older backup, brought to where its stream ends: rows as they were, tables as they became.

The rows are the stream's messages, byte for byte. The tables beside the log follow from the same rules, run on the same
events at the same recorded times, in the order that the stream shows. What the rules give is compared with what was
recorded, and every difference is told; the stream's word is never changed by that.
"""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from nats.aio.client import Client

from infra.recovery.heard import Heard, unheard
from infra.recovery.reading import Message, messages
from shared import contracts, rules, tally
from shared.contracts import Data, Event
from shared.contracts.notice import Alert
from shared.contracts.victims import ProgrammeEnrolled
from shared.contracts.vocabulary import REGION
from shared.database import APPEND, Connection
from shared.log import head, insert
from shared.rules import Rules
from shared.streams import stream_of

BATCH = 500
READ_AHEAD = 2000
"""Events that one event may set off, at most."""
SINCE: Mapping[type[Data], tuple[str, ...]] = {Alert: ("owner",), ProgrammeEnrolled: ("sender",)}
"""Fields that services came to fill in since their types were first recorded: an older one left them out."""
_encode = msgspec.json.Encoder().encode


class _Undone(Exception):  # noqa: N818 - takes back a savepoint, no more
    """What was tried is not what happened at this point."""


@dataclass(slots=True)
class Replay:
    """One log on its way to the end of its stream."""

    nc: Client
    connection: Connection
    service: str
    rules: Rules
    differences: list[str] = field(default_factory=list)
    """Where the rules give something else than was recorded, in words."""
    rows: int = 0
    _at: tuple[int, bytes] = (0, b"")
    _ahead: "deque[tuple[Event[Any], Message]]" = field(default_factory=deque)
    _foreign: "list[deque[Heard]]" = field(default_factory=list)
    _waiting: dict[str, Heard] = field(default_factory=dict)
    """Heard events not acted on yet, by id."""

    async def run(self) -> None:
        """Append all that the stream has beyond the log. It may be run again after a failure, and goes on."""
        lock = self.service, APPEND
        again = rules.RECORDED.set(True)
        await self.connection.execute("select pg_advisory_lock(hashtext($1), $2)", *lock)
        try:
            self._at = await head(self.connection)
            self._foreign = await unheard(self.nc, self.connection, self.service)
            self._waiting = {one.event.id: one for queue in self._foreign for one in queue}
            stream = messages(self.nc, stream_of(self.service), self._at[0] + 1)
            while await self._read(stream):
                async with self.connection.transaction():
                    for _ in range(BATCH):
                        if self._ahead:
                            await self._step()
        finally:
            rules.RECORDED.reset(again)
            await self.connection.execute("select pg_advisory_unlock(hashtext($1), $2)", *lock)

    async def _read(self, stream: AsyncIterator[Message]) -> bool:
        while len(self._ahead) < READ_AHEAD and (message := await anext(stream, None)):
            self._ahead.append((contracts.decode(message.payload), message))
        return bool(self._ahead)

    async def _step(self) -> None:
        """Take the next event of the stream, or what was heard before it."""
        event, _ = self._ahead[0]
        cause = self._waiting.get(event.causationid)
        for queue in self._foreign:
            while queue and _before(queue[0], event, cause):
                if await self._hear(queue.popleft(), event):
                    return
        if cause is not None and await self._hear_cause(cause, event):
            return
        if contracts.sender_of(event.source) != REGION:
            await self._act(_as_reported(event))
        else:
            # A deadline's, or what no event of this log set off (a delivery told by a mailbox): as it was recorded.
            await self._act(await self._fired(event) or event)

    async def _hear_cause(self, cause: Heard, event: Event[Any]) -> bool:
        """Act on what set off `event`, but first on what replicas may have heard before it, where it needs that.

        Return whether that took the stream forward.
        """
        while cause.event.id in self._waiting:
            if await self._hear(cause, event):
                return True
            earlier = (one for one in self._foreign if one and one[0].event.recordedtime < event.recordedtime)
            if (queue := next(earlier, None)) is None:
                return await self._hear(cause, event, whatever=True)
            if await self._hear(queue.popleft(), event):
                return True
        return False

    async def _hear(self, heard: Heard, event: Event[Any], *, whatever: bool = False) -> bool:
        """Act on another service's event if the stream goes on with what it sets off, or it sets off nothing.

        Return whether that took the stream forward.
        """
        caused = event.causationid == heard.event.id
        foreign = msgspec.structs.replace(
            heard.event, recordedtime=event.recordedtime if caused and not whatever else heard.event.recordedtime
        )
        with contextlib.suppress(_Undone):
            async with self.connection.transaction():
                set_off = (await self._ruled(foreign))[1:]
                if not whatever and (not self._known(set_off) if caused else self._known(set_off) < len(set_off)):
                    raise _Undone
                await self.connection.execute(
                    "insert into heard (stream, sequence) values ($1, $2)", heard.stream, heard.sequence
                )
            del self._waiting[heard.event.id]
            if set_off:
                await self._append(set_off)
            return bool(set_off)
        return False

    async def _act(self, event: Event[Any]) -> None:
        """Run the rules on an event of our own and append it with what it set off."""
        outcome = [event]
        with contextlib.suppress(_Undone):
            async with self.connection.transaction():
                outcome = await self._ruled(event)
        await self._append(outcome)

    async def _ruled(self, event: Event[Any]) -> list[Event[Any]]:
        try:
            return await rules.apply(self.rules, event, self.connection)
        except Exception as error:
            self.differences.append(f"{event.type} {event.id}: the rules now raise {type(error).__name__}")
            raise _Undone from error

    async def _fired(self, event: Event[Any]) -> Event[Any] | None:
        """Take the deadline away whose time this event is; return its event as the rules see it."""
        rows = await self.connection.fetch("select id, event from deadline where due <= $1", event.recordedtime)
        for row in rows:
            due = contracts.decode(row["event"])
            if (due.id, due.source) == (event.id, event.source):
                await self.connection.execute("delete from deadline where id = $1", row["id"])
                return msgspec.structs.replace(due, recordedtime=event.recordedtime)
        return None

    def _known(self, given: list[Event[Any]]) -> int:
        """Return how many of the events, from the first on, are what the stream goes on with."""
        pairs = zip(given, self._ahead, strict=False)
        same = [(one.id, one.source) == (recorded.id, recorded.source) for one, (recorded, _) in pairs]
        return same.index(False) if False in same else len(given)

    async def _append(self, given: list[Event[Any]]) -> None:
        """Append what the stream has for these events; where it ends in the midst of them, what they are."""
        known = max(1, self._known(given))
        recorded: list[tuple[Event[Any], bytes]] = []
        if known < len(given):
            self.differences.append(f"{given[0].type} {given[0].id}: the rules now set off something else")
        placed = [msgspec.structs.replace(one, sequence=n) for n, one in enumerate(given[:known], self._at[0] + 1)]
        for number, one in enumerate(await tally.count(self.connection, placed), self._at[0] + 1):
            event, message = self._ahead.popleft() if self._ahead else (one, Message(number, "", _encode(one)))
            if _encode(_as_then(one, event)) != message.payload:
                self.differences.append(f"{event.type} {event.id}: the rules now fill in something else")
            recorded.append((event, message.payload))
        self._at = await insert(self.connection, self.service, self._at, recorded)
        self.rows += len(recorded)


def _as_then(given: Event[Any], recorded: Event[Any]) -> Event[Any]:
    """Return the event without what the version that recorded it could not say yet."""
    since = [name for name in SINCE.get(type(given.data), ()) if getattr(recorded.data, name, None) is None]
    return rules.enriched(given, **dict.fromkeys(since)) if since else given


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
    return rules.enriched(event, **said)
