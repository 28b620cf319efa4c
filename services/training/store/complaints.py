"""Complaints about officials: what arrived, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.training import ComplaintResolved
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class Waiting:
    """The report of a complaint, and since when the region knows of it."""

    event_id: str
    source: str
    known: datetime


def complaint(event: Event[Any], data: Any) -> Columns:
    """Keep a complaint that arrived, or was decided; with the officer whose conduct was found wrong."""
    resolved = isinstance(data, ComplaintResolved)
    return {
        "country": event.country,
        "complaint_id": data.complaint_id,
        "resolved": resolved,
        "officer_pid": data.officer_pid if resolved and data.outcome == "substantiated" else None,
        "at": event.time,
        "known": event.recordedtime,
    }


async def waiting(connection: Connection, country: str, complaint_id: str) -> Waiting | None:
    """Return the first report of a complaint that waits for its decision; None: it does not, or was told overdue."""
    row = await connection.fetchrow(
        "select event_id, source, known from complaint where country = $1 and complaint_id = $2"
        " and not exists (select from complaint where country = $1 and complaint_id = $2 and resolved)"
        " and not exists (select from log where entity = $2 and country = $1"
        " and type = 'crm.training.complaint.overdue.v1') order by known, event_id limit 1",
        country,
        complaint_id,
    )
    return Waiting(**dict(row)) if row else None
