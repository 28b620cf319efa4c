"""What intel keeps of its reports so as to answer questions."""

from datetime import UTC, datetime, time

from shared.contracts import Event
from shared.contracts.intel import (
    ContactPointDesignated,
    ContactPointReplaced,
    ContactPointVacated,
    DocumentDelisted,
    DocumentListed,
    EntryRequirementChanged,
    EntryRequirementDeclared,
    SpecimenDeposited,
    SpecimenSuperseded,
    SpecimenWithdrawn,
)
from shared.database import Connection
from shared.facts import Fact, Facts


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


async def put_contact_act(
    event: Event[ContactPointDesignated | ContactPointVacated],
    data: ContactPointDesignated | ContactPointVacated,
    connection: Connection,
) -> None:
    """Insert a designation, from its first day on if that is still to come, or a vacancy."""
    holder = data if isinstance(data, ContactPointDesignated) else None
    acted = event.time
    if holder and holder.valid_from:
        acted = max(acted, datetime.combine(holder.valid_from, time.min, UTC))
    await connection.execute(
        "insert into contact_act (event_id, source, country, body, officer_ref, channel, acted)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        event.id,
        event.source,
        data.country,
        data.body,
        holder.officer_ref if holder else None,
        holder.channel if holder else None,
        acted,
    )


FACTS: Facts = {
    ContactPointDesignated: Fact("contact_act", put_contact_act),
    ContactPointReplaced: Fact("contact_act", put_contact_act),
    ContactPointVacated: Fact("contact_act", put_contact_act),
    DocumentDelisted: Fact("listing", put_listing),
    DocumentListed: Fact("listing", put_listing),
    EntryRequirementChanged: Fact("entry_requirement", put_entry_requirement),
    EntryRequirementDeclared: Fact("entry_requirement", put_entry_requirement),
    SpecimenDeposited: Fact("specimen", put_specimen),
    SpecimenSuperseded: Fact("specimen_end", put_specimen_end),
    SpecimenWithdrawn: Fact("specimen_end", put_specimen_end),
}
