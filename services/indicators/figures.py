"""Figures as they are published: of each row its cells, its one figure, whether the target is met, who is in it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache

from msgspec import Struct

from services.indicators import kinds, suppression
from services.indicators.checks import COMPOSED
from services.indicators.kinds import Comparison, Span
from services.indicators.plan import Plan, Row
from services.indicators.state import State
from services.indicators.sums import Key
from services.indicators.suppression import Counts, Guard
from shared.contracts.vocabulary import MEMBERS, REGION


def meets(row: Row, value: float | None) -> bool | None:
    """Say whether a figure meets the row's target; None: no target, or no figure."""
    if row.target is None or value is None:
        return None
    return {
        "at_least": value >= row.target,
        "at_most": value <= row.target,
        "above": value > row.target,
        "below": value < row.target,
    }[row.direction]


class Cell(Struct, frozen=True):
    """One figure of a row: of a country, or of the region (`REG`)."""

    country: str
    labels: dict[str, str]
    value: float | None
    numerator: float | None = None
    denominator: int | None = None
    suppressed: bool = False
    """Known but not published; never the same as 0."""


class Histogram(Struct, frozen=True):
    """How long things took in one country: rising cumulative counts, `+Inf` last."""

    country: str
    buckets: list[tuple[str, int]]
    sum_s: int


class Figures(Struct, frozen=True):
    """All that is known of one row."""

    row: Row
    day: date
    cells: list[Cell]
    headline: Cell | None
    """The row in one figure; None: no data."""
    met: bool | None
    coverage: float
    """Share of the member countries with any data in the row."""
    histograms: list[Histogram]
    comparison: Comparison | None = None
    """What a trend compares."""
    silent: list[str] = []
    """Countries in a trend that have fallen silent."""

    @property
    def suppressed(self) -> int:
        """How many cells are not published."""
        return sum(cell.suppressed for cell in self.cells)

    @property
    def partial(self) -> bool | None:
        """Whether a silent country is in the trend: fewer reports need not mean that less happened."""
        return bool(self.silent) if self.row.kind == "trend" else None


Find = Callable[[str], Figures]
"""Row -> its figures."""


def figures(plan: Plan, row: Row, state: State, span: Span, *, exact: bool = False) -> Figures:
    """Return a row's figures; numbers about victims are guarded unless `exact`."""
    return _finder(plan, state, span, exact=exact)(row.id)


def all_figures(plan: Plan, state: State, span: Span, *, exact: bool = False) -> list[Figures]:
    """Return the figures of every row in the plan's order, each worked out once."""
    return [*map(_finder(plan, state, span, exact=exact), plan.rows)]


def _finder(plan: Plan, state: State, span: Span, *, exact: bool) -> Find:
    """Return the function that gives a row's figures, and keeps them: rows are made of other rows."""

    @cache
    def find(name: str) -> Figures:
        row = plan.rows[name]
        return _composed(plan, row, span, find) if row.kind in COMPOSED else _plain(plan, row, state, span, exact=exact)

    return find


def _plain(plan: Plan, row: Row, state: State, span: Span, *, exact: bool) -> Figures:
    counted = kinds.counted(plan, row, state, span)
    sums, total = kinds.regional(plan, row, state, span, counted)
    guard = Guard(counted) if row.privacy == "victims" and not exact else None
    periods = kinds.comparison(plan, row, state, span)
    lasted = _lasted(plan, row, state, span) if guard else {}
    measured = _Measure(row, guard, periods.factor if periods else 1.0, lasted)
    # What the region's own bodies and services report is in its figures, and no country's cell beside them.
    own = [(key, counts) for key, counts in sorted(counted.items()) if key[0] != REGION]
    cells = [measured.cell(key, counts) for key, counts in own if _known(counts)]
    cells += [measured.cell((REGION, *labels), counts) for labels, counts in sorted(sums.items()) if _known(counts)]
    headline = measured.headline(total) if total else None
    hidden = headline is None or headline.suppressed
    present = {key[0] for key, counts in counted.items() if any(counts)}
    return Figures(
        row,
        span.day,
        cells,
        headline,
        None if hidden or total is None else meets(row, _Measure(row, None, measured.factor).headline(total).value),
        len(present & set(MEMBERS)) / len(MEMBERS),
        list(_histograms(plan, row, state, span, guard)),
        periods,
        sorted(present & kinds.silent(plan, state, span.day)) if row.kind == "trend" else [],
    )


