"""What indicators checks of the reports that it records itself: the plan and rows that they name, and hand-overs."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.indicators.settings import current
from shared.contracts import Event, Problem, Refused, place_of, sender_of
from shared.contracts.indicators import (
    BaselineSet,
    EvaluationPublished,
    MilestoneScheduled,
    PlanAmended,
    PlanApproved,
    SeatAssigned,
)
from shared.contracts.keys import KeyAdded, KeyRevoked
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import MEMBERS, OPERATING
from shared.record import seats
from shared.record.judgement import Judgement, Reading, Standing, derive

SERVICE = "indicators"


class Naming(Judgement):
    """What names another plan, or a row or milestone that the plan has not, is refused."""

    reports = (BaselineSet, EvaluationPublished, MilestoneScheduled, PlanAmended, PlanApproved)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Refuse it."""
        _refuse(_unknown(report.data, "/data"), read)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse what may not have been reported so in the first place."""
        del before
        if after is not None:
            _refuse(_unknown(after.data, "/data/data"), read)


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


def _refuse(problem: Problem | None, read: Reading) -> None:
    if problem and not read.again:
        raise Refused(problem)


class HandOvers(Judgement):
    """A seat is handed over by the operator, or by who holds it now and would until that day.

    So a former holder cannot take a seat back, nor a present one write another's tenure into the past.
    """

    reports = (SeatAssigned,)

    def admit(self, report: Standing[SeatAssigned], read: Reading) -> None:
        """Refuse anybody else."""
        body, sender = report.data.body, sender_of(report.source)
        begins = seats.begins(report.data.effective_from)
        now, before = read.holders(report.known), read.holders(begins - seats.INSTANT)
        if sender != OPERATING and {now.get(body), before.get(body)} != {sender}:
            why = "only who holds the seat now, and until that day, may hand it over"
            _refuse(Problem("/data/effective_from", "not_seated", why), read)

    def amendable(self, before: Standing[SeatAssigned], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse to amend a hand-over: others have acted on it."""
        del before, after, read
        why = "a hand-over stands: assign the seat again for the same day"
        raise Refused(Problem("/data/supersedes", "not_amendable", why))

    def sets_off(self, report: Standing[SeatAssigned], read: Reading) -> Iterable[Event[Any]]:
        """Tell who is to speak for the body and who no longer is, unless that one told it."""
        if read.again:
            return []
        data, sender = report.data, sender_of(report.source)
        replaced = read.holders(seats.begins(data.effective_from)).get(data.body)
        told = {data.holder, replaced or sender} - {sender, OPERATING}
        alert = Alert(
            kind="seat_assigned",
            about=report.id,
            about_type=report.event.type,
            entity=data.body,
            body=data.body,
            due=seats.begins(data.effective_from),
            reason=data.reason,
            country=next((one for one in MEMBERS if one == data.holder), None),
        )
        return [derive(SERVICE, alert, cause=read.cause, to=place_of(one), key=one) for one in sorted(told)]


class Keys(Judgement):
    """What a country says of its keys stands: others have acted on it."""

    reports = (KeyAdded, KeyRevoked)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse to amend it."""
        del before, after, read
        why = "what was said of a key stands: revoke the key, and add another"
        raise Refused(Problem("/data/supersedes", "not_amendable", why))


JUDGEMENTS: Sequence[Judgement] = (Naming(), HandOvers(), Keys())
