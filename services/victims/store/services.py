"""Since when victims are known as such, and the services that they were given: what their care is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.victims.people import VICTIMS
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a service: that it was given (`began`), that it ended, or both."""

    service: str
    began: datetime | None
    ended: datetime | None


def identified(event: Event[Any], data: Any) -> Columns:
    """Keep that a person was identified as a victim."""
    if data.status not in VICTIMS:
        return None
    named = {"country": event.country, "victim_pid": data.victim_pid}
    return {**named, "identified": event.time, "offence": data.offence}


def provided(event: Event[Any], data: Any) -> Columns:
    """Keep a service given: from when it began, by its own word or the report's time."""
    return _service(event, data, data.started or event.time, data.ended)


def ended(event: Event[Any], data: Any) -> Columns:
    """Keep the end of a service."""
    return _service(event, data, None, data.ended)


def _service(event: Event[Any], data: Any, began: datetime | None, ended: datetime | None) -> Columns:
    return {
        "country": event.country,
        "victim_pid": data.victim_pid,
        "service": data.service,
        "began": began,
        "ended": ended,
    }


async def victim_since(connection: Connection, country: str, victim_pid: str) -> datetime | None:
    """Return since when a person is known to be a victim; None: not known."""
    since: datetime | None = await connection.fetchval(
        "select min(identified) from identification where country = $1 and victim_pid = $2", country, victim_pid
    )
    return since


async def crimes(connection: Connection, country: str, victim_pid: str) -> set[str]:
    """Return of which crimes a person was identified as a victim."""
    rows = await connection.fetch(
        "select distinct offence from identification where country = $1 and victim_pid = $2 and offence is not null",
        country,
        victim_pid,
    )
    return {row["offence"] for row in rows}


async def of_victim(connection: Connection, country: str, victim_pid: str) -> Sequence[Report]:
    """Return all reports of a victim's services."""
    rows = await connection.fetch(
        "select service, began, ended from service where country = $1 and victim_pid = $2", country, victim_pid
    )
    return [Report(**dict(row)) for row in rows]
