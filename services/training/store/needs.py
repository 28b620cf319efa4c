"""Training needs, the confirmed forgeries that raise some, and the courses that meet them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.database import Connection


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A training need as it is kept."""

    need_id: str
    cause: str
    source: str
    country: str
    topic: str
    bcp: str | None = None
    pattern: str | None = None
    since: datetime
    """When what it comes from happened: training from then on meets it."""
    raised: datetime
    state: str = "raised"
    detected: datetime | None = None
    """When the first of that was seen; of needs of before, not known."""


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """An open need, with the course that is to meet it and whether officers were certified after one."""

    need_id: str
    topic: str
    bcp: str | None
    began: datetime
    """When what it comes from was first seen."""
    state: str
    course_id: str | None
    met: bool


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed forgery as it is kept."""

    event_id: str
    source: str
    country: str
    bcp: str
    pattern: str
    confirmed: datetime
    known: datetime
    need_id: str | None = None


async def add_confirmation(connection: Connection, one: Confirmation) -> None:
    """Insert a confirmed forgery."""
    await connection.execute(
        "insert into confirmation (event_id, source, country, bcp, pattern, confirmed, known, need_id)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        *msgspec.structs.astuple(one),
    )


async def drop_confirmation(connection: Connection, event_id: str, source: str) -> tuple[datetime, str | None] | None:
    """Delete a confirmation reported in error; return since when it was known, and the need it had raised."""
    row = await connection.fetchrow(
        "delete from confirmation where event_id = $1 and source = $2 returning known, need_id", event_id, source
    )
    return (row["known"], row["need_id"]) if row else None


async def open_confirmations(
    connection: Connection, country: str, bcp: str, pattern: str
) -> list[tuple[str, datetime]]:
    """Return event id and time of the confirmations that belong to no need, oldest first."""
    rows = await connection.fetch(
        "select event_id, confirmed from confirmation"
        " where country = $1 and bcp = $2 and pattern = $3 and need_id is null order by confirmed, event_id",
        country,
        bcp,
        pattern,
    )
    return [(row["event_id"], row["confirmed"]) for row in rows]


async def close_confirmations(connection: Connection, country: str, event_ids: Sequence[str], need_id: str) -> None:
    """Mark the confirmations that belong to a need."""
    await connection.execute(
        "update confirmation set need_id = $3 where country = $1 and event_id = any($2::text[])",
        country,
        event_ids,
        need_id,
    )


async def release_confirmations(connection: Connection, need_id: str) -> None:
    """Let the confirmations of a need count anew."""
    await connection.execute("update confirmation set need_id = null where need_id = $1", need_id)


async def add_need(connection: Connection, need: Need) -> None:
    """Insert a need."""
    await connection.execute(
        "insert into need (need_id, cause, source, country, topic, bcp, pattern, since, raised, state, detected)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *msgspec.structs.astuple(need),
    )


async def need(connection: Connection, need_id: str) -> Need | None:
    """Return a need."""
    row = await connection.fetchrow(
        "select need_id, cause, source, country, topic, bcp, pattern, since, raised, state, detected from need"
        " where need_id = $1",
        need_id,
    )
    return Need(**dict(row)) if row else None


async def raised_by(connection: Connection, cause: str, source: str) -> list[Need]:
    """Return the needs that a report raised, or the last of several that did it together."""
    rows = await connection.fetch(
        "select need_id, cause, source, country, topic, bcp, pattern, since, raised, state, detected from need"
        " where cause = $1 and source = $2 order by need_id",
        cause,
        source,
    )
    return [Need(**dict(row)) for row in rows]


async def open_for(connection: Connection, country: str, bcp: str, pattern: str) -> str | None:
    """Return the id of the need that this forgery at this post has raised and that is not met yet."""
    need_id: str | None = await connection.fetchval(
        "select need_id from need where country = $1 and bcp = $2 and pattern = $3 and state in ('raised', 'planned')",
        country,
        bcp,
        pattern,
    )
    return need_id


async def set_state(connection: Connection, need_id: str, state: str) -> None:
    """Move a need on."""
    await connection.execute("update need set state = $2 where need_id = $1", need_id, state)


async def matched(connection: Connection, country: str, topics: Sequence[str]) -> list[Matched]:
    """Return a country's open needs in these topics, with what has been done about them.

    A course meets a need of its topic at its post (of a need without a post: anywhere in the country) when it was set
    or given after what the need comes from, and an officer was certified in the topic after it was given.
    """
    rows = await connection.fetch(
        "with given as materialized (select course_id, topics, bcp, delivered, at from course"
        " where country = $1 and topics && $2::text[])"
        " select n.need_id, n.topic, n.bcp, coalesce(n.detected, n.raised) as began, n.state, p.course_id,"
        " exists (select from certificate as o where o.country = n.country and o.topic = n.topic"
        " and o.certified >= d.first) as met from need as n"
        " left join lateral (select course_id from given as c where not c.delivered and n.topic = any (c.topics)"
        " and c.at >= n.since and (n.bcp is null or c.bcp = n.bcp) order by c.at, c.course_id limit 1) as p on true"
        " cross join lateral (select min(at) as first from given as c where c.delivered and n.topic = any (c.topics)"
        " and c.at >= n.since and (n.bcp is null or c.bcp = n.bcp)) as d"
        " where n.country = $1 and n.topic = any ($2::text[]) and n.state in ('raised', 'planned') order by n.need_id",
        country,
        topics,
    )
    return [Matched(**dict(row)) for row in rows]
