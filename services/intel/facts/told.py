"""What was told, by what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intel.facts.rows import found
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was told about a thing (a scope), or is to be told when it falls due."""

    scope: str
    key: str
    event_id: str
    type: str
    country: str
    entity: str
    scheduled: bool


COLUMNS = "scope, key, event_id, type, country, entity, scheduled"


async def about(connection: Connection, scopes: Sequence[str]) -> list[Told]:
    """Return what was told about these things, in order."""
    return await found(
        connection,
        Told,
        f"select {COLUMNS} from told where scope = any($1::text[]) order by scope, key",  # noqa: S608 - constant
        list(scopes),
    )


async def known(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Return which of these notices were told, about whatever."""
    rows = await connection.fetch("select distinct key from told where key = any($1::text[])", list(keys))
    return {row["key"] for row in rows}


async def add(connection: Connection, told: Told) -> None:
    """Note that something was told about a thing."""
    await connection.execute(
        f"insert into told ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)",  # noqa: S608 - constant
        told.scope,
        told.key,
        told.event_id,
        told.type,
        told.country,
        told.entity,
        told.scheduled,
    )


async def drop(connection: Connection, told: Told) -> bool:
    """Forget that something was told about a thing; return whether it was told about nothing else."""
    await connection.execute("delete from told where scope = $1 and key = $2", told.scope, told.key)
    return not await connection.fetchval("select true from told where key = $1 limit 1", told.key)


async def recorded(connection: Connection, event_id: str, source: str) -> bytes | None:
    """Return an event as it stands in the log; None: it does not yet."""
    payload = await connection.fetchval("select payload from log where id = $1 and source = $2", event_id, source)
    return bytes(payload) if payload is not None else None


async def events(connection: Connection, scope: str) -> dict[str, str]:
    """Return the ids of the events that told something about a thing, by key."""
    return {one.key: one.event_id for one in await about(connection, [scope])}
