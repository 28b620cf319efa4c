"""The way home: who returned joins a programme there, and the return is evaluated (choreography 6)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from services.victims.policy import POLICY
from services.victims.rules.notices import SERVICE
from services.victims.store import care
from shared import deadlines, references
from shared.contracts import Data, Event, identity
from shared.contracts.victims import (
    EvaluationOverdue,
    EvaluationSubmitted,
    ProgrammeEnrolled,
    ReferralEscalated,
    RepatriationCompleted,
)
from shared.contracts.vocabulary import MEMBERS
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
        referral = _under(previous.referral_id, root.country)
        await deadlines.clear(connection, _enrolment(*referral))
        await care.set_escalation(connection, referral, previous.to, None)
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
        referral = _under(data.referral_id, event.country)
        lost = _lost(event, data, data.referral_id, lost_at)
        known = await care.set_escalation(connection, referral, data.to, lost.id)
        if not known.enrolments:
            await deadlines.fire_at(connection, _enrolment(*referral), lost_at, lost)


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
    told = await _enrolled(event.country, event.data, connection)
    return [msgspec.structs.replace(event, data=told)]


async def amend_programme_enrolled(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Take the enrolment out only when it was the only one under its referral."""
    assert isinstance(previous, ProgrammeEnrolled)
    if previous.referral_id:
        referral = await _counted(root.country, previous, connection)
        left = await care.count_enrolment(connection, referral, root.country, -1)
        lost = await care.recorded(connection, left.escalation, source(SERVICE))
        only = left.enrolments == 0
        previous = msgspec.structs.replace(previous, first_enrolment=only, found=only and lost)
    if not isinstance(new, ProgrammeEnrolled):
        return previous, None
    return previous, await _enrolled(root.country, new, connection)


async def _enrolled(country: str, data: ProgrammeEnrolled, connection: Connection) -> ProgrammeEnrolled:
    if not data.referral_id:
        return msgspec.structs.replace(data, sender=None)
    owners = await care.owners(connection, country, data.referral_id)
    sender = references.meant(owners, "/data/referral_id") if owners else care.unclaimed(country)
    referral = _under(data.referral_id, sender)
    # The sweeper that tells of the missing enrolment locks nothing but its deadline, so this order is safe.
    known = await care.count_enrolment(connection, referral, country, 1)
    await deadlines.clear(connection, _enrolment(*referral))
    lost = await care.recorded(connection, known.escalation, source(SERVICE))
    first = known.enrolments == 1
    named: Any = sender if sender in MEMBERS else None
    return msgspec.structs.replace(data, sender=named, first_enrolment=first, found=first and lost)


async def _counted(country: str, data: ProgrammeEnrolled, connection: Connection) -> tuple[str, str]:
    """Return the referral (owner, id) under which an enrolment was counted."""
    assert data.referral_id
    known = await care.owners(connection, country, data.referral_id)
    return _under(data.referral_id, data.sender or next(iter(known), care.unclaimed(country)))


def _under(ref: str, owner: str) -> tuple[str, str]:
    """Return the referral (owner, id) that an identifier names, which without an owner of its own is `owner`'s."""
    named, referral_id = identity.parted(ref)
    return named or owner, referral_id


async def on_evaluation_submitted(event: Event[EvaluationSubmitted], connection: Connection) -> Iterable[Event[Any]]:
    """Stop the clock of the evaluation; say whether it comes late, where one was awaited."""
    data = event.data
    awaited = await care.evaluations(connection, data.subject, data.case_id, event.country) if data.case_id else []
    # The two countries of a return evaluate it, the one that sent the victim home under an identifier of its own.
    awaited = [one for one in awaited if one.sender == event.country] or awaited
    if not awaited:
        return [enriched(event, late=None)]
    sender = references.meant([one.sender for one in awaited], "/data/case_id")
    [one] = awaited
    await deadlines.clear(connection, _evaluation(sender, one.case_id))
    return [enriched(event, late=event.recordedtime > one.due)]


def _enrolment(owner: str, referral_id: str) -> str:
    return f"enrolment/{owner}:{referral_id}"


def _evaluation(country: str, case_id: str) -> str:
    return f"evaluation/{country}/{case_id}"
