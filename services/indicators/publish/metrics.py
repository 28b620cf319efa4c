"""The Prometheus families of the indicators: what each is called, and its samples."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures, all_figures
from services.indicators.figures.kept import Closed
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import Occurrence, occurrences
from services.indicators.figures.silence import silent
from services.indicators.figures.timeliness import Delays, delays
from services.indicators.folded.state import State
from services.indicators.planned.persons import about_person, row_about_persons
from services.indicators.planned.plan import Plan
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, REGION

TREATIES = "LE-2.1"
"""The row whose regional cells are also `crm_treaty_parties`."""
GAPS = "LE-1.R3.gaps"
"""The row whose countries' cells are also `crm_legal_gaps`."""
Name = tuple[str, str, str]
"""(service, entity, verb)."""
Counts = Mapping[Name, Mapping[str, int]]
"""(service, entity, verb) -> country -> events recorded."""
_OF_ALERTS: Counts = {
    **{(service, "report", "rejected"): dict.fromkeys(MEMBERS, 0) for service in SERVICES},
    ("victims", "referral", "overdue"): dict.fromkeys(MEMBERS, 0),
    ("indicators", "milestone", "missed"): {REGION: 0},
}
"""What alerts look at, from the start and with 0: else the first event would be no rise."""
Position = tuple[str, int, int, int]
"""Of a stream: its service, the last event folded, the last known, how many no figure has."""


class Indicators(Collector):
    """Collects the families that dashboards and alerts rely on: their names and labels are an interface."""

    def __init__(
        self,
        plan: Plan,
        state: Callable[[], State],
        streams: Callable[[], Mapping[str, int]],
        now: Callable[[], datetime],
        closed: Closed,
    ) -> None:
        self._plan = plan
        self._state = state
        self._streams = streams
        self._now = now
        self._closed = closed

    def describe(self) -> Iterable[Metric]:
        """Tell nothing in advance: registering must not fold."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family as of now."""
        state, today, closed = self._state(), Span.now(self._now().date()), self._closed()
        public = closed is not None
        yield from by_row(
            all_figures(self._plan, state, today, closed=closed), public=public, k=self._plan.disclosure.k
        )
        yield from milestones(occurrences(self._plan, state, public=public))
        yield from events(counted(state, public=public))
        yield from heard(state.heard_openly if public else state.heard)
        yield from rejected({} if public else state.rejected)
        yield from silence(silent(self._plan, state, self._now(), public=public))
        yield from delayed(delays(state, self._plan.disclosure, closed))
        yield from positions([] if public else reached(state, self._streams()))


def by_row(found: list[Figures], *, public: bool, k: int = 0) -> Iterator[Metric]:
    """Yield the families of what rows have; how many cells are too small is not `public`."""
    yield _info(found)
    yield from _values(found)
    yield from _summaries(found, public=public, k=k)
    yield _histograms(found)
    yield _treaty_parties(found)
    yield _legal_gaps(found)


def _info(found: list[Figures]) -> Metric:
    name, what = "crm_indicator_info", "1: of which area an indicator is, and what its figures count"
    family = GaugeMetricFamily(name, what, labels=["indicator", "area", "unit"])
    for one in found:
        family.add_metric([one.row.id, one.row.id.partition("-")[0], one.row.unit], 1)
    return family


def _values(found: list[Figures]) -> Iterator[Metric]:
    value = GaugeMetricFamily("crm_indicator_value", "Figure of an indicator; country REG is the region's own")
    numerator = GaugeMetricFamily("crm_indicator_numerator", "Numerator of a ratio")
    denominator = GaugeMetricFamily("crm_indicator_denominator", "Denominator of a ratio")
    for one in found:
        for cell in one.cells:
            labels = {"indicator": one.row.id, "country": cell.country, **cell.labels}
            for family, number in (
                (value, cell.value),
                (numerator, cell.numerator),
                (denominator, cell.denominator),
            ):
                if number is not None:
                    family.add_sample(family.name, labels, number)
    yield from (value, numerator, denominator)


