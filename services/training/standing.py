"""How a certificate stands, from all that is on record about it; the order in which it arrived does not matter."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from shared.contracts.vocabulary import StaleReason

Key: TypeAlias = tuple[str, str]
"""(country, cert_id)"""


class Certificate(Struct, frozen=True, kw_only=True):
    """A certificate with what its standing hangs on."""

    topic: str
    institution_type: str
    officer_pid: str | None = None
    certified: datetime
    valid_until: date
    amended: tuple[datetime, datetime] | None = None
    """The first change since of a law that it is aligned to: when, and from when officers are to know it."""
    forged: datetime | None = None
    """When the region first learned since of a new pattern of forgery, for a certificate in detecting it."""
    conduct: datetime | None = None
    """When misconduct of the officer was first found true since."""
    newer: tuple[tuple[datetime, str], ...] = ()
    """The officer's later certificates in the same topic: when, and their ids; by time."""

    @property
    def ends(self) -> datetime:
        """When its time is over, UTC; not before it was given, where it was given for a time past."""
        return max(datetime.combine(self.valid_until, time.max, UTC), self.certified)


class Step(Struct, frozen=True):
    """Something that befell a certificate."""

    kind: Literal["staled", "expired", "renewed", "revoked"]
    at: datetime
    reason: StaleReason | None = None
    grace_until: datetime | None = None
    renewed_by: str | None = None


def history(certificate: Certificate, now: datetime, grace: timedelta) -> list[Step]:
    """Return what befell a certificate until `now`: at most one step by which it no longer counts, and one after.

    A law changed, a new forgery or its last day ends its validity, whichever comes first; then the officer's next
    certificate in the topic takes its place. Misconduct ends it at once, and ends the grace of a stale one.
    """
    passed = [one for one in (_outdated(certificate, grace), _expired(certificate, now)) if one]
    first = min(passed, key=lambda step: step.at, default=None)
    conduct = certificate.conduct
    if conduct is not None and (first is None or conduct < first.at):
        return [Step("revoked", conduct, "conduct")]
    if first is None:
        return []
    renewed = next((Step("renewed", at, renewed_by=new) for at, new in certificate.newer if at > first.at), None)
    if conduct is not None and first.kind == "staled" and (renewed is None or conduct < renewed.at):
        return [first, Step("revoked", conduct, "conduct")]
    return [first, renewed] if renewed else [first]


def _outdated(certificate: Certificate, grace: timedelta) -> Step | None:
    steps = []
    if certificate.amended:
        changed, counts = certificate.amended
        steps.append(Step("staled", changed, "law_amended", counts + grace))
    if certificate.forged:
        steps.append(Step("staled", certificate.forged, "new_fraud", certificate.forged + grace))
    return min(steps, key=lambda step: step.at, default=None)


def _expired(certificate: Certificate, now: datetime) -> Step | None:
    return Step("expired", certificate.ends) if certificate.ends <= now else None
