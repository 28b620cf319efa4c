"""Address books of detained traffickers: secured when, opened to whom, with which numbers (as keyed hashes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intel.gate import Marking
from shared.contracts import Event
from shared.contracts.intel import PhonebookDisseminated, PhonebookSeized
from shared.contracts.legal import PersonDetained
from shared.database import Connection

OFFENCES = ("tip", "som")


@dataclass(frozen=True, slots=True)
class Book:
    """A book that has a number, as its country opened it to others."""

    hash: str
    event_id: str
    country: str
    seizure_id: str
    recipients: frozenset[str]
    marking: Marking


@dataclass(frozen=True, slots=True)
class Known:
    """A detention, or a seizure, and when the region knew."""

    event_id: str
    known: datetime


async def put_detention(event: Event[PersonDetained], data: PersonDetained, connection: Connection) -> None:
    """Insert a detention for trafficking or smuggling."""
    if data.offence in OFFENCES:
        await connection.execute(
            "insert into detention (event_id, source, country, detention_id, known) values ($1, $2, $3, $4, $5)",
            event.id,
            event.source,
            event.country,
            data.detention_id,
            event.recordedtime,
        )


async def put_seizure(event: Event[PhonebookSeized], data: PhonebookSeized, connection: Connection) -> None:
    """Insert an address book secured."""
    await connection.execute(
        "insert into seizure (event_id, source, country, seizure_id, detention_id, known)"
        " values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        event.country,
        data.seizure_id,
        data.detention_id,
        event.recordedtime,
    )


async def put_dissemination(
    event: Event[PhonebookDisseminated], data: PhonebookDisseminated, connection: Connection
) -> None:
    """Insert that a book was opened, with the numbers that are told of it."""
    await connection.execute(
        "insert into dissemination (event_id, source, country, seizure_id, recipients, tlp, handling, srceval,"
        " infoeval) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        event.id,
        event.source,
        event.country,
        data.seizure_id,
        data.recipients,
        data.tlp,
        data.handling,
        data.srceval,
        data.infoeval,
    )
    await connection.execute(
        "insert into phone_hash (hash, event_id, source) select hash, $2, $3 from unnest($1::text[]) as h (hash)",
        data.hashes,
        event.id,
        event.source,
    )


async def books(connection: Connection, hashes: Sequence[str]) -> list[Book]:
    """Return the books that have one of these numbers."""
    rows = await connection.fetch(
        "select h.hash, d.event_id, d.country, d.seizure_id, d.recipients, d.tlp, d.handling, d.srceval, d.infoeval"
        " from phone_hash as h join dissemination as d on d.event_id = h.event_id and d.source = h.source"
        " where h.hash = any($1::text[]) order by h.hash, d.country, d.seizure_id, d.event_id",
        list(hashes),
    )
    return [_book(row) for row in rows]


def _book(row: Any) -> Book:
    marking = Marking(row["tlp"], row["handling"], row["srceval"], row["infoeval"])
    recipients = frozenset(row["recipients"])
    return Book(row["hash"], row["event_id"], row["country"], row["seizure_id"], recipients, marking)


async def detentions(connection: Connection, country: str, detention_id: str) -> list[Known]:
    """Return the reports of a detention."""
    rows = await connection.fetch(
        "select event_id, known from detention where country = $1 and detention_id = $2 order by event_id",
        country,
        detention_id,
    )
    return [Known(**dict(row)) for row in rows]


async def seizures_at(connection: Connection, country: str, detention_id: str) -> list[str]:
    """Return the seizures at a detention."""
    rows = await connection.fetch(
        "select distinct seizure_id from seizure where country = $1 and detention_id = $2 order by seizure_id",
        country,
        detention_id,
    )
    return [row["seizure_id"] for row in rows]


async def seizures(connection: Connection, country: str, seizure_id: str) -> list[Known]:
    """Return the reports of a seizure."""
    rows = await connection.fetch(
        "select event_id, known from seizure where country = $1 and seizure_id = $2 order by event_id",
        country,
        seizure_id,
    )
    return [Known(**dict(row)) for row in rows]


async def is_opened(connection: Connection, country: str, seizure_id: str) -> bool:
    """Return whether a book was opened to anyone."""
    return bool(
        await connection.fetchval(
            "select true from dissemination where country = $1 and seizure_id = $2 limit 1", country, seizure_id
        )
    )
