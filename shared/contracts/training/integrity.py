"""The Integrity and Professionalisation System: its staff, code, units and tools."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from shared.contracts import Count, Problem, Ref, contract
from shared.contracts.aggregates import Aggregate
from shared.contracts.means import GIVERS, PLEDGE, Resource
from shared.contracts.sense import Fact
from shared.contracts.tallies import ByLabel, Once, Parts, Tallied, Tally
from shared.contracts.training.courses import SCHOOL
from shared.contracts.vocabulary import (
    Country,
    InstitutionType,
    Organisation,
    Sex,
    Subsystem,
    Tool,
)


@contract(
    "training.official.enrolled",
    good={"officer_pid": "of-7", "institution_type": "migration", "sex": "female", "reported_by": "immigration"},
    bad=("institution_type", "navy"),
    privacy="P",
    entity="officer_pid",
    derived=("newly",),
    tallies=(Tally("official", ("officer_pid", "institution_type"), "change", flag="newly", said=("sex",)),),
    rows=(
        "IP-2.1",
        "IP-3.1",
        "IP-a",
    ),
)
class OfficialEnrolled(Fact, frozen=True, kw_only=True):
    """An official was incorporated in the Integrity and Professionalisation System (Plan IP 2.1, 3.1)."""

    officer_pid: Ref
    institution_type: InstitutionType
    sex: Sex
    newly: bool | None = None
    """Not enrolled before; each official counts once."""
    change: Tallied | None = None
    by_label: ByLabel | None = None


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
    aggregate=Aggregate(("institution_type", "institution|reported_by"), as_of="as_of"),
    rows=(
        "IE-3.2b",
        "IP-2.1",
        "IP-3.1",
        "IP-3.1.1",
    ),
)
class WorkforceDeclared(Fact, frozen=True, kw_only=True):
    """A country declared how many officials it has: the denominator of 50% and 30% (Plan IP 2.1, 3.1)."""

    happened: ClassVar[tuple[str, ...]] = ("as_of",)

    institution_type: InstitutionType
    headcount: Count
    technical_headcount: Count | None = None
    as_of: date | None = None
    institution: Organisation | None = None
    """Whose officials these are; by default of who reports them. Those of all institutions but migration add up."""

    def check(self) -> Iterator[Problem]:
        """Yield `more_than_headcount`, too."""
        yield from super().check()
        if self.technical_headcount is not None and self.technical_headcount > self.headcount:
            yield Problem("/data/technical_headcount", "more_than_headcount", "it is part of headcount, not more")


@contract(
    "training.official.withdrawn",
    good={"officer_pid": "of-7", "institution_type": "migration", "sex": "female", "reported_by": "immigration"},
    bad=("sex", "f"),
    privacy="P",
    entity="officer_pid",
    derived=("was_enrolled",),
    tallies=(
        Tally(
            "official",
            ("officer_pid", "institution_type"),
            "change",
            opens=False,
            flag="was_enrolled",
            said=("sex",),
        ),
    ),
    rows=(
        "IP-2.1",
        "IP-3.1",
        "IP-a",
    ),
)
class OfficialWithdrawn(Fact, frozen=True, kw_only=True):
    """An official left the Integrity and Professionalisation System."""

    officer_pid: Ref
    institution_type: InstitutionType
    sex: Sex
    was_enrolled: bool | None = None
    change: Tallied | None = None
    by_label: ByLabel | None = None


class Code(Fact, frozen=True, kw_only=True):
    """A version of the code of conduct and ethics (Plan IP 3.1.1)."""

    version: Ref


CODE = {"version": "2004-1", "reported_by": "national_commission"}


@contract(
    "training.code.published",
    good=CODE,
    bad=("version", ...),
    entity="version",
    tallies=(Once("code", ("version",)),),
    rows=(
        "IP-3.1.1",
        "MS-IP-4",
    ),
)
class CodePublished(Code, frozen=True, kw_only=True):
    """The code was published."""

    once: Parts | None = None


@contract(
    "training.code.adopted",
    good=CODE,
    bad=("version", ""),
    entity="version",
    rows=("IP-3.1.1",),
)
class CodeAdopted(Code, frozen=True, kw_only=True):
    """A country adopted the code."""


@contract(
    "training.code.acknowledged",
    good=CODE | {"officer_pid": "of-7", "institution_type": "migration", "reported_by": "immigration"},
    bad=("officer_pid", ...),
    privacy="P",
    entity="officer_pid",
    derived=("newly",),
    tallies=(Tally("code_version", ("version", "officer_pid"), "signed", flag="newly", said=("institution_type",)),),
    rows=("IP-3.1.1",),
)
class CodeAcknowledged(Code, frozen=True, kw_only=True):
    """An official signed the code."""

    officer_pid: Ref
    institution_type: InstitutionType
    newly: bool | None = None
    """This official had not signed this version before; each counts once."""
    signed: Tallied | None = None
    """What it changes of how many signed this version."""
    change: Tallied | None = None
    """Of before: how many signed any version."""
    by_label: ByLabel | None = None


@contract(
    "training.unit.established",
    good={"unit_id": "mru-gtm", "country": "GTM", "hotline": True, "reported_by": "immigration"},
    bad=("hotline", "1-800"),
    owner="country",
    entity="unit_id",
    rows=(
        "IP-4.1.1",
        "MS-IP-5",
    ),
)
class UnitEstablished(Fact, frozen=True, kw_only=True):
    """A country established its Migration Responsibility Unit (Plan IP 4.1.1)."""

    unit_id: Ref
    country: Country
    hotline: bool


@contract(
    "training.school.created",
    good={"school_id": "crm-school", "host": "PAN", "mobile": True, "reported_by": "ppt"},
    bad=("mobile", "often"),
    by=SCHOOL,
    entity="school_id",
    tallies=(Once("school", ("school_id",)),),
    rows=(
        "IP-5.1.1",
        "MS-IP-6",
    ),
)
class SchoolCreated(Fact, frozen=True, kw_only=True):
    """The regional school was created (Plan IP 5.1.1)."""

    school_id: Ref
    mobile: bool
    host: Country | None = None
    once: Parts | None = None


class SystemPart(Fact, frozen=True, kw_only=True):
    """A part of the Integrity and Professionalisation System (Plan IP 1.1)."""

    subsystem: Subsystem


PART = {"subsystem": "integrity", "reported_by": "interior_ministry"}


@contract(
    "training.commission.appointed",
    good=PART,
    bad=("subsystem", "x"),
    rows=(
        "IP-1.1.2",
        "MS-IP-1",
    ),
)
class CommissionAppointed(SystemPart, frozen=True, kw_only=True):
    """The commission that designs a subsystem was named (Plan IP 1.1.2, 1.1.3)."""


@contract(
    "training.subsystem.approved",
    good=PART,
    bad=("subsystem", ...),
    rows=(
        "IP-1.1",
        "MS-IP-2",
    ),
)
class SubsystemApproved(SystemPart, frozen=True, kw_only=True):
    """A subsystem was worked out and approved (Plan IP 1.1.4)."""


@contract(
    "training.system.activated",
    good=PART,
    bad=("subsystem", 1),
    rows=("IP-1.1",),
)
class SystemActivated(SystemPart, frozen=True, kw_only=True):
    """A subsystem is at work."""


@contract(
    "training.tool.implemented",
    good={"tool": "migration_career", "reported_by": "interior_ministry"},
    bad=("tool", "hammer"),
    rows=(
        "IP-2.1.1",
        "MS-IP-3",
    ),
)
class ToolImplemented(Fact, frozen=True, kw_only=True):
    """A tool of the system is in use: one of five values or four measures (Plan IP 2.1.1)."""

    tool: Tool


@contract(
    "training.resource.pledged",
    good=PLEDGE,
    bad=("kind", "love"),
    **GIVERS,
    rows=("XC-7",),
)
class TrainingResourcePledged(Resource, frozen=True, kw_only=True):
    """A country pledged means for the Plan's work on integrity and training."""


@contract(
    "training.resource.delivered",
    good=PLEDGE,
    bad=("row", "IE 1"),
    **GIVERS,
    rows=("XC-7",),
)
class TrainingResourceDelivered(Resource, frozen=True, kw_only=True):
    """Pledged means for the Plan's work on integrity and training were given."""
