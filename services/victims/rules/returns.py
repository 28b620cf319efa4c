"""The way home: who returned joins a programme there, and the return is evaluated (choreography 6)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from services.victims.policy import POLICY
from services.victims.rules.notices import SERVICE
from services.victims.store import care
from shared import deadlines
from shared.contracts import Data, Event
from shared.contracts.victims import (
    EvaluationOverdue,
    EvaluationSubmitted,
    ProgrammeEnrolled,
    ReferralEscalated,
    RepatriationCompleted,
)
from shared.database import Connection
from shared.rules import derive, enriched, source

SUBJECT: Literal["repatriation"] = "repatriation"


async def on_repatriation_completed(
    event: Event[RepatriationCompleted], connection: Connection
) -> Iterable[Event[Any]]:
    """Start the clocks of the enrolment at home and of the evaluation (Plan rows VA-5.1, VA-5.1b)."""
    await _returned(event, event.data, connection)
    return []


async def amend_repatriation_completed(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Stop the clocks of the return as it was told, and start those of the return as it was."""
    assert isinstance(previous, RepatriationCompleted)
    await deadlines.clear(connection, _evaluation(root.country, previous.case_id))
    await care.forget_evaluation(connection, SUBJECT, previous.case_id, root.country)
    if previous.referral_id:
        await deadlines.clear(connection, _enrolment(previous.referral_id))
        await care.set_escalation(connection, previous.referral_id, None)
    if isinstance(new, RepatriationCompleted):
        await _returned(root, new, connection)
    return previous, new


async def _returned(event: Event[Any], data: RepatriationCompleted, connection: Connection) -> None:
    due = event.recordedtime + POLICY.evaluated_within
    await care.await_evaluation(connection, SUBJECT, care.Open(data.case_id, event.country, due), data.to)
    overdue = EvaluationOverdue(subject=SUBJECT, case_id=data.case_id, due=due)
    await deadlines.fire_at(
        connection,
        _evaluation(event.country, data.case_id),
        due,
        derive(SERVICE, overdue, cause=event, to=event.country, time=due),
    )
    if data.referral_id:
        lost_at = event.recordedtime + POLICY.enrolled_within
        lost = _lost(event, data, data.referral_id, lost_at)
        known = await care.set_escalation(connection, data.referral_id, lost.id)
        if not known.enrolments:
            await deadlines.fire_at(connection, _enrolment(data.referral_id), lost_at, lost)


def _lost(event: Event[Any], data: RepatriationCompleted, referral_id: str, at: datetime) -> Event[Any]:
    """Return what tells the country of return that nobody knows of the victim any more."""
    escalated = ReferralEscalated(
        referral_id=referral_id,
        sender=data.sender,
        receiver=data.to,
        due=at,
        late_s=0,
        level=1,
        reason="not_enrolled",
    )
    return derive(SERVICE, escalated, cause=event, to=data.to, key=referral_id, time=at)


async def on_programme_enrolled(event: Event[ProgrammeEnrolled], connection: Connection) -> Iterable[Event[Any]]:
    """Stop the clock of the return; say whether the victim was given up for lost before."""
    told = await _enrolled(event.data, connection)
    return [msgspec.structs.replace(event, data=told)]


async def amend_programme_enrolled(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Take the enrolment out only when it was the only one under its referral."""
    del root
    assert isinstance(previous, ProgrammeEnrolled)
    if previous.referral_id:
        left = await care.count_enrolment(connection, previous.referral_id, -1)
        lost = await care.recorded(connection, left.escalation, source(SERVICE))
        only = left.enrolments == 0
        previous = msgspec.structs.replace(previous, first_enrolment=only, found=only and lost)
    if not isinstance(new, ProgrammeEnrolled):
        return previous, None
    return previous, await _enrolled(new, connection)


async def _enrolled(data: ProgrammeEnrolled, connection: Connection) -> ProgrammeEnrolled:
    if not data.referral_id:
        return data
    # The sweeper that tells of the missing enrolment locks nothing but its deadline, so this order is safe.
    known = await care.count_enrolment(connection, data.referral_id, 1)
    await deadlines.clear(connection, _enrolment(data.referral_id))
    lost = await care.recorded(connection, known.escalation, source(SERVICE))
    first = known.enrolments == 1
    return msgspec.structs.replace(data, first_enrolment=first, found=first and lost)


async def on_evaluation_submitted(event: Event[EvaluationSubmitted], connection: Connection) -> Iterable[Event[Any]]:
    """Stop the clock of the evaluation; say whether it comes late, where one was awaited."""
    data = event.data
    awaited = await care.evaluations(connection, data.subject, data.case_id, event.country) if data.case_id else []
    for one in awaited:
        await deadlines.clear(connection, _evaluation(one.sender, one.case_id))
    late = event.recordedtime > min(one.due for one in awaited) if awaited else None
    return [enriched(event, late=late)]


def _enrolment(referral_id: str) -> str:
    return f"enrolment/{referral_id}"


def _evaluation(country: str, case_id: str) -> str:
    return f"evaluation/{country}/{case_id}"
