"""Training needs, and the certificates that meet them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from shared.contracts import Count, Data, Problem, Ref, Share, Time, Value, contract
from shared.contracts.notice import TAKEN_BACK, TakenBack
from shared.contracts.sense import Fact
from shared.contracts.tallies import ByLabel, Once, Parts, Tallied, Tally
from shared.contracts.vocabulary import InstitutionType, Instrument, Listed, Priority, StaleReason, Topic

TRAINED = Once(
    "officer",
    ("officer_pid",),
    said=("institution_type",),
    act="trained",
    holder="cert_id",
    regional=False,
    before="change",
)
"""An officer counts once, and is trained while any certificate of theirs is valid."""
NEED_OPEN = Tally("need", ("need_id",), "change", said=("topic",))
ENDED = (Tally("certificate", ("cert_id",), "change", opens=False), replace(TRAINED, opens=False))


class Alignment(Value, frozen=True, kw_only=True):
    """What a course teaches the content of: a law in a version, or a treaty as the country's laws carry it out."""

    law_id: Ref | None = None
    """One that begins with a member's code (`MEX-law-7`) is that country's law, any other the reporting country's."""
    instrument: Instrument | None = None
    version: Ref | None = None


@contract(
    "training.officer.certified",
    good={
        "cert_id": "ce-31",
        "officer_pid": "of-7",
        "topic": "false_document_detection",
        "institution_type": "migration",
        "score": 0.86,
        "valid_from": "2004-03-01",
        "valid_until": "2006-02-28",
        "aligned_to": [{"law_id": "GTM-penal-code-202", "version": "2004-1"}],
        "reported_by": "school",
    },
    bad=("topic", "dancing"),
    unseated=("regional_school",),
    privacy="P",
    entity="cert_id",
    tallies=(Tally("certificate", ("cert_id",), "change"), TRAINED),
    rows=("IE-3.2b",),
)
class OfficerCertified(Fact, frozen=True, kw_only=True):
    """An officer got a certificate; it goes stale when what it is aligned to changes."""

    cert_id: Ref
    officer_pid: Ref
    topic: Topic
    institution_type: InstitutionType
    valid_from: date
    valid_until: date
    score: Share | None = None
    aligned_to: Listed[Alignment] = ()
    change: Tallied | None = None
    once: Parts | None = None
    """What it changes of how many officers are trained."""

    def check(self) -> Iterator[Problem]:
        """Yield `missing_alignment`, too."""
        yield from super().check()
        for index, one in enumerate(self.aligned_to):
            if one.law_id is None and one.instrument is None:
                yield Problem(f"/data/aligned_to/{index}", "missing_alignment", "name a law_id or an instrument")


@contract(
    "training.need.raised",
    good={
        "need_id": "need-1",
        "topic": "false_document_detection",
        "bcp": "GTM-TECUN-UMAN",
        "priority": "high",
        "due": "2004-06-01T00:00:00Z",
    },
    bad=("priority", "utmost"),
    entity="need_id",
    tallies=(NEED_OPEN,),
    rows=("IE-3.1.1",),
)
class NeedRaised(Data, frozen=True, kw_only=True):
    """Tells a country that its officers need training in a topic."""

    need_id: Ref
    topic: Topic
    priority: Priority
    bcp: Ref | None = None
    due: Time | None = None
    change: Tallied | None = None
    by_label: ByLabel | None = None


@contract(
    "training.certification.staled",
    good={
        "cert_id": "ce-31",
        "topic": "false_document_detection",
        "institution_type": "migration",
        "reason": "law_amended",
        "grace_until": "2004-09-01T00:00:00Z",
    },
    bad=("reason", "age"),
    entity="cert_id",
    tallies=ENDED,
    rows=("IE-3.2b",),
)
class CertificationStaled(Data, frozen=True, kw_only=True):
    """Tells that a certificate no longer stands for what is to be known; it holds until `grace_until`."""

    cert_id: Ref
    topic: Topic
    institution_type: InstitutionType
    reason: StaleReason
    grace_until: Time
    officer_pid: Ref | None = None
    change: Tallied | None = None
    once: Parts | None = None


