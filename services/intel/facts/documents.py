"""Documents: listed ones, false ones, specimens of genuine ones, and who needs which to enter."""

from dataclasses import dataclass
from datetime import datetime

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


async def put_listing(
    event: Event[DocumentListed | DocumentDelisted], data: DocumentListed | DocumentDelisted, connection: Connection
) -> None:
    """Insert a listing, or the end of one."""
    await connection.execute(
        "insert into listing (event_id, source, issuing, doc_ref, status, acted, recorded)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        event.id,
        event.source,
        data.issuing,
        data.doc_ref,
        data.status if isinstance(data, DocumentListed) else None,
        event.time,
        event.recordedtime,
    )


async def put_sighting(event: Event[DocumentFlagged], data: DocumentFlagged, connection: Connection) -> None:
    """Insert a document held to be false, where its reference is told."""
    if data.doc_ref:
        await connection.execute(
            "insert into sighting (event_id, source, issuing, doc_ref, country, place, seen)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            event.id,
            event.source,
            data.issuing,
            data.doc_ref,
            event.country,
            data.bcp or event.country,
            event.time,
        )


async def listings(connection: Connection, issuing: str, doc_ref: str) -> list[Listing]:
    """Return what the issuer said of a document, oldest first."""
    rows = await connection.fetch(
        "select event_id, status, acted from listing where doc_ref = $1 and issuing = $2"
        " order by acted, recorded, event_id",
        doc_ref,
        issuing,
    )
    return [Listing(**dict(row)) for row in rows]


async def sightings(connection: Connection, issuing: str, doc_ref: str) -> list[Sighting]:
    """Return where a document was held to be false, oldest first."""
    rows = await connection.fetch(
        "select event_id, country, place, seen from sighting where doc_ref = $1 and issuing = $2"
        " order by seen, event_id",
        doc_ref,
        issuing,
    )
    return [Sighting(**dict(row)) for row in rows]


async def put_confirmation(event: Event[DocumentConfirmed], data: DocumentConfirmed, connection: Connection) -> None:
    """Insert a confirmed fake."""
    await connection.execute(
        "insert into confirmation (event_id, source, issuing, doc_code, confirmed) values ($1, $2, $3, $4, $5)",
        event.id,
        event.source,
        data.issuing,
        data.doc_code,
        event.time,
    )


async def confirmations(connection: Connection, issuing: str, doc_code: str) -> list[Confirmation]:
    """Return the confirmed fakes of a document, oldest first."""
    rows = await connection.fetch(
        "select event_id, confirmed from confirmation where issuing = $1 and doc_code = $2"
        " order by confirmed, event_id",
        issuing,
        doc_code,
    )
    return [Confirmation(**dict(row)) for row in rows]


async def on_file(connection: Connection, issuing: str, doc_code: str) -> list[OnFile]:
    """Return when which specimens of a document were on file; one that a newer one took the place of still is."""
    rows = await connection.fetch(
        "select s.event_id, s.deposited, (select min(ended) from specimen_end where issuing = s.issuing"
        " and specimen_id = s.specimen_id and superseded_by is null and ended >= s.deposited) as withdrawn"
        " from specimen as s where s.issuing = $1 and s.doc_code = $2 order by s.deposited, s.event_id",
        issuing,
        doc_code,
    )
    return [OnFile(**dict(row)) for row in rows]


async def doc_codes(connection: Connection, issuing: str, specimen_id: str) -> list[str]:
    """Return of which documents a specimen is."""
    rows = await connection.fetch(
        "select distinct doc_code from specimen where issuing = $1 and specimen_id = $2 order by doc_code",
        issuing,
        specimen_id,
    )
    return [row["doc_code"] for row in rows]


async def put_entry_requirement(
    event: Event[EntryRequirementDeclared], data: EntryRequirementDeclared, connection: Connection
) -> None:
    """Insert what a country declared of a nationality."""
    await connection.execute(
        "insert into entry_requirement (event_id, source, destination, nationality, required, effective_from,"
        " doc_codes, legal_ref, declared) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        event.id,
        event.source,
        data.destination,
        data.nationality,
        data.authorisation_required,
        data.effective_from,
        data.doc_codes,
        data.legal_ref,
        event.time,
    )


async def put_specimen(event: Event[SpecimenDeposited], data: SpecimenDeposited, connection: Connection) -> None:
    """Insert a specimen."""
    await connection.execute(
        "insert into specimen (event_id, source, issuing, doc_code, specimen_id, series, tier, valid_from, valid_to,"
        " features, image_ref, deposited) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        event.id,
        event.source,
        data.issuing,
        data.doc_code,
        data.specimen_id,
        data.series,
        data.tier,
        data.valid_from,
        data.valid_to,
        data.features,
        data.image_ref,
        event.time,
    )


async def put_specimen_end(
    event: Event[SpecimenSuperseded | SpecimenWithdrawn],
    data: SpecimenSuperseded | SpecimenWithdrawn,
    connection: Connection,
) -> None:
    """Insert the end of a specimen."""
    await connection.execute(
        "insert into specimen_end (event_id, source, issuing, specimen_id, superseded_by, ended)"
        " values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        data.issuing,
        data.specimen_id,
        data.superseded_by if isinstance(data, SpecimenSuperseded) else None,
        event.time,
    )
