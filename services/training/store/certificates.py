"""Certificates, what they rest on, and what was told of them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from services.training.standing import Certificate, Key, Step
from shared import contracts, rules
from shared.contracts import Event
from shared.database import Connection

FORGERY = "false_document_detection"
"""The topic whose certificates a new pattern of forgery makes stale."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as it is kept."""

    event_id: str
    source: str
    country: str
    cert_id: str
    officer_pid: str
    topic: str
    institution_type: str
    certified: datetime
    valid_from: date
    valid_until: date
    aligned: list[str]
    editions: list[str]


class LawChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a law as it is kept."""

    event_id: str
    source: str
    touches: list[str]
    edition: str
    changed: datetime
    known: datetime
    counts: datetime


async def add(connection: Connection, row: Row) -> bool:
    """Insert a certificate; return False when its id is taken in its country."""
    return bool(
        await connection.fetchval(
            "insert into certificate (event_id, source, country, cert_id, officer_pid, topic, institution_type,"
            " certified, valid_from, valid_until, aligned, editions)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing returning true",
            *msgspec.structs.astuple(row),
        )
    )


async def drop(connection: Connection, event_id: str, source: str) -> None:
    """Delete a certificate that was reported in error."""
    await connection.execute("delete from certificate where event_id = $1 and source = $2", event_id, source)


async def of_officer(connection: Connection, country: str, officer_pid: str, topic: str | None = None) -> list[Key]:
    """Return an officer's certificates, in one topic or all."""
    rows = await connection.fetch(
        "select country, cert_id from certificate where country = $1 and officer_pid = $2"
        " and ($3::text is null or topic = $3)",
        country,
        officer_pid,
        topic,
    )
    return [(row["country"], row["cert_id"]) for row in rows]


async def aligned_to(connection: Connection, touches: Sequence[str]) -> list[Key]:
    """Return the certificates aligned to any of these laws and treaties."""
    rows = await connection.fetch("select country, cert_id from certificate where aligned && $1", touches)
    return [(row["country"], row["cert_id"]) for row in rows]


async def in_forgery(connection: Connection, before: datetime) -> list[Key]:
    """Return the certificates in the detection of false documents given by then."""
    rows = await connection.fetch(
        "select country, cert_id from certificate where topic = $1 and certified <= $2", FORGERY, before
    )
    return [(row["country"], row["cert_id"]) for row in rows]


async def untold_in_forgery(connection: Connection, before: datetime) -> list[Key]:
    """Return those of `in_forgery` of which nothing was told."""
    rows = await connection.fetch(
        "select country, cert_id from certificate as c where topic = $1 and certified <= $2"
        " and not exists (select from told as t where t.country = c.country and t.cert_id = c.cert_id)",
        FORGERY,
        before,
    )
    return [(row["country"], row["cert_id"]) for row in rows]


async def found(connection: Connection, keys: Sequence[Key]) -> dict[Key, Certificate]:
    """Return the certificates with what their standing hangs on: the first change of a law and the first forgery
    since they were given, the officer's first misconduct since, and newer certificates in the same topic."""  # noqa: D209
    rows = await connection.fetch(
        "select c.country, c.cert_id, c.topic, c.institution_type, c.officer_pid, c.certified, c.valid_until,"
        " l.changed as amended, l.counts as amended_counts, p.known as forged, m.at as conduct,"
        " n.certified as newer, n.cert_ids as newer_ids"
        " from unnest($1::text[], $2::text[]) as k (country, cert_id)"
        " join certificate as c on c.country = k.country and c.cert_id = k.cert_id"
        " left join lateral (select changed, counts from law_change where touches && c.aligned"
        " and changed >= c.certified and not edition = any (c.editions)"
        " order by changed, event_id limit 1) as l on true"
        " left join lateral (select known from pattern where c.topic = $3 and known >= c.certified"
        " order by known limit 1) as p on true"
        " left join lateral (select at from complaint where country = c.country"
        " and officer_pid = c.officer_pid and at >= c.certified order by at limit 1) as m on true"
        " cross join lateral (select array_agg(o.certified order by o.certified, o.cert_id) as certified,"
        " array_agg(o.cert_id order by o.certified, o.cert_id) as cert_ids from certificate as o"
        " where o.country = c.country and o.officer_pid = c.officer_pid and o.topic = c.topic"
        " and o.certified > c.certified) as n",
        [country for country, _ in keys],
        [cert_id for _, cert_id in keys],
        FORGERY,
    )
    return {
        (row["country"], row["cert_id"]): Certificate(
            topic=row["topic"],
            institution_type=row["institution_type"],
            officer_pid=row["officer_pid"],
            certified=row["certified"],
            valid_until=row["valid_until"],
            amended=(row["amended"], row["amended_counts"]) if row["amended"] else None,
            forged=row["forged"],
            conduct=row["conduct"],
            newer=tuple(zip(row["newer"] or (), row["newer_ids"] or (), strict=True)),
        )
        for row in rows
    }


