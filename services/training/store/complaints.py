"""Complaints about officials: what arrived, and what was decided."""

from datetime import datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.training import ComplaintResolved
from shared.database import Connection
from shared.facts import Columns


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


async def waiting_since(connection: Connection, country: str, complaint_id: str) -> datetime | None:
    """Return since when a complaint waits for its decision; None: it does not."""
    since: datetime | None = await connection.fetchval(
        "select min(known) from complaint where country = $1 and complaint_id = $2 having not bool_or(resolved)",
        country,
        complaint_id,
    )
    return since
