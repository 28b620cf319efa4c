"""What countries report to the training service, and what it derives."""

from collections.abc import Iterator
from datetime import date

from shared.contracts import Count, Data, Problem, Ref, Share, Time, Value, contract
from shared.contracts.notice import alerts, rejects
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import (
    InstitutionType,
    Instrument,
    Listed,
    Priority,
    Sex,
    StaleReason,
    Topic,
)


class Alignment(Value, frozen=True, kw_only=True):
    """What a course teaches the content of: a law in a version, or a treaty."""

    law_id: Ref | None = None
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
        "reported_by": "regional_school",
    },
    bad=("topic", "dancing"),
    rows=("IE-3.2b",),
    privacy="P",
    entity="cert_id",
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

    def check(self) -> Iterator[Problem]:
        """Yield `missing_alignment`, too."""
        yield from super().check()
        for index, one in enumerate(self.aligned_to):
            if one.law_id is None and one.instrument is None:
                yield Problem(f"/data/aligned_to/{index}", "missing_alignment", "name a law_id or an instrument")


@contract(
    "training.official.enrolled",
    good={"officer_pid": "of-7", "institution_type": "migration", "sex": "female", "reported_by": "immigration"},
    bad=("institution_type", "navy"),
    rows=("IP-2.1", "IP-3.1", "IP-a"),
    privacy="P",
    entity="officer_pid",
    derived=("newly",),
)
class OfficialEnrolled(Fact, frozen=True, kw_only=True):
    """An official was incorporated in the Integrity and Professionalisation System (Plan IP 2.1, 3.1)."""

    officer_pid: Ref
    institution_type: InstitutionType
    sex: Sex
    newly: bool | None = None
    """Not enrolled before; each official counts once."""


@contract(
    "training.workforce.declared",
    good={
        "institution_type": "migration",
        "headcount": 840,
        "technical_headcount": 320,
        "as_of": "2003-12-31",
        "reported_by": "immigration",
    },
    bad=("headcount", "many"),
    rows=("IP-2.1", "IP-3.1", "IE-3.2b"),
)
class WorkforceDeclared(Fact, frozen=True, kw_only=True):
    """A country declared how many officials it has: the denominator of 50 % and 30 % (Plan IP 2.1, 3.1)."""

    institution_type: InstitutionType
    headcount: Count
    technical_headcount: Count | None = None
    as_of: date | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `more_than_headcount`, too."""
        yield from super().check()
        if self.technical_headcount is not None and self.technical_headcount > self.headcount:
            yield Problem("/data/technical_headcount", "more_than_headcount", "it is part of headcount, not more")


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
)
class NeedRaised(Data, frozen=True, kw_only=True):
    """Tells a country that its officers need training in a topic."""

    need_id: Ref
    topic: Topic
    priority: Priority
    bcp: Ref | None = None
    due: Time | None = None


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
    rows=("IE-3.2b",),
    entity="cert_id",
)
class CertificationStaled(Data, frozen=True, kw_only=True):
    """Tells that a certificate no longer stands for what is to be known; it holds until `grace_until`."""

    cert_id: Ref
    topic: Topic
    institution_type: InstitutionType
    reason: StaleReason
    grace_until: Time


@contract(
    "training.certification.expired",
    good={"cert_id": "ce-31", "topic": "false_document_detection", "institution_type": "migration"},
    bad=("cert_id", ...),
    rows=("IE-3.2b",),
    entity="cert_id",
)
class CertificationExpired(Data, frozen=True, kw_only=True):
    """Tells that a certificate's time is over."""

    cert_id: Ref
    topic: Topic
    institution_type: InstitutionType


alerts("training")
rejects("training")
