"""The cells of a row, guarded where they are about persons, and how long things took."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from services.indicators.figures import kinds, suppression
from services.indicators.figures.kinds import Span
from services.indicators.figures.suppression import Counts, Guard
from services.indicators.folded.state import State
from services.indicators.folded.sums import Key
from services.indicators.planned.persons import Rule
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from shared.contracts.vocabulary import REGION


class Cell(Struct, frozen=True, gc=False):
    """One figure of a row: of a country, or of the region (`REG`).

    There are thousands, made anew all the time; none can be part of a circle, so the collector need not look at them.
    """

    country: str
    labels: dict[str, str]
    value: float | None
    """In the row's unit; None: no data, or not published."""
    numerator: float | None = None
    """What a ratio or a mean divides."""
    denominator: int | None = None
    """By what it divides."""
    suppressed: bool = False
    """Known but not published; never the same as 0."""


class Histogram(Struct, frozen=True, gc=False):
    """How long things took in one country: rising cumulative counts, `+Inf` last."""

    country: str
    buckets: list[tuple[str, int]]
    sum_s: int


class Measure(Struct, frozen=True):
    """How the numbers behind a cell become its figure."""

    row: Row
    guard: Guard | None
    factor: float
    lasted: Mapping[str, Counts] = {}
    """What is published instead, where the numbers are a time and how often, or are no persons."""

    def cell(self, key: Key, counts: Counts) -> Cell:
        """Return the figure of a country, or of the region by labels."""
        # The region's number need not be the sum of its countries', of which the guard knows.
        hide = self.guard is not None and (self.guard.hides(key) or self.guard.small(counts))
        return self._cell(key[0], dict(zip(self.row.labels, key[1:], strict=False)), counts, hide=hide)

    def headline(self, counts: Counts) -> Cell:
        """Return the row in one figure."""
        hide = self.guard is not None and (self._part_hidden or self.guard.small(counts))
        return self._cell(REGION, {}, counts, hide=hide)

    @property
    def _part_hidden(self) -> bool:
        """Say whether the row's one figure is left out: that of a part is the figure of its labels."""
        assert self.guard is not None
        labels = tuple(self.row.headline[name] for name in self.row.labels) if self.row.headline else None
        return self.guard.total or (labels is not None and self.guard.hides((REGION, *labels)))

    def _cell(self, country: str, labels: dict[str, str], counts: Counts, *, hide: bool) -> Cell:
        if hide:
            return Cell(country, labels, None, suppressed=True)
        if self.guard:
            counts = self.lasted.get(country) or self._published(counts)
        scale = 10**self.row.digits
        first = counts[0] / scale if self.row.digits else counts[0]
        if len(counts) == 1:
            return Cell(country, labels, first)
        if self.row.kind == "difference":
            after, before = (counts[place] / counts[place + 1] / scale for place in (0, 2))
            return Cell(country, labels, after - before)
        return Cell(country, labels, first / counts[1] * self.factor if counts[1] else None, first, counts[1])

    def _published(self, counts: Counts) -> Counts:
        """Return the numbers rounded; the sum behind a mean is first brought to the rounded number of what it sums."""
        assert self.guard is not None
        rule = self.guard.rule
        if self.row.kind != "mean":
            return suppression.rounded(counts, rule)
        (number,) = suppression.rounded(counts[1:], rule)
        step = 10**self.row.digits
        (amount,) = suppression.rounded((round(counts[0] * number / counts[1] / step),), rule)
        return amount * step, number


def known(counts: Counts) -> bool:
    """Without a denominator there are no data, which is not 0."""
    return len(counts) == 1 or 0 not in counts[1::2]


def histograms(plan: Plan, row: Row, state: State, span: Span, guard: Guard | None) -> Iterator[Histogram]:
    """Yield each country's; of persons only those that are not small, in rounded numbers."""
    for country, held, seconds in durations(plan, row, state, span):
        if guard is None:
            yield histogram(row.buckets_s, country, held, seconds)
        elif not (guard.small((sum(held.values()),)) or guard.hides((country,))):
            yield histogram(row.buckets_s, country, held, guard.rule)


def durations(plan: Plan, row: Row, state: State, span: Span) -> Iterator[tuple[str, dict[str, int], int]]:
    """Yield for each country how many fall into each bucket (`+Inf`: longer than all), and the seconds together."""
    if row.kind != "latency":
        return
    counts: dict[str, dict[str, int]] = {}
    for (country, bucket), n in kinds.upto(plan, row, "bucket", state, span):
        counts.setdefault(country, {})[bucket] = n
    seconds = {key[0]: total for key, total in kinds.upto(plan, row, "seconds", state, span)}
    for country, held in sorted(counts.items()):
        yield country, held, seconds.get(country, 0)


def histogram(bounds_s: Sequence[int], country: str, held: Mapping[str, int], told: int | Rule) -> Histogram:
    """Return the counts up to each bound, cumulative; `told`: the seconds together, or the rule of what is published.

    Published are rounded counts, and the seconds made of them.

    What lasted counts as long as its bucket's bound (the last one, if longer still): the exact sum would give away how
    long it took with one victim, to whoever looks before and after.
    """
    buckets: list[tuple[str, int]] = []
    so_far = bounded = 0
    for le, bound in zip([*map(str, bounds_s), "+Inf"], [*bounds_s, bounds_s[-1]], strict=True):
        so_far += held.get(le, 0)
        shown = suppression.rounded((so_far,), told)[0] if isinstance(told, Rule) else so_far
        bounded += bound * (shown - (buckets[-1][1] if buckets else 0))
        buckets.append((le, shown))
    return Histogram(country, buckets, bounded if isinstance(told, Rule) else told)


def persons(plan: Plan, row: Row, state: State, span: Span, cells: kinds.Counted) -> kinds.Counted:
    """Return how many persons are behind the cells, where the numbers themselves are none; 1, where nobody counted."""
    if not row.people:
        return {}
    counted = kinds.counted(plan, plan.rows[row.people], state, span)
    return {key: counted.get(key, (1,))[-1:] for key in cells}


def of_persons(cells: kinds.Counted, behind: kinds.Counted, rule: Rule) -> dict[str, Counts]:
    """Return the publishable share of each country and the region: of the persons, in their rounded number."""
    if not behind:
        return {}
    totals = {(REGION,): (suppression.added(cells[key] for key in behind), suppression.added(behind.values()))}
    shown: dict[str, Counts] = {}
    for key, ((part, whole), counts) in ({key: (cells[key], behind[key]) for key in behind} | totals).items():
        (number,) = suppression.rounded(counts, rule)
        shown[key[0]] = (round(part * number / whole) if whole else 0, number)
    return shown


def lasted(plan: Plan, row: Row, state: State, span: Span) -> dict[str, Counts]:
    """Return the publishable (seconds, number) of each country and the region, of a row that is a mean of durations."""
    if row.kind != "latency" or any(term.role == "denominator" for term in row.term):
        return {}
    each = {country: held for country, held, _ in durations(plan, row, state, span)}
    whole: Counter[str] = sum(map(Counter, each.values()), Counter())
    shown = [histogram(row.buckets_s, place, held, plan.disclosure) for place, held in (each | {REGION: whole}).items()]
    return {one.country: (one.sum_s, one.buckets[-1][1]) for one in shown}
