"""What the training service does with what it records and hears, beyond recording it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from services.training import store
from shared import deadlines
from shared.amendments import Amends
from shared.contracts import Event, Problem, Refused
from shared.contracts.intel import DocumentConfirmed
from shared.contracts.legal import LawAmended
from shared.contracts.training import (
    CertificationExpired,
    CertificationStaled,
    NeedRaised,
    OfficerCertified,
)
from shared.database import Connection
from shared.rules import Rules, derive, derived_id

SERVICE = "training"

CONFIRMATIONS = 3
CONFIRMATIONS_WITHIN = timedelta(days=30)
"""So many confirmations of one fake at one border post within this time raise a training need (choreography 1)."""
TRAINED_WITHIN = timedelta(days=90)
GRACE = timedelta(days=90)
"""How long a certificate made stale by a change of law still serves, so that officers can be retrained."""


async def on_document_confirmed(event: Event[DocumentConfirmed], connection: Connection) -> Iterable[Event[Any]]:
    """Raise a training need at a border post where the same fake was confirmed three times within 30 days."""
    data = event.data
    place = event.country, data.bcp
    pattern = f"{data.issuing}/{data.doc_code}/{data.fraud_type}"
    await store.lock_post(connection, *place)
    await store.add_confirmation(
        connection, event_id=event.id, country=event.country, bcp=data.bcp, pattern=pattern, confirmed=event.time
    )
    found = await store.open_confirmations(connection, *place, pattern)
    cluster = first_cluster(found, CONFIRMATIONS, CONFIRMATIONS_WITHIN)
    if not cluster:
        return []
    need_id = derived_id("need", event.id)
    await store.close_confirmations(connection, cluster, need_id)
    need = NeedRaised(
        need_id=need_id,
        topic="false_document_detection",
        bcp=data.bcp,
        priority="high",
        due=event.recordedtime + TRAINED_WITHIN,
    )
    return [derive(SERVICE, need, cause=event, to=event.country)]


def first_cluster(found: Sequence[tuple[str, datetime]], number: int, within: timedelta) -> list[str]:
    """Return the ids of the first `number` entries (id, time; sorted by time) that lie `within` a span; else none."""
    for start in range(len(found) - number + 1):
        window = found[start : start + number]
        if window[-1][1] - window[0][1] <= within:
            return [event_id for event_id, _ in window]
    return []


async def on_officer_certified(event: Event[OfficerCertified], connection: Connection) -> Iterable[Event[Any]]:
    """Keep the certificate with the laws that it is aligned to, and let it expire on its day (Plan row IE-3.2b)."""
    data = event.data
    laws = sorted({aligned.law_id for aligned in data.aligned_to or [] if aligned.law_id})
    certificate = store.Certificate(event.country, data.cert_id, data.topic, data.institution_type)
    if not await store.add_certificate(connection, certificate, event.time, laws):
        raise Refused(Problem("/data/cert_id", "duplicate_entity", "a certificate with this id was reported before"))
    expired = CertificationExpired(cert_id=data.cert_id, topic=data.topic, institution_type=data.institution_type)
    end = datetime.combine(data.valid_until, time.max, UTC)
    await deadlines.fire_at(
        connection,
        _expiry(event.country, data.cert_id),
        end,
        derive(SERVICE, expired, cause=event, to=event.country, time=end),
    )
    if await store.amended_since(connection, event.country, laws, event.time):
        return [_staled(event, certificate)]
    return []


async def on_law_amended(event: Event[LawAmended], connection: Connection) -> Iterable[Event[Any]]:
    """Make the certificates aligned to an amended law stale, with a time of grace (choreography 3)."""
    law_id = event.data.law_id
    await store.set_amended(connection, event.country, law_id, event.time)
    aligned = await store.valid_certificates(connection, event.country, law_id, event.time)
    return [_staled(event, certificate) for certificate in aligned]


async def on_certification_staled(event: Event[CertificationStaled], connection: Connection) -> Iterable[Event[Any]]:
    """Note that the certificate is stale; then it no longer expires."""
    await store.set_state(connection, event.country, event.data.cert_id, "stale")
    await deadlines.clear(connection, _expiry(event.country, event.data.cert_id))
    return []


async def on_certification_expired(event: Event[CertificationExpired], connection: Connection) -> Iterable[Event[Any]]:
    """Note that the certificate has expired."""
    await store.set_state(connection, event.country, event.data.cert_id, "expired")
    return []


def _staled(event: Event[Any], certificate: store.Certificate) -> Event[Any]:
    staled = CertificationStaled(
        cert_id=certificate.cert_id,
        topic=certificate.topic,  # type: ignore[arg-type]  # read back as it was written
        institution_type=certificate.institution_type,  # type: ignore[arg-type]
        reason="law_amended",
        grace_until=event.recordedtime + GRACE,
    )
    return derive(
        SERVICE,
        staled,
        cause=event,
        to=certificate.country,  # type: ignore[arg-type]
        key=certificate.cert_id,
        subject=certificate.cert_id,
    )


def _expiry(country: str, cert_id: str) -> str:
    return f"expiry/{country}/{cert_id}"


RULES: Rules = {
    CertificationExpired: on_certification_expired,
    CertificationStaled: on_certification_staled,
    DocumentConfirmed: on_document_confirmed,
    LawAmended: on_law_amended,
    OfficerCertified: on_officer_certified,
}
AMENDS: Amends = {}
