"""Consent withdrawn, or the person dead: what rests on it ends (choreographies 12 and 15)."""

from collections.abc import Iterable
from typing import Any

from services.victims import vault
from services.victims.policy import POLICY
from services.victims.rules.consents import erasure
from services.victims.rules.notices import SERVICE, alert
from services.victims.rules.referrals import revoked_by
from services.victims.store import consents, referrals
from shared import deadlines
from shared.contracts import Event, Problem, Refused
from shared.contracts.notice import Alert
from shared.contracts.victims import ConsentWithdrawn, VictimDeceased
from shared.database import Connection
from shared.rules import NotYet, derive


async def on_consent_withdrawn(event: Event[ConsentWithdrawn], connection: Connection) -> Iterable[Event[Any]]:
    """Revoke what is pending, destroy the person's key, and have every holder erase; figures stay as they are."""
    data = event.data
    consent = await consents.get(connection, event.country, data.consent_id)
    if consent is None:
        raise NotYet("/data/consent_id")
    if consent.victim_pid != data.victim_pid:
        raise Refused(Problem("/data/victim_pid", "wrong_reference", "the consent is another person's"))
    if consent.withdrawn:
        raise Refused(Problem("/data/consent_id", "already_withdrawn", "the consent was withdrawn before"))
    await consents.withdraw(connection, event.country, data.consent_id)
    resting = await referrals.under(connection, event.country, [data.consent_id])
    revoked = await revoked_by(event, resting, "consent_withdrawn", connection)
    if not await consents.of_person(connection, event.country, data.victim_pid):
        await vault.destroy(connection, event.country, data.victim_pid)
    holders = sorted({referral.receiver for referral in resting})
    return [*revoked, *await _erasures(event, holders, connection)]


async def _erasures(event: Event[ConsentWithdrawn], holders: list[str], connection: Connection) -> list[Event[Any]]:
    """Ask each holder to erase, and let the owner hear of those that do not say in time that they did."""
    due = event.recordedtime + POLICY.erased_within
    await consents.await_erasure(connection, event.country, event.data.consent_id, holders)
    for holder in holders:
        overdue = Alert(
            kind="erasure_overdue", about=event.id, about_type=event.type, entity=event.data.consent_id, due=due
        )
        await deadlines.fire_at(
            connection,
            erasure(event.country, event.data.consent_id, holder),
            due,
            derive(SERVICE, overdue, cause=event, to=event.country, key=f"overdue/{holder}", time=due),
        )
    return [alert(event, "erase_data", holder, due=due) for holder in holders]


async def on_victim_deceased(event: Event[VictimDeceased], connection: Connection) -> Iterable[Event[Any]]:
    """Make the next of kin eligible for services (the Plan's definition of a victim), and end the victim's referrals.

    Straight line to the second degree, and spouse: choreography 15.
    """
    given = await consents.of_person(connection, event.country, event.data.victim_pid)
    resting = await referrals.under(connection, event.country, given)
    revoked = await revoked_by(event, resting, "deceased", connection)
    if not event.data.indirect_victims:
        return revoked
    told = sorted({event.country, *(referral.receiver for referral in resting)})
    return [*revoked, *(alert(event, "indirect_victims_eligible", country) for country in told)]
