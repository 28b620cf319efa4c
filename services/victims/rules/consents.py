"""Consent: no referral without one, or an override, on record; and who says that data under one are erased."""

from collections.abc import Iterable
from typing import Any

from services.victims.rules.notices import alert
from services.victims.store import consents
from services.victims.store.consents import Consent
from shared import deadlines, references
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.victims import ConsentErased, ConsentRecorded, ReferralSent
from shared.database import Connection
from shared.rules import NotYet


async def subject_of(event: Event[ReferralSent], connection: Connection) -> str:
    """Return the person whose key seals the referral, once the consent, or the override in its place, holds."""
    data = event.data
    if data.override is not None or data.consent_id is None:
        return f"case:{data.case_id}"
    consent = await consents.held(connection, event.country, data.consent_id)
    if consent is None:
        raise NotYet("/data/consent_id")
    if consent.withdrawn:
        raise Refused(Problem("/data/consent_id", "consent_withdrawn", "the consent was withdrawn"))
    if consent.scope != "referral":
        raise Refused(Problem("/data/consent_id", "wrong_consent", "the consent is not for a referral"))
    if consent.valid_until is not None and consent.valid_until < event.time.date():
        raise Refused(Problem("/data/consent_id", "consent_expired", "the consent is no longer valid"))
    return consent.victim_pid


async def on_consent_recorded(event: Event[ConsentRecorded], connection: Connection) -> Iterable[Event[Any]]:
    """Keep the consent, for the referrals that will rest on it."""
    if not await consents.add(connection, _consent(event.country, event.data)):
        raise Refused(Problem("/data/consent_id", "duplicate_entity", "a consent with this id was recorded before"))
    return []


async def amend_consent_recorded(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Put right what a consent says; one that was given is withdrawn, not retracted."""
    assert isinstance(previous, ConsentRecorded)
    if not isinstance(new, ConsentRecorded) or new.consent_id != previous.consent_id:
        raise Refused(Problem("/data/supersedes", "not_amendable", "report that the consent is withdrawn"))
    await consents.change(connection, _consent(root.country, new))
    return previous, new


def _consent(country: str, data: ConsentRecorded) -> Consent:
    return Consent(country, data.consent_id, data.victim_pid, data.scope, data.valid_until)


async def on_consent_erased(event: Event[ConsentErased], connection: Connection) -> Iterable[Event[Any]]:
    """Tell the country whose consent it was that a holder has erased."""
    ref = event.data.consent_id
    owner = references.meant(await consents.owners(connection, event.country, ref), "/data/consent_id")
    consent_id = identity.parted(ref)[1]
    await consents.set_erased(connection, owner, consent_id, event.country)
    await deadlines.clear(connection, erasure(owner, consent_id, event.country))
    return [alert(event, "data_erased", owner, owner=owner)]


def erasure(owner: str, consent_id: str, holder: str) -> str:
    """Return the deadline of a holder's word that it has erased."""
    return f"erasure/{owner}/{consent_id}/{holder}"
