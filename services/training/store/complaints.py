"""Complaints about officials: what arrived, and what was decided."""

from datetime import datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.training import ComplaintResolved
from shared.database import Connection


async def put_complaint(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert a complaint that arrived, or was decided; with the officer whose conduct was found wrong."""
    resolved = isinstance(data, ComplaintResolved)
    await connection.execute(
        "insert into complaint (event_id, source, country, complaint_id, resolved, officer_pid, at, known)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.id,
        event.source,
        event.country,
        data.complaint_id,
        resolved,
        data.officer_pid if resolved and data.outcome == "substantiated" else None,
        event.time,
        event.recordedtime,
    )


async def waiting_since(connection: Connection, country: str, complaint_id: str) -> datetime | None:
    """Return since when a complaint waits for its decision; None: it does not."""
    since: datetime | None = await connection.fetchval(
        "select min(known) from complaint where country = $1 and complaint_id = $2 having not bool_or(resolved)",
        country,
        complaint_id,
    )
    return since