def _summaries(found: list[Figures], *, public: bool, k: int) -> Iterator[Metric]:
    target = GaugeMetricFamily("crm_indicator_target", "What the Plan asks for", labels=["indicator"])
    met = GaugeMetricFamily("crm_indicator_met", "1: met, 0: not met, absent: not known", labels=["indicator"])
    unknown = GaugeMetricFamily(
        "crm_indicator_unknown", "1: why it is not known whether the target is met", labels=["indicator", "reason"]
    )
    coverage = GaugeMetricFamily("crm_indicator_coverage_ratio", "Share of countries reporting", labels=["indicator"])
    hidden = GaugeMetricFamily("crm_suppressed_cells", "Cells too small to be published", labels=["indicator"])
    for one in found:
        if one.row.target is not None:
            target.add_metric([one.row.id], one.row.target)
        if one.met is not None:
            met.add_metric([one.row.id], one.met)
        if one.coverage is not None:
            coverage.add_metric([one.row.id], one.coverage)
        if one.unknown:
            unknown.add_metric([one.row.id, one.unknown], 1)
        if not public and row_about_persons(one.row):
            hidden.add_metric([one.row.id], sum(_small(cell, k) for cell in one.cells))
    yield from (target, met, unknown, coverage, hidden)


def _small(cell: Cell, k: int) -> bool:
    numbers = (cell.value,) if cell.denominator is None else (cell.numerator, cell.denominator)
    return any(number is not None and number < k for number in numbers)


def _histograms(found: list[Figures]) -> Metric:
    family = HistogramMetricFamily("crm_indicator_seconds", "How long things took", labels=["indicator", "country"])
    for one in found:
        for histogram in one.histograms:
            buckets = [(le if le == "+Inf" else f"{float(le)}", n) for le, n in histogram.buckets]
            family.add_metric([one.row.id, histogram.country], buckets, histogram.sum_s)
    return family


def _treaty_parties(found: list[Figures]) -> Metric:
    family = GaugeMetricFamily("crm_treaty_parties", "Member countries party to a treaty", labels=["instrument"])
    for one in found:
        if one.row.id == TREATIES:
            parties: list[Cell] = [cell for cell in one.cells if cell.country == "REG"]
            numbers = dict.fromkeys(one.row.every, 0.0)
            numbers |= {cell.labels["instrument"]: cell.value or 0.0 for cell in parties}
            for instrument, number in numbers.items():
                family.add_metric([instrument], number)
    return family


def _legal_gaps(found: list[Figures]) -> Metric:
    name, what = "crm_legal_gaps", "Obligations of a treaty that a party's laws do not carry out"
    family = GaugeMetricFamily(name, what, labels=["instrument", "country"])
    for one in found:
        if one.row.id == GAPS:
            for cell in one.cells:
                if cell.country != "REG" and cell.value is not None:
                    family.add_metric([cell.labels["instrument"], cell.country], cell.value)
    return family


def milestones(found: Iterable[Occurrence]) -> Iterator[Metric]:
    """Yield the families of due dates."""
    due = GaugeMetricFamily("crm_milestone_due_timestamp_seconds", "When it is due", labels=["milestone"])
    reached = GaugeMetricFamily("crm_milestone_reached_timestamp_seconds", "When it was reached", labels=["milestone"])
    done = GaugeMetricFamily("crm_milestone_done", "How many of those needed are done", labels=["milestone"])
    needed = GaugeMetricFamily("crm_milestone_needed", "How many countries, or parts, it takes", labels=["milestone"])
    name, what = "crm_milestone_missing", "1: the country has not done it; 0: it has"
    missing = GaugeMetricFamily(name, what, labels=["milestone", "country"])
    for one in found:
        if one.due is not None:
            due.add_metric([one.key], one.due.timestamp())
        if one.withheld:
            continue
        if one.reached is not None:
            reached.add_metric([one.key], one.reached.timestamp())
        if one.milestone.recurring is None:
            done.add_metric([one.key], one.done)
            needed.add_metric([one.key], one.needed)
        for country in one.milestone.parts if one.milestone.countries else ():
            missing.add_metric([one.key, country], country in one.missing)
    yield from (due, reached, done, needed, missing)


