"""Referrals that cannot go silent: offered, answered or reminded of, up to the presidency, never forgotten.

Choreography 5, Plan row VA-5.1b.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from services.victims.judgements.consents import consented
from services.victims.judgements.notices import SERVICE, Told, alert, stand_in, stands
from services.victims.judgements.standing import (
    AnyOffer,
    AnySent,
    Referral,
    asked,
    due,
    held,
    known,
    named,
    offer,
    offered_to,
    plain,
    referral,
    sender_of,
    sent_to,
    under,
)
from services.victims.meetings import next_meeting
from services.victims.policy import POLICY
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.victims import (
    ReferralAccepted,
    ReferralCompleted,
    ReferralDelivered,
    ReferralEscalated,
    ReferralLapsed,
    ReferralOffered,
    ReferralOfferedSealed,
    ReferralOverdue,
    ReferralRejected,
    ReferralRevoked,
    ReferralSent,
    ReferralSentSealed,
)
from shared.contracts.vocabulary import REGION
from shared.record.judgement import Judgement, Notice, Reading, Standing, Unknown, derive


def _steps(found: Referral, scope: str) -> Iterable[Notice]:
    parties: dict[str, Any] = {
        "referral_id": found.referral_id,
        "sender": found.sender,
        "receiver": found.receiver,
        "due": found.due,
    }
    sent, name = found.sent.event, f"answer/{found.sender}:{found.referral_id}"
    overdue = ReferralOverdue(**parties)
    first = derive(SERVICE, overdue, cause=sent, to=found.sender, time=found.due)
    yield Notice(to=found.sender, data=overdue, scope=scope, key=name, event_key="", due=found.due, cause=sent)
    for level, after in ((2, POLICY.second_level_after), (3, POLICY.third_level_after)):
        data = ReferralEscalated(**parties, late_s=int(after.total_seconds()), level=level)
        yield Notice(
            to=_level(data),
            data=data,
            scope=scope,
            key=f"{name}/{level}",
            event_key=str(level),
            due=found.due + after,
            cause=first,
        )
    lapsed = ReferralLapsed(**parties)
    end = found.due + POLICY.lapsed_after
    yield Notice(to=found.sender, data=lapsed, scope=scope, key=f"{name}/end", event_key="", due=end, cause=first)


def _level(raised: ReferralEscalated) -> str:
    """Address level 1 to the country that is to answer, 2 to the one that asked; 3 to who presides by then."""
    return {1: raised.receiver, 2: raised.sender, 3: REGION}[raised.level]


class Sent(Told):
    """A referral is offered to the other country."""

    reports = (ReferralSent, ReferralSentSealed)

    def things(self, report: Standing[AnySent]) -> Iterable[str]:
        """Return what its receiver calls it, and the consent that it rests on."""
        data = report.data
        yield sent_to(data.to, data.referral_id)
        if data.consent_id:
            yield from (under(report.country, data.consent_id), held(data.to, data.consent_id))

    def admit(self, report: Standing[AnySent], read: Reading) -> None:
        """Refuse one without a consent that holds, or a second one with the same id."""
        consented(report, read)
        if known(read, report.country, report.data.referral_id):
            raise Refused(Problem("/data/referral_id", "duplicate_entity", "a referral with this id was sent before"))

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse to amend what another country was already offered."""
        del before, after, read
        raise Refused(Problem("/data/supersedes", "not_amendable", "revoke the referral and send another"))

    def fill(self, report: Standing[AnySent], read: Reading) -> Data:
        """Say when the answer is due."""
        del read
        return msgspec.structs.replace(report.data, due=due(report))

    def sets_off(self, report: Standing[AnySent], read: Reading) -> Iterable[Event[Any]]:
        """Offer it."""
        event, data, offered = report.event, report.data, offer(report)
        yield derive(SERVICE, offered, cause=event, to=data.to)
        yield from stand_in(read, event, (report.country, data.referral_id), data.to, offered.due)


class Offered(Told):
    """Offers are kept by their receiver."""

    reports = (ReferralOffered, ReferralOfferedSealed)

    def things(self, report: Standing[AnyOffer]) -> Iterable[str]:
        """Return what was offered to a country."""
        yield offered_to(report.country)


class Answers(Told):
    """An answer is told to the sender: a yes is valid also when late, and then counted late; a no leaves the need."""

    reports = (ReferralAccepted, ReferralRejected)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse what is not a detail."""
        del read
        stands(before, after, "referral_id")

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Say whose referral it answers, how soon, and whether its answer was overdue by then."""
        found = _open(report, asked(read, report.country, report.data.referral_id), read)
        return msgspec.structs.replace(  # type: ignore[no-any-return]  # of either type
            report.data,
            sender=found.sender,
            receiver=found.receiver,
            latency_s=max(0, round((report.known - found.sent.known).total_seconds())),
            late=found.state == "overdue",
        )

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Tell the sender that the receiver has the referral, where this is the first sign of that, and the answer."""
        data, event = report.data, report.event
        found = known(read, data.sender, plain(report))
        if found and found.delivered is None:
            had = ReferralDelivered(
                referral_id=found.referral_id, receiver=data.receiver, delivered_at=event.recordedtime
            )
            yield derive(SERVICE, had, cause=event, to=data.sender)
        reason = getattr(data, "reason", None)
        yield alert(event, f"referral_{report.verb}", data.sender, owner=data.sender, reason=reason)


class Revocations(Told):
    """A referral is taken back, as long as it has not been answered."""

    reports = (ReferralRevoked,)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse what is not a detail."""
        del read
        stands(before, after, "referral_id")

    def fill(self, report: Standing[ReferralRevoked], read: Reading) -> Data:
        """Say whether its answer was overdue by then."""
        return msgspec.structs.replace(report.data, late=_open(report, report.country, read).state == "overdue")

    def sets_off(self, report: Standing[ReferralRevoked], read: Reading) -> Iterable[Event[Any]]:
        """Tell the receiver."""
        found = known(read, report.country, plain(report))
        if found:
            yield alert(report.event, "referral_revoked", found.receiver, reason=report.data.reason)


