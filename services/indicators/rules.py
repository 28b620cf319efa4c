"""What indicators checks of the reports that it records itself: the plan and rows that they name, and hand-overs."""

from collections.abc import Iterable
from typing import Any

from services.indicators.settings import current
from shared import seats
from shared.amendments import Amends
from shared.contracts import Data, Event, Problem, Refused, place_of, sender_of
from shared.contracts.indicators import (
    BaselineSet,
    EvaluationPublished,
    MilestoneScheduled,
    PlanAmended,
    PlanApproved,
    SeatAssigned,
)
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import MEMBERS, OPERATING
from shared.database import Connection
from shared.rules import RECORDED, Rules, derive

SERVICE = "indicators"


async def on_named(event: Event[Any], _connection: Connection) -> Iterable[Event[Any]]:
    """Refuse what names another plan, or a row that the plan has not."""
    _refuse(_unknown(event.data, "/data"))
    return []


async def amend_named(
    _root: Event[Any], previous: Data, new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Refuse what may not have been reported so in the first place."""
    if new is not None:
        _refuse(_unknown(new, "/data/data"))
    return previous, new


def _unknown(data: Any, at: str) -> Problem | None:
    plan = current()
    if isinstance(data, BaselineSet):
        if data.indicator in plan.rows:
            return None
        return Problem(f"{at}/indicator", "unknown_indicator", "the plan has no row of this id")
    if data.plan != plan.id:
        return Problem(f"{at}/plan", "unknown_plan", "this is not the plan that is carried out here", plan.id)
    return _unsettable(data, at) if isinstance(data, MilestoneScheduled) else None


def _unsettable(data: MilestoneScheduled, at: str) -> Problem | None:
    """Return why its date cannot be set: one that the Plan has is not put off by whoever presides when it is missed."""
    found = current().milestones.get(data.milestone)
    if found is None:
        return Problem(f"{at}/milestone", "unknown_milestone", "the plan has no milestone of this id")
    return None if found.open else Problem(f"{at}/milestone", "not_open", "the plan itself says when it is due")


def _refuse(problem: Problem | None) -> None:
    if problem and not RECORDED.get():
        raise Refused(problem)


async def on_seat_assigned(event: Event[SeatAssigned], connection: Connection) -> Iterable[Event[Any]]:
    """Take a hand-over from the operator, or who holds the seat now and would until that day; then keep it.

    So a former holder cannot take a seat back, nor a present one write another's tenure into the past.
    """
    body, sender = event.data.body, sender_of(event.source)
    begins = seats.begins(event.data.effective_from)
    now = await seats.held(connection, event.recordedtime)
    before = await seats.held(connection, begins - seats.INSTANT)
    if sender != OPERATING and {now.get(body), before.get(body)} != {sender}:
        why = "only who holds the seat now, and until that day, may hand it over"
        _refuse(Problem("/data/effective_from", "not_seated", why))
    replaced = (await seats.held(connection, begins)).get(body)
    await seats.keep(event, connection)
    told = {event.data.holder, replaced or sender} - {sender, OPERATING}
    return [] if RECORDED.get() else _handed_over(event, told)


def _handed_over(event: Event[SeatAssigned], told: set[str]) -> list[Event[Any]]:
    """Return the alerts to who is to speak for the body and to who no longer is, unless that one told it."""
    data = event.data
    alert = Alert(
        kind="seat_assigned",
        about=event.id,
        about_type=event.type,
        entity=data.body,
        body=data.body,
        due=seats.begins(data.effective_from),
        reason=data.reason,
        country=next((one for one in MEMBERS if one == data.holder), None),
    )
    return [derive(SERVICE, alert, cause=event, to=place_of(one), key=one) for one in sorted(told)]


async def stands(
    _root: Event[Any], _previous: Data, _new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Refuse to amend a hand-over: others have acted on it."""
    why = "a hand-over stands: assign the seat again for the same day"
    raise Refused(Problem("/data/supersedes", "not_amendable", why))


NAMING = (PlanApproved, PlanAmended, EvaluationPublished, BaselineSet, MilestoneScheduled)
"""What names a plan, or one of its rows or milestones."""
RULES: Rules = {**dict.fromkeys(NAMING, on_named), SeatAssigned: on_seat_assigned}
AMENDS: Amends = {**dict.fromkeys(NAMING, amend_named), SeatAssigned: stands}