def counted(state: State, *, public: bool) -> Counts:
    """Return how many events of each type there are by country, with the zeros that alerts look at.

    `public`: of types about no person.
    """
    return {name: each(state, name) for name in named(state, public=public)}


def named(state: State, *, public: bool) -> Iterable[Name]:
    """Return the types whose events are counted; `public`: those about no person."""
    names = dict.fromkeys((*_OF_ALERTS, *state.events))
    return (name for name in names if not (public and about_person(".".join(name))))


def each(state: State, name: Name) -> Mapping[str, int]:
    """Return country -> how many events of a type there are, with the zeros that alerts look at."""
    return {**_OF_ALERTS.get(name, {}), **state.events.get(name, {})}


def events(counts: Counts) -> Iterator[Metric]:
    """Yield the family of events recorded."""
    family = CounterMetricFamily("crm_events", "Events recorded", labels=["service", "entity", "verb", "country"])
    for name, numbers in counts.items():
        for country, number in numbers.items():
            family.add_metric([*name, country], number)
    yield family


def heard(found: Mapping[tuple[str, str], datetime]) -> Iterator[Metric]:
    """Yield the family of who was heard when."""
    name = "crm_country_last_event_timestamp_seconds"
    family = GaugeMetricFamily(name, "Last report recorded", labels=["country", "service"])
    for (country, service), at in found.items():
        family.add_metric([country, service], at.timestamp())
    yield family


def rejected(found: Mapping[tuple[str, ...], int]) -> Iterator[Metric]:
    """Yield the family of reports refused."""
    family = CounterMetricFamily("crm_rejected", "Reports refused, by reason", labels=["service", "country", "code"])
    for key, number in found.items():
        family.add_metric(list(key), number)
    yield family


def silence(found: Mapping[str, bool]) -> Iterator[Metric]:
    """Yield the family of who is silent."""
    name, what = "crm_country_silent", "1: reported once, and not for the plan's number of days (plan time); 0: not so"
    family = GaugeMetricFamily(name, what, labels=["country"])
    for country, is_silent in (dict.fromkeys(MEMBERS, False) | dict(found)).items():
        family.add_metric([country], is_silent)
    yield family


def delayed(found: Iterable[Delays]) -> Iterator[Metric]:
    """Yield the family of how late reports were."""
    name, what = "crm_report_delay_seconds", "How much later than it happened a report was recorded"
    family = HistogramMetricFamily(name, what, labels=["country", "service"])
    for one in found:
        buckets = [(le if le == "+Inf" else f"{float(le)}", n) for le, n in one.buckets]
        family.add_metric([one.country, one.service], buckets, one.sum_s)
    yield family


def reached(state: State, streams: Mapping[str, int]) -> list[Position]:
    """Return of each stream where the fold is in it."""
    return [
        (name, state.sequences.get(name, 0), last, len(state.aside.get(name, ()))) for name, last in streams.items()
    ]


def positions(found: Iterable[Position]) -> Iterator[Metric]:
    """Yield the families of where the fold is."""
    folded = GaugeMetricFamily("crm_fold_sequence", "Last event folded", labels=["stream"])
    ahead = GaugeMetricFamily("crm_stream_sequence", "Last event known in the stream", labels=["stream"])
    aside = GaugeMetricFamily("crm_fold_aside_events", "Events that no figure has", labels=["stream"])
    for service, sequence, last, left in found:
        folded.add_metric([service.upper()], sequence)
        ahead.add_metric([service.upper()], last)
        aside.add_metric([service.upper()], left)
    yield from (folded, ahead, aside)


_ALL = chain(
    by_row([], public=False),
    milestones([]),
    events({}),
    heard({}),
    rejected({}),
    silence({}),
    delayed([]),
    positions([]),
)
FAMILIES = {one.name: Metric(one.name, one.documentation, one.type) for one in _ALL}
"""Every family in order, without samples."""
