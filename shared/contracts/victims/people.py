"""Victims, their complaints and their consent."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar, get_args

from msgspec import Meta, field

from shared.contracts import Count, Problem, Ref, Value, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import Level, Once, Opens, Parts, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    Act,
    AgeBand,
    AgeBroad,
    Channel,
    Complainant,
    Control,
    DecidedBy,
    DefinedCrime,
    DurationBand,
    Exploitation,
    Gender,
    Harm,
    IdentifiedBy,
    Industry,
    Listed,
    Means,
    Mechanism,
    Nationality,
    Offence,
    Purpose,
    Recruitment,
    Relation,
    Sex,
    State,
    VictimStatus,
)

CRIME_OF = {"PossibleVictimOfTrafficking": "tip", "ActualVictimOfTrafficking": "tip", "SmuggledMigrantHarmed": "som"}


def of_a_victim(offence: Offence) -> Iterator[Problem]:
    """Yield `no_victims` for an offence that, by the Plan's definitions, makes nobody a victim."""
    if offence not in get_args(DefinedCrime):
        yield Problem("/data/offence", "no_victims", "the Plan knows victims of two crimes: tip (trata), som (tráfico)")


PERSON = ("offence", "sex", "age_band")
VICTIMS = ("PossibleVictimOfTrafficking", "ActualVictimOfTrafficking", "SmuggledMigrantHarmed")


@contract(
    "victims.victim.identified",
    good={
        "victim_pid": "vi-5a0",
        "offence": "tip",
        "status": "ActualVictimOfTrafficking",
        "decided_by": "CourtOrProsecution",
        "mechanism": "statement",
        "identified_by": "ngo",
        "act": ["recruitment"],
        "means": ["deception"],
        "purpose": ["forced_labour"],
        "exploitation": ["ForcedLabour"],
        "industry": "A_AgricultureForestryAndFishing",
        "sex": "male",
        "age_band": "adult",
        "reported_by": "prosecution",
    },
    bad=("means", ["trickery"]),
    privacy="S",
    entity="victim_pid",
    tallies=(
        Tally("victim", ("victim_pid",), "change", opens=Opens("status", VICTIMS, others_close=False)),
        Tally("status", ("victim_pid",), "unsettled", opens=Opens("status", VICTIMS)),
        Once("victim", ("victim",), said=PERSON, regional=False, before="change", field="victim_once"),
        Once("harmed", ("harmed",), said=("status", "harm"), gathered=("harm",), regional=False),
    ),
    rows=(
        "VA-2.1",
        "VA-3.1c",
        "VA-4.1",
        "VA-4.1b",
        "XC-2",
    ),
)
class VictimIdentified(Fact, frozen=True, kw_only=True):
    """A person was identified as a victim; trafficking by act, means and purpose (Palermo Protocol art. 3)."""

    happened: ClassVar[tuple[str, ...]] = ("occurred_from", "occurred_to")

    victim_pid: Ref
    offence: Offence
    status: VictimStatus
    decided_by: DecidedBy
    mechanism: Mechanism
    identified_by: IdentifiedBy
    sex: Sex
    age_band: AgeBand
    act: Listed[Act] = ()
    means: Listed[Means] = ()
    """Not needed for a minor (art. 3 (c))."""
    purpose: Listed[Purpose] = ()
    exploitation: Listed[Exploitation] = ()
    control: Listed[Control] = ()
    recruitment: Listed[Recruitment] = ()
    industry: Industry | None = None
    duration_band: DurationBand | None = None
    exploitation_country: State | None = None
    occurred_from: date | None = None
    occurred_to: date | None = None
    harm: Listed[Harm] = ()
    """What a smuggled migrant suffered on the way (the Plan's definition of a víctima de tráfico)."""
    place_ref: Ref | None = None
    """The place, reported before, because of which the victim was found (Plan IE 3.2.1)."""
    change: Tallied | None = None
    unsettled: Tallied | None = None
    victim_once: Parts | None = None
    """Once for each person, as the first identification says; `change` told it of what was recorded earlier."""
    once: Parts | None = None
    """Of a smuggled migrant: the kinds of harm that all reports of the person name."""

    @property
    def victim(self) -> str | None:
        """The person, if identified as a victim, or as perhaps one."""
        return self.victim_pid if self.status in VICTIMS else None

    @property
    def harmed(self) -> str | None:
        """The person, if a smuggled migrant whose kind of harm is told: each counts once, whoever tells it."""
        return self.victim_pid if self.harm and self.status == "SmuggledMigrantHarmed" else None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, and what the definition of trafficking lacks, too."""
        yield from super().check()
        yield from of_a_victim(self.offence)
        if self.harm and self.status == "NotAVictimOfTrafficking":
            yield contradiction("harm", "who is not a victim has suffered none of it")
        meant = CRIME_OF.get(self.status)
        if meant is not None and self.offence != meant:
            yield contradiction("status", "a victim of trafficking is one of tip, a smuggled migrant harmed one of som")
        if self.offence != "tip" or self.status == "NotAVictimOfTrafficking":
            return
        for name, values in (("act", self.act), ("means", self.means), ("purpose", self.purpose)):
            if not values and not (name == "means" and self.age_band == "minor"):
                yield Problem(
                    f"/data/{name}",
                    f"missing_{name}",
                    f"trafficking in persons needs at least one {name} (Palermo Protocol, article 3)",
                )


MINOR = ("0--8", "9--17")


class Completeness(Value, frozen=True, kw_only=True):
    """How many of the HTCDS core fields the country's own record has."""

    core_filled: Count
    core_total: Annotated[int, Meta(ge=1, le=1000)]

    @property
    def well_filled(self) -> bool:
        """Whether at least 80 % of the core fields are filled (Plan row VA-3.1b)."""
        return self.core_filled * 5 >= self.core_total * 4

    def check(self) -> Iterator[Problem]:
        """Yield `more_than_total`."""
        if self.core_filled > self.core_total:
            yield Problem("/data/completeness/core_filled", "more_than_total", "it is part of core_total, not more")


