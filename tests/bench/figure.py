"""A figure of the benchmark suite: a median with its spread, and the table and the JSON that all of them make."""

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table


class Figure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was measured in some rounds."""

    measure: str
    """Which of the suite's measures it is of."""
    name: str
    unit: str
    median: float
    low: float
    """The least of the rounds."""
    high: float
    n: int
    """How many rounds."""
    conditions: str = ""
    curve: str = ""
    """The picture that it is a point of; empty: none."""
    line: str = ""
    """Which line of the picture."""
    at: float | None = None
    """Where on the picture's axis."""
    aim: str = ""


class Absent(Struct, frozen=True, kw_only=True):
    """What was not measured, and why."""

    measure: str
    name: str
    reason: str


Result = Figure | Absent


def of(measure: str, name: str, unit: str, values: Sequence[float], **more: object) -> Figure:
    """Return the figure of some rounds."""
    median, low, high = (statistics.median(values), min(values), max(values))
    return msgspec.convert(
        {"measure": measure, "name": name, "unit": unit, "median": median, "low": low, "high": high, "n": len(values)}
        | more,
        Figure,
    )


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that so great a share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def number(value: float) -> str:
    """Return a number with about three places that count."""
    if value and abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def show(results: Sequence[Result]) -> None:
    """Print one table of all figures, and what is missing."""
    table = Table("measure", "figure", "unit", "median", "least to most", "n", "conditions")
    for one in results:
        if isinstance(one, Absent):
            table.add_row(one.measure, one.name, "", "-", one.reason, "", "")
            continue
        aim = f" (aim: {one.aim})" if one.aim else ""
        spread = f"{number(one.low)} to {number(one.high)}"
        table.add_row(one.measure, one.name, one.unit, number(one.median), spread, str(one.n), f"{one.conditions}{aim}")
    Console(width=170, highlight=False, markup=False).print(table)


def write(results: Sequence[Result], machine: str, file: Path) -> None:
    """Write the figures as JSON."""
    told = {
        "machine": machine,
        "figures": [one for one in results if isinstance(one, Figure)],
        "absent": [one for one in results if isinstance(one, Absent)],
    }
    file.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