async def told(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[tuple[Step, Event[Any]]]]:
    """Return what was told of each certificate and not taken back, in order."""
    rows = await connection.fetch(
        "select t.country, t.cert_id, t.kind, t.at, t.reason, t.grace_until, t.renewed_by, t.event"
        " from unnest($1::text[], $2::text[]) as k (country, cert_id)"
        " join told as t on t.country = k.country and t.cert_id = k.cert_id order by t.number",
        [country for country, _ in keys],
        [cert_id for _, cert_id in keys],
    )
    result: dict[Key, list[tuple[Step, Event[Any]]]] = defaultdict(list)
    for row in rows:
        step = Step(row["kind"], row["at"], row["reason"], row["grace_until"], row["renewed_by"])
        result[row["country"], row["cert_id"]].append((step, contracts.decode(row["event"])))
    return result


async def tell(connection: Connection, steps: Collection[tuple[Step, Event[Any]]]) -> None:
    """Note what is told; what is noted already stays as it is."""
    await connection.executemany(
        "insert into told (event_id, country, cert_id, kind, at, reason, grace_until, renewed_by, event)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        [
            (event.id, event.country, event.data.cert_id, *msgspec.structs.astuple(step), msgspec.json.encode(event))
            for step, event in steps
        ],
    )


async def recorded(connection: Connection, event_ids: Collection[str]) -> bool:
    """Return whether all of these events of ours stand in the log."""
    query = "select count(*) from log where id = any($1::text[]) and source = $2"
    number: int = await connection.fetchval(query, event_ids, rules.source("training"))
    return number == len(event_ids)


async def take_back(connection: Connection, event_ids: Collection[str]) -> None:
    """Delete what is no longer told."""
    await connection.execute("delete from told where event_id = any($1::text[])", event_ids)


async def add_law_change(connection: Connection, change: LawChange) -> None:
    """Insert a change of a law."""
    await connection.execute(
        "insert into law_change (event_id, source, touches, edition, changed, known, counts)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        *msgspec.structs.astuple(change),
    )


async def drop_law_change(connection: Connection, event_id: str, source: str) -> datetime | None:
    """Delete a change of a law that was reported in error; return since when it was known."""
    known: datetime | None = await connection.fetchval(
        "delete from law_change where event_id = $1 and source = $2 returning known", event_id, source
    )
    return known


async def first_known(connection: Connection, pattern: str, known: datetime) -> bool:
    """Note that the region knows a pattern of forgery; return whether it did not before."""
    return bool(
        await connection.fetchval(
            "insert into pattern (pattern, known) values ($1, $2) on conflict do nothing returning true",
            pattern,
            known,
        )
    )


async def reconsider(connection: Connection, pattern: str) -> datetime | None:
    """Set since when a pattern is known by the confirmations that stand; return the later of before and now.

    None: nothing changed.
    """
    known: datetime | None = await connection.fetchval(
        "select min(known) from confirmation where pattern = $1", pattern
    )
    before: datetime | None = await connection.fetchval(
        "select known from pattern where pattern = $1 for update", pattern
    )
    if known == before:
        return None
    await connection.execute("delete from pattern where pattern = $1", pattern)
    if known is not None:
        await first_known(connection, pattern, known)
    return max(one for one in (known, before) if one is not None)
