"""Worked examples of a plan: small histories as data, each with the figures that a person computed by hand.

They lie beside the plan's rows (`<plan>/examples/*.toml`). `crm plan check` plays them through the services' own
judgements and the fold; a row's page shows one. An example is a few reports and what is to be seen on some days:

    [[example]]
    of = ["IE-1.1"]
    text = { es = "…", en = "Two of eleven countries use the manual.", fr = "…" }
    reports = [{ on = "2003-09-01", by = ["GTM", "MEX"], event = "intel.manual.adopted" }]
    expect = [{ on = "2003-09-30", figures = { GTM = 1, REG = 2 }, met = "no" }]
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import EXACT, Figures, figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import Occurrence, occurrences
from services.indicators.folded.state import State
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import FOLDER, Fault, Plan, PlanError

Figure = int | float | str
"""A number, `numerator/denominator`, or `none`: no data."""
NONE = "none"
NEAR = 5e-7
"""So near must a figure be to a number that was written with six decimals."""
NOON = time(12, tzinfo=UTC)


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A report, or the same from several countries, or several of them."""

    on: str
    """When it happened: a day (noon, UTC) or a time."""
    by: str | list[str]
    """Whose key sends it: a country, ST, SV."""
    event: str = ""
    """`service.entity.verb`; `read`: the country reads its mailbox."""
    data: dict[str, Any] = {}
    """What differs from the contract's own example; `{n}` and `{by}` stand for the number and the sender."""
    without: list[str] = []
    """Fields of the contract's example that are left out."""
    subject: str = ""
    id: str = ""
    """By which a correction or retraction names it."""
    corrects: str = ""
    retracts: str = ""
    recorded: str = ""
    """When it reached the region, if that was later."""
    times: int = 1
    refused: str = ""
    """The code with which it must be refused."""

    @property
    def senders(self) -> list[str]:
        """Who sends it."""
        return self.by if isinstance(self.by, list) else [self.by]


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be seen of a row or milestone on a day."""

    on: str = ""
    """The day on whose evening somebody looks, knowing what was recorded by then."""
    as_of: str = ""
    """The day that is asked for at the end of the whole history, instead."""
    of: str = ""
    """The row or milestone; empty: the first that the example is of."""
    labels: dict[str, str] = {}
    figures: dict[str, Figure] = {}
    """Country (or REG) -> figure of the cell with exactly these labels."""
    headline: Figure = ""
    """The row in one figure."""
    met: Literal["", "yes", "no", "unknown"] = ""
    coverage: Figure = ""
    standing: str = ""
    due: str = ""
    reached: str = ""
    done: int | None = None
    """How many countries (or parts of a milestone) are done, of those `needed`."""
    needed: int | None = None
    missing: list[str] | None = None
    """The countries (or parts) that are not, in any order."""
    occurrence: str = ""
    """Of a recurring milestone the one that is meant (`2003-06-03`, `2003-Q2`)."""


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A history with what is to be seen of it."""

    of: list[str]
    text: Text
    """What happens, how the figure comes about, and the twist."""
    reports: list[Said]
    expect: list[Expected]

    def about(self, identity: str) -> list[Expected]:
        """Return what is expected of a row or milestone."""
        return [one for one in self.expect if (one.of or self.of[0]) == identity]


def load(folder: Path = FOLDER) -> list[Example]:
    """Read a plan's examples; raises PlanError with every fault of their form."""
    found, faults = [], []
    for file in sorted((folder / "examples").glob("*.toml")):
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            entries = msgspec.convert(content, dict[Literal["example"], list[dict[str, Any]]])
        except (ValueError, msgspec.ValidationError) as error:
            faults.append(Fault(file.name, "-", str(error)))
            continue
        for entry in entries.get("example", []):
            try:
                found.append(msgspec.convert(entry, Example))
            except msgspec.ValidationError as error:
                faults.append(Fault(file.name, str(entry.get("of", "-")), str(error)))
    if faults:
        raise PlanError(faults)
    return found


def by_row(examples: list[Example]) -> dict[str, Example]:
    """Return for each row and milestone the example that is shown of it: the first that is of it before all else."""
    found: dict[str, Example] = {}
    for example in sorted(examples, key=lambda one: len(one.of)):
        for expected in example.expect:
            found.setdefault(expected.of or example.of[0], example)
    return found | {example.of[0]: example for example in reversed(examples)}


