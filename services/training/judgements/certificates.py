"""Certificates: what makes them stale, ends them or takes their place is told, and taken back where it was an error."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from services.training.judgements.laws import aligned, counts_from, edition, touches
from services.training.judgements.notices import TrainingJudgement
from services.training.policy import POLICY
from services.training.standing import Certificate, Step, history
from shared.contracts import Data, Problem, Refused
from shared.contracts.intel import DocumentConfirmed
from shared.contracts.legal import LawAmended, LawRepealed
from shared.contracts.training import (
    CertificationExpired,
    CertificationRenewed,
    CertificationRetracted,
    CertificationRevoked,
    CertificationStaled,
    ComplaintResolved,
    OfficerCertified,
)
from shared.contracts.vocabulary import Topic
from shared.record.judgement import INSTANT, KNOWN, Notice, Reading, Standing

STEPS: Mapping[str, Callable[..., Data]] = {
    "staled": CertificationStaled,
    "expired": CertificationExpired,
    "renewed": CertificationRenewed,
    "revoked": CertificationRevoked,
}
"""What tells each kind of step."""
FORGERY: Topic = "false_document_detection"
"""The topic whose certificates a new pattern of forgery makes stale."""
DETECTION = f"certificates/{FORGERY}"
PATTERNS = f"{KNOWN}patterns"
"""Of each pattern of forgery the confirmation that was known first."""


class Certificates(TrainingJudgement):
    """What befalls certificates is told as it stands by all reports (Plan row IE-3.2b; choreographies 2, 3 and 10).

    All certificates in detecting forgeries, and all confirmations, are never read: of each pattern only its first
    confirmation counts, and a new one concerns the certificates given since the pattern before it.
    """

    reports = (
        CertificationExpired,
        CertificationRenewed,
        CertificationRetracted,
        CertificationRevoked,
        CertificationStaled,
        ComplaintResolved,
        DocumentConfirmed,
        LawAmended,
        LawRepealed,
        OfficerCertified,
    )

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the certificate, its officer and what it teaches; of others, what it is that ends certificates."""
        match report.data:
            case OfficerCertified() as data:
                yield certificate(report.country, data.cert_id)
                yield officer(report.country, data.officer_pid)
                yield from (f"aligned/{name}" for name in aligned(report)[0])
                if data.topic == FORGERY:
                    yield DETECTION
            case ComplaintResolved():
                yield from _conduct(report)
            case DocumentConfirmed():
                yield from self.firsts(report)
            case LawAmended() | LawRepealed():
                yield from (f"law/{name}" for name in touches(report.data))
            case _:
                yield steps(report.country, report.data.cert_id)

    def firsts(self, report: Standing[Any]) -> Mapping[str, str]:
        """Return that the first confirmation of a pattern tells since when it is known."""
        if not isinstance(report.data, DocumentConfirmed):
            return {}
        return {f"{KNOWN}pattern/{pattern(report.data)}": PATTERNS}

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Refuse an id that is taken in its country."""
        if isinstance(report.data, OfficerCertified) and read.about(certificate(report.country, report.data.cert_id)):
            raise Refused(
                Problem("/data/cert_id", "duplicate_entity", "a certificate with this id was reported before")
            )

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse the same of a correction."""
        if isinstance(before.data, OfficerCertified) and after and after.data.cert_id != before.data.cert_id:
            self.admit(after, read)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the certificates that the report may concern."""
        own: set[str] = set()
        found: Sequence[Standing[OfficerCertified]] = []
        match report.data:
            case OfficerCertified() as data:
                own = {certificate(report.country, data.cert_id)}
                same = read.about(officer(report.country, data.officer_pid))
                found = [one for one in same if one.data.topic == data.topic]
            case ComplaintResolved(officer_pid=str(officer_pid)) if _conduct(report):
                found = read.about(officer(report.country, officer_pid))
            case DocumentConfirmed():
                found = _given_before(report, read)
            case LawAmended() | LawRepealed():
                found = [
                    one for name in touches(report.data) for one in read.about(f"aligned/{name}", until=report.time)
                ]
        return sorted(own | {certificate(one.country, one.data.cert_id) for one in found})

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Bring what is told to what the history now is.

        What was told stays as far as it agrees; the rest is taken back, the last first, and told anew.
        """
        _, country, cert_id = scope.split("/", 2)
        report = next(iter(read.about(scope)), None)
        standing = _standing(report, read) if report else None
        wanted = history(standing, read.now, POLICY.grace) if standing else []
        told = stood(read.about(steps(country, cert_id)))
        same = _agreeing(told, wanted, standing)
        outcome = [_taken_back(scope, one) for one in reversed(told[same:])]
        if standing:
            outcome += [_told(scope, standing, step, first=step is wanted[0]) for step in wanted[same:]]
        for number, notice in enumerate(outcome):
            # They are told in the order of their keys.
            yield replace(notice, key=f"{country}/{cert_id}/{number}/{read.cause.source}/{read.cause.id}")
        if report and standing and not wanted:
            yield _watched(scope, report, standing, read)


def certificate(country: str, cert_id: str) -> str:
    """Return the thing that a certificate is; what is told of it is told about this scope."""
    return f"certificate/{country}/{cert_id}"


def officer(country: str, officer_pid: str) -> str:
    """Return the thing that an officer's certificates are."""
    return f"officer/{country}/{officer_pid}"


def steps(country: str, cert_id: str) -> str:
    """Return the thing that is all that was told of a certificate, and taken back."""
    return f"steps/{country}/{cert_id}"


