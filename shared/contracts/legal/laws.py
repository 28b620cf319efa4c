"""Treaties, the laws that carry them out, and the gaps between."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from shared.contracts import Data, Months, Problem, Ref, Time, Value, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Shifts, Tallied, Tally
from shared.contracts.vocabulary import (
    Country,
    DefinedCrime,
    Degree,
    Instrument,
    Listed,
    Offence,
    OneOrMore,
    Seat,
    Topic,
    TreatyAction,
    Url,
    Vulnerable,
)

PARTY = Tally("party", ("country", "instrument"), "change", by_turns=True)
JUDGES: tuple[Seat, ...] = ("technical_group", "ppt", "st")
"""The bodies that judge the laws of any country (Plan LE 1.1.1, 1.1.2); a country judges its own."""
VERSION = ("country", "law_id", "version")
"""Several institutions of a country may tell of one version of a law."""
OBLIGATION = ("obligation.instrument", "obligation.article")


TREATY = {"instrument": "TIP", "country": "GTM", "reported_by": "foreign_ministry"}


class TreatyAct(Fact, frozen=True, kw_only=True):
    """An act of a country towards one of the three treaties; the date of the act is the event's `time`."""

    instrument: Instrument
    country: Country
    source_url: Url | None = None
    action: TreatyAction | None = None
    """The depositary's word for it: acceptance, approval, succession; one that fits the act."""
    change: Tallied | None = None
    words: ClassVar[tuple[TreatyAction, ...]] = ()
    """Those that fit."""

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.action is not None and self.action not in self.words:
            yield contradiction("action", f"that is another act; here it can be {', '.join(self.words)}")


@contract(
    "legal.treaty.signed",
    good=TREATY,
    bad=("instrument", "Palermo"),
    owner="country",
    rows=("LE-2.1",),
)
class TreatySigned(TreatyAct, frozen=True, kw_only=True):
    """A country signed a treaty; signing does not make it a party."""

    words: ClassVar[tuple[TreatyAction, ...]] = ("signature",)


@contract(
    "legal.treaty.ratified",
    good=TREATY,
    bad=("country", "ESP"),
    owner="country",
    tallies=(PARTY,),
    rows=("LE-2.1", "MS-LE-8"),
)
class TreatyRatified(TreatyAct, frozen=True, kw_only=True):
    """A country deposited its ratification, and is a party (Plan LE 2.1)."""

    words: ClassVar[tuple[TreatyAction, ...]] = ("ratification", "acceptance", "approval", "succession")


@contract(
    "legal.treaty.acceded",
    good=TREATY,
    bad=("instrument", ...),
    owner="country",
    tallies=(PARTY,),
    rows=("LE-2.1", "MS-LE-8"),
)
class TreatyAcceded(TreatyAct, frozen=True, kw_only=True):
    """A country acceded without having signed, and is a party (Plan LE 2.1)."""

    words: ClassVar[tuple[TreatyAction, ...]] = ("accession", "succession")


@contract(
    "legal.treaty.withdrawn",
    good=TREATY,
    bad=("country", ...),
    owner="country",
    tallies=(Tally("party", ("country", "instrument"), "change", opens=False, by_turns=True),),
    rows=("LE-2.1",),
)
class TreatyWithdrawn(TreatyAct, frozen=True, kw_only=True):
    """A country withdrew from a treaty, and is no longer a party."""

    words: ClassVar[tuple[TreatyAction, ...]] = ("withdrawal",)


@contract(
    "legal.treaty.reserved",
    good=TREATY | {"article": "15"},
    bad=("article", "no. 15"),
    owner="country",
    rows=("LE-2.1",),
)
class TreatyReserved(TreatyAct, frozen=True, kw_only=True):
    """A country made a reservation."""

    words: ClassVar[tuple[TreatyAction, ...]] = ("reservation",)
    article: Ref | None = None


class Obligation(Value, frozen=True, kw_only=True):
    """An article of a treaty that asks something of national law."""

    instrument: Instrument
    article: Ref


LAW = {
    "law_id": "GTM-penal-code-202",
    "country": "GTM",
    "effective_from": "2004-06-01",
    "crime_types": ["tip"],
    "articles": ["202-ter"],
    "version": "2004-1",
    "reported_by": "legislature",
}


class Law(Fact, frozen=True, kw_only=True):
    """A law against smuggling, trafficking or what goes with them."""

    law_id: Ref
    country: Country
    effective_from: date
    crime_types: OneOrMore[Offence]
    version: Ref
    articles: Listed[Ref] = ()
    carries_out: Listed[Obligation] = ()
    """The articles of treaties that it puts into national law."""
    penalty_min_months: Months | None = None
    penalty_max_months: Months | None = None
    supersedes: Ref | None = None
    """The version that it replaces."""
    protects: Listed[Vulnerable] = ()
    """Whom it has provisions for (Plan LE objective 1: "especial atención a los grupos vulnerables")."""
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    change: Tallied | None = None
    """Nothing, where another institution of the country told the same act on the same version before."""

    def check(self) -> Iterator[Problem]:
        """Yield `more_than_maximum` and `contradiction`, too."""
        yield from super().check()
        if self.supersedes == self.version:
            yield contradiction("supersedes", "a version does not replace itself")
        least, most = self.penalty_min_months, self.penalty_max_months
        if least is not None and most is not None and least > most:
            yield Problem("/data/penalty_min_months", "more_than_maximum", "it is more than penalty_max_months")