FILLED = (
    Level("core_filled", ("victim_pid",), "completeness.core_filled", "filled"),
    Level("core_total", ("victim_pid",), "completeness.core_total", "to_fill"),
    Tally("on_file", ("victim_pid",), "on_file"),
    Tally("well_filled", ("victim_pid",), "well_filled", opens=Opens("completeness.well_filled", (True,))),
)
"""A record is as full as the latest report of it says; an update without its registration is a record, too."""


@contract(
    "victims.victim.registered",
    good={
        "victim_pid": "vi-5a0",
        "offence": "tip",
        "citizenship": "HND",
        "sex": "female",
        "age_band": "minor",
        "completeness": {"core_filled": 17, "core_total": 22},
        "reported_by": "consulate",
    },
    bad=("citizenship", "Honduran"),
    privacy="S",
    entity="victim_pid",
    tallies=(
        Tally("record", ("victim_pid",)),
        Once("registration", ("victim_pid",), said=PERSON, regional=False, recorded=True),
        *FILLED,
    ),
    rows=(
        "VA-3.1",
        "VA-3.1b",
        "XC-2",
    ),
)
class VictimRegistered(Fact, frozen=True, kw_only=True):
    """A victim was put on record (Plan VA 3.1: more records, better filled)."""

    victim_pid: Ref
    offence: Offence
    sex: Sex
    age_band: AgeBand
    completeness: Completeness
    citizenship: Nationality | None = None
    gender: Gender | None = None
    age_broad: AgeBroad | None = None
    once: Parts | None = None
    """One record for each person, whoever tells of it: as first recorded."""
    filled: Shifts | None = None
    to_fill: Shifts | None = None
    on_file: Tallied | None = None
    well_filled: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield what is wrong with offence or completeness, and `age_mismatch`, too."""
        yield from super().check()
        yield from of_a_victim(self.offence)
        yield from self.completeness.check()
        band = "minor" if self.age_broad in MINOR else "adult"
        if self.age_broad is not None and band != self.age_band:
            yield Problem("/data/age_band", "age_mismatch", "age_broad says another age", band)


@contract(
    "victims.victim.updated",
    good={
        "victim_pid": "vi-5a0",
        "completeness": {"core_filled": 20, "core_total": 22},
        "reported_by": "consulate",
    },
    bad=("completeness", 20),
    privacy="S",
    entity="victim_pid",
    tallies=FILLED,
    rows=("VA-3.1b",),
)
class VictimUpdated(Fact, frozen=True, kw_only=True):
    """More became known of a victim on record."""

    victim_pid: Ref
    completeness: Completeness
    filled: Shifts | None = None
    to_fill: Shifts | None = None
    on_file: Tallied | None = None
    well_filled: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield what is wrong with the completeness, too."""
        yield from super().check()
        yield from self.completeness.check()


