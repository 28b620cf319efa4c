"""What resolved cases, changed laws and new procedures ask of those who care for victims (choreographies 3 and 9).

What is told of a report is kept, so that an amended one tells those whom it concerns now, and takes back what was told
to the others. A merger of two identifiers comes as corrections.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.victims.rules.notices import SERVICE
from services.victims.store import care
from services.victims.store.care import Told
from shared import contracts
from shared.contracts import Data, Event
from shared.contracts.legal import CaseResolved, LawAmended, ProcedureIssued
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import Country
from shared.database import Connection
from shared.rules import derive

VICTIMS_OF = {"tip", "som"}


def in_case(event: Event[CaseResolved]) -> list[Country]:
    """Return the other countries of a resolved case: their victims and witnesses may need them now."""
    return sorted({*event.data.countries} - {event.country})


def under_law(event: Event[LawAmended]) -> list[Country]:
    """Return whose law about victims is another now: those who care for them there are told."""
    return [event.country] if VICTIMS_OF & set(event.data.crime_types) else []  # type: ignore[list-item]


def by_procedure(event: Event[ProcedureIssued]) -> list[Country]:
    """Return where a new procedure applies (Plan row VA-1.1)."""
    return [event.country]  # type: ignore[list-item]


CONCERNS: Mapping[type[Data], tuple[str, Callable[[Event[Any]], list[Country]]]] = {
    CaseResolved: ("case_resolved", in_case),
    LawAmended: ("law_amended", under_law),
    ProcedureIssued: ("procedure_issued", by_procedure),
}
"""Type -> what its reports are told as, and to whom."""


async def on_concerning(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Tell the countries that a report concerns."""
    return await _settled(event, event, event, connection)


async def amended(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> Iterable[Event[Any]]:
    """Tell those whom the report concerns as it stands now, and take back what no longer holds (a `Follow`)."""
    return await _settled(told, before, after, connection)


async def _settled(
    cause: Event[Any], about: Event[Any], stands: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    kind, concerned = CONCERNS[type(about.data)]
    known = {(one.country, one.entity): one for one in await care.told(connection, about.id, about.source)}
    wanted = {(str(country), _entity(stands)): country for country in concerned(stands)} if stands else {}
    events = []
    for (_, entity), country in wanted.items():
        if (country, entity) not in known:
            data = Alert(kind=kind, about=about.id, about_type=about.type, entity=entity, owner=about.country)  # type: ignore[arg-type]
            event = derive(SERVICE, data, cause=cause, to=country, key=f"{kind}/{country}/")
            await care.add_told(connection, about.id, about.source, Told(country, entity, event.id, event.type))
            events.append(event)
    for key, one in known.items():
        if key not in wanted:
            data = Alert(kind="taken_back", about=one.event_id, about_type=one.type, entity=one.entity)
            events.append(derive(SERVICE, data, cause=cause, to=one.country, key=f"taken_back/{one.event_id}"))  # type: ignore[arg-type]
            await care.drop_told(connection, one)
    return events


def _entity(event: Event[Any]) -> str:
    return str(getattr(event.data, contracts.registry()[event.type].entity))
