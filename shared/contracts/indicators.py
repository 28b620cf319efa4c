"""What the Plan's bodies report to the indicators service, and what it derives."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from msgspec import Meta

from shared.contracts import Count, Data, Hash, Problem, Ref, Share, Time, contract
from shared.contracts.bounds import END
from shared.contracts.keys import KeyAdded, KeyRevoked
from shared.contracts.notice import alerts, rejects
from shared.contracts.sense import Fact
from shared.contracts.tallies import Once, Parts
from shared.contracts.vocabulary import (
    SEATS,
    Addressee,
    Country,
    DataRef,
    Holder,
    Listed,
    PurgeReason,
    Reader,
    Seat,
    SeatReason,
)

__all__ = ["KeyAdded", "KeyRevoked"]


@contract(
    "indicators.plan.approved",
    good={"plan": "crm-2003", "reported_by": "ppt"},
    bad=("plan", "Plan of Action"),
    by=("ppt", "st"),
    entity="plan",
    rows=(
        "MS-IE-1",
        "MS-VA-5.2",
        "MS-PC-1",
    ),
)
class PlanApproved(Fact, frozen=True, kw_only=True):
    """The vice-ministers approved the Plan: the zero of its relative dates."""

    plan: Ref


@contract(
    "indicators.milestone.reached",
    good={"milestone": "MS-IE-1", "due": "2003-08-31T00:00:00Z", "reached": "2003-08-20T00:00:00Z", "late_s": 0},
    bad=("reached", ...),
    entity="milestone",
)
class MilestoneReached(Data, frozen=True, kw_only=True):
    """Tells that a milestone of the Plan was reached, and how late."""

    milestone: str
    """Its id, or for a recurring one `id/date`: `MS-IE-4/2003-06-03`."""
    reached: Time
    late_s: int
    due: Time | None = None


@contract(
    "indicators.milestone.missed",
    good={"milestone": "MS-IE-4/2003-06-03", "due": "2003-06-03T00:00:00Z"},
    bad=("due", ...),
    entity="milestone",
)
class MilestoneMissed(Data, frozen=True, kw_only=True):
    """Tells that a milestone's due date passed without its being reached."""

    milestone: str
    due: Time
    done: Count | None = None
    needed: Count | None = None
    missing: Listed[Country] = ()
    """The countries that have not done it, where each has to."""


@contract(
    "indicators.milestone.due",
    good={"milestone": "MS-LE-1", "due": "2003-06-30T23:59:59Z", "done": 9, "needed": 11, "missing": ["BLZ", "PAN"]},
    bad=("due", ...),
    entity="milestone",
)
class MilestoneDue(MilestoneMissed, frozen=True, kw_only=True):
    """Tells ahead that a milestone's due date comes near and it is not reached."""


@contract(
    "indicators.milestone.scheduled",
    good={"plan": "crm-2003", "milestone": "MS-IE-7", "due": "2003-12-31", "reported_by": "ppt"},
    bad=("due", "soon"),
    by=("ppt",),
    entity="milestone",
)
class MilestoneScheduled(Fact, frozen=True, kw_only=True):
    """The Conference set the date of a milestone that the Plan leaves open; its latest act holds."""

    plan: Ref
    milestone: Ref
    due: date
    """The last day (UTC) on which it is in time."""


@contract(
    "indicators.plan.amended",
    good={"plan": "crm-2003", "version": "2004-1", "reported_by": "st"},
    bad=("version", ...),
    by=("ppt", "st"),
    entity="plan",
)
class PlanAmended(Fact, frozen=True, kw_only=True):
    """The Plan was changed."""

    plan: Ref
    version: Ref


@contract(
    "indicators.baseline.set",
    good={"indicator": "VA-2.1", "since": "2002-05-01", "until": "2003-04-30", "reported_by": "st"},
    bad=("indicator", "VA 2.1"),
    by=("ppt", "st"),
    entity="indicator",
)
class BaselineSet(Fact, frozen=True, kw_only=True):
    """The period that a trend is measured against was settled, both days included."""

    indicator: Ref
    since: date
    until: date


@contract(
    "indicators.evaluation.published",
    good={"plan": "crm-2003", "text_ref": "urn:crm:vault:MEX:evaluation", "reported_by": "ppt"},
    bad=("text_ref", "x"),
    by=("ppt", "st"),
    entity="plan",
    tallies=(Once("evaluation", ("plan",)),),
    rows=(
        "XC-1",
        "MS-XC-1",
    ),
)
class EvaluationPublished(Fact, frozen=True, kw_only=True):
    """The comprehensive evaluation of the Plan was published (due mid-2005)."""

    plan: Ref
    text_ref: DataRef | None = None
    once: Parts | None = None


