"""The way home: who returned joins a programme there, and the return is evaluated (choreography 6).

Plan rows VA-5.1, VA-5.1b.
"""

from collections.abc import Iterable
from typing import Any, Literal

from msgspec.structs import replace

from services.victims.judgements import enrolments
from services.victims.judgements.enrolments import way, way_home
from services.victims.judgements.notices import SERVICE, Told, alert, taken_back
from services.victims.policy import POLICY
from shared.contracts import Data, Event, identity
from shared.contracts.victims import (
    EvaluationOverdue,
    EvaluationSubmitted,
    NoticeRetracted,
    ProgrammeEnrolled,
    ReferralEscalated,
    ReferralSent,
    ReferralSentSealed,
    RepatriationCompleted,
    RepatriationLost,
)
from shared.contracts.vocabulary import MEMBERS
from shared.record import references
from shared.record.judgement import Judgement, Notice, Notified, NotReady, Reading, Standing, derive, derived_id

SUBJECT: Literal["repatriation"] = "repatriation"


class Homecomings(Judgement):
    """A return under which nobody is enrolled in time is given up for lost, until somebody is."""

    reports = (NoticeRetracted, ProgrammeEnrolled, RepatriationCompleted)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the way home, of a return also the case and the referral; of an enrolment what it was made under."""
        if isinstance(report.data, NoticeRetracted):
            return [_back(report.data.supersedes)]
        if isinstance(report.data, ProgrammeEnrolled):
            return enrolments.made_under(report)
        return enrolments.told_by(report)

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Say of an enrolment whether it is the first, and whether the victim was given up for lost before."""
        data: Data = report.data
        if not isinstance(data, ProgrammeEnrolled):
            return data
        under = enrolments.under(_unclaimed(report), read, references.meant)
        return _counted(replace(data, **_whose(data, under)), report, under, read)

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Say the same of a corrected one: it may name another return."""
        return self.fill(report, read)

    def taken_out(self, report: Standing[Any], read: Reading) -> Data:
        """Take it out as it was put in."""
        del read
        return report.data  # type: ignore[no-any-return]  # of any type

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the way home."""
        if isinstance(report.data, NoticeRetracted):
            return []
        if isinstance(report.data, RepatriationCompleted):
            return [way(way_home(report))]
        under = enrolments.under(report, read)
        return [way(under)] if under else []

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Have the country of return told, unless somebody is enrolled.

        What was told stays while there is a return to that country.
        """
        found = enrolments.returned(read, scope)
        if found is None:
            return
        told = _told(read, found)
        fell_due = told is not None and not read.pending(told.key)
        if enrolments.all_under(way_home(found), found.data.to, read):
            if told and fell_due:
                yield replace(_lost(found, scope), key=told.key, event_id=told.event_id)
        elif notice := _to_tell(found, told, read):
            yield notice

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Tell both countries that no such return is lost."""
        event = read.event(notified.event_id)
        if event is None:
            raise NotReady("/data/supersedes")
        data = NoticeRetracted.of(event)
        yield derive(SERVICE, data, cause=read.cause, to=event.country, key=event.id, subject=event.subject)
        for country in (event.country, event.data.sender):
            yield taken_back(notified, country, read)


def _unclaimed(report: Standing[ProgrammeEnrolled]) -> Standing[ProgrammeEnrolled]:
    data = replace(report.data, sender=None)
    return Standing(report.stream, report.position, replace(report.event, data=data))


def _whose(data: ProgrammeEnrolled, under: tuple[str, str] | None) -> dict[str, Any]:
    """Return what is known of the way home under which an enrolment counts: who sent the victim, by which referral."""
    if under is None or under[0] not in MEMBERS:
        return {"sender": None, "home": None}
    named = identity.parted(data.referral_id)[1] if data.referral_id else None
    return {"sender": under[0], "home": under[1] if "/" not in under[1] and under[1] != named else None}


def _counted(
    data: ProgrammeEnrolled, report: Standing[ProgrammeEnrolled], under: tuple[str, str] | None, read: Reading
) -> ProgrammeEnrolled:
    if under is None:
        return data
    others = enrolments.all_under(under, report.country, read)
    found = _is_lost(under, read) and not any(one.data.found for one in others)
    return replace(data, first_enrolment=not others, found=found)


def _told(read: Reading, found: Standing[RepatriationCompleted]) -> Notified | None:
    """Return the notice that the country of return was, or is to be told."""
    return next((one for one in read.notified(way(way_home(found))) if one.country == found.data.to), None)


def _is_lost(under: tuple[str, str], read: Reading) -> bool:
    """Say whether notice was given that the victim of a return is enrolled nowhere."""
    found = enrolments.returned(read, way(under))
    told = _told(read, found) if found else None
    if found is None or told is not None:
        return told is not None and not read.pending(told.key)
    # Before this version a notice was not kept once somebody was enrolled.
    event_id = _lost_event(found).id
    return read.event(event_id) is not None and not read.about(_back(event_id))


def _back(event_id: str) -> str:
    return f"home/back/{event_id}"


def _to_tell(found: Standing[RepatriationCompleted], told: Notified | None, read: Reading) -> Notice | None:
    """Return the notice of a return; a second one, where the first is taken back, is an event of its own."""
    scope, once = way(way_home(found)), _lost_event(found).id
    notice = _lost(found, scope)
    if told and told.key != notice.key:
        return replace(notice, key=told.key, event_id=told.event_id)
    if told or read.event(once) is None:
        return notice
    if not read.notified(scope) and not read.about(_back(once)):
        return None  # before this version it was not kept once somebody was enrolled
    return replace(notice, key=f"{notice.key}/{read.cause.id}", event_id=derived_id(once, read.cause.id))


def _waiting(read: Reading, scope: str) -> bool:
    """Say whether a clock runs, or starts because of the return that is judged."""
    judged = read.judged is not None and isinstance(read.judged.data, RepatriationCompleted)
    return judged or any(one.key == scope for one in read.notified(scope))


def _lost(report: Standing[RepatriationCompleted], scope: str) -> Notice:
    """Return what tells the country of return that nobody knows of the victim any more."""
    data, due = report.data, report.known + POLICY.enrolled_within
    key = "enrolment/{}:{}".format(*way_home(report))
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
    told = _lost(report, "")
    return derive(SERVICE, told.data, cause=report.event, to=told.to, key=told.event_key or "", time=told.due)


class Claims(Told):
    """An enrolment counts under the return that it belongs to by what is known now, whatever came first."""

    reports = (ProgrammeEnrolled, ReferralSent, ReferralSentSealed, RepatriationCompleted)

    def counts_anew(self, report: Standing[Any], read: Reading) -> Iterable[Standing[Any]]:
        """Return those that count otherwise now: it was not known whose they are, or another is the first."""
        if isinstance(report.data, ProgrammeEnrolled):
            under = enrolments.under(report, read)
            others = enrolments.all_under(under, report.country, read) if under and _is_lost(under, read) else []
            if others and not any(one.data.found for one in others):
                yield min(others, key=lambda one: (one.time, one.position))
            return
        for one in enrolments.naming(report, read):
            under = enrolments.under(_unclaimed(one), read)
            known = {"sender": one.data.sender, "home": one.data.home}
            if known != _whose(one.data, under) or (one.data.found and not (under and _is_lost(under, read))):
                yield one


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
            return replace(data, late=None)
        found = _latest(read.about(_evaluation(sender, identity.parted(data.case_id)[1])))
        late = found is not None and report.known > found.known + POLICY.evaluated_within
        return replace(data, late=late)

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
        if not _waiting(read, scope):
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
