"""Services to victims, counted by person; and what a resolved case asks of the other countries."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import msgspec

from services.victims.rules.notices import alert
from services.victims.store import care
from shared.contracts import Data, Event
from shared.contracts.legal import CaseResolved, LawAmended, ProcedureIssued
from shared.contracts.victims import ServiceProvided
from shared.database import Connection
from shared.rules import enriched

VICTIMS_OF = {"tip", "som"}


async def on_service_provided(event: Event[ServiceProvided], connection: Connection) -> Iterable[Event[Any]]:
    """Say whether the victim is assisted for the first time this year (Plan row IP-f)."""
    services = await care.count_service(connection, event.country, event.data.victim_pid, _year(event), 1)
    return [enriched(event, first_service_this_year=services == 1)]


async def amend_service_provided(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Take the victim's year out of the count only with its last service."""
    assert isinstance(previous, ServiceProvided)
    left = await care.count_service(connection, root.country, previous.victim_pid, _year(root), -1)
    previous = msgspec.structs.replace(previous, first_service_this_year=left == 0)
    if not isinstance(new, ServiceProvided):
        return previous, None
    services = await care.count_service(connection, root.country, new.victim_pid, _year(root), 1)
    return previous, msgspec.structs.replace(new, first_service_this_year=services == 1)


def on_case_resolved(event: Event[CaseResolved]) -> Iterable[Event[Any]]:
    """Tell the other countries of a resolved case: their victims and witnesses may need them now."""
    others = sorted({*event.data.countries} - {event.country})
    return [alert(event, "case_resolved", country) for country in others]


def on_law_amended(event: Event[LawAmended]) -> Iterable[Event[Any]]:
    """Tell those who care for victims that the law about them is another now (choreography 3)."""
    concerned = VICTIMS_OF & set(event.data.crime_types)
    return [alert(event, "law_amended", event.country)] if concerned else []


def on_procedure_issued(event: Event[ProcedureIssued]) -> Iterable[Event[Any]]:
    """Tell those who care for victims of a new procedure (Plan row VA-1.1)."""
    return [alert(event, "procedure_issued", event.country)]


def _year(event: Event[Any]) -> int:
    return event.time.astimezone(UTC).year
