"""Documents: listed ones, false ones, specimens of genuine ones, and who needs which to enter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intel.facts.rows import found
from shared.contracts import Event
from shared.contracts.intel import (
    DocumentConfirmed,
    DocumentDelisted,
    DocumentFlagged,
    DocumentListed,
    EntryRequirementDeclared,
    SpecimenDeposited,
    SpecimenSuperseded,
    SpecimenWithdrawn,
)
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class Listing:
    """A document listed, or (`status` null) delisted, by its issuer."""

    event_id: str
    status: str | None
    acted: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A document that a border held to be false."""

    event_id: str
    country: str
    place: str
    seen: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A fake that a laboratory confirmed."""

    event_id: str
    confirmed: datetime


@dataclass(frozen=True, slots=True)
class OnFile:
    """From when to when a specimen was on file; without an end, it still is."""

    event_id: str
    deposited: datetime
    withdrawn: datetime | None


def listing(event: Event[Any], data: DocumentListed | DocumentDelisted) -> Columns:
    """Keep a listing, or the end of one."""
    return {
        "issuing": data.issuing,
        "doc_ref": data.doc_ref,
        "status": data.status if isinstance(data, DocumentListed) else None,
        "acted": event.time,
        "recorded": event.recordedtime,
    }


def sighting(event: Event[Any], data: DocumentFlagged) -> Columns:
    """Keep a document held to be false, where its reference is told."""
    if not data.doc_ref:
        return None
    return {
        "issuing": data.issuing,
        "doc_ref": data.doc_ref,
        "country": event.country,
        "place": data.bcp or event.country,
        "seen": event.time,
    }


async def listings(connection: Connection, issuing: str, doc_ref: str) -> list[Listing]:
    """Return what the issuer said of a document, oldest first."""
    return await found(
        connection,
        Listing,
        "select event_id, status, acted from listing where doc_ref = $1 and issuing = $2"
        " order by acted, recorded, event_id",
        doc_ref,
        issuing,
    )


async def sightings(connection: Connection, issuing: str, doc_ref: str) -> list[Sighting]:
    """Return where a document was held to be false, oldest first."""
    return await found(
        connection,
        Sighting,
        "select event_id, country, place, seen, source from sighting where doc_ref = $1 and issuing = $2"
        " order by seen, event_id",
        doc_ref,
        issuing,
    )


def confirmation(event: Event[Any], data: DocumentConfirmed) -> Columns:
    """Keep a confirmed fake."""
    return {"issuing": data.issuing, "doc_code": data.doc_code, "confirmed": event.time}


async def confirmations(connection: Connection, issuing: str, doc_code: str) -> list[Confirmation]:
    """Return the confirmed fakes of a document, oldest first."""
    return await found(
        connection,
        Confirmation,
        "select event_id, confirmed from confirmation where issuing = $1 and doc_code = $2"
        " order by confirmed, event_id",
        issuing,
        doc_code,
    )


async def on_file(connection: Connection, issuing: str, doc_code: str) -> list[OnFile]:
    """Return when which specimens of a document were on file; one that a newer one took the place of still is."""
    return await found(
        connection,
        OnFile,
        "select s.event_id, s.deposited, (select min(ended) from specimen_end where issuing = s.issuing"
        " and specimen_id = s.specimen_id and superseded_by is null and ended >= s.deposited) as withdrawn"
        " from specimen as s where s.issuing = $1 and s.doc_code = $2 order by s.deposited, s.event_id",
        issuing,
        doc_code,
    )


async def doc_codes(connection: Connection, issuing: str, specimen_id: str) -> list[str]:
    """Return of which documents a specimen is."""
    rows = await connection.fetch(
        "select distinct doc_code from specimen where issuing = $1 and specimen_id = $2 order by doc_code",
        issuing,
        specimen_id,
    )
    return [row["doc_code"] for row in rows]


def entry_requirement(event: Event[Any], data: EntryRequirementDeclared) -> Columns:
    """Keep what a country declared of a nationality."""
    return {
        "destination": data.destination,
        "nationality": data.nationality,
        "required": data.authorisation_required,
        "effective_from": data.effective_from,
        "doc_codes": data.doc_codes,
        "legal_ref": data.legal_ref,
        "declared": event.time,
    }


def specimen(event: Event[Any], data: SpecimenDeposited) -> Columns:
    """Keep a specimen."""
    return {
        "issuing": data.issuing,
        "doc_code": data.doc_code,
        "specimen_id": data.specimen_id,
        "series": data.series,
        "tier": data.tier,
        "valid_from": data.valid_from,
        "valid_to": data.valid_to,
        "features": data.features,
        "image_ref": data.image_ref,
        "deposited": event.time,
    }


def specimen_end(event: Event[Any], data: SpecimenSuperseded | SpecimenWithdrawn) -> Columns:
    """Keep the end of a specimen."""
    return {
        "issuing": data.issuing,
        "specimen_id": data.specimen_id,
        "superseded_by": data.superseded_by if isinstance(data, SpecimenSuperseded) else None,
        "ended": event.time,
    }
