"""Contact points, information asked and given, commitments."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from services.intel.gate import Marking
from services.intel.policy import POLICY
from shared.contracts import Event
from shared.contracts.intel import (
    CommitmentAgreed,
    CommitmentFulfilled,
    ContactPointDesignated,
    ContactPointVacated,
    InformationAnswered,
    InformationRefused,
    InformationRequested,
)
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Request:
    """Information that one country asked of another."""

    event_id: str
    exchange_id: str
    asker: str
    asked: str
    due: datetime
    marking: Marking


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, or its refusal."""

    event_id: str
    act: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a country owes, and the country whose body recorded that."""

    event_id: str
    country: str
    agreed_by: str
    due: datetime


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


async def is_latest(connection: Connection, country: str, body: str, when: datetime) -> bool:
    """Return whether nothing later is known of a contact point's post."""
    return not await connection.fetchval(
        "select true from contact_act where country = $1 and body = $2 and acted > $3 limit 1", country, body, when
    )


async def is_recorded(connection: Connection, event_id: str, source: str) -> bool:
    """Return whether a report about a contact point stands, and was not retracted."""
    return bool(
        await connection.fetchval("select true from contact_act where event_id = $1 and source = $2", event_id, source)
    )


async def put_request(event: Event[InformationRequested], data: InformationRequested, connection: Connection) -> None:
    """Insert a request for information; it is due as it says, or by its urgency."""
    urgent = data.urgency in {"child", "danger"}
    within = POLICY.answered_within_urgent if urgent else POLICY.answered_within
    await connection.execute(
        "insert into request (event_id, source, exchange_id, asker, asked, due, tlp, handling, srceval, infoeval)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        event.id,
        event.source,
        data.exchange_id,
        data.sender,
        data.to,
        data.due or event.recordedtime + within,
        data.tlp,
        data.handling,
        data.srceval,
        data.infoeval,
    )


async def put_reply(
    event: Event[InformationAnswered | InformationRefused],
    data: InformationAnswered | InformationRefused,
    connection: Connection,
) -> None:
    """Insert the answer to a request, or its refusal."""
    refused = isinstance(data, InformationRefused)
    await connection.execute(
        "insert into request_act (event_id, source, exchange_id, asker, asked, act, reason)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        event.id,
        event.source,
        data.exchange_id,
        data.to,
        data.sender,
        "refused" if refused else "answered",
        data.reason if isinstance(data, InformationRefused) else None,
    )


async def requests(connection: Connection, exchange_id: str, asker: str, asked: str) -> list[Request]:
    """Return the requests under an exchange's id, between two countries."""
    rows = await connection.fetch(
        "select event_id, exchange_id, asker, asked, due, tlp, handling, srceval, infoeval from request"
        " where exchange_id = $1 and asker = $2 and asked = $3 order by event_id",
        exchange_id,
        asker,
        asked,
    )
    return [_request(row) for row in rows]


async def unanswered(connection: Connection, asked: str) -> list[Request]:
    """Return what a country was asked for and has not answered, first due first."""
    rows = await connection.fetch(
        "select event_id, exchange_id, asker, asked, due, tlp, handling, srceval, infoeval from request as r"
        " where asked = $1 and not exists (select 1 from request_act where exchange_id = r.exchange_id"
        " and asker = r.asker and asked = r.asked) order by due, event_id",
        asked,
    )
    return [_request(row) for row in rows]


def _request(row: Any) -> Request:
    marking = Marking(row["tlp"], row["handling"], row["srceval"], row["infoeval"])
    return Request(row["event_id"], row["exchange_id"], row["asker"], row["asked"], row["due"], marking)


async def replies(connection: Connection, exchange_id: str, asker: str, asked: str) -> list[Reply]:
    """Return what was answered under an exchange's id."""
    rows = await connection.fetch(
        "select event_id, act, reason from request_act"
        " where exchange_id = $1 and asker = $2 and asked = $3 order by event_id",
        exchange_id,
        asker,
        asked,
    )
    return [Reply(**dict(row)) for row in rows]


async def put_commitment(event: Event[CommitmentAgreed], data: CommitmentAgreed, connection: Connection) -> None:
    """Insert a commitment."""
    await connection.execute(
        "insert into commitment (event_id, source, commitment_id, country, agreed_by, due)"
        " values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        data.commitment_id,
        data.country,
        event.country,
        data.due,
    )


async def put_fulfilled(event: Event[CommitmentFulfilled], data: CommitmentFulfilled, connection: Connection) -> None:
    """Insert that a commitment was kept."""
    await connection.execute(
        "insert into commitment_act (event_id, source, commitment_id) values ($1, $2, $3)",
        event.id,
        event.source,
        data.commitment_id,
    )


async def commitments(connection: Connection, commitment_id: str) -> list[Commitment]:
    """Return what was agreed under a commitment's id."""
    rows = await connection.fetch(
        "select event_id, country, agreed_by, due from commitment where commitment_id = $1 order by event_id",
        commitment_id,
    )
    return [Commitment(**dict(row)) for row in rows]


async def fulfilments(connection: Connection, commitment_id: str) -> list[str]:
    """Return the reports that a commitment was kept."""
    rows = await connection.fetch(
        "select event_id from commitment_act where commitment_id = $1 order by event_id", commitment_id
    )
    return [row["event_id"] for row in rows]
