"""The way home: who returned joins a programme there, and the return is evaluated (choreography 6)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from services.victims.policy import POLICY
from services.victims.rules.notices import SERVICE, alert
from services.victims.store import care
from shared import deadlines, references
from shared.contracts import Data, Event, identity
from shared.contracts.victims import (
    EvaluationOverdue,
    EvaluationSubmitted,
    ProgrammeEnrolled,
    ReferralEscalated,
    RepatriationCompleted,
    RepatriationLost,
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
    referral = _way_home(previous, root.country)
    await deadlines.clear(connection, _enrolment(*referral))
    await care.set_escalation(connection, referral, previous.to, None, previous.case_id)
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
    lost_at = event.recordedtime + POLICY.enrolled_within
    referral = _way_home(data, event.country)
    lost = _lost(event, data, lost_at)
    known = await care.set_escalation(connection, referral, data.to, lost.id, data.case_id)
    if not known.enrolments:
        await deadlines.fire_at(connection, _enrolment(*referral), lost_at, lost)


def _way_home(data: RepatriationCompleted, country: str) -> tuple[str, str]:
    """Return the referral (owner, id) of a return; of one without, what stands for it."""
    return _under(data.referral_id, country) if data.referral_id else (country, care.of_case(data.case_id))


def _lost(event: Event[Any], data: RepatriationCompleted, at: datetime) -> Event[Any]:
    """Return what tells the country of return that nobody knows of the victim any more."""
    if not data.referral_id:
        lost = RepatriationLost(case_id=data.case_id, sender=data.sender, to=data.to, due=at)
        return derive(SERVICE, lost, cause=event, to=data.to, time=at)
    escalated = ReferralEscalated(
        referral_id=data.referral_id,
        sender=data.sender,
        receiver=data.to,
        due=at,
        late_s=0,
        level=1,
        reason="not_enrolled",
    )
    return derive(SERVICE, escalated, cause=event, to=data.to, key=data.referral_id, time=at)


async def on_repatriation_lost(event: Event[RepatriationLost], _connection: Connection) -> Iterable[Event[Any]]:
    """Tell who sent the victim home, too, as of a return with a referral."""
    data = event.data
    return [alert(event, "victim_not_enrolled", data.sender, entity=data.case_id, owner=data.sender, due=data.due)]


async def on_programme_enrolled(event: Event[ProgrammeEnrolled], connection: Connection) -> Iterable[Event[Any]]:
    """Stop the clock of the return; say whether the victim was given up for lost before."""
    told = await _enrolled(event.country, event.data, connection)
    return [msgspec.structs.replace(event, data=told)]


async def amend_programme_enrolled(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Take the enrolment out only when it was the only one under its referral or case."""
    assert isinstance(previous, ProgrammeEnrolled)
    referral = await _counted(root.country, previous, connection, amended=True)
    if referral:
        left = await care.count_enrolment(connection, referral, root.country, -1)
        lost = await care.recorded(connection, left.escalation, source(SERVICE))
        only = left.enrolments == 0
        previous = msgspec.structs.replace(previous, first_enrolment=only, found=only and lost)
    if not isinstance(new, ProgrammeEnrolled):
        return previous, None
    return previous, await _enrolled(root.country, new, connection)


async def _enrolled(country: str, data: ProgrammeEnrolled, connection: Connection) -> ProgrammeEnrolled:
    referral = await _counted(country, msgspec.structs.replace(data, sender=None), connection)
    if referral is None:
        return msgspec.structs.replace(data, sender=None)
    # The sweeper that tells of the missing enrolment locks nothing but its deadline, so this order is safe.
    known = await care.count_enrolment(connection, referral, country, 1)
    await deadlines.clear(connection, _enrolment(*referral))
    lost = await care.recorded(connection, known.escalation, source(SERVICE))
    first = known.enrolments == 1
    named: Any = referral[0] if referral[0] in MEMBERS else None
    return msgspec.structs.replace(data, sender=named, first_enrolment=first, found=first and lost)


async def _counted(
    country: str, data: ProgrammeEnrolled, connection: Connection, *, amended: bool = False
) -> tuple[str, str] | None:
    """Return the referral (owner, id), or what stands for it, under which an enrolment counts; None: it names none.

    One that is amended was told to be clear when it was recorded.
    """

    def owner(owners: Sequence[str], pointer: str) -> str:
        if data.sender or not owners:
            return data.sender or care.unclaimed(country)
        return owners[0] if amended else references.meant(owners, pointer)

    if data.case_id:
        returns = dict(await care.returned(connection, country, data.case_id))
        sender = owner([*returns], "/data/case_id")
        if sender in returns:
            return sender, returns[sender]
    if data.referral_id:
        owners = await care.owners(connection, country, data.referral_id)
        return _under(data.referral_id, owner(owners, "/data/referral_id"))
    return _under(care.of_case(data.case_id), care.unclaimed(country)) if data.case_id else None


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
