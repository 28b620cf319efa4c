"""Taking over from a version without judgements: what it recorded, heard and told is found by judgements from then on.

Such a version keeps other tables. It may run on the newer schema, and go on recording, until the first process of this
version is there. That one does all of this in one transaction, in which nobody else records. From then on the database
lets no older version record (migration 0013_generation), as neither would know what the other has told.
"""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import structlog

from shared import contracts
from shared.contracts import Corrected, Event, Merged, Retracted
from shared.record.deciding import Deciding, things
from shared.record.engine import Input, Judgements, rounds
from shared.record.judgement import Standing
from shared.record.reading import place
from shared.record.storing import load, save
from shared.record.tables import Tables
from shared.run.database import GENERATION, Connection, Pool, Row, turn

PIECE = 1000
"""Rows of a log, or events heard, that are taken together."""
TOLD = "*_notified.sql"
"""Which migrations of a service read what an older version has told, and when it heard what it heard."""
TAKING_S = 3600
"""How long one statement may take here: all that an older version ever told may be in it."""

log = structlog.get_logger()


async def take_over(pool: Pool, service: str, judgements: Judgements, folder: Path) -> None:
    """Take over from an older version, unless that is done; `folder` is the service's own. Raises as the pool does."""
    async with pool.acquire() as connection, connection.transaction():
        if await _taken(connection):
            return
        await turn(connection, service)
        if await _taken(connection):
            return
        # What an older version did since the migration is not in what the migration made: it is made anew.
        await connection.execute("delete from about; delete from notified; delete from known", timeout=TAKING_S)
        for file in sorted((folder / "migrations").glob(TOLD)):
            await connection.execute(file.read_text(), timeout=TAKING_S)
        rows = await _index(connection, judgements) if judgements else 0
        heard = await connection.fetch("select stream, sequence, payload from heard_before()", timeout=TAKING_S)
        for start in range(0, len(heard), PIECE):
            await _keep(connection, service, judgements, heard[start : start + PIECE])
        await connection.execute("update heard set event = '' where event is null", timeout=TAKING_S)
        await connection.execute("insert into generation (number) values ($1)", GENERATION)
    log.info("took over", rows=rows, heard=len(heard))


async def _taken(connection: Connection) -> bool:
    found: bool = await connection.fetchval("select exists (select from generation where number >= $1)", GENERATION)
    return found


async def _index(connection: Connection, judgements: Judgements) -> int:
    """Index all rows of the log by what they are about; return how many there are."""
    last = 0
    while rows := await connection.fetch(
        "select l.position, l.payload, a.latest, a.retracted from log as l"
        " left join amended as a on a.root = l.position where l.position > $1 order by l.position limit $2",
        last,
        PIECE,
    ):
        last = rows[-1]["position"]
        found: set[tuple[Any, ...]] = set()
        for row in rows:
            try:
                found |= _places(row, judgements)
            except Exception as error:  # noqa: BLE001 - what nobody can read stops no service; `crm verify` tells it
                log.warning("a row is about nothing", position=row["position"], error=type(error).__name__)
        if found:
            await connection.execute(
                "insert into about (thing, at, stream, position)"
                " select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[]) on conflict do nothing",
                *map(list, zip(*found, strict=True)),
            )
    return last


def _places(row: Row, judgements: Judgements) -> set[tuple[Any, ...]]:
    """Return where a row of the log is found by what it is about."""
    event = contracts.decode(row["payload"])
    if row["retracted"] or isinstance(event.data, Corrected | Retracted | Merged):
        return set()
    if row["latest"] is not None:
        event = msgspec.structs.replace(event, data=msgspec.json.decode(row["latest"], type=type(event.data)))
    report = Standing("", row["position"], event)
    found = {(thing, *place(thing, report)) for thing in things(judgements.get(type(event.data), ()), report)}
    for _, at, *_ in found:
        at.astimezone(UTC)  # raises where the database could not hold it
    return found


async def _keep(connection: Connection, service: str, judgements: Judgements, heard: Sequence[Any]) -> None:
    """Keep events (stream, sequence, payload) that an older version heard, as they stand; nothing is told of them.

    They were known since then where a migration says so (`known`). They come in the order of their streams.
    """
    events = [(stream, sequence, contracts.decode(payload)) for stream, sequence, payload in heard]
    since = {
        (row["id"], row["source"]): row["at"]
        for row in await connection.fetch(
            "select k.id, k.source, k.at from unnest($1::text[], $2::text[]) as q (id, source)"
            " join known as k on k.id = q.id and k.source = q.source",
            [event.id for *_, event in events],
            [event.source for *_, event in events],
        )
    }
    deciding = Deciding(service, judgements, Tables(), again=True, quiet=True)
    deciding.tables.heard.want((stream, sequence) for stream, sequence, _ in events)
    await load(deciding.tables, connection)
    inputs = [
        Input(_known(event, since.get((event.id, event.source))), (stream, sequence))
        for stream, sequence, event in events
    ]
    for one, outcome in zip(inputs, await rounds(deciding, connection, inputs, {}), strict=True):
        if outcome is not None:
            log.error("heard before and not kept", at=one.heard, type=one.event.type, error=type(outcome).__name__)
    await save(deciding.tables, connection)


def _known(event: Event[Any], since: Any) -> Event[Any]:
    return msgspec.structs.replace(event, recordedtime=since) if since else event
