"""What resolved cases, changed laws and new procedures ask of those who care for victims."""

from collections.abc import Iterable
from typing import Any

from services.victims.rules.notices import alert
from shared.contracts import Event
from shared.contracts.legal import CaseResolved, LawAmended, ProcedureIssued

VICTIMS_OF = {"tip", "som"}


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
