"""The log: one append-only table per service, its positions consecutive, its rows chained by their hashes."""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from shared import aggregates, contracts, crash, merges, rules, seats, tally
from shared.clock import Clock
from shared.contracts import Corrected, Event, Merged, Problem, Refused, Retracted
from shared.contracts.vocabulary import REGION
from shared.database import Connection, Pool, Queried, of_a_value, turn
from shared.record import engine, upgrading
from shared.record.engine import Input, Judgements, fitting
from shared.rules import Rules

GENESIS = bytes(32)
"""The hash before the first row."""

_encode = msgspec.json.Encoder().encode


Key: TypeAlias = tuple[str, str] | tuple[str, int]
Then: TypeAlias = Callable[[Connection, Sequence[Exception | None]], Awaitable[None]]
Apply: TypeAlias = Callable[["Draft", Event[Any], Connection], Awaitable[list[Event[Any]] | Exception]]


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be recorded, or (`heard`: stream, sequence) another service's, only to be acted on."""

    event: Event[Any]
    heard: tuple[str, int] | None = None
    said: bytes = b""
    """Of a report: the digest of all that its sender said; empty: not known."""

    @property
    def key(self) -> Key:
        """What makes it the same as another."""
        return self.heard or (self.event.id, self.event.source)


class _Unkept:
    """Another service's event that an older version heard, and of which it kept nothing."""


@dataclass(frozen=True, slots=True)
class _Stands:
    """What stands in the log under a draft's key."""

    payload: bytes
    said: bytes

    @property
    def event(self) -> Event[Any]:
        """The event: decoded only where it is compared, and there it fails only who asks."""
        return contracts.decode(self.payload)


Known: TypeAlias = Draft | _Stands | _Unkept | None
"""Of the same batch, or of the log; None: another service's event, which acts once whatever it says."""


