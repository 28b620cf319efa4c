"""The course of a row: its curve, small curves by country and label, and what moved from one period to the next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from msgspec import Struct

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures
from services.indicators.figures.series import MONTHS, By, Period, periods
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.persons import row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.planned.schedule import quarter
from services.indicators.publish import charts, pages
from services.indicators.publish.coverage import in_order
from services.indicators.publish.words import SHARE, TIME, Words, words
from shared.contracts.vocabulary import MEMBERS, REGION

PERIODS_SHOWN = 40
"""The latest of so many periods are on a page; the series of the interface for programs has all."""
VALUES_SHOWN = 8
"""So many values of a label have a curve of their own: those with the largest figures."""
BASELINE = 1.0
"""A trend is told as a multiple of its baseline."""
Which = Literal["period", "end"]


class Course(Struct, frozen=True, kw_only=True):
    """A row over time."""

    by: By
    figure: Which
    each: Sequence[Period]
    found: Sequence[Figures]
    """The figures of the periods: their own (`period`), or as of their ends (`end`)."""
    own: Sequence[Figures]
    """The periods' own figures, of the last three at least, in the same order; of earlier ones there may be none."""


def shown_periods(by: By, first: date, until: date) -> list[Period]:
    """Return the calendar periods that a page shows, up to a day; none before the first."""
    return periods(by, first, until)[-PERIODS_SHOWN:] if first <= until else []


def whole(by: By, one: Period) -> bool:
    """Say whether a period is over on its last day, and no part of one."""
    after = one.until + timedelta(days=1)
    return after.day == 1 and (after.month - 1) % MONTHS[by] == 0


def course(lang: str, plan: Plan, row: Row, of: Course) -> dict[str, Any]:
    """Return what the page shows of it."""
    said = words(lang, plan)
    names = [named(said, of.by, one) for one in of.each]
    refused = next((one.refused for one in of.found if one.refused), "")
    running = _running(of.by, of.figure, of.each)
    return {
        "by": of.by,
        "figure": of.figure,
        "choices": [(by, said.text[f"by_{by}"]) for by in MONTHS],
        "figures": [(which, said.text[f"figure_{which}"]) for which in ("end", "period")],
        "curve": drawn(said, row, names, of.found, running=running is not None),
        "running": _not_over(said, running),
        "apart": row.kind in COMPOSED,
        "refused": said.text[f"refused_{refused}"] if refused else "",
        "moved": moved(said, row, of),
        "small": [one for one in _groups(said, row, of, names) if one["lines"]],
    }


def picture(  # noqa: PLR0913, PLR0917 - what is drawn
    lang: str, plan: Plan, row: Row, by: By, figure: Which, each: Sequence[Period], found: Sequence[Figures]
) -> str:
    """Return the picture of a row's one figure by period."""
    said = words(lang, plan)
    unit = "" if row.unit in (SHARE, TIME) else said.unit(row.unit, None)
    running = _running(by, figure, each)
    curve = drawn(said, row, [named(said, by, one) for one in each], found, running=running is not None)
    told = {"heading": said.title(row.title), "unit": unit, "curve": curve, "running": _not_over(said, running)}
    return pages.render("curve.svg", lang, plan, row=row.id, **told)


def _running(by: By, figure: Which, each: Sequence[Period]) -> Period | None:
    """Return the last period where its own figure is drawn and it is not over: more may come."""
    return each[-1] if figure == "period" and each and not whole(by, each[-1]) else None


def _not_over(said: Words, running: Period | None) -> str:
    return said.text["curve_running"].format(day=said.day(running.until)) if running else ""


def spark(row: Row, found: Sequence[Figures]) -> str:
    """Return the small picture of a row's course, without words; an empty one where fewer than two are known."""
    line = [_public(one.headline) for one in found]
    known = _known(line)
    drawn = charts.small(line, max(*known, row.target or 0.0)) if len(known) > 1 else None
    return pages.picture("spark.svg", curve=drawn, width=charts.SMALL_WIDTH, height=charts.SMALL_HEIGHT)


