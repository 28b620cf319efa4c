"""Who is told of what the announcer records: who is responsible for it, and the presidency, each in its own mailbox.

An announcement itself is addressed to the region, whose mailbox is nobody's. So each comes with alerts: one to each
mailbox, whatever its owner is responsible for, under an id that follows from the announcement's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from services.indicators.figures.verdicts import meets
from services.indicators.judgements import SERVICE
from services.indicators.planned.persons import reached_by_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Responsible
from shared.contracts import Event, place_of
from shared.contracts.indicators import (
    MilestoneDue,
    MilestoneMissed,
    MilestoneReached,
    ReportPublished,
    ThresholdCrossed,
)
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import MEMBERS, REGION, SEATS, Addressee, Seat
from shared.record.judgement import derive

PRESIDENCY: Responsible = "ppt"
REPORTS = "IE-3.1"
"""The row whose responsible bodies are told of each report."""


def notices(plan: Plan, told: Event[Any], seated: Mapping[str, str]) -> list[Event[Any]]:
    """Return the alerts that go with an announcement to the region; `seated`: body -> who holds it now."""
    if told.country != REGION or _by_a_person(plan, told.data):
        return []  # a country is told of itself
    kind, bodies, more = _about(plan, told.data)
    entity = told.subject.partition("/")[0]  # a recurring milestone's id goes on with the day, which is told as `due`
    found = []
    for to, body in _mailboxes(bodies, seated).items():
        data = Alert(kind=kind, about=told.id, about_type=told.type, entity=entity, body=body, **more)
        found.append(derive(SERVICE, data, cause=told, to=to, key=to))
    return found


def _by_a_person(plan: Plan, data: Any) -> bool:
    """Say whether one report about a person reached a milestone: an alert would tell everybody of it, and when."""
    return isinstance(data, MilestoneReached) and reached_by_persons(plan.milestones[data.milestone.partition("/")[0]])


def _about(plan: Plan, data: Any) -> tuple[str, list[Responsible], dict[str, Any]]:
    """Return of an announcement its kind, who is responsible, and what else the alert says."""
    if isinstance(data, MilestoneReached | MilestoneMissed):
        milestone = plan.milestones[data.milestone.partition("/")[0]]
        bodies, kind = plan.bodies.get(milestone.responsible, []), "milestone_reached"
        if isinstance(data, MilestoneMissed):
            kind = "milestone_due" if isinstance(data, MilestoneDue) else "milestone_missed"
            # Where each country has to do it, those that have done it need no reminder.
            bodies = [*(one for one in bodies if one in SEATS), *data.missing] if milestone.countries else bodies
        return kind, bodies, {"due": data.due}
    if isinstance(data, ReportPublished):
        row = plan.rows.get(REPORTS)
        return "report_published", plan.bodies.get(row.responsible, []) if row else [], {}
    assert isinstance(data, ThresholdCrossed)
    row = plan.rows[data.indicator]
    return (
        "target_crossed",
        plan.bodies.get(row.responsible, []),
        {"reason": "reached" if meets(row, data.new) else "lost"},
    )


def _mailboxes(bodies: Iterable[Responsible], seated: Mapping[str, str]) -> dict[Addressee, Seat | None]:
    """Return each mailbox once, the presidency's first, with the body for which it is told; None: for itself.

    A secretariat reads what is addressed to the region. For a body that nobody holds, the presidency is told.
    """
    found: dict[Addressee, Seat | None] = {}
    for one in (PRESIDENCY, *bodies):
        seat = next((seat for seat in SEATS if seat == one), None)
        if seat and (holder := seated.get(seat)):
            found.setdefault(place_of(holder), seat)
        found |= {country: None for country in MEMBERS if one in {country, "each"} and country not in found}
    return found
