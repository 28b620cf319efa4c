"""What countries report to the legal service, and what it derives."""

from collections.abc import Iterator
from datetime import date

from shared.contracts import Count, Data, Problem, Ref, Time, contract
from shared.contracts.notice import alerts, rejects
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import (
    AgeBand,
    CaseOutcome,
    Country,
    Instrument,
    Listed,
    Nationality,
    Offence,
    OneOrMore,
    ReviewTask,
    RiskLevel,
    Sex,
    Token,
    Url,
)

TREATY = {"instrument": "TIP", "country": "GTM", "reported_by": "foreign_ministry"}


class TreatyAct(Fact, frozen=True, kw_only=True):
    """An act of a country towards one of the three treaties; the date of the act is the event's `time`."""

    instrument: Instrument
    country: Country
    source_url: Url | None = None


@contract("legal.treaty.signed", good=TREATY, bad=("instrument", "Palermo"), rows=("LE-2.1",), owner="country")
class TreatySigned(TreatyAct, frozen=True, kw_only=True):
    """A country signed a treaty; signing does not make it a party."""


@contract("legal.treaty.ratified", good=TREATY, bad=("country", "ESP"), rows=("LE-2.1",), owner="country")
class TreatyRatified(TreatyAct, frozen=True, kw_only=True):
    """A country deposited its ratification, and is a party (Plan LE 2.1)."""


@contract("legal.treaty.acceded", good=TREATY, bad=("instrument", ...), rows=("LE-2.1",), owner="country")
class TreatyAcceded(TreatyAct, frozen=True, kw_only=True):
    """A country acceded without having signed, and is a party (Plan LE 2.1)."""


@contract(
    "legal.law.amended",
    good={
        "law_id": "GTM-penal-code-202",
        "country": "GTM",
        "effective_from": "2004-06-01",
        "crime_types": ["tip"],
        "articles": ["202-ter"],
        "version": "2004-1",
        "reported_by": "legislature",
    },
    bad=("crime_types", ["trata"]),
    rows=("LE-1.R3", "VA-1.1"),
    owner="country",
    entity="law_id",
)
class LawAmended(Fact, frozen=True, kw_only=True):
    """A law was changed; certificates aligned to it go stale (Plan LE 1)."""

    law_id: Ref
    country: Country
    effective_from: date
    crime_types: OneOrMore[Offence]
    version: Ref
    articles: Listed[Ref] = ()
    supersedes: Ref | None = None
    """The version that it replaces."""


@contract(
    "legal.person.detained",
    good={
        "detention_id": "det-4",
        "person_pid": "pe-90",
        "offence": "som",
        "sex": "male",
        "age_band": "adult",
        "nationality": "GTM",
        "phonebook_secured": True,
        "smuggled_migrant": False,
        "reported_by": "police",
    },
    bad=("smuggled_migrant", "no"),
    rows=("IE-3.1i", "IE-1.2.3", "XC-2"),
    privacy="S",
    entity="detention_id",
)
class PersonDetained(Fact, frozen=True, kw_only=True):
    """A suspect was detained; a smuggled migrant is never an offender for it (Smuggling Protocol art. 5)."""

    detention_id: Ref
    person_pid: Ref
    offence: Offence
    sex: Sex
    age_band: AgeBand
    smuggled_migrant: bool
    """Must be false; it is asked so that the answer is given."""
    phonebook_secured: bool | None = None
    """Null: the person had none."""
    nationality: Nationality | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `smuggled_migrant_is_no_offender`, too."""
        yield from super().check()
        if self.smuggled_migrant:
            yield Problem(
                "/data/smuggled_migrant",
                "smuggled_migrant_is_no_offender",
                "a smuggled migrant is not counted as an offender (Smuggling Protocol, article 5)",
            )


@contract(
    "legal.case.resolved",
    good={
        "case_id": "case-12",
        "outcome": "convicted",
        "countries": ["GTM", "MEX"],
        "offences": ["tip"],
        "witness_care_documented": True,
        "victims_count": 3,
        "reported_by": "court",
    },
    bad=("countries", []),
    rows=("VA-6.1", "IP-e"),
    privacy="P",
    entity="case_id",
    derived=("regional",),
)
class CaseResolved(Fact, frozen=True, kw_only=True):
    """A case ended; it counts in VA-6.1 only when the care of its witnesses is documented."""

    case_id: Ref
    outcome: CaseOutcome
    countries: OneOrMore[Country]
    offences: OneOrMore[Offence]
    witness_care_documented: bool
    victims_count: Count | None = None
    assets_confiscated: bool | None = None
    regional: bool | None = None
    """Two or more countries (Plan IP: cases resolved at regional level)."""


@contract(
    "legal.witness.reviewed",
    good={
        "witness_pid": "wi-2",
        "case_id": "case-12",
        "measures": ["relocation"],
        "risk_level": "medium",
        "next_review": "2004-09-01",
        "reported_by": "prosecution",
    },
    bad=("risk_level", "none"),
    rows=("VA-6.1b",),
    privacy="S",
    entity="witness_pid",
)
class WitnessReviewed(Fact, frozen=True, kw_only=True):
    """The protection of a witness was reviewed (Plan VA 6)."""

    witness_pid: Ref
    case_id: Ref
    measures: Listed[Token]
    risk_level: RiskLevel
    next_review: date | None = None


@contract(
    "legal.witness.review_opened",
    good={"case_id": "case-12", "due": "2004-04-01T00:00:00Z", "task": "review"},
    bad=("task", "rest"),
    entity="case_id",
)
class WitnessReviewOpened(Data, frozen=True, kw_only=True):
    """Asks a country to review, or first to document, the care of the witnesses of a resolved case."""

    case_id: Ref
    due: Time
    task: ReviewTask


@contract(
    "legal.witness.review_overdue",
    good={"case_id": "case-12", "due": "2004-04-01T00:00:00Z"},
    bad=("due", ...),
    entity="case_id",
)
class WitnessReviewOverdue(Data, frozen=True, kw_only=True):
    """Tells a country that a review of witnesses was not done in time."""

    case_id: Ref
    due: Time


alerts("legal")
rejects("legal")