def named(said: Words, by: By, one: Period) -> str:
    """Return what a period is called: mar 2004, Q1 2004, 2004."""
    if by == "month":
        return said.month(one.until)
    return said.quarter(quarter(one.until), short=True) if by == "quarter" else str(one.until.year)


def drawn(
    said: Words, row: Row, names: Sequence[str], found: Sequence[Figures], *, running: bool
) -> dict[str, Any] | None:
    """Return the curve of a row's one figure, with its target and a trend's baseline; None: too few are known."""
    points = [(name, _public(one.headline)) for name, one in zip(names, found, strict=True)]
    own = any(one.headline for one in found) and row.kind == "trend"
    baseline = BASELINE if own else None
    return charts.curve(said, row.unit, points, row.target, baseline, decimals=row.decimals, running=running)


def _public(cell: Cell | None) -> float | None:
    return cell.value if cell and not cell.suppressed else None


def moved(said: Words, row: Row, of: Course) -> dict[str, Any] | None:
    """Compare the last whole period with the one before, by country; None: there are no two with a figure."""
    held = list(zip(of.each, of.own, strict=True))
    full = [pair for pair in held if whole(of.by, pair[0])][-2:]
    if len(full) < 2 or any(_public(one.headline) is None for _, one in full):  # noqa: PLR2004 - two are compared
        return None
    (before, old), (last, new) = full
    running = held[-1] if held[-1][0] is not last and _public(held[-1][1].headline) is not None else None
    was, now = (_public(one.headline) or 0.0 for one in (old, new))
    beside = said.figures(row, was, now)
    each = [(code, _place(row, old, code), _place(row, new, code)) for code in MEMBERS]
    each = [one for one in each if one[1] is not None or one[2] is not None]
    each.sort(key=lambda one: -abs((one[2] or 0.0) - (one[1] or 0.0)))
    return {
        "before": named(said, of.by, before),
        "last": named(said, of.by, last),
        "running": said.day(running[0].until) if running else "",
        "which": "same" if now == was else "more" if now > was else "less",
        "old": f"{beside[0]} {said.unit(row.unit, was)}".strip(),
        "new": f"{beside[1]} {said.unit(row.unit, now)}".strip(),
        "rows": [
            {
                "code": code,
                "country": said.country(code),
                "old": said.of_country(row, a)[0],
                "new": said.of_country(row, b)[0],
                "change": _change(said, row, a, b),
                "silent": code in new.silent,
            }
            for code, a, b in each
        ],
        "so_far": _told(said, row, _public(running[1].headline)) if running else "",
        "silent": said.countries(new.silent),
    }


def _change(said: Words, row: Row, old: float | None, new: float | None) -> str:
    """Return by how much a figure changed, with its sign: of a share in points.

    Of what is added up, a country without a figure adds nothing; of persons, it may be that it is not told.
    """
    if (old is None or new is None) and (row.kind not in {"count", "countries"} or row_about_persons(row)):
        return "—"
    by = (new or 0.0) - (old or 0.0)
    if row.kind == "countries" and not by:
        return "="
    if row.unit == SHARE:
        points = round(100 * by, row.decimals)
        return f"{_sign(points)}{said.counted('points', abs(points), row.decimals)}"
    return f"{_sign(by)}{said.number(abs(by), row.unit)}"


def _sign(by: float) -> str:
    return "+" if by > 0 else "\N{MINUS SIGN}" if by < 0 else ""


def _told(said: Words, row: Row, value: float | None) -> str:
    return f"{said.figure(row, value)} {said.unit(row.unit, value)}".strip()


def _place(row: Row, one: Figures, code: str) -> float | None:
    cells = [cell for cell in one.cells if cell.country == code and _counted(row, cell)]
    return _one_of(row, cells) if row.kind == "countries" else _together(row, cells)


