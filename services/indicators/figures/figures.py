"""Figures as they are published: of each row its cells, its one figure, whether the target is met, who is in it."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import date
from functools import cache

import msgspec
from msgspec import Struct

from services.indicators.figures import kinds, verdicts
from services.indicators.figures.cells import Cell, Histogram, Measure, histograms, known, lasted, of_persons, persons
from services.indicators.figures.disclosure import ALL_HIDDEN, Refusal, disclosed, guarded, refusal
from services.indicators.figures.kinds import Span
from services.indicators.figures.periods import Comparison, comparable
from services.indicators.figures.regions import regional
from services.indicators.figures.resting import targets
from services.indicators.figures.suppression import Guard
from services.indicators.figures.verdicts import Doubt, Heard, Hearing, Reason, Verdict, hearing
from services.indicators.folded.state import State
from services.indicators.planned import checks
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from shared.contracts.vocabulary import MEMBERS, REGION


class Figures(Struct, frozen=True):
    """All that is known of one row."""

    row: Row
    day: date
    cells: list[Cell]
    headline: Cell | None
    """The row in one figure; None: no data."""
    verdict: Verdict
    coverage: float | None
    """Share of the member countries that reported something for the row; None: countries do not report it."""
    histograms: list[Histogram]
    comparison: Comparison | None = None
    """What a trend compares."""
    silent: list[str] = []
    """Countries in the figure that have fallen silent."""
    reported: frozenset[str] = frozenset()
    """The countries that reported something for the row."""
    parts: "Parts | None" = None
    """Of a figure made of rows: how many there are, and of how many nothing is known."""
    refused: Refusal = ""
    """Why there is no figure of the time that was asked for."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None: not known, or there is no target."""
        return self.verdict.met

    @property
    def unknown(self) -> Reason:
        """Why it is not known whether the target is met, or a figure made of rows holds; empty: it is known."""
        asked = self.row.target is not None or self.row.kind in COMPOSED
        return self.verdict.doubt.reason if asked else ""

    @property
    def missing(self) -> list[str]:
        """The countries for which it is not known."""
        return self.verdict.doubt.missing if self.unknown else []

    @property
    def suppressed(self) -> int:
        """How many cells are not published."""
        return sum(cell.suppressed for cell in self.cells)

    @property
    def partial(self) -> bool | None:
        """Whether a silent country is in a trend (fewer reports need not mean that less happened), or rows lack."""
        if self.parts:
            return bool(self.silent or self.parts.no_data or self.parts.unknown)
        return bool(self.silent) if self.row.kind == "trend" else None


class Parts(Struct, frozen=True):
    """The rows that a figure is made of."""

    rows: int
    no_data: int
    """Without data: not achieved."""
    unknown: int
    """With data, and not known for sure or not published: not achieved either."""


Find = Callable[[str], Figures]
"""Row -> its figures."""


EXACT = None
"""In place of the end of the last period that is over: whoever asks may see all."""


def figures(plan: Plan, row: Row, state: State, span: Span, *, closed: date | None) -> Figures:
    """Return a row's figures; `closed`: by the rule of what is published of persons, with that as the last period."""
    return _finder(plan, state, span, closed=closed)(row.id)


def all_figures(plan: Plan, state: State, span: Span, *, closed: date | None) -> list[Figures]:
    """Return the figures of every row in the plan's order, each worked out once."""
    return [*map(_finder(plan, state, span, closed=closed), plan.rows)]


def _finder(plan: Plan, state: State, span: Span, *, closed: date | None) -> Find:
    """Return the function that gives a row's figures, and keeps them: rows are made of other rows."""
    heard = hearing(plan, state, public=closed is not None)

    @cache
    def find(name: str) -> Figures:
        row = plan.rows[name]
        if row.kind in COMPOSED:
            return composed(plan, row, span, find)
        return plain(plan, row, state, span, heard, closed=closed)

    return find


def plain(  # noqa: PLR0913 - all that it rests on
    plan: Plan, row: Row, state: State, span: Span, heard: Hearing, *, closed: date | None
) -> Figures:
    """Return the figures of a row that is not made of others, as the public has them unless `closed` is `EXACT`.

    All that is told of a row passes here: of one about persons what the rule gives, and nothing else.
    """
    if why := refusal(row, span):
        return _refused(row, span, why)
    if closed is None:
        return _worked(plan, row, state, span, heard(span))
    span = msgspec.structs.replace(span, public=True)
    if row.id not in guarded(plan):
        return _worked(plan, row, state, span, heard(span))
    told = disclosed(plan.disclosure, span, closed)
    if isinstance(told, str):
        return _refused(row, span, told)
    if row.kind in ALL_HIDDEN:
        return _hidden(row, told)
    return _published(plan, row, state, told, heard(told))


def _published(plan: Plan, row: Row, state: State, span: Span, heard: Heard) -> Figures:
    """Return the figures of a row about persons: what is not large enough is not among them, nor who reported it.

    Whether the target is met follows from the figure as it is published, and from who has been heard of other things.
    """
    found = _worked(plan, row, state, span, heard, guarded=True)
    cells = [one for one in found.cells if not one.suppressed]
    headline = found.headline
    if headline is None or headline.suppressed or headline.value is None:
        return msgspec.structs.replace(_hidden(row, span), cells=cells, histograms=found.histograms)
    shown = {one.country for one in cells}
    doubt = verdicts.doubt(plan, row, heard, shown, shown)
    if doubt.reason == "coverage":
        doubt = Doubt("hidden")  # who reported few, and who nothing, is not told apart
    if span.since is not None and not comparable(row):
        doubt = Doubt("period")
    return msgspec.structs.replace(
        found,
        cells=cells,
        verdict=verdicts.verdict(row, headline.value, doubt),
        coverage=None,
        silent=sorted(heard.silent & shown),
        reported=frozenset(),
    )


