"""Figures and lists as CSV (RFC 4180): UTF-8, a header, CRLF, the order of the Plan.

The table of figures is tidy: one line a figure. Each label is a column of its own, `label_<name>`, empty where the
figure is not told apart by it, so that `df.pivot(columns="label_sex")` or R's `filter` need no parsing.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures
from services.indicators.figures.objectives import AreaTold, NodeTold
from services.indicators.publish.answers import Due
from services.indicators.publish.coverage import labels_shown
from services.indicators.publish.words import Words
from shared.contracts.vocabulary import REGION

BEFORE = ("indicator", "title", "country")
AFTER = ("unit", "value", "numerator", "denominator", "suppressed", "target", "met", "as_of")
"""The columns before and after those of the labels."""


def lines(one: Figures) -> Iterator[Cell]:
    """Yield a row's one figure, unless it is among its cells, and these as they are in JSON."""
    whole = one.headline
    if whole and not any(cell.country == REGION and not cell.labels for cell in one.cells):
        yield whole
    yield from one.cells


def figures(found: Sequence[Figures], said: Words) -> str:
    """Return the figures of some rows, each guarded as it is in JSON."""
    labels = [*dict.fromkeys(name for one in found for name in labels_shown(one.row))]
    return _table([*BEFORE, *(f"label_{name}" for name in labels), *AFTER], _figures(found, said, labels))


def _figures(found: Sequence[Figures], said: Words, labels: Sequence[str]) -> Iterator[Sequence[Any]]:
    for one in found:
        row = one.row
        for cell in lines(one):
            whole = cell is one.headline
            yield (
                *(row.id, said.title(row.title), cell.country),
                *(cell.labels.get(name) for name in labels),
                *(row.unit, cell.value, cell.numerator, cell.denominator, cell.suppressed),
                *((row.target, one.met) if whole or (cell.country == REGION and not cell.labels) else (None, None)),
                one.day,
            )


def milestones(due: Iterable[Due], said: Words) -> str:
    """Return the due dates, one a line; who is missing is told with spaces between."""
    columns = ("id", "milestone", "title", "due", "reached", "late_s", "state", "done", "needed", "missing")
    return _table(columns, ([*_plainly(one, said, columns)] for one in due))


def _plainly(one: Any, said: Words, columns: Sequence[str]) -> Iterator[Any]:
    for name in columns:
        value = getattr(one, name)
        yield said.title(value) if name == "title" else " ".join(value) if isinstance(value, list | tuple) else value


def objectives(areas: Iterable[AreaTold], said: Words) -> str:
    """Return areas, objectives, results and activities, one a line, with how many targets below each are met."""
    degree = ("met", "not_met", "not_known", "no_target")
    columns = ("id", "level", "parent", "text", "responsible", "resources", *degree)

    def told(one: AreaTold | NodeTold, parent: str) -> Iterator[Sequence[Any]]:
        text = one.title if isinstance(one, AreaTold) else one.text
        more = (None, None) if isinstance(one, AreaTold) else (one.responsible, one.resources)
        texts = [said.title(each) if each else None for each in (text, *more)]
        yield (one.id, one.level, parent, *texts, *(getattr(one.degree, name) for name in degree))
        for below in one.below:
            yield from told(below, one.id)

    return _table(columns, (line for area in areas for line in told(area, "")))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_word(value) for value in row] for row in rows)
    return text.getvalue()


def _word(value: Any) -> Any:
    """Return what stands in a field: nothing for null, `true` and `false` as in JSON, times by ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else value
