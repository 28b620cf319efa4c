"""Detentions, proceedings, cases and their witnesses."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from shared.contracts import Count, Data, Problem, Ref, Time, contract
from shared.contracts.sense import Fact
from shared.contracts.tallies import ByLabel, Once, Parts, Shifts, Since, Steps, Tallied, Tally
from shared.contracts.vocabulary import (
    AgeBand,
    CaseOutcome,
    Country,
    EntryAnswer,
    Listed,
    Nationality,
    Offence,
    OneOrMore,
    ProtectionEnd,
    ReviewTask,
    RiskLevel,
    Sex,
    Token,
)

CASE = Once("case", ("case_id",), said=("offences",), parts=("countries",), reporter=True)
"""Countries name one case by the identifier of whoever gave it: `GTM:case-12`."""
OPEN = Once("case", ("case_id",), said=("offences",), act="open", before="change", field="open_once")
"""Open in a country as that one says, and in the region while anywhere."""
WITNESS = (Tally("witness", ("witness_pid",), "change"), Since("witness", ("witness_pid",), "latency_s"))


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
    privacy="S",
    entity="detention_id",
    tallies=(Tally("detention", ("detention_id",), "change", shifts="counts", said=("offence", "sex", "age_band")),),
    rows=(
        "IE-1.2.3",
        "IE-3.1i",
        "LE-1.R2",
        "PC-1d",
        "XC-2",
    ),
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
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    change: Tallied | None = None
    """Nothing, where the country told the same detention before."""
    by_label: ByLabel | None = None

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
    privacy="P",
    entity="case_id",
    derived=("regional",),
    tallies=(
        replace(
            CASE,
            said=("offences", "outcome", "witness_care_documented"),
            several="regional",
            gathered=("offences", "witness_care_documented"),
        ),
    ),
    rows=(
        "IP-e",
        "VA-6.1",
        "VA-6.1b",
    ),
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
    once: Parts | None = None
    """What it changes for each country that took part, and for the region."""
    open_witnesses: Steps | None = None
    """Of the witnesses of cases that are open."""
    open_protected: Steps | None = None
    """Of those of them who are under protection."""


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
    privacy="S",
    entity="witness_pid",
    tallies=WITNESS,
    rows=("VA-6.1b",),
)
class WitnessReviewed(Fact, frozen=True, kw_only=True):
    """The protection of a witness was reviewed (Plan VA 6)."""

    witness_pid: Ref
    case_id: Ref
    measures: Listed[Token]
    risk_level: RiskLevel
    next_review: date | None = None
    change: Tallied | None = None
    latency_s: Count | None = None
    open_witnesses: Steps | None = None
    """Of the witnesses of cases that are open."""
    open_protected: Steps | None = None
    """Of those of them who are under protection."""


@contract(
    "legal.witness.review_opened",
    good={"case_id": "case-12", "due": "2004-04-01T00:00:00Z", "task": "review"},
    bad=("task", "rest"),
    entity="case_id",
    rows=("VA-6.1b",),
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
    rows=("VA-6.1b",),
)
class WitnessReviewOverdue(Data, frozen=True, kw_only=True):
    """Tells a country that a review of witnesses was not done in time."""

    case_id: Ref
    due: Time


class Proceeding(Fact, frozen=True, kw_only=True):
    """Judicial proceedings against those implicated (Plan PC 1)."""

    case_id: Ref
    offences: OneOrMore[Offence]
    accused_count: Count
    detention_ids: Listed[Ref] = ()
    countries: Listed[Country] = ()
    change: Tallied | None = None
    """As if each country's cases were its own: it counts in what was recorded before there was `open_once`."""
    open_once: Parts | None = None
    """What it changes of the cases whose proceedings are open, for each country and for the region."""
    open_witnesses: Steps | None = None
    """Of the witnesses of cases that are open."""
    open_protected: Steps | None = None
    """Of those of them who are under protection."""


PROCEEDING = {
    "case_id": "case-12",
    "offences": ["tip"],
    "accused_count": 3,
    "detention_ids": ["det-4"],
    "countries": ["GTM"],
    "reported_by": "prosecution",
}


PROCEEDINGS: dict[str, Any] = {"privacy": "P", "entity": "case_id"}


@contract(
    "legal.proceeding.opened",
    good=PROCEEDING,
    bad=("accused_count", -1),
    **PROCEEDINGS,
    tallies=(
        Tally("proceeding", ("case_id",), "change"),
        Since("detention", ("detention_ids",), "latency_s"),
        replace(CASE, gathered=("offences",)),
        OPEN,
    ),
    rows=("PC-1d", "VA-6.1b"),
)
class ProceedingOpened(Proceeding, frozen=True, kw_only=True):
    """Proceedings began."""

    once: Parts | None = None
    latency_s: Count | None = None


@contract(
    "legal.proceeding.closed",
    good=PROCEEDING,
    bad=("offences", []),
    **PROCEEDINGS,
    tallies=(Tally("proceeding", ("case_id",), "change", opens=False), replace(OPEN, opens=False)),
    rows=("PC-1d", "VA-6.1b"),
)
class ProceedingClosed(Proceeding, frozen=True, kw_only=True):
    """Proceedings ended; how, `case.resolved` says."""


@contract(
    "legal.witness.protected",
    good={
        "witness_pid": "wi-2",
        "case_id": "case-12",
        "measures": ["relocation"],
        "risk_level": "high",
        "reported_by": "prosecution",
    },
    bad=("risk_level", "none"),
    privacy="S",
    entity="witness_pid",
    tallies=WITNESS,
    rows=(
        "VA-6.1b",
        "MS-VA-6",
    ),
)
class WitnessProtected(WitnessReviewed, frozen=True, kw_only=True):
    """A witness came under protection (Plan VA 6: until the case is resolved)."""


@contract(
    "legal.witness.ended",
    good={"witness_pid": "wi-2", "case_id": "case-12", "reason": "case_resolved", "reported_by": "prosecution"},
    bad=("reason", "x"),
    privacy="S",
    entity="witness_pid",
    tallies=(Tally("witness", ("witness_pid",), "change", opens=False),),
    rows=("VA-6.1b",),
)
class WitnessEnded(Fact, frozen=True, kw_only=True):
    """The protection of a witness ended."""

    witness_pid: Ref
    case_id: Ref
    reason: ProtectionEnd
    change: Tallied | None = None
    open_witnesses: Steps | None = None
    """Of the witnesses of cases that are open."""
    open_protected: Steps | None = None
    """Of those of them who are under protection."""


@contract(
    "legal.entry.checked",
    good={"destination": "GTM", "nationality": "ECU", "answer": "authorisation_required", "table_version": 31},
    bad=("answer", "maybe"),
)
class EntryChecked(Data, frozen=True, kw_only=True):
    """The audit of a look-up in the table of entry requirements."""

    destination: Country
    nationality: Nationality
    answer: EntryAnswer
    table_version: Count
    """Position in the log of the newest row that the answer rests on."""
