"""What the victims service does with what it records and hears, beyond recording it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from services.victims import store
from shared import deadlines
from shared.amendments import Amends
from shared.contracts import Data, Event, Problem, Refused
from shared.contracts.legal import CaseResolved
from shared.contracts.notice import Alert
from shared.contracts.victims import (
    ReferralAccepted,
    ReferralOffered,
    ReferralOverdue,
    ReferralRejected,
    ReferralRevoked,
    ReferralSent,
    ServiceProvided,
)
from shared.contracts.vocabulary import Addressee
from shared.database import Connection
from shared.rules import NotYet, Rules, derive, enriched

SERVICE = "victims"

ACKNOWLEDGED_WITHIN = {
    "child": timedelta(hours=8),
    "danger": timedelta(hours=8),
    "standard": timedelta(hours=72),
}
"""Time to answer a referral, by urgency (the answer deadlines of Directive (EU) 2023/977)."""


async def on_referral_sent(event: Event[ReferralSent], connection: Connection) -> Iterable[Event[Any]]:
    """Offer the referral to the other country and start the clock of its answer (Plan row VA-5.1b)."""
    data = event.data
    due = _due(event)
    referral = store.Referral(
        data.referral_id, event.country, data.to, data.urgency, event.recordedtime, due, "pending"
    )
    if not await store.add_referral(connection, referral):
        raise Refused(Problem("/data/referral_id", "duplicate_entity", "a referral with this id was sent before"))
    offered = ReferralOffered(
        referral_id=data.referral_id,
        case_id=data.case_id,
        sender=data.sender,
        urgency=data.urgency,
        needs=data.needs,
        preview=data.preview,
        dataref=data.dataref,
        due=due,
    )
    overdue = ReferralOverdue(referral_id=data.referral_id, sender=data.sender, receiver=data.to, due=due)
    await deadlines.fire_at(
        connection,
        _answer(data.referral_id),
        due,
        derive(SERVICE, overdue, cause=event, to=data.sender, time=due),
    )
    return [enriched(event, due=due), derive(SERVICE, offered, cause=event, to=data.to)]


async def on_referral_accepted(event: Event[ReferralAccepted], connection: Connection) -> Iterable[Event[Any]]:
    """Record the other country's yes: valid also when late, and then counted late."""
    return await _answered(event, "accepted", connection)


async def on_referral_rejected(event: Event[ReferralRejected], connection: Connection) -> Iterable[Event[Any]]:
    """Record the other country's no; the sender is told and must find another way."""
    return await _answered(event, "rejected", connection)


async def on_referral_revoked(event: Event[ReferralRevoked], connection: Connection) -> Iterable[Event[Any]]:
    """Take a referral back, as long as it has not been answered."""
    await deadlines.clear(connection, _answer(event.data.referral_id))
    referral = await _open(event, connection, event.data.referral_id)
    if referral.sender != event.country:
        raise Refused(Problem("/data/referral_id", "not_permitted", "only the country that sent it may revoke it"))
    await store.set_state(connection, referral.referral_id, "revoked")
    return [_alert(event, "referral_revoked", referral.receiver)]


async def on_referral_overdue(event: Event[ReferralOverdue], connection: Connection) -> Iterable[Event[Any]]:
    """Remind the country that has not answered; the sender's mailbox has the overdue event itself."""
    await store.set_state(connection, event.data.referral_id, "overdue")
    return [_alert(event, "referral_overdue", event.data.receiver)]


async def on_service_provided(event: Event[ServiceProvided], connection: Connection) -> Iterable[Event[Any]]:
    """Say whether the victim is assisted for the first time this year (Plan row IP-f)."""
    services = await store.count_service(connection, event.country, event.data.victim_pid, _year(event), 1)
    return [enriched(event, first_service_this_year=services == 1)]


async def amend_service_provided(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Take the victim's year out of the count only with its last service."""
    assert isinstance(previous, ServiceProvided)
    left = await store.count_service(connection, root.country, previous.victim_pid, _year(root), -1)
    previous = msgspec.structs.replace(previous, first_service_this_year=left == 0)
    if not isinstance(new, ServiceProvided):
        return previous, None
    services = await store.count_service(connection, root.country, new.victim_pid, _year(root), 1)
    return previous, msgspec.structs.replace(new, first_service_this_year=services == 1)


def on_case_resolved(event: Event[CaseResolved]) -> Iterable[Event[Any]]:
    """Tell the other countries of a resolved case: their victims and witnesses may need them now."""
    others = sorted({*event.data.countries} - {event.country})
    return [_alert(event, "case_resolved", country) for country in others]


async def _answered(
    event: Event[ReferralAccepted] | Event[ReferralRejected], state: str, connection: Connection
) -> Iterable[Event[Any]]:
    # The deadline first, then the referral: in the order in which the sweeper locks them. A refusal undoes it.
    in_time = await deadlines.clear(connection, _answer(event.data.referral_id))
    referral = await _open(event, connection, event.data.referral_id)
    if referral.receiver != event.country:
        raise Refused(Problem("/data/referral_id", "not_permitted", "only the country that was asked may answer"))
    await store.set_state(connection, referral.referral_id, state)
    answer: Event[Any] = event
    told = enriched(
        answer,
        sender=referral.sender,
        receiver=referral.receiver,
        latency_s=max(0, round((event.recordedtime - referral.sent).total_seconds())),
        late=not in_time,
    )
    return [told, _alert(event, f"referral_{state}", referral.sender)]


async def _open(event: Event[Any], connection: Connection, referral_id: str) -> store.Referral:
    """Return the referral if it may still be answered or revoked."""
    referral = await store.referral(connection, referral_id)
    if referral is None:
        raise NotYet("/data/referral_id")
    if event.country not in {referral.sender, referral.receiver}:
        raise Refused(Problem("/data/referral_id", "not_permitted", "this country has no part in the referral"))
    if referral.state not in {"pending", "overdue"}:
        raise Refused(Problem("/data/referral_id", f"already_{referral.state}", "the referral is no longer open"))
    return referral


def _due(event: Event[ReferralSent]) -> datetime:
    """Return when the answer is due: by urgency, or sooner if the sender asks so (`expirytime`)."""
    latest = event.recordedtime + ACKNOWLEDGED_WITHIN[event.data.urgency]
    asked = event.expirytime
    return asked if asked is not None and event.recordedtime < asked < latest else latest


def _alert(event: Event[Any], kind: str, to: Addressee | str) -> Event[Any]:
    alert = Alert(kind=kind, about=event.id, about_type=event.type, entity=event.subject)
    return derive(SERVICE, alert, cause=event, to=to, key=to)  # type: ignore[arg-type]


def _answer(referral_id: str) -> str:
    return f"answer/{referral_id}"


def _year(event: Event[Any]) -> int:
    return event.time.astimezone(UTC).year


RULES: Rules = {
    CaseResolved: on_case_resolved,
    ReferralAccepted: on_referral_accepted,
    ReferralOverdue: on_referral_overdue,
    ReferralRejected: on_referral_rejected,
    ReferralRevoked: on_referral_revoked,
    ReferralSent: on_referral_sent,
    ServiceProvided: on_service_provided,
}
AMENDS: Amends = {ServiceProvided: amend_service_provided}