def asked(one: Expected) -> int:
    """Return how many figures are compared of what is expected."""
    single = (one.headline, one.met, one.coverage, one.standing, one.due, one.reached)
    numbers = (one.done, one.needed, one.missing)
    return len(one.figures) + sum(given != "" for given in single) + sum(given is not None for given in numbers)


def missing(plan: Plan, examples: list[Example]) -> Iterator[str]:
    """Yield in words the rows and milestones of which no example expects anything, and names that are none."""
    told = {one.of or example.of[0] for example in examples for one in example.expect}
    known = [*plan.rows, *plan.milestones]
    yield from (f"{identity}: there is no example of it" for identity in known if identity not in told)
    named = told | {identity for example in examples for identity in example.of}
    yield from (f"{identity}: an example of what the plan has not" for identity in sorted(named - set(known)))


def moment(text: str) -> datetime:
    """Return the time of a day (noon, UTC) or a time as written; raises ValueError."""
    if len(text) == len("2003-01-01"):
        return datetime.combine(date.fromisoformat(text), NOON)
    return datetime.fromisoformat(text).astimezone(UTC)


def evening(text: str) -> datetime:
    """Return the last second of a day; raises ValueError."""
    return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC)) + timedelta(days=1, seconds=-1)


def differences(plan: Plan, example: Example, expected: Expected, state: State) -> list[str]:
    """Return in words where what the state shows is not what is expected."""
    identity, day = expected.of or example.of[0], date.fromisoformat(expected.on or expected.as_of)
    if identity in plan.milestones:
        found = list(_milestone(plan, identity, expected, state, evening(str(day))))
    elif identity in plan.rows:
        span = Span.now(day) if expected.on else Span.as_of(day)
        found = list(_row(figures(plan, plan.rows[identity], state, span, closed=EXACT), expected))
    else:
        found = ["the plan has no such row"]
    return [f"{identity} {'on' if expected.on else 'as of'} {day}: {one}" for one in found]


def _row(shown: Figures, expected: Expected) -> Iterator[str]:
    cells = {cell.country: cell for cell in shown.cells if cell.labels == expected.labels}
    for country, figure in expected.figures.items():
        yield from _unlike(country, figure, cells.get(country))
    if expected.headline != "":
        yield from _unlike("in one figure", expected.headline, shown.headline)
    met = {True: "yes", False: "no", None: "unknown"}[shown.met]
    if expected.met and met != expected.met:
        yield f"met is {met}, expected {expected.met}"
    if expected.coverage != "":
        yield from _unlike("coverage", expected.coverage, Cell("", {}, shown.coverage))


def _unlike(what: str, figure: Figure, cell: Cell | None) -> Iterator[str]:
    value = cell.value if cell else None
    shown = NONE if cell is None or value is None else str(value)
    if cell and value is not None and cell.denominator is not None:
        shown = f"{value} = {cell.numerator:g}/{cell.denominator:g}"
    if not _equal(figure, cell):
        yield f"{what} is {shown}, expected {figure}"


def _equal(figure: Figure, cell: Cell | None) -> bool:
    value = cell.value if cell else None
    if figure == NONE or cell is None or value is None:
        return figure == NONE and value is None
    if isinstance(figure, str):
        above, _, below = figure.partition("/")
        counted = cell.denominator is None or (cell.numerator, cell.denominator) == (float(above), float(below))
        return counted and abs(value - float(above) / float(below)) < NEAR
    return abs(value - figure) < NEAR


def _milestone(plan: Plan, identity: str, expected: Expected, state: State, now: datetime) -> Iterator[str]:
    key = f"{identity}/{expected.occurrence}" if expected.occurrence else identity
    until = now if expected.as_of else None
    found = next((one for one in occurrences(plan, state, until, public=False) if one.key == key), None)
    if found is None:
        yield f"there is no occurrence {key}"
        return
    shown = _shown(found, now)
    for name in shown:
        wanted = getattr(expected, name)
        if wanted and wanted != shown[name]:
            yield f"{name} is {shown[name]}, expected {wanted}"
    for number, told in (("done", found.done), ("needed", found.needed)):
        if getattr(expected, number) not in {None, told}:
            yield f"{number} is {told}, expected {getattr(expected, number)}"
    if expected.missing is not None and sorted(expected.missing) != sorted(found.missing):
        yield f"missing are {', '.join(found.missing) or NONE}, expected {', '.join(expected.missing) or NONE}"


def _shown(found: Occurrence, now: datetime) -> Mapping[str, str]:
    return {
        "standing": found.standing(now),
        "due": str(found.due.date()) if found.due else NONE,
        "reached": str(found.reached.date()) if found.reached else NONE,
    }