@contract(
    "legal.law.amended",
    good=LAW,
    bad=("crime_types", ["trata"]),
    owner="country",
    entity="law_id",
    tallies=(Tally("law_amended", VERSION, "change", shifts="counts", said=("crime_types", "protects")),),
    rows=(
        "LE-1.R3",
        "LE-1.E",
        "VA-1.1",
    ),
)
class LawAmended(Law, frozen=True, kw_only=True):
    """A law was changed; certificates aligned to it go stale (Plan LE 1)."""

    by_label: ByLabel | None = None


@contract(
    "legal.law.enacted",
    good=LAW,
    bad=("version", ...),
    owner="country",
    entity="law_id",
    tallies=(Tally("law_enacted", VERSION, "change", shifts="counts", said=("crime_types", "protects")),),
    rows=(
        "LE-1.R3",
        "LE-1.E",
        "VA-1.1",
    ),
)
class LawEnacted(Law, frozen=True, kw_only=True):
    """A new law was made (Plan LE 1)."""

    by_label: ByLabel | None = None


@contract(
    "legal.law.repealed",
    good=LAW,
    bad=("law_id", ...),
    owner="country",
    entity="law_id",
    tallies=(Tally("law_repealed", VERSION, "change", shifts="counts"),),
    rows=("LE-1.E",),
)
class LawRepealed(Law, frozen=True, kw_only=True):
    """A law was repealed from a date on."""


@contract(
    "legal.procedure.issued",
    good={"procedure_id": "pr-1", "crime": "tip", "topic": "victim_treatment_coordination", "reported_by": "court"},
    bad=("topic", "x"),
    entity="procedure_id",
    tallies=(Tally("procedure", ("procedure_id",), shifts="counts"),),
    rows=("VA-1.1",),
)
class ProcedureIssued(Fact, frozen=True, kw_only=True):
    """A procedure was laid down, in general or in a case (Plan VA 1.1)."""

    procedure_id: Ref
    crime: DefinedCrime | None = None
    topic: Topic | None = None
    case_id: Ref | None = None
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""


@contract(
    "legal.provision.mapped",
    good={
        "country": "GTM",
        "obligation": {"instrument": "TIP", "article": "5"},
        "law_id": "GTM-penal-code-202",
        "degree": "full",
        "reported_by": "foreign_ministry",
    },
    bad=("degree", "half"),
    owner="country",
    behalf=JUDGES,
    rows=("LE-1.R1",),
)
class ProvisionMapped(Fact, frozen=True, kw_only=True):
    """How far a law carries out a treaty's article."""

    country: Country
    obligation: Obligation
    degree: Degree
    law_id: Ref | None = None
    change: Tallied | None = None
    """Of before: `transposition.changed` tells it now, as changes of the law bear on it, too."""


@contract(
    "legal.transposition.changed",
    good={"country": "GTM", "obligation": {"instrument": "TIP", "article": "5"}, "change": {"by": 1}},
    bad=("change", ...),
    rows=("LE-1.R1",),
)
class TranspositionChanged(Data, frozen=True, kw_only=True):
    """A country's laws began to carry out an article in full, or ceased to; or an earlier such event is taken back."""

    country: Country
    obligation: Obligation
    change: Tallied


class Gap(Data, frozen=True, kw_only=True):
    """An obligation that a party's laws do not carry out in full."""

    country: Country
    obligation: Obligation
    since: Time
    change: Tallied | None = None


GAP = {
    "country": "GTM",
    "obligation": {"instrument": "TIP", "article": "5"},
    "since": "2004-04-01T00:00:00Z",
}


@contract(
    "legal.gap.opened",
    good=GAP,
    bad=("since", ...),
    tallies=(Tally("gap", OBLIGATION, "change"),),
    rows=("LE-1.R3",),
)
class GapOpened(Gap, frozen=True, kw_only=True):
    """A country became party to a treaty, or changed its law, and an obligation is not carried out."""


@contract(
    "legal.gap.closed",
    good=GAP,
    bad=("country", "EU"),
    tallies=(Tally("gap", OBLIGATION, "change", opens=False),),
    rows=("LE-1.R3",),
)
class GapClosed(Gap, frozen=True, kw_only=True):
    """An obligation is now carried out in full."""


class Change(Fact, frozen=True, kw_only=True):
    """A change of law that the Technical Group considers (Plan LE 1.2)."""

    change_id: Ref
    country: Country
    instrument: Instrument
    law_id: Ref | None = None
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    change: Tallied | None = None
    """Nothing, where the same was told before."""


CHANGE = {"change_id": "ch-1", "country": "GTM", "instrument": "TIP", "reported_by": "technical_group"}


@contract(
    "legal.change.proposed",
    good=CHANGE,
    bad=("change_id", ...),
    owner="country",
    behalf=JUDGES,
    entity="change_id",
    tallies=(Tally("change_proposed", ("change_id",), "change", shifts="counts", said=("country", "instrument")),),
    rows=("LE-1.2",),
)
class ChangeProposed(Change, frozen=True, kw_only=True):
    """A change of law was proposed."""

    by_label: ByLabel | None = None


@contract(
    "legal.change.adopted",
    good=CHANGE,
    bad=("country", "EU"),
    owner="country",
    behalf=JUDGES,
    entity="change_id",
    tallies=(Tally("change_adopted", ("change_id",), "change", shifts="counts", said=("country", "instrument")),),
    rows=("LE-1.2",),
)
class ChangeAdopted(Change, frozen=True, kw_only=True):
    """A proposed change of law was made."""

    by_label: ByLabel | None = None
