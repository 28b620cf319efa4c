"""The Prometheus families of the indicators, computed from the fold at each scrape."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures, all_figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import occurrences
from services.indicators.figures.silence import silent
from services.indicators.figures.timeliness import delays
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, REGION

TREATIES = "LE-2.1"
"""The row whose regional cells are also `crm_treaty_parties`."""
GAPS = "LE-1.R3.gaps"
"""The row whose countries' cells are also `crm_legal_gaps`."""
ALERTED = tuple(
    [(service, "report", "rejected", country) for service in SERVICES for country in MEMBERS]
    + [("victims", "referral", "overdue", country) for country in MEMBERS]
    + [("indicators", "milestone", "missed", REGION)]
)
"""Of `crm_events_total` what alerts look at, from the start and with 0: else the first event would be no rise."""


class Indicators(Collector):
    """Collects the families that dashboards and alerts rely on: their names and labels are an interface."""

    def __init__(
        self,
        plan: Plan,
        state: Callable[[], State],
        streams: Callable[[], Mapping[str, int]],
        now: Callable[[], datetime],
        *,
        exact: bool = False,
    ) -> None:
        self._plan = plan
        self._state = state
        self._streams = streams
        self._now = now
        self._exact = exact

    def describe(self) -> Iterable[Metric]:
        """Tell nothing in advance: registering must not fold."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family as of now."""
        state, today = self._state(), Span.now(self._now().date())
        found = all_figures(self._plan, state, today, exact=self._exact)
        yield from _values(found)
        yield from _summaries(found)
        yield _histograms(found)
        yield _treaty_parties(found)
        yield _legal_gaps(found)
        yield from _milestones(self._plan, state)
        yield from _records(state)
        yield _silence(self._plan, state, self._now())
        yield _delays(state, exact=self._exact)
        yield from _positions(state, self._streams())


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


def _summaries(found: list[Figures]) -> Iterator[Metric]:
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
        if one.row.privacy == "victims":
            hidden.add_metric([one.row.id], one.suppressed)
    yield from (target, met, unknown, coverage, hidden)


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


def _milestones(plan: Plan, state: State) -> Iterator[Metric]:
    due = GaugeMetricFamily("crm_milestone_due_timestamp_seconds", "When it is due", labels=["milestone"])
    reached = GaugeMetricFamily("crm_milestone_reached_timestamp_seconds", "When it was reached", labels=["milestone"])
    done = GaugeMetricFamily("crm_milestone_done", "How many of those needed are done", labels=["milestone"])
    needed = GaugeMetricFamily("crm_milestone_needed", "How many countries, or parts, it takes", labels=["milestone"])
    name, what = "crm_milestone_missing", "1: the country has not done it; 0: it has"
    missing = GaugeMetricFamily(name, what, labels=["milestone", "country"])
    for one in occurrences(plan, state):
        if one.due is not None:
            due.add_metric([one.key], one.due.timestamp())
        if one.reached is not None:
            reached.add_metric([one.key], one.reached.timestamp())
        if one.milestone.recurring is None:
            done.add_metric([one.key], one.done)
            needed.add_metric([one.key], one.needed)
        for country in one.milestone.parts if one.milestone.countries else ():
            missing.add_metric([one.key, country], country in one.missing)
    yield from (due, reached, done, needed, missing)


def _records(state: State) -> Iterator[Metric]:
    events = CounterMetricFamily("crm_events", "Events recorded", labels=["service", "entity", "verb", "country"])
    numbers = dict.fromkeys(ALERTED, 0) | {
        (*name, country): number for name, counts in state.events.items() for country, number in counts.items()
    }
    for labels, number in numbers.items():
        events.add_metric(labels, number)
    heard = GaugeMetricFamily(
        "crm_country_last_event_timestamp_seconds", "Last report recorded", labels=["country", "service"]
    )
    for (country, service), at in state.heard.items():
        heard.add_metric([country, service], at.timestamp())
    rejected = CounterMetricFamily("crm_rejected", "Reports refused, by reason", labels=["service", "country", "code"])
    for key, number in state.rejected.items():
        rejected.add_metric(list(key), number)
    yield from (events, heard, rejected)


def _silence(plan: Plan, state: State, now: datetime) -> Metric:
    name, what = "crm_country_silent", "1: reported once, and not for the plan's number of days (plan time); 0: not so"
    family = GaugeMetricFamily(name, what, labels=["country"])
    for country, is_silent in (dict.fromkeys(MEMBERS, False) | silent(plan, state, now)).items():
        family.add_metric([country], is_silent)
    return family


def _delays(state: State, *, exact: bool) -> Metric:
    name, what = "crm_report_delay_seconds", "How much later than it happened a report was recorded"
    family = HistogramMetricFamily(name, what, labels=["country", "service"])
    for one in delays(state, exact=exact):
        buckets = [(le if le == "+Inf" else f"{float(le)}", n) for le, n in one.buckets]
        family.add_metric([one.country, one.service], buckets, one.sum_s)
    return family


def _positions(state: State, streams: Mapping[str, int]) -> Iterator[Metric]:
    folded = GaugeMetricFamily("crm_fold_sequence", "Last event folded", labels=["stream"])
    ahead = GaugeMetricFamily("crm_stream_sequence", "Last event known in the stream", labels=["stream"])
    aside = GaugeMetricFamily("crm_fold_aside_events", "Events that no figure has", labels=["stream"])
    for service, sequence in streams.items():
        folded.add_metric([service.upper()], state.sequences.get(service, 0))
        ahead.add_metric([service.upper()], sequence)
        aside.add_metric([service.upper()], len(state.aside.get(service, ())))
    yield from (folded, ahead, aside)
