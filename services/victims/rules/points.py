"""Contact points, as heard from intel: a newcomer gets what is open, somebody stands in where there is none."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from services.victims import vault
from services.victims.rules.notices import SERVICE, alert
from services.victims.store import care, referrals
from services.victims.store.referrals import Referral
from shared import seats
from shared.contracts import Event, identity
from shared.contracts.intel import ContactPointDesignated, ContactPointReplaced, ContactPointVacated
from shared.contracts.victims import ReferralOffered
from shared.database import Connection
from shared.rules import derive


async def on_contactpoint_filled(
    event: Event[ContactPointDesignated] | Event[ContactPointReplaced], connection: Connection
) -> Iterable[Event[Any]]:
    """Offer again to the newcomer every referral that its country has not answered."""
    if not await care.is_latest(connection, event):
        return []
    country = event.data.country
    again = []
    for referral, key in _told_apart(await referrals.open_to(connection, country)):
        if referral.offer is None or referral.subject is None:
            continue
        offer = await vault.unseal(connection, referral.sender, referral.subject, referral.offer)
        if offer is not None:
            offered = msgspec.json.decode(offer, type=ReferralOffered)
            again.append(derive(SERVICE, offered, cause=event, to=country, key=key))
    return again


async def on_contactpoint_vacated(event: Event[ContactPointVacated], connection: Connection) -> Iterable[Event[Any]]:
    """Have the secretariat look after the open referrals of a country that has no contact point left."""
    if not await care.is_latest(connection, event):
        return []
    return await _looked_after(event, event.data.country, connection)


async def amended(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> Iterable[Event[Any]]:
    """Have the secretariat look after the referrals of a country that the amended news leaves without (a `Follow`).

    A post that nobody had left, after all, needs nothing: the country's mailbox has had everything.
    """
    if after is not None and (after.data.country, after.data.body) == (before.data.country, before.data.body):
        return []
    left = before.data.country if isinstance(before.data, ContactPointDesignated) else after and after.data.country
    return await _looked_after(told, left, connection) if left else []


async def _looked_after(cause: Event[Any], country: str, connection: Connection) -> list[Event[Any]]:
    holder = await seats.mailbox(connection, "st", cause.recordedtime)
    if holder == country or not await care.is_vacant(connection, country):
        return []
    return [
        alert(
            cause,
            "contact_point_vacant",
            holder,
            entity=referral.referral_id,
            owner=referral.sender,
            due=referral.due,
            key=key,
        )
        for referral, key in _told_apart(await referrals.open_to(connection, country))
    ]


def _told_apart(found: Iterable[Referral]) -> Iterator[tuple[Referral, str]]:
    """Yield each referral with what tells it from the others: its identifier, with its owner where it is not alone."""
    known: set[str] = set()
    for one in found:
        alone = one.referral_id not in known
        yield one, one.referral_id if alone else identity.whole(one.referral_id, one.sender)
        known.add(one.referral_id)