@contract(
    "training.certification.expired",
    good={"cert_id": "ce-31", "topic": "false_document_detection", "institution_type": "migration"},
    bad=("cert_id", ...),
    entity="cert_id",
    tallies=ENDED,
    rows=("IE-3.2b",),
)
class CertificationExpired(Data, frozen=True, kw_only=True):
    """Tells that a certificate's time is over."""

    cert_id: Ref
    topic: Topic
    institution_type: InstitutionType
    officer_pid: Ref | None = None
    change: Tallied | None = None
    once: Parts | None = None


class Need(Data, frozen=True, kw_only=True):
    """A training need, known by its id."""

    need_id: Ref
    topic: Topic
    bcp: Ref | None = None


NEED = {"need_id": "need-1", "topic": "false_document_detection", "bcp": "GTM-TECUN-UMAN"}


@contract(
    "training.need.planned",
    good=NEED | {"course_id": "crs-1"},
    bad=("course_id", ...),
    entity="need_id",
    rows=("IE-3.1.1",),
)
class NeedPlanned(Need, frozen=True, kw_only=True):
    """A course was scheduled that meets the need."""

    course_id: Ref


@contract(
    "training.need.met",
    good=NEED | {"latency_s": 7776000},
    bad=("latency_s", -1),
    entity="need_id",
    tallies=(replace(NEED_OPEN, opens=False),),
    rows=("IE-3.1.1",),
)
class NeedMet(Need, frozen=True, kw_only=True):
    """Officers were certified in what was needed."""

    latency_s: Count
    """Seconds since the need was raised."""
    change: Tallied | None = None
    by_label: ByLabel | None = None


@contract(
    "training.need.overdue",
    good=NEED | {"due": "2004-06-01T00:00:00Z"},
    bad=("due", ...),
    entity="need_id",
    rows=("IE-3.1.1",),
)
class NeedOverdue(Need, frozen=True, kw_only=True):
    """A need was not met in time."""

    due: Time


@contract(
    "training.need.withdrawn",
    good=NEED,
    bad=("topic", "x"),
    entity="need_id",
    tallies=(replace(NEED_OPEN, opens=False),),
    rows=("IE-3.1.1",),
)
class NeedWithdrawn(Need, frozen=True, kw_only=True):
    """What a need came from was a mistake, and nothing had been done about it yet."""

    change: Tallied | None = None
    by_label: ByLabel | None = None


class CertificationReplaced(CertificationExpired, frozen=True, kw_only=True):
    """A certificate ended before its time, or after it, which may have happened while it was stale."""

    was_valid: bool | None = None
    """It counted as valid until now; false: it was stale or expired before, and no longer counted."""


@contract(
    "training.certification.renewed",
    good={
        "cert_id": "ce-31",
        "topic": "english",
        "institution_type": "migration",
        "renewed_by": "ce-90",
        "was_valid": False,
    },
    bad=("renewed_by", ...),
    entity="cert_id",
    tallies=ENDED,
    rows=("IE-3.2b",),
)
class CertificationRenewed(CertificationReplaced, frozen=True, kw_only=True):
    """A newer certificate of the same officer and topic took a certificate's place."""

    renewed_by: Ref


@contract(
    "training.certification.revoked",
    good={
        "cert_id": "ce-31",
        "topic": "english",
        "institution_type": "migration",
        "reason": "conduct",
        "was_valid": True,
    },
    bad=("reason", "x"),
    entity="cert_id",
    tallies=ENDED,
    rows=("IE-3.2b",),
)
class CertificationRevoked(CertificationReplaced, frozen=True, kw_only=True):
    """A certificate was taken away."""

    reason: StaleReason


@contract(
    "training.certification.retracted",
    good=TAKEN_BACK
    | {
        "cert_id": "ce-31",
        "original": "crm.training.certification.staled.v1",
        "previous": {"cert_id": "ce-31", "topic": "english", "institution_type": "migration"},
    },
    bad=("supersedes", ...),
    entity="cert_id",
)
class CertificationRetracted(TakenBack, frozen=True, kw_only=True):
    """Takes back what was told of a certificate: staled, expired, renewed or revoked."""

    cert_id: Ref


@contract(
    "training.need.retracted",
    good=TAKEN_BACK
    | {
        "need_id": "need-1",
        "original": "crm.training.need.planned.v1",
        "previous": NEED | {"course_id": "crs-1"},
    },
    bad=("supersedes", ...),
    entity="need_id",
)
class NeedRetracted(TakenBack, frozen=True, kw_only=True):
    """Takes back that a need was planned or met: the course or certificate that it rested on was amended."""

    need_id: Ref
