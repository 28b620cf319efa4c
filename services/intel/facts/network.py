"""Contact points, information asked and given, commitments."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from services.intel.facts.rows import found, marks
from services.intel.gate import Marking
from services.intel.policy import POLICY
from shared.contracts import Event, identity
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
from shared.facts import Columns


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


def holds_from(event: Event[Any], data: ContactPointDesignated | ContactPointVacated) -> datetime:
    """Return from when on a report about a contact point holds: from its first day on, if that is still to come."""
    first = data.valid_from if isinstance(data, ContactPointDesignated) else None
    return max(event.time, datetime.combine(first, time.min, UTC)) if first else event.time


def contact_act(event: Event[Any], data: ContactPointDesignated | ContactPointVacated) -> Columns:
    """Keep a designation, or a vacancy."""
    holder = data if isinstance(data, ContactPointDesignated) else None
    return {
        "country": data.country,
        "body": data.body,
        "officer_ref": holder.officer_ref if holder else None,
        "channel": holder.channel if holder else None,
        "acted": holds_from(event, data),
    }


async def is_latest(connection: Connection, country: str, body: str, when: datetime, now: datetime) -> bool:
    """Return whether nothing later than `when` holds of a contact point's post by now."""
    return not await connection.fetchval(
        "select true from contact_act where country = $1 and body = $2 and acted > $3 and acted <= $4 limit 1",
        country,
        body,
        when,
        now,
    )


async def is_recorded(connection: Connection, event_id: str, source: str) -> bool:
    """Return whether a report about a contact point stands, and was not retracted."""
    return bool(
        await connection.fetchval("select true from contact_act where event_id = $1 and source = $2", event_id, source)
    )


def request(event: Event[Any], data: InformationRequested) -> Columns:
    """Keep a request for information; it is due as it says, or by its urgency."""
    urgent = data.urgency in {"child", "danger"}
    within = POLICY.answered_within_urgent if urgent else POLICY.answered_within
    return {
        "exchange_id": data.exchange_id,
        "asker": data.sender,
        "asked": data.to,
        "due": data.due or event.recordedtime + within,
        **marks(data),
    }


def request_act(event: Event[Any], data: InformationAnswered | InformationRefused) -> Columns:
    """Keep the answer to a request, or its refusal."""
    return {
        "exchange_id": data.exchange_id,
        "asker": data.to,
        "asked": data.sender,
        "act": event.verb,
        "reason": data.reason if isinstance(data, InformationRefused) else None,
    }


async def requests(connection: Connection, exchange_id: str, asker: str, asked: str) -> list[Request]:
    """Return the requests under an exchange's id, between two countries."""
    return await found(
        connection,
        Request,
        "select event_id, exchange_id, asker, asked, due, tlp, handling, srceval, infoeval from request"
        " where exchange_id = $1 and asker = $2 and asked = $3 order by event_id",
        exchange_id,
        asker,
        asked,
    )


async def unanswered(connection: Connection, asked: str) -> list[Request]:
    """Return what a country was asked for and has not answered, first due first."""
    return await found(
        connection,
        Request,
        "select event_id, exchange_id, asker, asked, due, tlp, handling, srceval, infoeval from request as r"
        " where asked = $1 and not exists (select 1 from request_act where exchange_id = r.exchange_id"
        " and asker = r.asker and asked = r.asked) order by due, event_id",
        asked,
    )


async def replies(connection: Connection, exchange_id: str, asker: str, asked: str) -> list[Reply]:
    """Return what was answered under an exchange's id."""
    return await found(
        connection,
        Reply,
        "select event_id, act, reason from request_act"
        " where exchange_id = $1 and asker = $2 and asked = $3 order by event_id",
        exchange_id,
        asker,
        asked,
    )


def commitment(event: Event[Any], data: CommitmentAgreed) -> Columns:
    """Keep a commitment."""
    return {
        "commitment_id": identity.key(data, "commitment_id"),
        "country": data.country,
        "agreed_by": event.country,
        "due": data.due,
    }


def commitment_act(event: Event[Any], data: CommitmentFulfilled) -> Columns:
    """Keep that a commitment was kept, and when."""
    return {"commitment_id": identity.key(data, "commitment_id"), "kept": event.time}


async def commitments(connection: Connection, commitment_id: str) -> list[Commitment]:
    """Return what was agreed under a commitment's id."""
    return await found(
        connection,
        Commitment,
        "select event_id, country, agreed_by, due from commitment where commitment_id = $1 order by event_id",
        commitment_id,
    )


async def kept(connection: Connection, commitment_id: str) -> datetime | None:
    """Return when a commitment was kept: by the earliest report of it; None: there is none."""
    earliest: datetime | None = await connection.fetchval(
        "select min(kept) from commitment_act where commitment_id = $1", commitment_id
    )
    return earliest