def _one_of(row: Row, cells: Sequence[Cell]) -> float | None:
    """Return 1 of a country that the row's one figure counts, and 0 of one that has only some of what is asked."""
    if not cells or any(cell.suppressed or cell.value is None for cell in cells):
        return None
    first = next(iter(row.labels), "")
    return float({*row.every} <= {cell.labels[first] for cell in cells if cell.value} if row.every else True)


def _counted(row: Row, cell: Cell, beside: str = "") -> bool:
    """Say whether a cell is of the kind that the row's one figure counts; `beside`: a label that is told apart."""
    return all(cell.labels.get(name) == value for name, value in row.headline.items() if name != beside)


def _together(row: Row, cells: Sequence[Cell]) -> float | None:
    """Return several cells in one figure; None: there is none, or they cannot be put together, or not all are told.

    Of rows about persons cells are left out so that nothing can be worked out: these are never added up.
    """
    if any(cell.suppressed or cell.value is None for cell in cells):
        return None
    if len(cells) == 1 and (len(row.labels) == 0 or not row_about_persons(row)):
        return cells[0].value
    if not cells or row_about_persons(row):
        return None
    if row.kind in {"count", "current"}:
        return sum(cell.value or 0.0 for cell in cells)
    if row.kind in {"ratio", "mean", "share"} and all(cell.denominator for cell in cells):
        return sum(cell.numerator or 0.0 for cell in cells) / sum(cell.denominator or 0 for cell in cells)
    return None


def _groups(said: Words, row: Row, of: Course, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield small curves: by country, then by the values of each label in the region."""
    lines = {said.country(code): [_place(row, one, code) for one in of.found] for code in MEMBERS}
    yield _group(said, row, said.text["country"], lines, names, most=len(MEMBERS), countries=True)
    labels = dict.fromkeys(name for one in of.found for cell in one.cells for name in cell.labels)
    for label in labels if len(labels) == 1 or not row_about_persons(row) else ():
        values = {value for one in of.found for cell in one.cells if (value := cell.labels.get(label)) is not None}
        told = {
            said.value(label, value): [_together(row, _those(row, one, label, value)) for one in of.found]
            for value in in_order(row, label, values)
        }
        if len(told) > 1:
            yield _group(said, row, said.labels.get(label, label), told, names, most=VALUES_SHOWN)


def _those(row: Row, one: Figures, label: str, value: str) -> list[Cell]:
    """Return the region's cells with one value of a label; of other labels, only what the row's one figure counts."""
    mine = [cell for cell in one.cells if cell.country == REGION and cell.labels.get(label) == value]
    return [cell for cell in mine if _counted(row, cell, label)]


def _group(  # noqa: PLR0913 - what they have in common
    said: Words,
    row: Row,
    title: str,
    lines: Mapping[str, Sequence[float | None]],
    names: Sequence[str],
    *,
    most: int,
    countries: bool = False,
) -> dict[str, Any]:
    """Return curves that have one scale."""
    known = {name: line for name, line in lines.items() if _known(line)}
    if most < len(known):
        largest = sorted(known, key=lambda name: -max(_known(known[name])))[:most]
        known = {name: line for name, line in known.items() if name in largest}
    top = max((abs(value) for line in known.values() for value in _known(line)), default=0.0)
    return {
        "title": title,
        "more": said.counted("and_more", more)
        if (more := sum(bool(_known(one)) for one in lines.values()) - len(known))
        else "",
        "top": said.figure(row, top),
        "lines": [
            {
                "name": name,
                **_last(said, row, _known(line)[-1], countries=countries),
                "at": names[max(number for number, value in enumerate(line) if value is not None)],
                **charts.small(line, top),
            }
            for name, line in known.items()
        ],
    }


def _last(said: Words, row: Row, value: float, *, countries: bool) -> dict[str, str]:
    """Return the last figure of a small curve, of a country or of the region."""
    told, unit = said.of_country(row, value) if countries else (said.figure(row, value), said.unit(row.unit, value))
    return {"last": told, "unit": unit}


def _known(line: Iterable[float | None]) -> list[float]:
    return [value for value in line if value is not None]