@contract(
    "indicators.seat.assigned",
    good={
        "body": "ppt",
        "holder": "PAN",
        "effective_from": "2004-06-01",
        "reason": "rotation",
        "reported_by": "ppt",
    },
    bad=("body", "police"),
    by=SEATS,
    operated=True,
)
class SeatAssigned(Fact, frozen=True, kw_only=True):
    """The present holder of a seat, or the operator, says who speaks for that body from a day on.

    It cannot be corrected or withdrawn: another assignment for the same day takes its place.
    """

    body: Seat
    holder: Holder
    effective_from: date
    """The first day (UTC) on which the new holder speaks for the body."""
    reason: SeatReason

    def check(self) -> Iterator[Problem]:
        """Yield `other_body`, too."""
        yield from super().check()
        if self.reported_by != self.body:
            yield Problem("/data/reported_by", "other_body", "a seat is handed over in the name of its own body")


@contract(
    "indicators.threshold.crossed",
    good={"indicator": "IP-2.1", "country": "GTM", "old": 0.49, "new": 0.5, "target": 0.5},
    bad=("new", "half"),
    entity="indicator",
)
class ThresholdCrossed(Data, frozen=True, kw_only=True):
    """An indicator came to its target, or fell behind it again."""

    indicator: str
    old: float
    new: float
    target: float
    country: Addressee | None = None


class QuarterlyReport(Data, frozen=True, kw_only=True):
    """The report on a quarter (Plan IE 3.1)."""

    quarter: Annotated[str, Meta(pattern=rf"^[0-9]{{4}}-Q[1-4]{END}")]


@contract(
    "indicators.report.published",
    good={
        "quarter": "2004-Q1",
        "as_of": "2004-03-31",
        "checksum": "0" * 64,
        "coverage": 0.91,
        "revision": 1,
    },
    bad=("quarter", "2004-Q5"),
    entity="quarter",
    rows=(
        "IE-3.1",
        "MS-IE-5",
    ),
)
class ReportPublished(QuarterlyReport, frozen=True, kw_only=True):
    """A quarter's figures were published; later corrections make the next revision, never an edit."""

    as_of: date
    checksum: Hash
    """SHA-256 of the report."""
    coverage: Share
    """Share of the countries that reported."""
    revision: Annotated[int, Meta(ge=1)]
    suppressed: Count | None = None
    """Cells that are not published because they are small."""
    events: Count | None = None
    """How many events of the five streams the figures rest on; the report says which of each."""


@contract(
    "indicators.report.missed",
    good={"quarter": "2004-Q1", "due": "2004-04-30T00:00:00Z"},
    bad=("due", ...),
    entity="quarter",
    rows=("IE-3.1",),
)
class ReportMissed(QuarterlyReport, frozen=True, kw_only=True):
    """A quarter's report was not published in time."""

    due: Time


class CountryHeard(Data, frozen=True, kw_only=True):
    """Whether a country reports."""

    country: Country
    last: Time | None = None
    """When it was last heard of."""


HEARD = {"country": "GTM", "last": "2004-03-01T10:00:00Z"}


@contract(
    "indicators.country.silent",
    good=HEARD,
    bad=("country", "EU"),
    rows=("XC-6",),
)
class CountrySilent(CountryHeard, frozen=True, kw_only=True):
    """A country was not heard of for long: trends that include it are partial."""


@contract(
    "indicators.country.resumed",
    good=HEARD,
    bad=("country", ...),
    rows=("XC-6",),
)
class CountryResumed(CountryHeard, frozen=True, kw_only=True):
    """A silent country reports again."""


@contract(
    "indicators.projection.rebuilt",
    good={"checksum": "0" * 64, "events": 120000},
    bad=("events", -1),
)
class ProjectionRebuilt(Data, frozen=True, kw_only=True):
    """The indicators were folded anew from the first event."""

    checksum: Hash
    """SHA-256 of the state."""
    events: Count


@contract(
    "indicators.intake.purged",
    good={"country": "GTM", "why": "flood", "messages": 120000, "waiting": 300},
    bad=("why", "because"),
    entity="country",
)
class IntakePurged(Data, frozen=True, kw_only=True):
    """The operators emptied a country's intake; what was recorded of it stands in the logs all the same."""

    country: Country
    """Whose intake it was."""
    why: PurgeReason
    """Why it was emptied."""
    messages: Count
    """What the intake held, recorded or not."""
    waiting: Count
    """What the services had not taken: a country that still wants it recorded sends it again."""


@contract(
    "indicators.exact.read",
    good={"by": "operator", "address": "/api/behind/{id}", "about": "IE-2.1"},
    bad=("by", "me"),
)
class ExactRead(Data, frozen=True, kw_only=True):
    """Somebody looked at what is not published: who, where, and about what; never what was seen."""

    by: Reader
    """The operator's token names no person."""
    address: Annotated[str, Meta(max_length=100)]
    """The board's address, as its document writes it."""
    about: Annotated[str, Meta(max_length=128)] = ""
    """The figure, country, quarter or event that was asked for; empty: all."""


rejects("indicators")
alerts("indicators")
