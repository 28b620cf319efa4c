"""Presumed traffickers, their bands and their address books."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from shared.contracts import Count, Data, EventId, Hash, Problem, Ref, Share, contract
from shared.contracts.identity import Owners
from shared.contracts.intel.marking import Marked
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Level, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    AgeBand,
    BandScope,
    Country,
    DataRef,
    Listed,
    Nationality,
    Offence,
    OneOrMore,
    PhonebookMedia,
    ResourceLevel,
    Sex,
    Token,
    TraffickerRole,
)

KNOWN_BAND = Tally("known_band", ("band_id",), "known", regional=True, said=("scope", "offences"), latest=True)
AT_WORK = Tally("band", ("band_id",), "change", regional=True, said=("scope", "offences"))
BROKEN_UP = replace(AT_WORK, opens=False)
DISMANTLED = Tally("band_dismantled", ("band_id",), "dismantled", regional=True, said=("scope", "offences"))


@contract(
    "intel.trafficker.detected",
    good={
        "trafficker_pid": "tr-7c1",
        "offences": ["tip"],
        "role": "RecruiterOrIntermediary",
        "sex": "female",
        "age_band": "adult",
        "reported_by": "police",
    },
    bad=("role", "Recruiter"),
    privacy="S",
    entity="trafficker_pid",
    tallies=(Tally("trafficker", ("trafficker_pid",), "change"),),
    rows=(
        "IE-1.2b",
        "IE-1.2d",
        "LE-1.R2",
        "XC-2",
    ),
)
class TraffickerDetected(Marked, frozen=True, kw_only=True):
    """A presumed trafficker or smuggler came to notice (Plan IE 1.2.3: leaders and modus operandi too)."""

    trafficker_pid: Ref
    offences: OneOrMore[Offence]
    """The principal offence first (ICCS counting rule)."""
    role: TraffickerRole
    sex: Sex
    age_band: AgeBand
    nationality: Nationality | None = None
    modus_operandi: Listed[Token] = ()
    route_id: Ref | None = None
    band_id: Ref | None = None
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    change: Tallied | None = None


@contract(
    "intel.phonebook.seized",
    good={
        "seizure_id": "sz-9",
        "detention_id": "det-4",
        "media": "phone",
        "entries_count": 212,
        "hashes_ref": "urn:crm:vault:GTM:sz-9",
        "reported_by": "police",
    },
    bad=("entries_count", -1),
    privacy="S",
    entity="seizure_id",
    tallies=(
        Tally("phonebook", ("seizure_id",)),
        Level("phonebook_entries", ("seizure_id",), "entries_count", "entries", said=("media",)),
        Tally("secured_detention", ("detention_id",), "change"),
    ),
    rows=("IE-1.2.3",),
)
class PhonebookSeized(Fact, frozen=True, kw_only=True):
    """A telephone or address book was secured at a detention (Plan IE 1.2.3); its numbers stay in the vault."""

    seizure_id: Ref
    media: PhonebookMedia
    entries_count: Count
    detention_id: Ref | None = None
    holder_pid: Ref | None = None
    hashes_ref: DataRef | None = None
    entries: Shifts | None = None
    """What it changes of the number of entries: of each book as the latest report counts them."""
    change: Tallied | None = None
    by_label: ByLabel | None = None


class TraffickerKnown(Data, frozen=True, kw_only=True):
    """What detections of one person say together; the evidence is the events."""

    pids: OneOrMore[Ref]
    confidence: Annotated[int, Meta(ge=0, le=100)]
    """Per cent."""
    evidence: Listed[EventId] = ()
    reasons: Listed[Token] = ()
    """Why they are held to be one: the traits that agree."""


KNOWN = {"pids": ["tr-7c1", "tr-80a"], "confidence": 80, "evidence": ["0193a1b2-example"]}


@contract(
    "intel.trafficker.profiled",
    good=KNOWN,
    bad=("confidence", 101),
    privacy="S",
    rows=("IE-1.2d",),
)
class TraffickerProfiled(TraffickerKnown, frozen=True, kw_only=True):
    """The service drew a profile of a presumed trafficker from several detections."""


@contract(
    "intel.trafficker.merged",
    good=KNOWN | {"into": "tr-7c1"},
    bad=("into", ...),
    privacy="S",
    rows=("IE-1.2d",),
)
class TraffickerMerged(TraffickerKnown, frozen=True, kw_only=True):
    """Several identifiers turned out to be one person."""

    into: Ref


@contract(
    "intel.phonebook.disseminated",
    good={"seizure_id": "sz-9", "recipients": ["MEX", "USA"], "handling": "H1", "reported_by": "police"},
    bad=("recipients", ["EUR"]),
    privacy="P",
    entity="seizure_id",
    tallies=(Since("phonebook", ("seizure_id",), "latency_s"),),
    rows=("IE-1.2.3",),
)
class PhonebookDisseminated(Marked, frozen=True, kw_only=True):
    """The hashes of a seized book were made available to other countries (due 72 h after the seizure).

    A book with more numbers goes in several of these.
    """

    seizure_id: Ref
    recipients: OneOrMore[Country]
    hashes: Annotated[tuple[Hash, ...], Meta(max_length=512)] = ()
    """Of its telephone numbers (E.164), as the question `legal.numbers` gives them: the numbers stay in the vault."""
    key_version: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Of the key of `legal.numbers`; without it they are hashed with the key that the countries shared before."""
    latency_s: Count | None = None


