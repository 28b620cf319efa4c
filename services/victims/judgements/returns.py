"""The way home: who returned joins a programme there, and the return is evaluated (choreography 6).

Plan rows VA-5.1, VA-5.1b.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.victims.judgements import enrolments
from services.victims.judgements.enrolments import way, way_home
from services.victims.judgements.notices import SERVICE, Told, alert
from services.victims.policy import POLICY
from shared.contracts import Data, Event, identity
from shared.contracts.victims import (
    EvaluationOverdue,
    EvaluationSubmitted,
    ProgrammeEnrolled,
    ReferralEscalated,
    ReferralSent,
    ReferralSentSealed,
    RepatriationCompleted,
    RepatriationLost,
)
from shared.contracts.vocabulary import MEMBERS
from shared.record import references
from shared.record.judgement import Judgement, Notice, Reading, Standing, derive

SUBJECT: Literal["repatriation"] = "repatriation"


class Homecomings(Judgement):
    """A return under which nobody is enrolled in time is given up for lost, until somebody is."""

    reports = (ProgrammeEnrolled, RepatriationCompleted)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the way home, of a return also the case and the referral; of an enrolment what it was made under."""
        if isinstance(report.data, ProgrammeEnrolled):
            return enrolments.made_under(report)
        return enrolments.told_by(report)

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Say of an enrolment whether it is the first, and whether the victim was given up for lost before."""
        data: Data = report.data
        if not isinstance(data, ProgrammeEnrolled):
            return data
        under = enrolments.under(_unclaimed(report), read, references.meant)
        sender: Any = under[0] if under and under[0] in MEMBERS else None
        return _counted(msgspec.structs.replace(data, sender=sender), report, under, read)

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Say the same of a corrected one: it may name another return."""
        return self.fill(report, read)

    def taken_out(self, report: Standing[Any], read: Reading) -> Data:
        """Take an enrolment out only when it was the only one under its return."""
        data: Data = report.data
        if not isinstance(data, ProgrammeEnrolled):
            return data
        return _counted(data, report, enrolments.under(report, read), read)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the way home."""
        if isinstance(report.data, RepatriationCompleted):
            return [way(way_home(report))]
        under = enrolments.under(report, read)
        return [way(under)] if under else []

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Have the country of return told, unless somebody is enrolled.

        That ends with the first enrolment, also where it is withdrawn later.
        """
        found = enrolments.returned(read, scope)
        if found is None:
            return
        owner, referral_id = way_home(found)
        key = f"enrolment/{owner}:{referral_id}"
        if not enrolments.all_under((owner, referral_id), found.data.to, read) and _waiting(read, scope, key):
            yield _lost(found, scope, key)


def _unclaimed(report: Standing[ProgrammeEnrolled]) -> Standing[ProgrammeEnrolled]:
    data = msgspec.structs.replace(report.data, sender=None)
    return Standing(report.stream, report.position, msgspec.structs.replace(report.event, data=data))


def _counted(
    data: ProgrammeEnrolled, report: Standing[ProgrammeEnrolled], under: tuple[str, str] | None, read: Reading
) -> ProgrammeEnrolled:
    if under is None:
        return data
    first = not enrolments.all_under(under, report.country, read)
    found = enrolments.returned(read, way(under))
    lost = found is not None and read.event(_lost_event(found).id) is not None
    return msgspec.structs.replace(data, first_enrolment=first, found=first and lost)


def _waiting(read: Reading, scope: str, key: str) -> bool:
    """Say whether a clock runs, or starts because of the return that is judged."""
    judged = read.judged is not None and isinstance(read.judged.data, RepatriationCompleted)
    return judged or any(one.key == key for one in read.notified(scope))


def _lost(report: Standing[RepatriationCompleted], scope: str, key: str) -> Notice:
    """Return what tells the country of return that nobody knows of the victim any more."""
    data, due = report.data, report.known + POLICY.enrolled_within
    if not data.referral_id:
        lost = RepatriationLost(case_id=data.case_id, sender=data.sender, to=data.to, due=due)
        return Notice(to=data.to, data=lost, scope=scope, key=key, event_key="", due=due, cause=report.event)
    escalated = ReferralEscalated(
        referral_id=data.referral_id,
        sender=data.sender,
        receiver=data.to,
        due=due,
        late_s=0,
        level=1,
        reason="not_enrolled",
    )
    event_key = data.referral_id
    return Notice(to=data.to, data=escalated, scope=scope, key=key, event_key=event_key, due=due, cause=report.event)


def _lost_event(report: Standing[RepatriationCompleted]) -> Event[Any]:
    told = _lost(report, "", "")
    return derive(SERVICE, told.data, cause=report.event, to=told.to, key=told.event_key or "", time=told.due)


