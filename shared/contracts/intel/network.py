"""The network of contact points, its manual, database and meetings."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from shared.contracts import Count, Hash, Problem, Ref, contract
from shared.contracts.aggregates import Aggregate
from shared.contracts.sense import Fact
from shared.contracts.tallies import Once, Parts, Tallied, Tally
from shared.contracts.vocabulary import SEATS, Body, Country, DataRef, Dataset, Listed, Reporter, Seat, Token

BODIES: tuple[Seat, ...] = ("ppt", "st", "sv")
"""The Plan's bodies that speak for the region."""
NETWORK = (*BODIES, "liaison_network")
"""Who tells of the network's meetings, and of its links."""


ON_A_DAY = Once("meeting", ("body", "date"), said=("body",), local=("body", SEATS))
"""A body that there is one of in the region meets once a day, under whatever identifiers countries tell of it."""
MET = replace(ON_A_DAY, said=("body", "attending"), parts=("attending",), gathered=("attending",))


POINT = (
    Tally("contact_point", ("country", "body"), "change", lapse="vacant_s"),
    Tally("vacancy", ("country", "body"), "vacant", opens=False),
)


@contract(
    "intel.contactpoint.designated",
    good={
        "country": "GTM",
        "body": "immigration",
        "officer_ref": "urn:crm:vault:GTM:officer-3",
        "reported_by": "immigration",
    },
    bad=("country", "ESP"),
    privacy="S",
    owner="country",
    tallies=POINT,
    rows=(
        "IE-1.1b",
        "IE-1.2.2",
    ),
)
class ContactPointDesignated(Fact, frozen=True, kw_only=True):
    """A country designated its permanent contact point (Plan IE 1.2.2)."""

    country: Country
    body: Reporter
    officer_ref: DataRef
    channel: Token | None = None
    valid_from: date | None = None
    change: Tallied | None = None
    vacant: Tallied | None = None
    vacant_s: Count | None = None
    """How long nobody held it before; None: somebody did, or nobody ever had."""


@contract(
    "intel.meeting.held",
    good={
        "meeting_id": "vm-2003-07",
        "body": "liaison_network",
        "date": "2003-07-01",
        "attending": ["MEX", "GTM", "CRI"],
        "reported_by": "sv",
    },
    bad=("date", "1 July 2003"),
    by=NETWORK,
    entity="meeting_id",
    tallies=(MET,),
    rows=(
        "IE-2.1",
        "MS-IE-4",
    ),
)
class MeetingHeld(Fact, frozen=True, kw_only=True):
    """A meeting took place; the network meets on the first Tuesday of each month (Plan IE 2.1)."""

    happened: ClassVar[tuple[str, ...]] = ("date",)

    meeting_id: Ref
    body: Reporter
    date: date
    attending: Listed[Country]
    once: Parts | None = None
    """What it changes for each country that attended, and for the region."""


@contract(
    "intel.contactpoint.replaced",
    good={
        "country": "GTM",
        "body": "immigration",
        "officer_ref": "urn:crm:vault:GTM:officer-4",
        "reported_by": "immigration",
    },
    bad=("officer_ref", "Ana"),
    privacy="S",
    owner="country",
    tallies=POINT,
    rows=(
        "IE-1.1b",
        "IE-1.2.2",
    ),
)
class ContactPointReplaced(ContactPointDesignated, frozen=True, kw_only=True):
    """A country put another in its contact point's place."""


@contract(
    "intel.contactpoint.vacated",
    good={"country": "GTM", "body": "immigration", "reported_by": "immigration"},
    bad=("body", "x"),
    owner="country",
    tallies=(
        Tally("contact_point", ("country", "body"), "change", opens=False),
        Tally("vacancy", ("country", "body"), "vacant"),
    ),
    rows=(
        "IE-1.1b",
        "IE-1.2.2",
    ),
)
class ContactPointVacated(Fact, frozen=True, kw_only=True):
    """A country has no contact point for the time being."""

    country: Country
    body: Reporter
    change: Tallied | None = None
    vacant: Tallied | None = None


class Manual(Fact, frozen=True, kw_only=True):
    """A version of the manual of procedures (Plan IE 1.1)."""

    version: Ref
    checksum: Hash | None = None


VERSION = Once("manual", ("version",))
"""A version is one, though the presidency and the secretariat both tell of it."""
MANUAL = {"version": "1.0", "reported_by": "ppt"}


MANUALS: dict[str, Any] = {"entity": "version"}


