"""Address books of detained traffickers: secured when, opened to whom, with which numbers (as keyed hashes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intel.facts.rows import found, marks
from services.intel.gate import Marking
from shared.contracts import Event
from shared.contracts.intel import PhonebookDisseminated, PhonebookSeized
from shared.contracts.legal import PersonDetained
from shared.database import Connection
from shared.facts import Columns

OFFENCES = ("tip", "som")


@dataclass(frozen=True, slots=True)
class Book:
    """A book that has a number, as its country opened it to others."""

    hash: str
    event_id: str
    country: str
    seizure_id: str
    recipients: tuple[str, ...]
    marking: Marking


@dataclass(frozen=True, slots=True)
class Known:
    """A detention, or a seizure, and when the region knew."""

    event_id: str
    known: datetime


def detention(event: Event[Any], data: PersonDetained) -> Columns:
    """Keep a detention for trafficking or smuggling."""
    if data.offence not in OFFENCES:
        return None
    return {"country": event.country, "detention_id": data.detention_id, "known": event.recordedtime}


def seizure(event: Event[Any], data: PhonebookSeized) -> Columns:
    """Keep an address book secured."""
    return {
        "country": event.country,
        "seizure_id": data.seizure_id,
        "detention_id": data.detention_id,
        "known": event.recordedtime,
    }


def dissemination(event: Event[Any], data: PhonebookDisseminated) -> Columns:
    """Keep that a book was opened."""
    return {
        "country": event.country,
        "seizure_id": data.seizure_id,
        "recipients": data.recipients,
        **marks(data),
    }


async def put_hashes(event: Event[Any], data: PhonebookDisseminated, connection: Connection) -> None:
    """Insert the numbers that are told of a book."""
    await connection.execute(
        "insert into phone_hash (hash, event_id, source) select hash, $2, $3 from unnest($1::text[]) as h (hash)",
        data.hashes,
        event.id,
        event.source,
    )


async def books(connection: Connection, hashes: Sequence[str]) -> list[Book]:
    """Return the books that have one of these numbers."""
    return await found(
        connection,
        Book,
        "select h.hash, d.event_id, d.country, d.seizure_id, d.recipients, d.tlp, d.handling, d.srceval, d.infoeval"
        " from phone_hash as h join dissemination as d on d.event_id = h.event_id and d.source = h.source"
        " where h.hash = any($1::text[]) order by h.hash, d.country, d.seizure_id, d.event_id",
        list(hashes),
    )


async def detentions(connection: Connection, country: str, detention_id: str) -> list[Known]:
    """Return the reports of a detention."""
    return await found(
        connection,
        Known,
        "select event_id, known from detention where country = $1 and detention_id = $2 order by event_id",
        country,
        detention_id,
    )


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
    return await found(
        connection,
        Known,
        "select event_id, known from seizure where country = $1 and seizure_id = $2 order by event_id",
        country,
        seizure_id,
    )


async def is_opened(connection: Connection, country: str, seizure_id: str) -> bool:
    """Return whether a book was opened to anyone."""
    return bool(
        await connection.fetchval(
            "select true from dissemination where country = $1 and seizure_id = $2 limit 1", country, seizure_id
        )
    )