class _Measure(Struct, frozen=True):
    """How the numbers behind a cell become its figure."""

    row: Row
    guard: Guard | None
    factor: float
    lasted: Mapping[str, Counts] = {}
    """What is published instead, where the numbers are a time and how often."""

    def cell(self, key: Key, counts: Counts) -> Cell:
        hide = self.guard is not None and self.guard.hides(key)
        return self._cell(key[0], dict(zip(self.row.labels, key[1:], strict=False)), counts, hide=hide)

    def headline(self, counts: Counts) -> Cell:
        return self._cell(REGION, {}, counts, hide=self.guard is not None and self.guard.total)

    def _cell(self, country: str, labels: dict[str, str], counts: Counts, *, hide: bool) -> Cell:
        if hide:
            return Cell(country, labels, None, suppressed=True)
        if self.guard:
            counts = self.lasted.get(country) or suppression.rounded(counts)
        scale = 10**self.row.digits
        first = counts[0] / scale if self.row.digits else counts[0]
        if len(counts) == 1:
            return Cell(country, labels, first)
        return Cell(country, labels, first / counts[1] * self.factor if counts[1] else None, first, counts[1])


def _known(counts: Counts) -> bool:
    """Without a denominator there are no data, which is not 0."""
    return len(counts) == 1 or counts[1] != 0


def _histograms(plan: Plan, row: Row, state: State, span: Span, guard: Guard | None) -> Iterator[Histogram]:
    """Yield each country's; of victims only those that are not small, in rounded numbers."""
    for country, held, seconds in kinds.durations(plan, row, state, span):
        one = _histogram(row, country, held, None if guard else seconds)
        if guard is None or (sum(held.values()) >= suppression.K and not guard.hides_country(country)):
            yield one


def _histogram(row: Row, country: str, held: Mapping[str, int], seconds: int | None) -> Histogram:
    """Return the counts, cumulative. Without `seconds` what may be published: rounded, and the seconds made of that.

    What lasted counts as long as its bucket's bound (the last one, if longer still): the exact sum would give away how
    long it took with one victim, to whoever looks before and after.
    """
    buckets: list[tuple[str, int]] = []
    so_far = bounded = 0
    for le, bound in zip([*map(str, row.buckets_s), "+Inf"], [*row.buckets_s, row.buckets_s[-1]], strict=True):
        so_far += held.get(le, 0)
        shown = so_far if seconds is not None else suppression.rounded((so_far,))[0]
        bounded += bound * (shown - (buckets[-1][1] if buckets else 0))
        buckets.append((le, shown))
    return Histogram(country, buckets, bounded if seconds is None else seconds)


def _lasted(plan: Plan, row: Row, state: State, span: Span) -> dict[str, Counts]:
    """Return the publishable (seconds, number) of each country and the region, of a row that is a mean of durations."""
    if row.kind != "latency" or any(term.role == "denominator" for term in row.term):
        return {}
    each = {country: held for country, held, _ in kinds.durations(plan, row, state, span)}
    whole: Counter[str] = sum(map(Counter, each.values()), Counter())
    shown = [_histogram(row, place, held, None) for place, held in (each | {REGION: whole}).items()]
    return {one.country: (one.sum_s, one.buckets[-1][1]) for one in shown}


def _composed(plan: Plan, row: Row, span: Span, find: Find) -> Figures:
    """Return a figure made of other rows: no formula of the Plan's own, so its parts are its cells.

    `average` is the weighted mean of the inputs' figures; `score` of how far each input has come, from 0 to 1: a
    row towards its target, an area by the share of its targets that are met.
    """
    cells, weights, weighed, covered = [], 0.0, 0.0, []
    for name, weight in row.inputs.items():
        if name in plan.rows:
            part = find(name)
            covered.append(part.coverage)
            found = part.headline.value if part.headline else None
            value = found if row.kind == "average" else _achieved(part)
        else:
            value = _area_share(plan, name, find)
        if value is not None:
            weights, weighed = weights + weight, weighed + weight * value
            cells.append(Cell(REGION, {"input": name}, value))
    headline = Cell(REGION, {}, weighed / weights) if weights else None
    cells = [headline, *cells] if headline else []
    coverage = sum(covered) / len(covered) if covered else 0.0
    return Figures(row, span.day, cells, headline, meets(row, headline.value if headline else None), coverage, [])


def _achieved(one: Figures) -> float | None:
    """Return how far a row has come: 1 at its target; without a target the figure itself, at most 1."""
    value = one.headline.value if one.headline else None
    if value is None:
        return None
    if one.met:
        return 1.0
    if one.row.target and one.row.direction in {"at_least", "above"}:
        value /= one.row.target
    elif one.row.target and value:
        value = one.row.target / value
    return max(0.0, min(1.0, value))


def _area_share(plan: Plan, area: str, find: Find) -> float | None:
    verdicts = [
        met
        for row in plan.rows.values()
        if row.id.startswith(f"{area}-") and row.target is not None and row.kind not in COMPOSED
        if (met := find(row.id).met) is not None
    ]
    return sum(verdicts) / len(verdicts) if verdicts else None
