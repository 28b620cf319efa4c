"""The log: one append-only table per service, its positions consecutive, its rows chained by their hashes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import Corrected, Event, Problem, Refused, Retracted
from shared.contracts.signing import Signature
from shared.contracts.vocabulary import REGION
from shared.record import engine
from shared.record.chain import GENESIS, chained
from shared.record.engine import Input, Judgements
from shared.record.judgement import source
from shared.run import crash
from shared.run.clock import Clock
from shared.run.database import Connection, Pool, Queried, of_a_value, turn

PARTITION_ROWS = 1_000_000
"""Rows of a partition of the log; there is always one for so many rows ahead."""

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
    signature: Signature | None = None
    """Its sender's, which fits."""
    sent: int | None = None
    """Of a report: when the intake stored it (ns since 1970)."""

    @property
    def key(self) -> Key:
        """What makes it the same as another."""
        return self.heard or (self.event.id, self.event.source)


@dataclass(frozen=True, slots=True)
class _Stands:
    """What stands in the log under a draft's key."""

    payload: bytes
    said: bytes

    @property
    def event(self) -> Event[Any]:
        """The event: decoded only where it is compared, and there it fails only who asks."""
        return contracts.decode(self.payload)


Known: TypeAlias = Draft | _Stands | None
"""Of the same batch, or of the log; None: another service's event, which acts once whatever it says."""


class Halted(ConnectionError):  # noqa: N818 - to its callers, one way for the log to be away
    """The stream is ahead of the log: recording now would give its positions to other events."""


@dataclass(slots=True)
class Log:
    """The log of one service, with the judgements of what it records."""

    service: str
    pool: Pool
    clock: Clock
    judgements: Judgements
    """What follows from reports, by their type."""
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
            if len(drafts) != 1 or not of_a_value(error):
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
        first: dict[Key, int] = {}
        for number, draft in enumerate(drafts):
            if draft.key not in known:
                first.setdefault(draft.key, number)
        fresh = [drafts[number] for number in first.values()]
        after = await head(connection)
        inputs = [
            Input(
                msgspec.structs.replace(one.event, recordedtime=now),
                one.heard,
                one.signature.key if one.signature else None,
                one.sent,
            )
            for one in fresh
        ]
        decided = await engine.decide(connection, self.service, self.judgements, inputs, head=after[0])
        if decided.recorded:
            said = {one.key: one.said for one in fresh}
            signatures = {one.key: one.signature.jws for one in fresh if one.signature and not one.heard}
            await insert(connection, self.service, after, decided.recorded, said, signatures=signatures)
            await connection.execute("select pg_notify($1, '')", self.service)
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

    async def told(self, ids: Sequence[str]) -> set[str]:
        """Return which of these ids are events of the service's own in the log."""
        rows = await self.pool.fetch(
            "select id from recorded where id = any($1::text[]) and source = $2", list(ids), source(self.service)
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
                " join recorded as r on r.id = d.id and r.source = d.source join log as l on l.position = r.position",
                [event.id for event in own],
                [event.source for event in own],
            )
            known |= {(row["id"], row["source"]): _Stands(row["payload"], row["said"] or b"") for row in rows}
        if heard:
            rows = await connection.fetch(
                "select d.stream, d.sequence from unnest($1::text[], $2::bigint[]) as d (stream, sequence)"
                " cross join lateral (select 1 from heard"
                " where heard.stream = d.stream and heard.sequence = d.sequence limit 1) as h",
                [stream for stream, _ in heard],
                [sequence for _, sequence in heard],
            )
            known |= {(row["stream"], row["sequence"]): None for row in rows}
        return known


async def insert(  # noqa: PLR0913 - what a row holds
    connection: Connection,
    service: str,
    after: tuple[int, bytes],
    recorded: Sequence[tuple[Event[Any], bytes]],
    said: Mapping[Key, bytes] = {},
    *,
    signatures: Mapping[Key, bytes] = {},
) -> tuple[int, bytes]:
    """Insert events with their payloads behind the row `after` (position, hash); return the last row's.

    `said` and `signatures` hold what is kept beside the payload, by id and source.

    The caller holds the lock.
    """
    position, previous = after
    rows = []
    for event, payload in recorded:
        position += 1
        previous = chained(previous, payload)
        row = (position, event.source, event.id, event.type, event.country, event.subject, payload, previous)
        which = event.id, event.source
        rows.append((*row, said.get(which) or None, signatures.get(which)))
    step = PARTITION_ROWS // 8
    if position // step > after[0] // step:
        await make_room(connection, position)
    await connection.copy_records_to_table(
        "log",
        schema_name=service,
        columns=["position", "source", "id", "type", "country", "entity", "payload", "hash", "said", "signature"],
        records=rows,
    )
    return position, previous


async def make_room(queried: Queried, position: int) -> None:
    """See to it that there are partitions for what comes behind a position of the log."""
    await queried.execute("select make_partitions($1, $2)", position + PARTITION_ROWS, PARTITION_ROWS)


def repeated(stands: Known, sent: Draft) -> Refused | None:
    """Return None when `sent` is the report that stands in the log again, else its refusal: it must not vanish."""
    if stands is None or contracts.sender_of(sent.event.source) == REGION:
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


async def head(connection: Queried) -> tuple[int, bytes]:
    """Return the position and hash of the last row; of an empty log, 0 and 32 zero bytes."""
    row = await connection.fetchrow("select position, hash from log order by position desc limit 1")
    return (row["position"], row["hash"]) if row else (0, GENESIS)
