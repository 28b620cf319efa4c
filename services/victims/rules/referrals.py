"""Referrals that cannot go silent: offered, answered or reminded of, up to the presidency, never forgotten."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from services.victims import vault
from services.victims.meetings import next_meeting
from services.victims.policy import POLICY
from services.victims.rules.consents import subject_of
from services.victims.rules.notices import SERVICE, alert, stand_in
from services.victims.store import referrals
from services.victims.store.referrals import Referral
from shared import deadlines, references, seats
from shared.contracts import Event, Problem, Refused, identity
from shared.contracts.victims import (
    ReferralAccepted,
    ReferralCompleted,
    ReferralDelivered,
    ReferralEscalated,
    ReferralLapsed,
    ReferralOffered,
    ReferralOverdue,
    ReferralRejected,
    ReferralRevoked,
    ReferralSent,
)
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import NotYet, derive, enriched


async def on_referral_sent(event: Event[ReferralSent], connection: Connection) -> Iterable[Event[Any]]:
    """Offer the referral to the other country and start the clocks of its answer (Plan row VA-5.1b)."""
    data = event.data
    due = _due(event)
    subject = await subject_of(event, connection)
    offered = _offered(data, due)
    referral = Referral(
        referral_id=data.referral_id,
        sender=event.country,
        receiver=data.to,
        urgency=data.urgency,
        since=event.time,
        sent=event.recordedtime,
        due=due,
        state="pending",
        consent_id=data.consent_id,
        subject=subject,
        offer=await vault.seal(connection, event.country, subject, msgspec.json.encode(offered)),
    )
    if not await referrals.add(connection, referral):
        raise Refused(Problem("/data/referral_id", "duplicate_entity", "a referral with this id was sent before"))
    for name, at, step in _ladder(event, due):
        await deadlines.fire_at(connection, name, at, step)
    return [
        enriched(event, due=due),
        derive(SERVICE, offered, cause=event, to=data.to),
        *await stand_in(connection, event, (data.sender, data.referral_id), data.to, due),
    ]


def _offered(data: ReferralSent, due: datetime) -> ReferralOffered:
    return ReferralOffered(
        referral_id=data.referral_id,
        case_id=data.case_id,
        sender=data.sender,
        urgency=data.urgency,
        needs=data.needs,
        preview=data.preview,
        dataref=data.dataref,
        consent_id=data.consent_id,
        due=due,
    )


def _ladder(event: Event[ReferralSent], due: datetime) -> list[tuple[str, datetime, Event[Any]]]:
    """Return what happens by itself while no answer comes (deadline, when, event): choreography 5.

    All of it is set when the referral is sent, and an answer takes away what is left: no step sets the next, so an
    answer that waits for a step can never miss one.
    """
    parties: dict[str, Any] = {
        "referral_id": event.data.referral_id,
        "sender": event.data.sender,
        "receiver": event.data.to,
        "due": due,
    }
    overdue = derive(SERVICE, ReferralOverdue(**parties), cause=event, to=event.data.sender, time=due)
    steps: list[tuple[datetime, Event[Any]]] = [(due, overdue)]
    for level, after in ((2, POLICY.second_level_after), (3, POLICY.third_level_after)):
        late_s = int(after.total_seconds())
        raised = ReferralEscalated(**parties, late_s=late_s, level=level)
        steps.append((due + after, _risen(raised, overdue, due + after)))
    lapsed_at = due + POLICY.lapsed_after
    lapsed = derive(SERVICE, ReferralLapsed(**parties), cause=overdue, to=event.data.sender, time=lapsed_at)
    steps.append((lapsed_at, lapsed))
    return [(name, *step) for name, step in zip(_names(event.country, event.data.referral_id), steps, strict=True)]


def _risen(raised: ReferralEscalated, cause: Event[Any], at: datetime) -> Event[Any]:
    """Address level 1 to the country that is to answer, 2 to the one that asked; 3 to who presides by then."""
    to = {1: raised.receiver, 2: raised.sender, 3: REGION}[raised.level]
    return derive(SERVICE, raised, cause=cause, to=to, key=str(raised.level), time=at)


async def on_referral_accepted(event: Event[ReferralAccepted], connection: Connection) -> Iterable[Event[Any]]:
    """Record the other country's yes: valid also when late, and then counted late."""
    return await _answered(event, "accepted", None, connection)


