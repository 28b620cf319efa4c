"""What resolved cases, changed laws and new procedures ask of those who care for victims (choreographies 3 and 9).

An amended report tells those whom it concerns now, and takes back what was told to the others. A merger of two
identifiers comes as corrections.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.victims.judgements.notices import taken_back
from shared import contracts
from shared.contracts import Data, Event
from shared.contracts.legal import CaseResolved, LawAmended, ProcedureIssued
from shared.contracts.notice import Alert
from shared.record.judgement import Announcement, Notice, Notified, Reading, Standing

VICTIMS_OF = {"tip", "som"}


def in_case(report: Standing[CaseResolved]) -> Sequence[str]:
    """Return the other countries of a resolved case: their victims and witnesses may need them now."""
    return sorted({*report.data.countries} - {report.country})


def under_law(report: Standing[LawAmended]) -> Sequence[str]:
    """Return whose law about victims is another now: those who care for them there are told."""
    return [report.country] if VICTIMS_OF & set(report.data.crime_types) else []


def by_procedure(report: Standing[ProcedureIssued]) -> Sequence[str]:
    """Return where a new procedure applies (Plan row VA-1.1)."""
    return [report.country]


CONCERNS: Mapping[type[Data], tuple[str, Callable[[Standing[Any]], Sequence[str]]]] = {
    CaseResolved: ("case_resolved", in_case),
    LawAmended: ("law_amended", under_law),
    ProcedureIssued: ("procedure_issued", by_procedure),
}
"""Type -> what its reports are told as, and to whom."""


class Care(Announcement):
    """The countries that a report concerns are told."""

    reports = tuple(CONCERNS)

    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        agreed = contracts.registry()[report.event.type]
        kind, concerned = CONCERNS[agreed.data]
        entity = str(getattr(report.data, agreed.entity))
        for to in concerned(report):
            data = Alert(kind=kind, about=report.id, about_type=agreed.type, entity=entity, owner=report.country)  # type: ignore[arg-type]  # a country's
            key = f"{kind}/{to}/{entity}/{scope}"
            yield Notice(to=to, data=data, scope=scope, key=key, event_key=f"{kind}/{to}/")

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Tell that it no longer holds."""
        yield taken_back(notified, notified.country, read)
