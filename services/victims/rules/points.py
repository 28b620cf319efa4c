"""Contact points, as heard from intel: a newcomer gets what is open, somebody stands in where there is none."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.victims import vault
from services.victims.rules.notices import SERVICE, alert
from services.victims.seats import seat
from services.victims.store import care, referrals
from shared.contracts import Event
from shared.contracts.intel import ContactPointDesignated, ContactPointReplaced, ContactPointVacated
from shared.contracts.victims import ReferralOffered
from shared.database import Connection
from shared.rules import derive


async def on_contactpoint_filled(
    event: Event[ContactPointDesignated] | Event[ContactPointReplaced], connection: Connection
) -> Iterable[Event[Any]]:
    """Offer again to the newcomer every referral that its country has not answered."""
    data = event.data
    if not await care.set_contact(connection, data.country, data.body, filled=True, changed=event.time):
        return []
    again = []
    for referral in await referrals.open_to(connection, data.country):
        if referral.offer is None or referral.subject is None:
            continue
        offer = await vault.unseal(connection, referral.sender, referral.subject, referral.offer)
        if offer is not None:
            offered = msgspec.json.decode(offer, type=ReferralOffered)
            again.append(derive(SERVICE, offered, cause=event, to=data.country, key=referral.referral_id))
    return again


async def on_contactpoint_vacated(event: Event[ContactPointVacated], connection: Connection) -> Iterable[Event[Any]]:
    """Have the secretariat look after the open referrals of a country that has no contact point left."""
    data = event.data
    if not await care.set_contact(connection, data.country, data.body, filled=False, changed=event.time):
        return []
    holder = seat("st", event.recordedtime)
    if holder == data.country or not await care.is_vacant(connection, data.country):
        return []
    return [
        alert(event, "contact_point_vacant", holder, entity=referral.referral_id, due=referral.due)
        for referral in await referrals.open_to(connection, data.country)
    ]
