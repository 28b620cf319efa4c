"""Documents: false ones, listed ones, specimens of genuine ones, and who needs which to enter."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from msgspec import Meta

from shared.contracts import Count, Data, EventId, Problem, Ref, Value, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import Opens, Shifts, Tallied, Tally
from shared.contracts.vocabulary import (
    Country,
    DataRef,
    DetectedBy,
    DocCode,
    FraudType,
    Issuer,
    Listed,
    ListStatus,
    Nationality,
    RetractionReason,
    SpecimenTier,
    Token,
)

ENTRY = (
    Tally("entry_requirement", ("destination", "nationality"), "declared"),
    Tally(
        "entry_authorisation",
        ("destination", "nationality"),
        "change",
        opens=Opens("authorisation_required", (True,)),
        shifts="in_force",
        at="effective_from",
    ),
)


class MrzCheck(Value, frozen=True, kw_only=True):
    """Check digits of the machine-readable zone (ICAO 9303): they prove the reading, not the document."""

    doc: bool | None = None
    dob: bool | None = None
    exp: bool | None = None
    composite: bool | None = None


@contract(
    "intel.document.flagged",
    good={
        "doc_code": "PP",
        "issuing": "HND",
        "fraud_type": "photo_substitution",
        "detected_by": "second_line",
        "reported_by": "immigration",
    },
    bad=("detected_by", "third_line"),
    privacy="P",
    entity="doc_ref",
    rows=("IE-3.1ii",),
)
class DocumentFlagged(Fact, frozen=True, kw_only=True):
    """A document was held to be false where it was inspected."""

    issuing: Issuer
    doc_code: DocCode
    fraud_type: FraudType
    detected_by: DetectedBy
    doc_ref: Ref | None = None
    """Keyed hash of issuing country and number; the number itself never travels."""
    mrz_check: MrzCheck | None = None
    bcp: Ref | None = None
    """Border control point."""
    carrier: Ref | None = None
    specimen_id: Ref | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `no_mrz` and `no_composite`, too: what was read must be there to read (ICAO Doc 9303).

        Which digits are right says nothing of the document: a forger computes them as well.
        """
        yield from super().check()
        if self.mrz_check is None:
            return
        if self.doc_code.islower():
            yield Problem("/data/mrz_check", "no_mrz", "this kind of document has no machine-readable zone (ICAO 9303)")
        elif self.doc_code.startswith("V") and self.mrz_check.composite is not None:
            why = "a visa has no composite check digit (ICAO 9303-7)"
            yield Problem("/data/mrz_check/composite", "no_composite", why)


@contract(
    "intel.document.confirmed",
    good={
        "flag_id": "0193a1b2-example",
        "issuing": "HND",
        "doc_code": "PP",
        "fraud_type": "photo_substitution",
        "bcp": "GTM-TECUN-UMAN",
        "forensic_level": 2,
        "reported_by": "forensic_laboratory",
    },
    bad=("forensic_level", 4),
    privacy="P",
    entity="flag_id",
    rows=("IE-3.1ii",),
)
class DocumentConfirmed(Fact, frozen=True, kw_only=True):
    """A laboratory confirmed that a document is false; three at one border post within 30 days raise a need."""

    issuing: Issuer
    doc_code: DocCode
    fraud_type: FraudType
    bcp: Ref
    flag_id: Ref | None = None
    """The id of the event that flagged it."""
    technique: Token | None = None
    forensic_level: Annotated[int, Meta(ge=1, le=3)] | None = None


@contract(
    "intel.specimen.deposited",
    good={
        "specimen_id": "sp-hnd-pp-2003",
        "issuing": "HND",
        "doc_code": "PP",
        "series": "2003-A",
        "tier": "officer",
        "reported_by": "immigration",
    },
    bad=("tier", "secret"),
    owner="issuing",
    entity="specimen_id",
    tallies=(Tally("specimen", ("specimen_id",), "change"),),
    rows=(
        "IE-3.2.2",
        "MS-IE-7",
    ),
)
class SpecimenDeposited(Fact, frozen=True, kw_only=True):
    """The issuing country deposited the specimen of a genuine document (Plan IE 3.2.2)."""

    specimen_id: Ref
    issuing: Country
    doc_code: DocCode
    series: Ref
    tier: SpecimenTier
    valid_from: date | None = None
    valid_to: date | None = None
    features: Listed[Token] = ()
    image_ref: DataRef | None = None
    change: Tallied | None = None


