"""Figures by month, quarter or year: a row's own figure of each period, or what had happened by its end."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures
from services.indicators.figures.kinds import Span
from shared.contracts.vocabulary import REGION

By = Literal["month", "quarter", "year"]
MONTHS: Mapping[By, int] = {"month": 1, "quarter": 3, "year": 12}
PERIODS_MAX = 400
"""Periods in one series: 33 years by month."""
LINES_MAX = 200
"""Lines of one row in one series."""


class Period(Struct, frozen=True):
    """Days, both of them included."""

    since: date
    until: date


def periods(by: By, since: date, until: date) -> list[Period]:
    """Return the calendar periods from one day to another; the first and the last may be parts of theirs."""
    months, found, first = MONTHS[by], [], since
    while first <= until:
        number = (12 * first.year + first.month - 1) // months * months + months
        following = date(number // 12, number % 12 + 1, 1)
        found.append(Period(first, min(until, following - timedelta(days=1))))
        first = following
    return found


def spans(each: Sequence[Period], *, ends: bool, known: date | None) -> list[Span]:
    """Return what is to be worked out: the periods' own figures, or (`ends`) those as of their ends."""
    found = [Span.as_of(one.until) if ends else Span.of(one.since, one.until) for one in each]
    return found if known is None else [one.known_on(known) for one in found]


def matching(found: Figures, country: str, labels: Mapping[str, str]) -> list[Cell]:
    """Return the cells asked for; without a country the region's, without both its one figure."""
    if not country and not labels:
        return [found.headline] if found.headline else []
    place = country or REGION
    return [one for one in found.cells if one.country == place and labels.items() <= one.labels.items()]


class Value(Struct, frozen=True, omit_defaults=True):
    """A figure of a period; null: there are no data."""

    value: float | None
    numerator: float | None = None
    denominator: int | None = None
    suppressed: bool = False
    """Known but not published; never the same as 0."""


class Line(Struct, frozen=True):
    """The figures of a country and its labels, one for each period."""

    country: str
    labels: dict[str, str]
    values: list[Value | None]


def lines(found: Sequence[Figures], country: str, labels: Mapping[str, str]) -> list[Line]:
    """Return a line for each cell that there is in any of the periods."""
    held: dict[tuple[str, ...], Line] = {}
    for place, one in enumerate(found):
        for cell in matching(one, country, labels):
            key = cell.country, *cell.labels.values()
            if key not in held:
                held[key] = Line(cell.country, cell.labels, [None] * len(found))
            held[key].values[place] = Value(cell.value, cell.numerator, cell.denominator, cell.suppressed)
    return [held[key] for key in sorted(held)]
