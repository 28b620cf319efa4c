"""Under which report each figure for a period stands (table `aggregate`), and that no two of its periods overlap."""

from datetime import datetime
from typing import Any

from shared.contracts import Contract, Event, Problem, Refused
from shared.contracts.aggregates import Cell, cell
from shared.database import Connection, Row

ROW = "select id, source, told, first, last from aggregate"


async def standing(connection: Connection, one: Cell) -> Row | None:
    """Return the row (id, source, told) of the report under which a figure stands."""
    return await connection.fetchrow(
        f"{ROW} where type = $1 and country = $2 and key = $3 and first = $4 and last = $5",
        *one,
    )


async def told(connection: Connection, root: Event[Any]) -> datetime:
    """Return the time of the statement that holds under a report."""
    told: datetime | None = await connection.fetchval(
        "select told from aggregate where id = $1 and source = $2", root.id, root.source
    )
    return told or root.time


async def claim(connection: Connection, agreed: Contract, event: Event[Any]) -> None:
    """Put a report on record as its figure's, or as the one told last. Refused: `overlapping_period`."""
    one = cell(agreed, event.country, event.time, event.data)
    if one is None:
        return
    if await standing(connection, one):
        await connection.execute(
            "update aggregate set told = greatest(told, $5)"
            " where type = $1 and country = $2 and key = $3 and first = $4",
            *one[:4],
            event.time,
        )
        return
    await _apart(connection, agreed, one, "/data")
    await _put(connection, one, event, event.time)


async def move(  # noqa: PLR0913, PLR0917 - the facts of an amendment
    connection: Connection, agreed: Contract, root: Event[Any], data: Any | None, told: datetime | None, at: str
) -> None:
    """Have the figure of `root` stand for what its data now say; None: it was withdrawn, and its period is free.

    `told` is the time of the statement that now holds, None: it is as it was; `at`: where the sender says the data.
    Refused: `overlapping_period`.
    """
    if agreed.aggregate is None:
        return
    before = await connection.fetchrow(f"{ROW} where id = $1 and source = $2", root.id, root.source)
    one = cell(agreed, root.country, root.time, data) if data is not None else None
    await connection.execute("delete from aggregate where id = $1 and source = $2", root.id, root.source)
    if one is None:
        return
    await _apart(connection, agreed, one, at)
    since = before["told"] if before else root.time
    await _put(connection, one, root, max(since, told or since))


async def _put(connection: Connection, one: Cell, root: Event[Any], told: datetime) -> None:
    await connection.execute(
        "insert into aggregate (type, country, key, first, last, id, source, told)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        *one,
        root.id,
        root.source,
        told,
    )


async def _apart(connection: Connection, agreed: Contract, one: Cell, at: str) -> None:
    """Refuse a period that overlaps with another one under the same key."""
    other = await connection.fetchrow(
        f"{ROW} where type = $1 and country = $2 and key = $3 and first <= $5 and last >= $4 limit 1",
        *one,
    )
    if other is None:
        return
    assert agreed.aggregate is not None
    kept = agreed.aggregate
    field = kept.as_of or kept.period[0 if other["first"] < one.first else 1] or kept.key[0]
    why = "a report under the same key has a period that overlaps with this one: correct or withdraw that one first"
    raise Refused(Problem(f"{at}/{field}", "overlapping_period", why))