async def on_referral_rejected(event: Event[ReferralRejected], connection: Connection) -> Iterable[Event[Any]]:
    """Record the other country's no; the sender is told why, and its need is open again."""
    return await _answered(event, "rejected", event.data.reason, connection)


async def _answered(
    event: Event[ReferralAccepted] | Event[ReferralRejected], state: str, reason: str | None, connection: Connection
) -> Iterable[Event[Any]]:
    referral, left = await _open(event, await _asked(event, connection), connection)
    await referrals.set_state(connection, referral.sender, referral.referral_id, state)
    answer: Event[Any] = event
    told = enriched(
        answer,
        sender=referral.sender,
        receiver=referral.receiver,
        latency_s=max(0, round((event.recordedtime - referral.sent).total_seconds())),
        late=_names(referral.sender, referral.referral_id)[0] not in left,
    )
    return [
        told,
        *_delivered(event, referral),
        alert(event, f"referral_{state}", referral.sender, owner=referral.sender, reason=reason),
    ]


async def on_referral_delivered(event: Event[ReferralDelivered], connection: Connection) -> Iterable[Event[Any]]:
    """Note that the receiver has the referral, so that it is told once: by its mailbox, or by its answer if sooner.

    A referral offered anew (choreography 11) was delivered when it was first acknowledged, and is not delivered again.
    """
    await referrals.set_delivered(connection, event.country, event.data.referral_id, event.data.delivered_at)
    return []


async def on_referral_revoked(event: Event[ReferralRevoked], connection: Connection) -> Iterable[Event[Any]]:
    """Take a referral back, as long as it has not been answered."""
    referral, _ = await _open(event, event.country, connection)
    await referrals.set_state(connection, referral.sender, referral.referral_id, "revoked")
    told = enriched(event, late=referral.state == "overdue")
    return [told, alert(event, "referral_revoked", referral.receiver, reason=event.data.reason)]


async def on_referral_completed(event: Event[ReferralCompleted], connection: Connection) -> Iterable[Event[Any]]:
    """Close an accepted referral: what it asked for is done; the other country is told."""
    referral = await _of_either(event, connection)
    if referral.open:
        raise NotYet("/data/referral_id")  # its acceptance may be on the way
    if referral.state != "accepted":
        raise Refused(Problem("/data/referral_id", f"already_{referral.state}", "the referral is not being worked on"))
    await referrals.set_state(connection, referral.sender, referral.referral_id, "completed")
    other = referral.receiver if event.country == referral.sender else referral.sender
    told = enriched(event, sender=referral.sender, receiver=referral.receiver)
    return [told, alert(event, "referral_completed", other, owner=referral.sender)]


async def on_referral_overdue(event: Event[ReferralOverdue], connection: Connection) -> Iterable[Event[Any]]:
    """Take the first step of the ladder: the receiver's contact point, or who stands in for it."""
    data = event.data
    await referrals.get(connection, data.sender, data.referral_id)
    await referrals.set_state(connection, data.sender, data.referral_id, "overdue")
    raised = ReferralEscalated(
        referral_id=data.referral_id, sender=data.sender, receiver=data.receiver, due=data.due, late_s=0, level=1
    )
    absent = await stand_in(connection, event, (data.sender, data.referral_id), data.receiver, data.due)
    return [_risen(raised, event, event.time), *absent]


async def on_referral_escalated(event: Event[ReferralEscalated], connection: Connection) -> Iterable[Event[Any]]:
    """Tell the others of the level: at 2 both contact points, at 3 the presidency, for the next meeting's agenda."""
    data = event.data
    if data.reason != "unanswered":
        return [alert(event, "victim_not_enrolled", data.sender, owner=data.sender, due=data.due)]
    if data.level == 1:
        return []
    if data.level == 3:  # noqa: PLR2004 - the last level
        event = msgspec.structs.replace(event, country=await seats.mailbox(connection, "ppt", event.time))
    others = sorted({data.sender, data.receiver} - {event.country})
    alerts = (alert(event, "referral_escalated", country, owner=data.sender, due=data.due) for country in others)
    told = [event, *alerts]
    if data.level == 3:  # noqa: PLR2004 - the last level
        told.append(alert(event, "agenda_item", event.country, owner=data.sender, due=next_meeting(event.time)))
    return [*told, *await stand_in(connection, event, (data.sender, data.referral_id), data.receiver, data.due)]