def _hidden(row: Row, span: Span) -> Figures:
    """Return that there is nothing to be told of a row about persons: there may be none, or few."""
    headline = Cell(REGION, {}, None, suppressed=True)
    return Figures(row, span.day, [], headline, Verdict(None, Doubt("hidden")), None, [])


def _worked(  # noqa: PLR0913 - all that it rests on
    plan: Plan, row: Row, state: State, span: Span, heard: Heard, *, guarded: bool = False
) -> Figures:
    counted = kinds.counted(plan, row, state, span)
    sums, total = regional(plan, row, state, span, counted)
    behind = persons(plan, row, state, span, counted)
    guard = Guard(behind or counted, plan.disclosure) if guarded else None
    periods = kinds.comparison(plan, row, state, span)
    instead = lasted(plan, row, state, span) | of_persons(counted, behind, plan.disclosure) if guard else {}
    measured = Measure(row, guard, periods.factor if periods else 1.0, instead)
    # What the region's own bodies and services report is in its figures, and no country's cell beside them.
    own = [(key, counts) for key, counts in sorted(counted.items()) if key[0] != REGION]
    cells = [measured.cell(key, counts) for key, counts in own if known(counts)]
    cells += [measured.cell((REGION, *labels), counts) for labels, counts in sorted(sums.items()) if known(counts)]
    headline = measured.headline(total) if total else None
    value = Measure(row, None, measured.factor).headline(total).value if total else None
    reported = kinds.reported(plan, row, state, span, counted)
    inside = reported | {key[0] for key, counts in counted.items() if any(counts[:1] if row.each else counts)}
    doubt = verdicts.doubt(plan, row, heard, inside, reported)
    if span.since is not None and not comparable(row):
        doubt = Doubt("period")
    hidden = headline is not None and headline.suppressed
    return Figures(
        row,
        span.day,
        cells,
        headline,
        Verdict(None, Doubt("hidden")) if hidden else verdicts.verdict(row, value, doubt),
        _coverage(row, reported),
        list(histograms(plan, row, state, span, guard)),
        periods,
        sorted(heard.silent & inside),
        frozenset(reported),
    )


def _refused(row: Row, span: Span, why: Refusal) -> Figures:
    return Figures(row, span.day, [], None, Verdict(None, Doubt("no_data")), None, [], refused=why)


def _coverage(row: Row, reported: AbstractSet[str]) -> float | None:
    if not any(checks.told_by_countries(term.event) for term in row.term):
        return None
    return len(reported & set(MEMBERS)) / len(MEMBERS)


def composed(plan: Plan, row: Row, span: Span, find: Find) -> Figures:
    """Return a figure made of other rows: no formula of the Plan's own, so its parts are its cells.

    `score` is the weighted mean of how far each input has come, from 0 to 1: a row towards its target, an area by the
    share of its targets that are met. What has no data, or is not known, has not come anywhere. `average` is the
    weighted mean of the inputs' figures, as far as there are any.
    """
    if why := refusal(row, span):
        return _refused(row, span, why)
    cells, weights, weighed = [], 0.0, 0.0
    rows: list[Figures] = []
    for name, weight in row.inputs.items():
        if name in plan.rows:
            those = [find(name)]
            cell = _part(row, name, those[0])
        else:
            those = [find(one) for one in targets(plan, name)]
            cell = _area(name, those)
        rows += those
        if cell.value is not None:
            weights, weighed = weights + weight, weighed + weight * cell.value
            cells.append(cell)
    if why := next((one.refused for one in rows if one.refused), ""):
        return _refused(row, span, why)
    reasons = Counter(one.verdict.doubt.reason for one in rows)
    parts = Parts(len(rows), reasons["no_data"], len(rows) - reasons["no_data"] - reasons[""])
    headline = Cell(REGION, {}, weighed / weights) if weights and parts.no_data < parts.rows else None
    reported = frozenset[str]().union(*(one.reported for one in rows))
    return Figures(
        row,
        span.day,
        [headline, *cells] if headline else [],
        headline,
        verdicts.verdict(row, headline.value if headline else None, _carried(rows)),
        len(reported & set(MEMBERS)) / len(MEMBERS),
        [],
        silent=sorted({country for one in rows for country in one.silent}),
        reported=reported,
        parts=parts,
    )


def _carried(rows: list[Figures]) -> Doubt:
    """Return the doubt of a figure made of rows: that of its rows, if it is one and the same."""
    doubts = [one.verdict.doubt for one in rows if one.verdict.doubt.reason]
    reasons = {one.reason for one in doubts}
    reason: Reason = "" if not reasons else reasons.pop() if len(doubts) == len(rows) and len(reasons) == 1 else "parts"
    return Doubt(reason, sorted({country for one in doubts for country in one.missing}))


def _part(row: Row, name: str, part: Figures) -> Cell:
    value = part.headline.value if part.headline else None
    return Cell(REGION, {"input": name}, value if row.kind == "average" else _achieved(part, value))


def _achieved(one: Figures, value: float | None) -> float:
    """Return how far a row has come: 1 at its target; without a target the figure itself, at most 1."""
    if value is None or (one.verdict.doubt.reason and one.row.kind != "score"):
        return 0.0
    if one.met:
        return 1.0
    if one.row.target and one.row.direction in {"at_least", "above"}:
        value /= one.row.target
    elif one.row.target and value:
        value = one.row.target / value
    return max(0.0, min(1.0, value))


def _area(name: str, rows: list[Figures]) -> Cell:
    """Return the share of an area's targets that are met: of all of them."""
    met = sum(bool(one.met) for one in rows)
    return Cell(REGION, {"input": name}, met / len(rows) if rows else None, met, len(rows))