def stood(told: Iterable[Standing[Any]]) -> list[tuple[Step, Standing[Any]]]:
    """Return what was told of a certificate and not taken back, in order."""
    back = {one.data.supersedes for one in told if isinstance(one.data, CertificationRetracted)}
    left = [one for one in told if one.verb in STEPS and one.id not in back]
    named = ("reason", "grace_until", "renewed_by")
    return [
        (Step(one.verb, one.time, **{name: getattr(one.data, name, None) for name in named}), one)  # type: ignore[arg-type]
        for one in sorted(left, key=lambda one: one.position)
    ]


def pattern(data: DocumentConfirmed) -> str:
    """Name what makes two forgeries the same."""
    return f"{data.issuing}/{data.doc_code}/{data.fraud_type}"


def _conduct(report: Standing[ComplaintResolved]) -> list[str]:
    """Return the thing that is what was found true of an officer."""
    data = report.data
    true = data.officer_pid and data.outcome == "substantiated"
    return [f"conduct/{report.country}/{data.officer_pid}"] if true else []


def _standing(report: Standing[OfficerCertified], read: Reading) -> Certificate:
    """Return a certificate with the first change of a law and the first new forgery since it was given, and so on."""
    given, data = report.time, report.data
    names, editions = aligned(report)
    changes = [one for name in names for one in read.about(f"law/{name}") if one.time >= given]
    changed = min(
        (one for one in changes if edition(one.data) not in editions), key=lambda one: (one.time, one.id), default=None
    )
    forged = read.about(PATTERNS, since=given, most=1) if data.topic == FORGERY else ()
    conduct = [one.time for one in read.about(f"conduct/{report.country}/{data.officer_pid}") if one.time >= given]
    others = read.about(officer(report.country, data.officer_pid))
    newer = [(one.time, one.data.cert_id) for one in others if one.data.topic == data.topic and one.time > given]
    return Certificate(
        topic=data.topic,
        institution_type=data.institution_type,
        officer_pid=data.officer_pid,
        certified=given,
        valid_until=data.valid_until,
        amended=(changed.time, counts_from(changed)) if changed else None,
        forged=min((one.known for one in forged), default=None),
        conduct=min(conduct, default=None),
        newer=tuple(sorted(newer)),
    )


def _given_before(report: Standing[DocumentConfirmed], read: Reading) -> list[Standing[OfficerCertified]]:
    """Return the certificates that may be stale, or no more, because of a confirmation: none, if it is not the first.

    Each pattern concerns those given since the one known before it.
    """
    named = f"{KNOWN}pattern/{pattern(report.data)}"
    others = [one for one in read.about(named, most=2) if one.position != report.position]
    if others and (read.arriving or others[0].known < report.known):
        return []
    times = sorted({report.known, *(one.known for one in others[:1])})
    before = [read.about(PATTERNS, until=known - INSTANT, most=-1) for known in times]
    since = [max((one.known + INSTANT for one in earlier), default=None) for earlier in before]
    if not read.sure():
        return []
    return [one for begun, known in zip(since, times, strict=True) for one in read.about(DETECTION, begun, known)]


def _agreeing(told: Sequence[tuple[Step, Standing[Any]]], wanted: Sequence[Step], standing: Certificate | None) -> int:
    """Return how many of the steps that were told still hold as they were told."""
    number = 0
    for (step, event), one in zip(told, wanted, strict=False):
        assert standing is not None
        named = event.data.topic, event.data.institution_type
        whose = event.data.officer_pid in {None, standing.officer_pid}  # it did not say before officers counted once
        if step != one or not whose or named != (standing.topic, standing.institution_type):
            break
        number += 1
    return number


def _told(scope: str, standing: Certificate, step: Step, *, first: bool) -> Notice:
    """Return what tells a step; by the first one a certificate stops counting as valid."""
    _, country, cert_id = scope.split("/", 2)
    about: dict[str, Any] = {"cert_id": cert_id, "topic": standing.topic}
    about |= {"institution_type": standing.institution_type, "officer_pid": standing.officer_pid}
    why: dict[str, Any] = {"reason": step.reason, "grace_until": step.grace_until, "renewed_by": step.renewed_by}
    if step.kind in {"renewed", "revoked"}:
        why["was_valid"] = first
    data = STEPS[step.kind](**about, **{name: value for name, value in why.items() if value is not None})
    return Notice(to=country, data=data, scope=scope, event_key=f"{country}/{cert_id}", time=step.at, subject=cert_id)


def _watched(scope: str, report: Standing[OfficerCertified], standing: Certificate, read: Reading) -> Notice:
    """Return that a certificate expires on its day; anew where the certificate itself was amended."""
    _, country, cert_id = scope.split("/", 2)
    watches = [one.key for one in read.notified(scope) if one.scheduled]
    key = next((one for one in watches if read.pending(one)), "")
    judged = read.judged and (read.judged.stream, read.judged.position)
    amended = not read.arriving and judged == (report.stream, report.position)
    if amended or not key:
        key = f"expiry/{country}/{cert_id}"
        key += f"/{read.cause.source}/{read.cause.id}" if amended or watches else ""
    expired = _told(scope, standing, Step("expired", standing.ends), first=True)
    return replace(expired, key=key, due=standing.ends)


def _taken_back(scope: str, told: tuple[Step, Standing[Any]]) -> Notice:
    event = told[1].event
    data = CertificationRetracted.of(event, cert_id=event.data.cert_id)
    return Notice(to=event.country, data=data, scope=scope, event_key=event.id, subject=event.data.cert_id)
