"""From the state to figures: what each kind of indicator makes of the sums, now or as of a day."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

from services.indicators import suppression
from services.indicators.plan import Plan, Row
from services.indicators.state import Key, State
from services.indicators.suppression import Counts, added
from shared.contracts.vocabulary import MEMBERS, REGION


class Cell(Struct, frozen=True):
    """One figure of a row: of a country, or of the region (`REG`)."""

    country: str
    labels: dict[str, str]
    value: float | None
    numerator: int | None = None
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

    @property
    def suppressed(self) -> int:
        """How many cells are not published."""
        return sum(cell.suppressed for cell in self.cells)


class Span(Struct, frozen=True):
    """The day that a figure is for: either what had happened by its end, or all there is."""

    day: date
    upto: int | None = None
    """The day's ordinal if what happened later is left out; None: nothing is."""

    @classmethod
    def now(cls, today: date) -> "Span":
        """Return the span of all that is known."""
        return cls(today)

    @classmethod
    def as_of(cls, day: date) -> "Span":
        """Return the span up to the end of a UTC day."""
        return cls(day, day.toordinal())


Counted = dict[Key, Counts]


def figures(plan: Plan, row: Row, state: State, span: Span, *, exact: bool = False) -> Figures:
    """Return a row's figures; small numbers about victims are hidden unless `exact`."""
    counted = _KINDS[row.kind](plan, row, state, span)
    out: tuple[set[Key], set[Key], bool] = (set(), set(), False)
    if row.privacy == "victims" and not exact:
        out = suppression.hidden(counted)
    regions: dict[Key, list[Counts]] = {}
    for key, counts in counted.items():
        regions.setdefault(key[1:], []).append(counts)
    sums = {labels: added(parts) for labels, parts in regions.items()}
    cells = [_cell(row, key, counts, hide=key in out[0]) for key, counts in sorted(counted.items()) if _known(counts)]
    cells += [
        _cell(row, (REGION, *labels), counts, hide=labels in out[1])
        for labels, counts in sorted(sums.items())
        if _known(counts)
    ]
    known = _headline(row, counted)
    headline = None if known is None else _cell(row, (REGION,), known, hide=out[2])
    reporting = {key[0] for key, counts in counted.items() if any(counts)} & set(MEMBERS)
    met = None if headline is None or headline.suppressed else _met(row, headline.value)
    guarded = row.privacy == "victims" and not exact
    histograms = [one for one in _histograms(row, state, span) if not (guarded and _too_small(one, out[0]))]
    return Figures(row, span.day, cells, headline, met, len(reporting) / len(MEMBERS), histograms)


def _known(counts: Counts) -> bool:
    """Without a denominator there are no data, which is not 0."""
    return len(counts) == 1 or counts[1] != 0


def _cell(row: Row, key: Key, counts: Counts, *, hide: bool) -> Cell:
    labels = dict(zip(row.labels, key[1:], strict=False))
    if hide:
        return Cell(key[0], labels, None, suppressed=True)
    if len(counts) == 1:
        return Cell(key[0], labels, counts[0])
    numerator, denominator = counts
    return Cell(key[0], labels, numerator / denominator if denominator else None, numerator, denominator)


def _headline(row: Row, counted: Counted) -> Counts | None:
    """Return the numbers behind the row's one figure; None where there are none."""
    names = list(row.labels)
    chosen = {
        key: counts
        for key, counts in counted.items()
        if all(key[1 + names.index(name)] == value for name, value in row.headline.items())
    }
    if not chosen:
        return None
    if row.kind == "countries" and row.every:
        return (sum(_in_all(chosen, country, row.every) for country in MEMBERS),)
    if row.kind == "countries":
        return (len({key[0] for key in chosen}),)
    return added(chosen.values())


def _in_all(counted: Iterable[Key], country: str, values: list[str]) -> bool:
    return all((country, value) in counted for value in values)


def _met(row: Row, value: float | None) -> bool | None:
    if row.target is None or value is None:
        return None
    return {
        "at_least": value >= row.target,
        "at_most": value <= row.target,
        "above": value > row.target,
        "below": value < row.target,
    }[row.direction]


def _upto(row: Row, role: str, state: State, span: Span) -> Iterator[tuple[Key, int]]:
    """Yield the cells of one role by the end of the span's day (the year's part of them, for a yearly row)."""
    name = f"{row.id}/{role}"
    if name in state.levels:
        yield from state.levels[name].upto(span.upto)
    elif name not in state.sums:
        return
    elif row.period == "year":
        until = span.day.toordinal()
        yield from state.sums[name].between(date(span.day.year, 1, 1).toordinal() - 1, until)
    else:
        yield from state.sums[name].upto(span.upto)


def _count(_plan: Plan, row: Row, state: State, span: Span) -> Counted:
    return {key: (amount,) for key, amount in _upto(row, "value", state, span)}


def _ratio(_plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Nothing without a denominator: no data is not 0 %."""
    numerators = dict(_upto(row, "numerator", state, span))
    return {key: (numerators.get(key, 0), n) for key, n in _upto(row, "denominator", state, span) if n > 0}


def _mean(_plan: Plan, row: Row, state: State, span: Span) -> Counted:
    sums = dict(_upto(row, "value", state, span))
    return {key: (sums.get(key, 0), n) for key, n in _upto(row, "count", state, span) if n > 0}


def _trend(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Compare the window ending on the day with the one before it; no figure before both lie within the plan's time."""
    sums, window = state.sums.get(f"{row.id}/value"), row.window_days or 0
    end = span.day.toordinal()
    if sums is None or (span.day - timedelta(days=2 * window)) < plan.start - timedelta(days=1):
        return {}
    baseline = dict(sums.between(end - 2 * window, end - window))
    recent = dict(sums.between(end - window, end))
    comparable = {key[0] for key, n in baseline.items() if n > 0}
    counted = {key: (recent.get(key, 0), baseline.get(key, 0)) for key in {*baseline, *recent}}
    return {key: counts for key, counts in counted.items() if key[0] in comparable}


def _countries(_plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Count each country that has any (in the window, if the row has one) as 1."""
    name = f"{row.id}/value"
    if row.window_days and name in state.sums:
        end = span.day.toordinal()
        return {key: (1,) for key, n in state.sums[name].between(end - row.window_days, end) if n > 0}
    return {key: (1,) for key, n in _upto(row, "value", state, span) if n > 0 and key[0] in MEMBERS}


def _histograms(row: Row, state: State, span: Span) -> Iterator[Histogram]:
    counts: dict[str, dict[str, int]] = {}
    for (country, bucket), n in _upto(row, "bucket", state, span):
        counts.setdefault(country, {})[bucket] = n
    seconds = {key[0]: total for key, total in _upto(row, "seconds", state, span)}
    for country, held in sorted(counts.items()):
        buckets, so_far = [], 0
        for bucket in [*map(str, row.buckets_s), "+Inf"]:
            so_far += held.get(bucket, 0)
            buckets.append((bucket, so_far))
        yield Histogram(country, buckets, seconds.get(country, 0))


def _too_small(histogram: Histogram, hidden: set[Key]) -> bool:
    return histogram.buckets[-1][1] < suppression.K or any(key[0] == histogram.country for key in hidden)


_KINDS: Mapping[str, Callable[[Plan, Row, State, Span], Counted]] = {
    "count": _count,
    "current": _count,
    "ratio": _ratio,
    "latency": _ratio,
    "mean": _mean,
    "trend": _trend,
    "countries": _countries,
}