async def on_referral_lapsed(event: Event[ReferralLapsed], connection: Connection) -> Iterable[Event[Any]]:
    """Wait no longer; the receiver is told that an answer would come too late."""
    await referrals.get(connection, event.data.sender, event.data.referral_id)
    await referrals.set_state(connection, event.data.sender, event.data.referral_id, "lapsed")
    return [alert(event, "referral_lapsed", event.data.receiver, owner=event.data.sender)]


async def revoked_by(
    event: Event[Any], found: Iterable[Referral], reason: Any, connection: Connection
) -> list[Event[Any]]:
    """Return the revocations, because of `event`, of those of a country's referrals that are still open."""
    revocations = []
    for one in found:
        await deadlines.clear(connection, *_names(one.sender, one.referral_id))
        referral = await referrals.get(connection, one.sender, one.referral_id)
        if referral and referral.open:
            data = ReferralRevoked(referral_id=referral.referral_id, reason=reason, reported_by=event.data.reported_by)
            revocations.append(derive(SERVICE, data, cause=event, to=event.country, key=referral.referral_id))
    return revocations


def _delivered(event: Event[Any], referral: Referral) -> list[Event[Any]]:
    """Tell the sender that the receiver has the referral, where its answer is the first sign of that."""
    if referral.delivered is not None:
        return []
    data = ReferralDelivered(
        referral_id=referral.referral_id,
        receiver=referral.receiver,  # type: ignore[arg-type]  # read back as it was written
        delivered_at=event.recordedtime,
    )
    return [derive(SERVICE, data, cause=event, to=referral.sender)]  # type: ignore[arg-type]


async def _open(event: Event[Any], sender: str, connection: Connection) -> tuple[Referral, set[str]]:
    """Return the sender's referral if the event may still answer or revoke it, and the deadlines that this ends."""
    # The deadlines first, then the referral: in the order in which the sweeper locks them. A refusal undoes it.
    left = await deadlines.clear(connection, *_names(sender, identity.parted(event.data.referral_id)[1]))
    referral = await _known(event, sender, connection)
    if not referral.open:
        raise Refused(Problem("/data/referral_id", f"already_{referral.state}", "the referral is no longer open"))
    # What would end before it began would count as pending for ever. A sender whose clock is ahead binds nobody.
    if event.time < min(referral.since, referral.sent):
        raise Refused(Problem("/time", "before_reference", "the referral was sent later than this: look at your clock"))
    return referral, left


async def _asked(event: Event[Any], connection: Connection) -> str:
    """Return whose referral to the event's country the event means."""
    found = await referrals.senders(connection, event.country, event.data.referral_id)
    return references.meant(found, "/data/referral_id")


async def _known(event: Event[Any], sender: str, connection: Connection) -> Referral:
    referral = await referrals.get(connection, sender, identity.parted(event.data.referral_id)[1])
    if referral is None:
        raise NotYet("/data/referral_id")
    return referral


async def _of_either(event: Event[Any], connection: Connection) -> Referral:
    """Return the referral that the event means, of those in which its country has a part: its own first."""
    owner, referral_id = identity.parted(event.data.referral_id)
    if owner in {"", event.country} and await referrals.get(connection, event.country, referral_id):
        return await _known(event, event.country, connection)
    return await _known(event, await _asked(event, connection), connection)


def _due(event: Event[ReferralSent]) -> datetime:
    """Return when the answer is due: by urgency, or sooner if the sender asks so (`expirytime`)."""
    urgent = event.data.urgency in {"child", "danger"}
    latest = event.recordedtime + (POLICY.answered_within_urgent if urgent else POLICY.answered_within)
    asked = event.expirytime
    return asked if asked is not None and event.recordedtime < asked < latest else latest


def _names(sender: str, referral_id: str) -> list[str]:
    """Return the deadlines of a referral's ladder: the answer, levels 2 and 3, the end."""
    return [f"answer/{sender}:{referral_id}{step}" for step in ("", "/2", "/3", "/end")]