@contract(
    "intel.phonenumber.matched",
    good={
        "match_id": "ma-1",
        "countries": ["GTM", "MEX"],
        "hash_prefix": "5f2a",
        "seizure_ids": ["sz-9", "sz-14"],
        "score": 0.9,
    },
    bad=("countries", ["GTM"]),
    privacy="P",
    entity="match_id",
    tallies=(Tally("match", ("match_id",), "change", regional=True),),
    rows=("IE-1.2.3",),
)
class PhonenumberMatched(Data, frozen=True, kw_only=True):
    """The same number stands in books of two countries; only these two are told."""

    match_id: Ref
    countries: Annotated[tuple[Country, ...], Meta(min_length=2, max_length=2)]
    hash_prefix: Annotated[str, Meta(max_length=8)]
    seizure_ids: tuple[Ref, ...]
    score: Share
    change: Tallied | None = None
    """Of the matches in the region: given by the first of the two owners that is told."""


class Band(Marked, frozen=True, kw_only=True):
    """What is known of a band."""

    band_id: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    scope: BandScope
    offences: OneOrMore[Offence]
    members_count: Count | None = None
    countries: Listed[Country] = ()
    resource_level: ResourceLevel | None = None
    change: Tallied | None = None
    known: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.scope == "local" and len(self.countries) > 1:
            yield contradiction("scope", "a band in several countries is a regional one")


BAND = {
    "band_id": "band-2",
    "scope": "regional",
    "members_count": 8,
    "offences": ["som", "doc_fraud"],
    "countries": ["GTM", "MEX"],
    "reported_by": "police",
}


@contract(
    "intel.band.identified",
    good=BAND,
    bad=("offences", []),
    privacy="P",
    entity="band_id",
    tallies=(
        AT_WORK,
        KNOWN_BAND,
    ),
    rows=("PC-1c",),
)
class BandIdentified(Band, frozen=True, kw_only=True):
    """A band of smugglers or traffickers became known."""

    by_label: ByLabel | None = None


@contract(
    "intel.band.dismantled",
    good=BAND,
    bad=("scope", "global"),
    privacy="P",
    entity="band_id",
    tallies=(
        BROKEN_UP,
        KNOWN_BAND,
        DISMANTLED,
        Since("band", ("band_id",), "latency_s", regional=True, only="band_dismantled"),
    ),
    rows=("PC-1c",),
)
class BandDismantled(Band, frozen=True, kw_only=True):
    """A band of smugglers or traffickers was broken up (Plan PC 1)."""

    dismantled: Tallied | None = None
    latency_s: Count | None = None
    by_label: ByLabel | None = None


@contract(
    "intel.band.reactivated",
    good=BAND,
    bad=("band_id", ...),
    privacy="P",
    entity="band_id",
    tallies=(
        AT_WORK,
        KNOWN_BAND,
        replace(DISMANTLED, opens=False),
    ),
    rows=("PC-1c",),
)
class BandReactivated(Band, frozen=True, kw_only=True):
    """A band that was broken up is at work again."""

    dismantled: Tallied | None = None
    by_label: ByLabel | None = None