@contract(
    "victims.victim.status_changed",
    good={
        "victim_pid": "vi-5a0",
        "from": "PossibleVictimOfTrafficking",
        "to": "ActualVictimOfTrafficking",
        "decided_by": "CourtOrProsecution",
        "reported_by": "prosecution",
    },
    bad=("to", "Victim"),
    privacy="S",
    entity="victim_pid",
    tallies=(
        Since("record", ("victim_pid",), "latency_s"),
        Tally("status", ("victim_pid",), "unsettled", opens=Opens("to", VICTIMS)),
    ),
    rows=(
        "VA-3.1c",
        "VA-4.1b",
    ),
)
class VictimStatusChanged(Fact, frozen=True, kw_only=True):
    """It was decided that a person is, or is not, a victim."""

    victim_pid: Ref
    before: VictimStatus = field(name="from")
    to: VictimStatus
    decided_by: DecidedBy
    latency_s: Count | None = None
    unsettled: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `no_change`, too."""
        yield from super().check()
        if self.to == self.before:
            yield Problem("/data/to", "no_change", "the status is the one it was")


class IndirectVictim(Value, frozen=True, kw_only=True):
    """Someone who becomes a victim by another's death: straight line to the second degree, or spouse."""

    relation: Relation


@contract(
    "victims.victim.deceased",
    good={"victim_pid": "vi-5a0", "indirect_victims": [{"relation": "parent"}], "reported_by": "consulate"},
    bad=("indirect_victims", ["parent"]),
    privacy="S",
    entity="victim_pid",
    tallies=(Level("next_of_kin", ("victim_pid",), "kin", "indirect"),),
    rows=("VA-2.1",),
)
class VictimDeceased(Fact, frozen=True, kw_only=True):
    """A victim died; the indirect victims may be given services."""

    victim_pid: Ref
    indirect_victims: Listed[IndirectVictim] = ()
    indirect: Shifts | None = None

    @property
    def kin(self) -> int:
        """How many become victims by the death: by each victim's latest report."""
        return len(self.indirect_victims)

    def check(self) -> Iterator[Problem]:
        """Yield nothing: a victim has two parents, so relations do repeat."""
        return iter(())


@contract(
    "victims.complaint.filed",
    good={
        "complaint_id": "cm-3",
        "reporter": "potential_victim",
        "channel": "hotline",
        "offence": "tip",
        "reported_by": "hotline",
    },
    bad=("reporter", "neighbour"),
    privacy="P",
    entity="complaint_id",
    tallies=(Once("complaint", ("complaint_id",), said=("reporter", "channel", "offence"), regional=False),),
    rows=("VA-2.1b",),
)
class ComplaintFiled(Fact, frozen=True, kw_only=True):
    """Someone reported smuggling or trafficking (Plan VA 2.1: reports by potential victims rise)."""

    complaint_id: Ref
    reporter: Complainant
    channel: Channel
    offence: Offence
    once: Parts | None = None
    """Once, whichever offices tell of the same complaint."""