@contract(
    "intel.manual.presented",
    good=MANUAL,
    bad=("version", ...),
    by=BODIES,
    **MANUALS,
    tallies=(VERSION,),
    rows=(
        "IE-1.1",
        "MS-IE-1",
    ),
)
class ManualPresented(Manual, frozen=True, kw_only=True):
    """The manual was presented."""

    once: Parts | None = None


@contract(
    "intel.manual.approved",
    good=MANUAL,
    bad=("version", "v 1"),
    by=BODIES,
    **MANUALS,
    tallies=(VERSION,),
    rows=(
        "IE-1.1",
        "MS-IE-2",
    ),
)
class ManualApproved(Manual, frozen=True, kw_only=True):
    """The manual was approved: the data of the countries are due four months later."""

    once: Parts | None = None


@contract(
    "intel.manual.adopted",
    good=MANUAL | {"country": "GTM", "reported_by": "immigration"},
    bad=("country", "ESP"),
    owner="country",
    **MANUALS,
    rows=("IE-1.1",),
)
class ManualAdopted(Manual, frozen=True, kw_only=True):
    """A country works by the manual."""

    country: Country


@contract(
    "intel.database.activated",
    good={"version": "1.0", "reported_by": "sv"},
    bad=("version", ...),
    by=BODIES,
    tallies=(Once("database", ("version",)),),
    rows=("IE-1.2",),
)
class DatabaseActivated(Fact, frozen=True, kw_only=True):
    """The regional database is at work (Plan IE 1.2)."""

    version: Ref
    once: Parts | None = None


@contract(
    "intel.dataset.submitted",
    good={
        "dataset": "routes",
        "rows": 140,
        "since": "2003-01-01",
        "until": "2003-04-30",
        "reported_by": "immigration",
    },
    bad=("dataset", "recipes"),
    aggregate=Aggregate(("dataset",), period=("since", "until")),
    rows=(
        "IE-1.2",
        "MS-IE-2",
    ),
)
class DatasetSubmitted(Fact, frozen=True, kw_only=True):
    """A country loaded one of the four sets of data (Plan IE 1.2)."""

    happened: ClassVar[tuple[str, ...]] = ("since", "until")

    dataset: Dataset
    rows: Count
    since: date | None = None
    until: date | None = None
    checksum: Hash | None = None


class Session(Fact, frozen=True, kw_only=True):
    """A body met, or was linked up."""

    happened: ClassVar[tuple[str, ...]] = ("date",)

    body: Body
    date: date
    attendees_count: Count | None = None
    once: Parts | None = None


SESSION = {"body": "joint_task_force", "date": "2003-09-01", "attendees_count": 14, "reported_by": "liaison_network"}


@contract(
    "intel.liaison.established",
    good=SESSION,
    bad=("date", "now"),
    by=NETWORK,
    tallies=(ON_A_DAY,),
    rows=(
        "IE-1.3",
        "MS-IE-3",
    ),
)
class LiaisonEstablished(Session, frozen=True, kw_only=True):
    """The network's representative is in touch with a joint task force (Plan IE 1.3)."""


@contract(
    "intel.commission.convened",
    good=SESSION | {"body": "national_commission", "reported_by": "interior_ministry"},
    bad=("body", "club"),
    tallies=(ON_A_DAY,),
    rows=("IE-1.3",),
)
class CommissionConvened(Session, frozen=True, kw_only=True):
    """A national commission met (Plan IE 1.3)."""

    def check(self) -> Iterator[Problem]:
        """Yield `not_national`, too."""
        yield from super().check()
        if self.body in SEATS:
            yield Problem("/data/body", "not_national", "it is a body of the region, and tells of its own meetings")


class Meeting(Fact, frozen=True, kw_only=True):
    """A meeting on the calendar."""

    meeting_id: Ref
    body: Body
    date: date
    once: Parts | None = None


MEETING = {"meeting_id": "vm-2003-07", "body": "liaison_network", "date": "2003-07-01", "reported_by": "sv"}


MEETINGS: dict[str, Any] = {"entity": "meeting_id", "by": NETWORK}


@contract(
    "intel.meeting.scheduled",
    good=MEETING,
    bad=("date", "Tuesday"),
    **MEETINGS,
    tallies=(ON_A_DAY,),
    rows=("IE-2.1",),
)
class MeetingScheduled(Meeting, frozen=True, kw_only=True):
    """A meeting was set."""


@contract(
    "intel.meeting.missed",
    good=MEETING,
    bad=("body", "club"),
    **MEETINGS,
    rows=(),
)
class MeetingMissed(Meeting, frozen=True, kw_only=True):
    """A meeting that was set did not take place."""