class Completions(Told):
    """An accepted referral is closed: what it asked for is done; the other country is told."""

    reports = (ReferralCompleted,)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse what is not a detail."""
        del read
        stands(before, after, "referral_id")

    def fill(self, report: Standing[ReferralCompleted], read: Reading) -> Data:
        """Say whose referral it was; the country's own comes first."""
        owner, referral_id = identity.parted(report.data.referral_id)
        found = known(read, report.country, referral_id) if owner in {"", report.country} else None
        if found is None:
            found = known(read, asked(read, report.country, report.data.referral_id), referral_id)
        if found is None or found.open:
            raise Unknown("/data/referral_id")  # its acceptance may be on the way
        if found.state != "accepted":
            problem = Problem("/data/referral_id", f"already_{found.state}", "the referral is not being worked on")
            raise Refused(problem)
        return msgspec.structs.replace(report.data, sender=found.sender, receiver=found.receiver)

    def sets_off(self, report: Standing[ReferralCompleted], read: Reading) -> Iterable[Event[Any]]:
        """Tell the other country."""
        del read
        sender, receiver = sender_of(report), report.data.receiver or ""
        other = receiver if report.country == sender else sender
        yield alert(report.event, "referral_completed", other, owner=sender)


def _open(report: Standing[Any], sender: str, read: Reading) -> Referral:
    """Return the sender's referral if the report may still answer or revoke it."""
    found = known(read, sender, plain(report))
    if found is None:
        raise Unknown("/data/referral_id")
    if not found.open:
        raise Refused(Problem("/data/referral_id", f"already_{found.state}", "the referral is no longer open"))
    # What would end before it began would count as pending for ever. A sender whose clock is ahead binds nobody.
    if report.time < min(found.sent.time, found.sent.known):
        raise Refused(Problem("/time", "before_reference", "the referral was sent later than this: look at your clock"))
    return found


class Silences(Told):
    """What each step of the ladder tells, and whom; also that a victim taken home has joined no programme there."""

    reports = (ReferralEscalated, ReferralLapsed, ReferralOverdue)

    def addressee(self, report: Standing[Any], read: Reading) -> str:
        """Address the last level to who presides by then."""
        last = isinstance(report.data, ReferralEscalated) and report.data.level == 3  # noqa: PLR2004 - the last level
        return read.mailbox("ppt", report.time) if last else report.country

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Take the step."""
        data, event = report.data, report.event
        if isinstance(data, ReferralLapsed):
            return [alert(event, "referral_lapsed", data.receiver, owner=data.sender)]
        if isinstance(data, ReferralOverdue):
            parties = {name: getattr(data, name) for name in ("referral_id", "sender", "receiver", "due")}
            raised = ReferralEscalated(**parties, late_s=0, level=1)
            first = derive(SERVICE, raised, cause=event, to=_level(raised), key="1", time=event.time)
            return [first, *_absent(event, data, read)]
        if data.reason != "unanswered":
            return [alert(event, "victim_not_enrolled", data.sender, owner=data.sender, due=data.due)]
        return _escalated(event, data, read)


class Ladder(Judgement):
    """What happens by itself while no answer comes: overdue, two levels more, the end.

    All of it is set when the referral is sent, and an answer takes away what is left: no step sets the next, so an
    answer that waits for a step can never miss one.
    """

    reports = (
        ReferralAccepted,
        ReferralCompleted,
        ReferralDelivered,
        ReferralLapsed,
        ReferralOverdue,
        ReferralRejected,
        ReferralRevoked,
        ReferralSent,
        ReferralSentSealed,
    )

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the referral."""
        yield named(sender_of(report), plain(report))

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the referral, when it begins or ends."""
        del read
        return () if isinstance(report.data, ReferralDelivered) else self.things(report)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell each step when it is due, as long as the referral is open."""
        found = referral(read.about(scope))
        return _steps(found, scope) if found and found.open else ()


def _escalated(event: Event[Any], data: ReferralEscalated, read: Reading) -> Sequence[Event[Any]]:
    """Tell the others of the level: at 2 both contact points, at 3 the presidency, for the next meeting's agenda."""
    if data.level == 1:
        return []
    others = sorted({data.sender, data.receiver} - {event.country})
    told = [alert(event, "referral_escalated", country, owner=data.sender, due=data.due) for country in others]
    if data.level == 3:  # noqa: PLR2004 - the last level
        told.append(alert(event, "agenda_item", event.country, owner=data.sender, due=next_meeting(event.time)))
    return [*told, *_absent(event, data, read)]


def _absent(event: Event[Any], data: ReferralEscalated | ReferralOverdue, read: Reading) -> list[Event[Any]]:
    return stand_in(read, event, (data.sender, data.referral_id), data.receiver, data.due)