class Claims(Told):
    """Who was enrolled before it was known whose referral or return that was under counts as under that one now."""

    reports = (ReferralSent, ReferralSentSealed, RepatriationCompleted)

    def counts_anew(self, report: Standing[Any], read: Reading) -> Iterable[Standing[Any]]:
        """Return those enrolments."""
        return enrolments.unclaimed(report.data.to, report.data, read)


class Losses(Told):
    """Who sent the victim home is told, too, as of a return with a referral."""

    reports = (RepatriationLost,)

    def sets_off(self, report: Standing[RepatriationLost], read: Reading) -> Iterable[Event[Any]]:
        """Tell it."""
        del read
        data, event = report.data, report.event
        yield alert(event, "victim_not_enrolled", data.sender, entity=data.case_id, owner=data.sender, due=data.due)


class Evaluations(Judgement):
    """One of the two countries of a return evaluates it in time, or who sent the victim home hears of it."""

    reports = (EvaluationSubmitted, RepatriationCompleted)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the case, as each of the two countries knows it; of an evaluation, as its country does."""
        data = report.data
        if isinstance(data, RepatriationCompleted):
            yield _evaluation(report.country, data.case_id)
            yield _received(data.to, data.case_id)
        elif data.case_id and data.subject == SUBJECT:
            yield _evaluated(report.country, identity.parted(data.case_id)[1])

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Say whether an evaluation comes late, where one was awaited."""
        data: Data = report.data
        if not isinstance(data, EvaluationSubmitted):
            return data
        sender = _meant(report, read)
        if sender is None or data.case_id is None:
            return msgspec.structs.replace(data, late=None)
        found = _latest(read.about(_evaluation(sender, identity.parted(data.case_id)[1])))
        late = found is not None and report.known > found.known + POLICY.evaluated_within
        return msgspec.structs.replace(data, late=late)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the case that was, or is to be, evaluated."""
        if isinstance(report.data, RepatriationCompleted):
            return [_evaluation(report.country, report.data.case_id)]
        if not read.arriving or report.data.late is None:
            return []
        sender = _meant(report, read)
        return [_evaluation(sender, identity.parted(report.data.case_id)[1])] if sender else []

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Remind who sent the victim home, unless the latest return of the case was evaluated.

        An evaluation that was told before its return counts, too.
        """
        returns = read.about(scope)
        found = _latest(returns)
        if found is None or _is_evaluated(found, {one.data.to for one in returns}, read):
            return
        if not _waiting(read, scope, scope):
            return
        due = found.known + POLICY.evaluated_within
        data = EvaluationOverdue(subject=SUBJECT, case_id=found.data.case_id, due=due)
        yield Notice(to=found.country, data=data, scope=scope, key=scope, event_key="", due=due, cause=found.event)


def _meant(report: Standing[EvaluationSubmitted], read: Reading) -> str | None:
    """Return who sent home the victim whose return it evaluates; None: none is awaited. Raises Refused.

    The two countries of a return evaluate it, the one that sent the victim home under an identifier of its own.
    """
    data = report.data
    if not data.case_id or data.subject != SUBJECT:
        return None
    owner, case_id = identity.parted(data.case_id)
    own, theirs = _evaluation(report.country, case_id), _received(report.country, case_id)
    found = [*read.about(own), *read.about(theirs)]
    senders = sorted({one.country for one in found if owner in {"", one.country}})
    senders = [report.country] if report.country in senders else senders
    return references.meant(senders, "/data/case_id") if senders else None


def _is_evaluated(found: Standing[RepatriationCompleted], receivers: set[Any], read: Reading) -> bool:
    countries = sorted({found.country, *receivers})
    things = [_evaluated(one, found.data.case_id) for one in countries]
    words = [one for thing in things for one in read.about(thing)]
    since = [one for one in words if one.time >= found.time or one.position > found.position]
    return any([_is_of(one, found, read) for one in since])  # noqa: C419 - all of it is read together


def _is_of(report: Standing[EvaluationSubmitted], found: Standing[RepatriationCompleted], read: Reading) -> bool:
    owner = identity.parted(report.data.case_id or "")[0]
    own = report.country == found.country or not read.about(_evaluation(report.country, found.data.case_id))
    return owner == found.country or (not owner and own)


def _latest(returns: Iterable[Standing[RepatriationCompleted]]) -> Standing[RepatriationCompleted] | None:
    return max(returns, key=lambda one: one.position, default=None)


def _evaluation(country: str, case_id: str) -> str:
    return f"evaluation/{country}/{case_id}"


def _received(country: str, case_id: str) -> str:
    return f"evaluation/of/{country}/{case_id}"


def _evaluated(country: str, case_id: str) -> str:
    return f"evaluated/{country}/{case_id}"
