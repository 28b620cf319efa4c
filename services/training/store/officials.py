"""Officials in the system, each counted once however often enrolled; and complaints about them."""

from datetime import datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.training import ComplaintResolved
from shared.database import Connection


async def count_enrolment(
    connection: Connection, country: str, officer_pid: str, institution_type: str, change: int
) -> int:
    """Add `change` to an official's enrolments; return how many there are now."""
    return int(
        await connection.fetchval(
            "insert into official (country, officer_pid, institution_type, enrolments)"
            " values ($1, $2, $3, greatest($4, 0)) on conflict (country, officer_pid, institution_type)"
            " do update set enrolments = greatest(official.enrolments + $4, 0) returning enrolments",
            country,
            officer_pid,
            institution_type,
            change,
        )
    )


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