class _Failed(Exception):  # noqa: N818 - carries what was raised out of a savepoint
    """Nothing came of what was tried together."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class Halted(ConnectionError):  # noqa: N818 - to its callers, one way for the log to be away
    """The stream is ahead of the log: recording now would give its positions to other events."""


@dataclass(slots=True)
class Log:
    """The log of one service, with the rules that run in the transaction that appends to it."""

    service: str
    pool: Pool
    clock: Clock
    rules: Rules
    judgements: Judgements | None = None
    """What follows from reports, by their type, where the service has judgements in place of rules."""
    halted: str = ""
    """Why nothing may be recorded (see `Halted`); empty: recording goes on."""

    async def record(self, drafts: Sequence[Draft], then: Then | None = None) -> list[Exception | None]:
        """Record the fresh ones among `drafts` with all that they set off, in one transaction; `then` is part of it.

        Return for each draft None (it stands in the log, or stood there already) or what was raised on its way: then
        nothing of that draft is recorded, and all else is. Raises one of `LOST` when the database is away.
        """
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                outcomes = await self.record_within(connection, drafts)
                if then:
                    await then(connection, outcomes)
                crash.point("committing")
        except Exception as error:
            # What the database does not take of a single draft is that draft's outcome.
            if self.judgements is None or len(drafts) != 1 or not of_a_value(error):
                raise
            outcomes = [error]
            async with self.pool.acquire() as connection, connection.transaction():
                if then:
                    await then(connection, outcomes)
        crash.point("committed")
        return outcomes

    async def record_within(self, connection: Connection, drafts: Sequence[Draft]) -> list[Exception | None]:
        """Do the work of `record` in a transaction that the caller holds."""
        if self.halted:
            raise Halted(self.halted)
        await turn(connection, self.service)
        now = self.clock.now()
        known = await self._known(connection, drafts)
        if self.judgements is not None:
            return await self._decided(connection, self.judgements, drafts, known, now)
        if len(drafts) > 1:
            # A savepoint for each draft costs more than most rules: only a batch in which one fails takes them. And
            # what is appended together is appended draft by draft only where that fails.
            for apply in (self._together, self._apart):
                with contextlib.suppress(_Failed):
                    return await self._tried(connection, drafts, dict(known), now, apply)
        outcomes: list[Exception | None] = [None] * len(drafts)
        for number in _merges_last(drafts):
            try:
                (outcomes[number],) = await self._tried(connection, [drafts[number]], known, now, self._apart)
            except _Failed as failed:
                outcomes[number] = failed.error
        return outcomes

    async def _decided(
        self,
        connection: Connection,
        judgements: Judgements,
        drafts: Sequence[Draft],
        known: Mapping[Key, Known],
        now: datetime,
    ) -> list[Exception | None]:
        """Decide the batch in memory and write it at once."""
        unkept = [one for one in drafts if isinstance(known.get(one.key), _Unkept)]
        if unkept:
            heard = {one.heard: one.event for one in unkept if one.heard}
            await upgrading.keep(connection, self.service, judgements, sorted(heard.items()))
        first: dict[Key, int] = {}
        for number, draft in enumerate(drafts):
            if draft.key not in known:
                first.setdefault(draft.key, number)
        fresh = [drafts[number] for number in first.values()]
        after, indexed = await _ends(connection)
        while indexed < after[0]:
            indexed = await upgrading.index(connection, judgements, indexed)
        inputs = [Input(msgspec.structs.replace(one.event, recordedtime=now), one.heard) for one in fresh]
        decided = await engine.decide(connection, self.service, judgements, inputs, head=after[0])
        if decided.recorded:
            await insert(connection, self.service, after, decided.recorded, {one.key: one.said for one in fresh})
            await upgrading.note(connection, after[0] + len(decided.recorded), self.service)
        await decided.write(connection)
        found = dict(zip(first, decided.outcomes, strict=True))
        return [
            repeated(known[draft.key], draft)
            if draft.key in known
            else found[draft.key]
            if number == first[draft.key] or found[draft.key] is not None
            else repeated(drafts[first[draft.key]], draft)
            for number, draft in enumerate(drafts)
        ]

    async def _tried(
        self,
        connection: Connection,
        drafts: Sequence[Draft],
        known: dict[Key, Known],
        now: datetime,
        apply: Apply,
    ) -> list[Exception | None]:
        """Judge in a savepoint; raises _Failed when nothing came of it though the database is there."""
        try:
            async with connection.transaction():
                return await self._judged(connection, drafts, known, now, apply)
        except Exception as error:
            for draft in drafts:
                if known.get(draft.key) is draft:
                    del known[draft.key]
            if connection.is_closed():
                raise
            raise _Failed(error) from error

    async def _judged(
        self,
        connection: Connection,
        drafts: Sequence[Draft],
        known: dict[Key, Known],
        now: datetime,
        apply: Apply,
    ) -> list[Exception | None]:
        """Run the rules and append what comes of them."""
        outcomes: list[Exception | None] = [None] * len(drafts)
        events: list[Event[Any]] = []
        reports: list[Event[Any]] = []
        said: dict[Key, bytes] = {}
        for number in _merges_last(drafts):
            draft = drafts[number]
            if draft.key in known:
                outcomes[number] = repeated(known[draft.key], draft)
                continue
            if isinstance(draft.event.data, Merged):
                await self.append(connection, events, said)
                events = []
            set_off = await apply(draft, msgspec.structs.replace(draft.event, recordedtime=now), connection)
            if isinstance(set_off, Exception):
                outcomes[number] = set_off
                continue
            known[draft.key] = draft
            said[draft.key] = draft.said
            events += set_off
            reports += [] if draft.heard else set_off[:1]
        await self.append(connection, events, said)
        # What was just recorded under an identifier merged before, or for a period reported before.
        await self._amend(connection, await merges.late(connection, self.rules, reports))
        await self._amend(connection, await aggregates.late(connection, reports))
        return outcomes

    async def _amend(self, connection: Connection, amendments: Sequence[Event[Any]]) -> None:
        """Record amendments that the service itself makes; what may not be amended stands."""
        events: list[Event[Any]] = []
        for amendment in amendments:
            outcome = await self._apart(Draft(amendment), amendment, connection)
            if isinstance(outcome, Refused):
                continue
            if isinstance(outcome, Exception):
                raise outcome
            events += outcome
        await self.append(connection, events)

    async def told(self, ids: Sequence[str]) -> set[str]:
        """Return which of these ids are events of the service's own in the log."""
        rows = await self.pool.fetch(
            "select id from log where id = any($1::text[]) and source = $2", list(ids), rules.source(self.service)
        )
        return {row["id"] for row in rows}

    async def _known(self, connection: Connection, drafts: Sequence[Draft]) -> dict[Key, Known]:
        """Return which of the drafts were recorded (with what stands there), or heard, before."""
        own = [draft.event for draft in drafts if not draft.heard]
        heard = [draft.heard for draft in drafts if draft.heard]
        known: dict[Key, Known] = {}
        if own:
            rows = await connection.fetch(
                "select d.id, d.source, l.payload, l.said from unnest($1::text[], $2::text[]) as d (id, source)"
                " cross join lateral"
                " (select payload, said from log where log.id = d.id and log.source = d.source limit 1) as l",
                [event.id for event in own],
                [event.source for event in own],
            )
            known |= {(row["id"], row["source"]): _Stands(row["payload"], row["said"] or b"") for row in rows}
        if heard:
            rows = await connection.fetch(
                "select d.stream, d.sequence, h.unkept from unnest($1::text[], $2::bigint[]) as d (stream, sequence)"
                " cross join lateral (select event is null as unkept from heard"
                " where heard.stream = d.stream and heard.sequence = d.sequence limit 1) as h",
                [stream for stream, _ in heard],
                [sequence for _, sequence in heard],
            )
            known |= {(row["stream"], row["sequence"]): _Unkept() if row["unkept"] else None for row in rows}
        return known

    async def _together(self, draft: Draft, event: Event[Any], connection: Connection) -> list[Event[Any]]:
        """Run the rule; return what is to be recorded."""
        if not draft.heard:
            await seats.judge(connection, event)
        events = await rules.apply(self.rules, event, connection)
        if not draft.heard:
            return events
        await connection.execute("insert into heard (stream, sequence) values ($1, $2)", *draft.heard)
        return events[1:]

    async def _apart(self, draft: Draft, event: Event[Any], connection: Connection) -> list[Event[Any]] | Exception:
        """Run the rule in a savepoint, so that what fails in it concerns its own event only."""
        if not draft.heard and rules.of(self.rules, event) is None and not seats.named(event):
            return [event]
        try:
            async with connection.transaction():
                return await self._together(draft, event, connection)
        except Refused as verdict:
            return merges.refused(verdict) if isinstance(event.data, Merged) else verdict
        except Exception as error:
            # Whatever a rule raises is judged in one place, by intake; also what looks as if a server were away.
            if connection.is_closed():
                raise
            return error

    async def append(
        self, connection: Connection, events: Sequence[Event[Any]], said: Mapping[Key, bytes] = {}
    ) -> None:
        """Append `events` at the next positions and wake the relay, within the caller's transaction and turn.

        `said` has the digests of those that are reports.
        """
        if not events:
            return
        await connection.execute("select pg_notify($1, '')", self.service)
        after = await head(connection)
        numbered = [msgspec.structs.replace(event, sequence=n) for n, event in enumerate(events, after[0] + 1)]
        numbered = await tally.count(connection, numbered)
        recorded = [(event, fitting(event)) for event in numbered]
        await insert(connection, self.service, after, recorded, said)


