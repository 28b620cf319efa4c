"""Certificates: what makes them stale, ends them or takes their place is told, and taken back where it was an error."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from services.training.policy import POLICY
from services.training.rules.needs import judged
from services.training.rules.notices import SERVICE, owner
from services.training.standing import Certificate, Key, Step, history
from services.training.store import certificates
from shared import deadlines
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.training import (
    CertificationExpired,
    CertificationRenewed,
    CertificationRetracted,
    CertificationRevoked,
    CertificationStaled,
    OfficerCertified,
)
from shared.database import Connection
from shared.rules import NotReady, derive

TOLD: Mapping[str, Callable[..., Data]] = {
    "staled": CertificationStaled,
    "expired": CertificationExpired,
    "renewed": CertificationRenewed,
    "revoked": CertificationRevoked,
}
"""What tells each kind of step."""


async def on_officer_certified(event: Event[OfficerCertified], connection: Connection) -> list[Event[Any]]:
    """Keep the certificate, and let it expire on its day (Plan row IE-3.2b).

    It may renew another of the officer, and meet a need.
    """
    await _keep(event, event.data, connection)
    keys = await certificates.of_officer(connection, event.country, event.data.officer_pid, event.data.topic)
    outcome = await settled(event, keys, connection, anew={(event.country, event.data.cert_id)})
    return outcome + await judged(event, event.country, [event.data.topic], connection)


async def amend_officer_certified(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Change the certificate; what is told of it follows in `recertified`."""
    await certificates.drop(connection, root.id, root.source)
    if isinstance(new, OfficerCertified):
        await _keep(root, new, connection)
    return previous, new


async def recertified(
    told: Event[Any],
    before: Event[OfficerCertified],
    after: Event[OfficerCertified] | None,
    connection: Connection,
) -> list[Event[Any]]:
    """Tell of the officer's certificates what holds with the amended one (a `Follow`)."""
    keys: set[Key] = set()
    for one in (before, after):
        if one is not None:
            keys.add((one.country, one.data.cert_id))
            keys |= {*await certificates.of_officer(connection, one.country, one.data.officer_pid, one.data.topic)}
    outcome = await settled(told, keys, connection, anew={(after.country, after.data.cert_id)} if after else set())
    return outcome + (await judged(told, after.country, [after.data.topic], connection) if after else [])


async def on_certification_expired(event: Event[CertificationExpired], connection: Connection) -> Iterable[Event[Any]]:
    """Note that the certificate's time is over."""
    await certificates.tell(connection, [(Step("expired", event.time), event)])
    return []


async def settled(
    cause: Event[Any], keys: Collection[Key], connection: Connection, anew: Collection[Key] = ()
) -> list[Event[Any]]:
    """Bring what is told of certificates to what their history now is; return what that tells and takes back.

    `anew`: certificates that came or changed, whose last day is to be watched. Raises NotReady when something is to be
    taken back that is told in this very transaction, and so is not in the log yet.
    """
    ordered = sorted(set(keys))
    if not ordered:
        return []
    told = await certificates.told(connection, ordered)
    found = await certificates.found(connection, ordered)
    outcome, back, fresh, over = [], [], [], []
    for key in ordered:
        certificate, stood = found.get(key), told.get(key, [])
        wanted = history(certificate, cause.recordedtime, POLICY.grace) if certificate else []
        same = _agreeing(stood, wanted, certificate)
        for _, event in reversed(stood[same:]):
            outcome.append(_taken_back(cause, event))
            back.append(event.id)
        if certificate:
            steps = [(one, _told(cause, key, certificate, one, first=one is wanted[0])) for one in wanted[same:]]
            fresh += steps
            outcome += [event for _, event in steps]
        if wanted or not certificate:
            over.append(_expiry(key))
        elif stood or key in anew:
            await _watch(cause, key, certificate, connection)
    if back:
        await _take_back(back, connection)
    if fresh:
        await certificates.tell(connection, fresh)
    if over:
        await deadlines.clear(connection, *over)
    return outcome


async def _take_back(event_ids: Collection[str], connection: Connection) -> None:
    if not await certificates.recorded(connection, event_ids):
        raise NotReady("/data")
    await certificates.take_back(connection, event_ids)


def _agreeing(stood: list[tuple[Step, Event[Any]]], wanted: list[Step], certificate: Certificate | None) -> int:
    """Return how many of the steps that were told still hold as they were told."""
    number = 0
    for (step, event), one in zip(stood, wanted, strict=False):
        assert certificate is not None
        named = event.data.topic, event.data.institution_type
        whose = event.data.officer_pid in {None, certificate.officer_pid}  # it did not say before officers counted once
        if step != one or not whose or named != (certificate.topic, certificate.institution_type):
            break
        number += 1
    return number


async def _watch(cause: Event[Any], key: Key, certificate: Certificate, connection: Connection) -> None:
    step = Step("expired", certificate.ends)
    await deadlines.fire_at(connection, _expiry(key), step.at, _told(cause, key, certificate, step, first=True))


def _told(cause: Event[Any], key: Key, certificate: Certificate, step: Step, *, first: bool) -> Event[Any]:
    """Return the event that tells a step; by the first one a certificate stops counting as valid."""
    country, cert_id = key
    about: dict[str, Any] = {"cert_id": cert_id, "topic": certificate.topic}
    about |= {"institution_type": certificate.institution_type, "officer_pid": certificate.officer_pid}
    why: dict[str, Any] = {"reason": step.reason, "grace_until": step.grace_until, "renewed_by": step.renewed_by}
    if step.kind in {"renewed", "revoked"}:
        why["was_valid"] = first
    told = TOLD[step.kind](**about, **{name: value for name, value in why.items() if value is not None})
    to: Any = country
    return derive(SERVICE, told, cause=cause, to=to, key=f"{country}/{cert_id}", subject=cert_id, time=step.at)


def _taken_back(cause: Event[Any], event: Event[Any]) -> Event[Any]:
    retracted = CertificationRetracted(
        cert_id=event.data.cert_id,
        supersedes=event.id,
        original=event.type,
        original_time=event.time,
        original_recordedtime=event.recordedtime,
        previous=msgspec.to_builtins(event.data),
    )
    return derive(SERVICE, retracted, cause=cause, to=event.country, key=event.id, subject=event.data.cert_id)


async def _keep(event: Event[Any], data: OfficerCertified, connection: Connection) -> None:
    laws = [one for one in data.aligned_to if one.law_id]
    names = [f"{owner(one.law_id, event.country)}/{identity.parted(one.law_id or '')[1]}" for one in laws]
    row = certificates.Row(
        event_id=event.id,
        source=event.source,
        country=event.country,
        cert_id=data.cert_id,
        officer_pid=data.officer_pid,
        topic=data.topic,
        institution_type=data.institution_type,
        certified=event.time,
        valid_from=data.valid_from,
        valid_until=data.valid_until,
        aligned=names + [f"{event.country}:{one.instrument}" for one in data.aligned_to if not one.law_id],
        editions=[f"{name}@{one.version}" for name, one in zip(names, laws, strict=True) if one.version],
    )
    if not await certificates.add(connection, row):
        raise Refused(Problem("/data/cert_id", "duplicate_entity", "a certificate with this id was reported before"))


def _expiry(key: Key) -> str:
    country, cert_id = key
    return f"expiry/{country}/{cert_id}"
