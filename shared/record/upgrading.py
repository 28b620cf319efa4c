"""Finding the reports that an older version recorded by what they are about: brought up before anything is recorded.

An older version keeps no index (`about`) and nothing of what it hears of other services. The index is made from the
log, also of what a version of before records beside this one. What was heard is delivered once more, as `crm provision`
asks for it, and kept then.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Corrected, Event, Merged, Retracted
from shared.record.deciding import Deciding, things
from shared.record.engine import Input, Judgements, rounds
from shared.record.judgement import Standing
from shared.record.reading import place
from shared.record.storing import load, save
from shared.record.tables import Tables
from shared.run.database import Connection

PIECE = 1000
"""Rows that are indexed in one transaction."""


async def index(connection: Connection, judgements: Judgements, after: int, most: int = PIECE) -> int:
    """Index the rows of the log after a position, at most so many; return the last one's position.

    The caller holds the lock of the log.
    """
    rows = await connection.fetch(
        "select l.position, l.payload, a.latest, a.retracted from log as l"
        " left join amended as a on a.root = l.position where l.position > $1 order by l.position limit $2",
        after,
        most,
    )
    fresh: set[tuple[Any, ...]] = set()
    for row in rows:
        event = contracts.decode(row["payload"])
        if row["retracted"] or isinstance(event.data, Corrected | Retracted | Merged):
            continue
        if row["latest"] is not None:
            event = msgspec.structs.replace(event, data=msgspec.json.decode(row["latest"], type=type(event.data)))
        report = Standing("", row["position"], event)
        fresh |= {(thing, *place(thing, report)) for thing in things(judgements.get(type(event.data), ()), report)}
    if fresh:
        await connection.execute(
            "insert into about (thing, at, stream, position)"
            " select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[]) on conflict do nothing",
            *map(list, zip(*fresh, strict=True)),
        )
    last: int = rows[-1]["position"] if rows else after
    await note(connection, last)
    return last


async def note(connection: Connection, position: int, wake: str = "") -> None:
    """Note that the log is indexed up to a position, and wake the relay of a service, if one is named."""
    await connection.execute(
        "insert into indexed (position) select $1 from pg_notify(coalesce(nullif($2, ''), 'nobody'), '')"
        " on conflict (one) do update set position = excluded.position",
        position,
        wake,
    )


async def keep(
    connection: Connection, service: str, judgements: Judgements, heard: Sequence[tuple[tuple[str, int], Event[Any]]]
) -> None:
    """Keep events that an older version heard, as they stand; nothing is told because of them.

    They were known since then where a migration says so (`known`). The caller holds the lock of the log, and gives them
    in the order of their streams.
    """
    since = {
        (row["id"], row["source"]): row["at"]
        for row in await connection.fetch(
            "select k.id, k.source, k.at from unnest($1::text[], $2::text[]) as q (id, source)"
            " join known as k on k.id = q.id and k.source = q.source",
            [event.id for _, event in heard],
            [event.source for _, event in heard],
        )
    }
    deciding = Deciding(service, judgements, Tables(), again=True, quiet=True)
    deciding.tables.heard.want(at for at, _ in heard)
    await load(deciding.tables, connection)
    inputs = [
        Input(msgspec.structs.replace(one, recordedtime=since.get((one.id, one.source), one.recordedtime)), at)
        for at, one in heard
    ]
    for outcome in await rounds(deciding, connection, inputs, {}):
        if outcome is not None:
            raise outcome
    await save(deciding.tables, connection)
    await connection.execute(
        "update heard set event = '' from unnest($1::text[], $2::bigint[]) as now (stream, sequence)"
        " where heard.stream = now.stream and heard.sequence = now.sequence and heard.event is null",
        [stream for (stream, _), _ in heard],
        [sequence for (_, sequence), _ in heard],
    )
