"""Reading what a batch wants, and writing what it changed: all SQL of the engine, a statement for each table.

`shared.record.tables` holds what is read and changed in memory, and knows no database.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.record.judgement import Notified, Standing
from shared.record.signers import Key
from shared.record.tables import Amended, At, Figure, Heard, Logged, Named, Period, Tables
from shared.run.database import Connection, Row

_encode = msgspec.json.Encoder().encode
_Load: TypeAlias = Callable[[Tables, Connection], Awaitable[None]]


async def load(tables: Tables, connection: Connection) -> None:
    """Read what is wanted: one statement for each table."""
    for one in LOADS:
        await one(tables, connection)


async def _things(tables: Tables, connection: Connection) -> None:
    if not tables.things.wanted:
        return
    keys = tables.things.taken()
    rows = await connection.fetch(
        "select q.number, a.stream, a.position, l.payload, m.latest, h.event"
        " from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[]) with ordinality"
        " as q (thing, since, until, most, last, number) cross join lateral"
        " ((select at, stream, position from about where thing = q.thing and at >= coalesce(q.since, '-infinity')"
        " and at <= coalesce(q.until, 'infinity') order by at, stream, position limit q.most) union all"
        " (select at, stream, position from about where thing = q.thing and at >= coalesce(q.since, '-infinity')"
        " and at <= coalesce(q.until, 'infinity') order by at desc, stream desc, position desc limit q.last)) as a"
        " left join log as l on a.stream = '' and l.position = a.position"
        " left join amended as m on a.stream = '' and m.root = a.position"
        " left join heard as h on h.stream = a.stream and h.sequence = a.position"
        " order by q.number, a.at, a.stream, a.position",
        [thing for thing, *_ in keys],
        [since for _, since, _, _ in keys],
        [until for _, _, until, _ in keys],
        [most if most is None else max(most, 0) for *_, most in keys],
        [max(-(most or 0), 0) for *_, most in keys],
    )
    found: dict[int, list[Standing[Any]]] = {}
    known: dict[At, Standing[Any]] = {}
    for number, stream, position, payload, latest, heard in rows:
        at = (stream, position)
        if at not in known:
            known[at] = _standing(stream, position, payload or heard, latest)
        found.setdefault(number - 1, []).append(known[at])
    tables.things.read.update({keys[number]: tuple(reports) for number, reports in found.items()})


def _standing(stream: str, position: int, payload: bytes, latest: bytes | None) -> Standing[Any]:
    event = contracts.decode(payload)
    if latest is not None:
        event = msgspec.structs.replace(event, data=msgspec.json.decode(latest, type=type(event.data)))
    return Standing(stream, position, event)


async def _by_id(tables: Tables, connection: Connection) -> None:
    if not tables.by_id.wanted:
        return
    keys = tables.by_id.taken()
    found: dict[str, list[Logged]] = {}
    for row in await connection.fetch(
        "select l.id, l.position, l.source, l.country, l.type, l.payload, a.latest, a.retracted, a.into_root, a.sent"
        " from unnest($1::text[]) as q (id) join recorded as r on r.id = q.id join log as l on l.position = r.position"
        " left join amended as a on a.root = l.position order by l.position",
        keys,
    ):
        found.setdefault(row["id"], []).append(_logged(tables, row))
    tables.by_id.read.update({key: tuple(rows) for key, rows in found.items()})


async def _by_position(tables: Tables, connection: Connection) -> None:
    if not tables.by_position.wanted:
        return
    for row in await connection.fetch(
        "select l.position, l.source, l.country, l.type, l.payload, a.latest, a.retracted, a.into_root, a.sent"
        " from log as l left join amended as a on a.root = l.position where l.position = any($1::bigint[])",
        tables.by_position.taken(),
    ):
        tables.by_position.read[row["position"]] = _logged(tables, row)


def _logged(tables: Tables, row: Row) -> Logged:
    """Return a row of the log; how it was amended is known with it."""
    event = contracts.decode(row["payload"])
    latest = row["latest"]
    tables.amended.read[row["position"]] = (
        None
        if latest is None
        else Amended(
            msgspec.json.decode(latest, type=type(event.data)), row["retracted"], row["into_root"], row["sent"]
        )
    )
    return Logged(row["position"], row["source"], row["country"], row["type"], event)


async def _by_entity(tables: Tables, connection: Connection) -> None:
    if not tables.by_entity.wanted:
        return
    found: dict[str, list[Named]] = {}
    for row in await connection.fetch(
        "select l.entity, l.position, l.id, l.country, l.type from unnest($1::text[]) as q (entity)"
        " join log as l on l.entity = q.entity order by l.position",
        tables.by_entity.taken(),
    ):
        found.setdefault(row["entity"], []).append(tuple(row)[1:])
    tables.by_entity.read.update({key: tuple(rows) for key, rows in found.items()})


async def _heard(tables: Tables, connection: Connection) -> None:
    if not tables.heard.wanted:
        return
    keys = tables.heard.taken()
    for row in await connection.fetch(
        "select h.stream, h.sequence, h.event, h.amended from unnest($1::text[], $2::bigint[]) as q (stream, sequence)"
        " join heard as h on h.stream = q.stream and h.sequence = q.sequence",
        [stream for stream, _ in keys],
        [sequence for _, sequence in keys],
    ):
        at, event = (row["stream"], row["sequence"]), row["event"]
        tables.heard.read[at] = Heard(_standing(*at, event, None) if event else None, row["amended"])


async def _notified(tables: Tables, connection: Connection) -> None:
    if not tables.notified.wanted:
        return
    found: dict[str, list[Notified]] = {}
    for *row, due, event, scopes in await connection.fetch(
        "select n.scope, n.key, n.event_id, n.type, n.country, n.entity, n.scheduled, d.due, d.event,"
        " array(select scope from notified as other where other.key = n.key)"
        " from unnest($1::text[]) as q (scope) join notified as n on n.scope = q.scope"
        " left join deadline as d on n.scheduled and d.id = n.key order by n.scope, n.key",
        tables.notified.taken(),
    ):
        one = Notified(*row)
        found.setdefault(one.scope, []).append(one)
        tables.by_key.read[one.key] = frozenset(scopes)
        tables.deadlines.read[one.key] = None if due is None else (due, contracts.decode(event))
    tables.notified.read.update({key: tuple(rows) for key, rows in found.items()})


async def _by_key(tables: Tables, connection: Connection) -> None:
    if not tables.by_key.wanted:
        return
    found: dict[str, set[str]] = {}
    for row in await connection.fetch(
        "select n.key, n.scope from unnest($1::text[]) as q (key) join notified as n on n.key = q.key",
        tables.by_key.taken(),
    ):
        found.setdefault(row["key"], set()).add(row["scope"])
    tables.by_key.read.update({key: frozenset(scopes) for key, scopes in found.items()})


async def _deadlines(tables: Tables, connection: Connection) -> None:
    if not tables.deadlines.wanted:
        return
    for row in await connection.fetch(
        "select id, due, event from deadline where id = any($1::text[])", tables.deadlines.taken()
    ):
        tables.deadlines.read[row["id"]] = row["due"], contracts.decode(row["event"])


async def _merged(tables: Tables, connection: Connection) -> None:
    if not tables.merged.wanted:
        return
    keys = tables.merged.taken()
    for row in await connection.fetch(
        "select m.country, m.field, m.entity, m.into_entity from unnest($1::text[], $2::text[], $3::text[])"
        " as q (country, field, entity)"
        " join merged as m on m.country = q.country and m.field = q.field and m.entity = q.entity",
        *map(list, zip(*keys, strict=True)),
    ):
        tables.merged.read[row["country"], row["field"], row["entity"]] = row["into_entity"]


async def _periods(tables: Tables, connection: Connection) -> None:
    if tables.period_of.wanted:
        keys = tables.period_of.taken()
        for row in await connection.fetch(
            "select a.id, a.source, a.type, a.country, a.key from unnest($1::text[], $2::text[]) as q (id, source)"
            " join aggregate as a on a.id = q.id and a.source = q.source",
            [one for one, _ in keys],
            [source for _, source in keys],
        ):
            tables.period_of.read[row["id"], row["source"]] = row["type"], row["country"], row["key"]
    if not tables.periods.wanted:
        return
    found: dict[Figure, list[Period]] = {}
    for row in await connection.fetch(
        "select a.type, a.country, a.key, a.first, a.last, a.id, a.source, a.told"
        " from unnest($1::text[], $2::text[], $3::text[]) as q (type, country, key)"
        " join aggregate as a on a.type = q.type and a.country = q.country and a.key = q.key order by a.first",
        *map(list, zip(*tables.periods.taken(), strict=True)),
    ):
        found.setdefault(tuple(row)[:3], []).append(Period(*tuple(row)[3:]))
    tables.periods.read.update({key: tuple(rows) for key, rows in found.items()})


async def _seats(tables: Tables, connection: Connection) -> None:
    if not tables.seats.wanted:
        return
    tables.seats.taken()
    rows = await connection.fetch("select since, body, holder, recorded, event_id from seat order by since")
    tables.seats.read[None] = tuple(tuple(row) for row in rows)


async def _signers(tables: Tables, connection: Connection) -> None:
    if not tables.signers.wanted:
        return
    rows = await connection.fetch(
        "select country, key, system, since, until, revoked from signer where country = any($1::text[]) order by key",
        tables.signers.taken(),
    )
    for row in rows:
        tables.signers.read[row["country"]] += (Key(*row),)


LOADS: Sequence[_Load] = (
    _things, _by_id, _by_position, _by_entity, _heard, _notified, _by_key, _deadlines, _merged, _periods,
    _seats, _signers,
)  # fmt: skip


async def save(tables: Tables, connection: Connection) -> None:
    """Write what the batch changed: at most two statements for each table."""
    await _save_heard(tables, connection)
    await _save_index(tables, connection)
    await _save_amended(tables, connection)
    await _save_notified(tables, connection)
    await _save_deadlines(tables, connection)
    if fresh := [(*key, into) for key, into in tables.merged.changed().items()]:
        columns = ["country", "field", "entity", "into_entity"]
        await connection.copy_records_to_table("merged", columns=columns, records=fresh)
    await _save_periods(tables, connection)
    await _save_signers(tables, connection)
    for since, body, holder, recorded, event_id in set(tables.seats.batch.get(None, ())) - set(
        tables.seats.read.get(None, ())
    ):
        await connection.execute(
            "insert into seat (since, body, holder, recorded, event_id) values ($1, $2, $3, $4, $5)"
            " on conflict (body, since) do update set holder = excluded.holder, recorded = excluded.recorded,"
            " event_id = excluded.event_id",
            since,
            body,
            holder,
            recorded,
            event_id,
        )


async def _save_signers(tables: Tables, connection: Connection) -> None:
    for country, keys in tables.signers.changed().items():
        for one in set(keys) - set(tables.signers.read.get(country, ())):
            await connection.execute(
                "insert into signer (country, key, system, since, until, revoked) values ($1, $2, $3, $4, $5, $6)"
                " on conflict (country, key) do update set revoked = excluded.revoked",
                *one,
            )


async def _save_heard(tables: Tables, connection: Connection) -> None:
    changed = {at: heard for at, heard in tables.heard.changed().items() if heard}
    fresh = {at: heard for at, heard in changed.items() if not tables.heard.read.get(at)}
    if fresh:
        await connection.copy_records_to_table(
            "heard",
            columns=["stream", "sequence", "event", "amended"],
            records=[(*at, _written(one), one.amended) for at, one in fresh.items()],
        )
    again = {at: one for at, one in changed.items() if at not in fresh}
    if again:
        await connection.execute(
            "update heard set event = now.event, amended = now.amended"
            " from unnest($1::text[], $2::bigint[], $3::bytea[], $4::bigint[])"
            " as now (stream, sequence, event, amended)"
            " where heard.stream = now.stream and heard.sequence = now.sequence",
            [stream for stream, _ in again],
            [sequence for _, sequence in again],
            [_written(one) for one in again.values()],
            [one.amended for one in again.values()],
        )


def _written(one: Heard) -> bytes:
    return _encode(one.report.event) if one.report else b""


async def _save_index(tables: Tables, connection: Connection) -> None:
    added = {(thing, *at) for thing, reports in tables.index.added.items() for at in reports}
    gone = {(thing, *at) for thing, places in tables.index.gone.items() for at in places} - added
    if added or gone:
        await connection.execute(
            "with gone as (delete from about using unnest($5::text[], $6::timestamptz[], $7::text[], $8::bigint[])"
            " as g (thing, at, stream, position) where about.thing = g.thing and about.at = g.at"
            " and about.stream = g.stream and about.position = g.position)"
            " insert into about (thing, at, stream, position)"
            " select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[]) on conflict do nothing",
            *_columns(4, added),
            *_columns(4, gone),
        )


def _columns(number: int, rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Return rows as so many columns."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(number)]


async def _save_amended(tables: Tables, connection: Connection) -> None:
    rows = [(root, one) for root, one in tables.amended.changed().items() if one is not None]
    if rows:
        await connection.execute(
            "insert into amended (root, latest, retracted, into_root, sent)"
            " select * from unnest($1::bigint[], $2::bytea[], $3::boolean[], $4::bigint[], $5::bigint[])"
            " on conflict (root) do update set latest = excluded.latest, retracted = excluded.retracted,"
            " into_root = excluded.into_root, sent = excluded.sent",
            [root for root, _ in rows],
            [_encode(one.latest) for _, one in rows],
            [one.retracted for _, one in rows],
            [one.into_root for _, one in rows],
            [one.sent for _, one in rows],
        )


async def _save_notified(tables: Tables, connection: Connection) -> None:
    before = {one for scope in tables.notified.batch for one in tables.notified.read.get(scope, ())}
    after = {one for rows in tables.notified.batch.values() for one in rows}
    gone = {(one.scope, one.key) for one in before} - {(one.scope, one.key) for one in after}
    fresh = after - before
    if gone or fresh:
        await connection.execute(
            "with gone as (delete from notified using unnest($8::text[], $9::text[]) as g (scope, key)"
            " where notified.scope = g.scope and notified.key = g.key)"
            " insert into notified (scope, key, event_id, type, country, entity, scheduled) select * from"
            " unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])"
            " on conflict (scope, key) do update set event_id = excluded.event_id, type = excluded.type,"
            " country = excluded.country, entity = excluded.entity, scheduled = excluded.scheduled",
            *_columns(7, (msgspec.structs.astuple(one) for one in fresh)),
            *_columns(2, gone),
        )


async def _save_deadlines(tables: Tables, connection: Connection) -> None:
    changed = tables.deadlines.changed()
    gone = [name for name, one in changed.items() if one is None]
    fresh = [(name, one[0], _encode(one[1])) for name, one in changed.items() if one is not None]
    if gone or fresh:
        await connection.execute(
            "with gone as (delete from deadline where id = any($4::text[]))"
            " insert into deadline (id, due, event) select * from unnest($1::text[], $2::timestamptz[], $3::bytea[])"
            " on conflict (id) do update set due = excluded.due, event = excluded.event",
            *_columns(3, fresh),
            gone,
        )


async def _save_periods(tables: Tables, connection: Connection) -> None:
    changed = tables.periods.changed()
    gone = [
        (figure, one) for figure in changed for one in tables.periods.read.get(figure, ()) if one not in changed[figure]
    ]
    if gone:
        await connection.execute(
            "delete from aggregate using unnest($1::text[], $2::text[]) as gone (id, source)"
            " where aggregate.id = gone.id and aggregate.source = gone.source",
            [one.id for _, one in gone],
            [one.source for _, one in gone],
        )
    fresh = [
        (*figure, *one)
        for figure, rows in changed.items()
        for one in rows
        if one not in tables.periods.read.get(figure, ())
    ]
    if fresh:
        await connection.copy_records_to_table(
            "aggregate", columns=["type", "country", "key", *Period._fields], records=fresh
        )