@contract(
    "intel.entryrequirement.declared",
    good={
        "destination": "GTM",
        "nationality": "ECU",
        "authorisation_required": True,
        "effective_from": "2003-12-01",
        "reported_by": "immigration",
    },
    bad=("nationality", "Ecuador"),
    owner="destination",
    tallies=ENTRY,
    rows=("IE-1.2a",),
)
class EntryRequirementDeclared(Fact, frozen=True, kw_only=True):
    """A country declared whether a nationality needs an authorisation to enter it (Plan IE 1.2)."""

    destination: Country
    nationality: Nationality
    authorisation_required: bool
    effective_from: date
    doc_codes: Listed[DocCode] = ()
    legal_ref: Ref | None = None
    change: Tallied | None = None
    in_force: Shifts | None = None
    """What it changes of the number of nationalities that need an authorisation, from the day it takes effect."""
    declared: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.nationality == self.destination and self.authorisation_required:
            yield contradiction("authorisation_required", "a country's own nationals need no authorisation to enter it")


@contract(
    "intel.document.cleared",
    good={"flag_id": "0193a1b2-example", "technique": "spectral_comparison", "reported_by": "forensic_laboratory"},
    bad=("flag_id", ...),
    privacy="P",
    entity="flag_id",
    rows=("IE-3.1ii",),
)
class DocumentCleared(Fact, frozen=True, kw_only=True):
    """A laboratory found that a flagged document is genuine."""

    flag_id: Ref
    technique: Token | None = None
    forensic_level: Annotated[int, Meta(ge=1, le=3)] | None = None


class ListedDocument(Fact, frozen=True, kw_only=True):
    """A document on the list of those not to be honoured; only its issuer lists and delists it."""

    doc_ref: Ref
    issuing: Country
    status: ListStatus
    doc_code: DocCode | None = None


LISTED = {"doc_ref": "doc-5f2", "issuing": "HND", "status": "stolen", "doc_code": "PP", "reported_by": "immigration"}


@contract(
    "intel.document.listed",
    good=LISTED,
    bad=("status", "burnt"),
    privacy="P",
    owner="issuing",
    entity="doc_ref",
    rows=("IE-3.1ii",),
)
class DocumentListed(ListedDocument, frozen=True, kw_only=True):
    """The issuing country listed a document as stolen, lost, revoked or invalid."""


@contract(
    "intel.document.delisted",
    good=LISTED,
    bad=("issuing", "ESP"),
    privacy="P",
    owner="issuing",
    entity="doc_ref",
    rows=("IE-3.1ii",),
)
class DocumentDelisted(ListedDocument, frozen=True, kw_only=True):
    """The issuing country took a document off the list."""


@contract(
    "intel.document.hit",
    good={"doc_ref": "doc-5f2", "where": "GTM-TECUN-UMAN", "list_event": "0193a1b2-example", "latency_s": 86400},
    bad=("latency_s", -1),
    privacy="P",
    entity="doc_ref",
    tallies=(Tally("hit", ("hit_id",), "change", regional=True),),
    rows=("IE-3.1ii",),
)
class DocumentHit(Data, frozen=True, kw_only=True):
    """A listed document was presented at a border; its issuer and the finder are told."""

    doc_ref: Ref
    where: Ref
    list_event: EventId
    latency_s: Count
    """Seconds from the listing to the hit."""
    hit_id: Ref | None = None
    """The same for both who are told."""
    change: Tallied | None = None
    """Of the hits in the region: given by the first who is told."""


class SpecimenGone(Fact, frozen=True, kw_only=True):
    """A specimen no longer shows what is in use; only its issuer says so."""

    specimen_id: Ref
    issuing: Country


@contract(
    "intel.specimen.superseded",
    good={"specimen_id": "sp-1", "issuing": "HND", "superseded_by": "sp-2", "reported_by": "immigration"},
    bad=("superseded_by", ...),
    owner="issuing",
    entity="specimen_id",
    tallies=(Tally("specimen", ("specimen_id",), "change", opens=False),),
    rows=("IE-3.2.2",),
)
class SpecimenSuperseded(SpecimenGone, frozen=True, kw_only=True):
    """A newer specimen took the place of one on file."""

    superseded_by: Ref
    change: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.superseded_by == self.specimen_id:
            yield contradiction("superseded_by", "a specimen does not take its own place")


@contract(
    "intel.specimen.withdrawn",
    good={"specimen_id": "sp-1", "issuing": "HND", "reason": "mistaken", "reported_by": "immigration"},
    bad=("reason", "no"),
    owner="issuing",
    entity="specimen_id",
    tallies=(Tally("specimen", ("specimen_id",), "change", opens=False),),
    rows=("IE-3.2.2",),
)
class SpecimenWithdrawn(SpecimenGone, frozen=True, kw_only=True):
    """The issuing country withdrew a specimen."""

    reason: RetractionReason
    change: Tallied | None = None


@contract(
    "intel.entryrequirement.changed",
    good={
        "destination": "GTM",
        "nationality": "ECU",
        "authorisation_required": False,
        "effective_from": "2004-06-01",
        "reported_by": "immigration",
    },
    bad=("effective_from", "June"),
    owner="destination",
    tallies=ENTRY,
    rows=("IE-1.2a",),
)
class EntryRequirementChanged(EntryRequirementDeclared, frozen=True, kw_only=True):
    """A country changed whether a nationality needs an authorisation to enter it."""