def _merges_last(drafts: Sequence[Draft]) -> list[int]:
    """Return the order in which drafts are judged: what a merge corrects must stand in the log."""
    return sorted(range(len(drafts)), key=lambda number: isinstance(drafts[number].event.data, Merged))


async def insert(
    connection: Connection,
    service: str,
    after: tuple[int, bytes],
    recorded: Sequence[tuple[Event[Any], bytes]],
    said: Mapping[Key, bytes] = {},
) -> tuple[int, bytes]:
    """Insert events with their payloads behind the row `after` (position, hash); return the last row's.

    The caller holds the lock.
    """
    position, previous = after
    rows = []
    for event, payload in recorded:
        position += 1
        previous = chained(previous, payload)
        row = (position, event.source, event.id, event.type, event.country, event.subject, payload, previous)
        rows.append((*row, said.get((event.id, event.source)) or None))
    await connection.copy_records_to_table(
        "log",
        schema_name=service,
        columns=["position", "source", "id", "type", "country", "entity", "payload", "hash", "said"],
        records=rows,
    )
    return position, previous


def repeated(stands: Known, sent: Draft) -> Refused | None:
    """Return None when `sent` is the report that stands in the log again, else its refusal: it must not vanish."""
    if stands is None or isinstance(stands, _Unkept) or contracts.sender_of(sent.event.source) == REGION:
        return None
    compared = (stands.said, sent.said) if stands.said and sent.said else (_kept(stands.event), _kept(sent.event))
    if compared[0] == compared[1]:
        return None
    return Refused(Problem("/id", "id_conflict", "another report was recorded under this id; give each its own"))


def _kept(event: Event[Any]) -> tuple[Any, ...]:
    """Return what a recorded event keeps of what its sender said: there is no digest of those of before."""
    agreed = contracts.registry()[event.type]
    attributes = (event.type, event.time, event.expirytime, event.causationid, event.correlationid)
    if agreed.data is Corrected:
        return (*attributes, event.data.supersedes)  # its data are completed when recorded, its subject too
    about = "" if agreed.data is Retracted else event.subject
    return (*attributes, about, _encode(msgspec.structs.replace(event.data, **dict.fromkeys(agreed.derived))))


def chained(previous: bytes, payload: bytes) -> bytes:
    """Return the hash of a row: sha256(previous hash + payload)."""
    return hashlib.sha256(previous + payload).digest()


async def head(connection: Queried) -> tuple[int, bytes]:
    """Return the position and hash of the last row; of an empty log, 0 and 32 zero bytes."""
    row = await connection.fetchrow("select position, hash from log order by position desc limit 1")
    return (row["position"], row["hash"]) if row else (0, GENESIS)


async def _ends(connection: Connection) -> tuple[tuple[int, bytes], int]:
    """Return position and hash of the last row, and up to where the log is indexed."""
    row = await connection.fetchrow(
        "select l.position, l.hash, i.position as indexed from (select) as one"
        " left join lateral (select position, hash from log order by position desc limit 1) as l on true"
        " left join indexed as i on true"
    )
    assert row is not None
    return (row["position"] or 0, row["hash"] or GENESIS), row["indexed"] or 0
