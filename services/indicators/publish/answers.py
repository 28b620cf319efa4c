"""The JSON that the addresses give, as types: the answers are made of them, and so is the document."""

from datetime import date, datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from services.indicators.figures.cells import Cell
from services.indicators.figures.disclosure import Refusal
from services.indicators.figures.figures import Figures, Parts
from services.indicators.figures.milestones import Occurrence, Standing
from services.indicators.figures.series import Period
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.rows import Kind


class RowTold(Struct, frozen=True, kw_only=True):
    """A row of the Plan on a day."""

    id: str
    """The Plan's number of it, or its own."""
    title: Text
    unit: str
    """What its figures count; `ratio`: a share from 0 to 1, `seconds`: a time."""
    kind: Kind
    """How it is worked out."""
    as_of: date
    """The end of this day, UTC."""
    target: float | None
    """What the Plan asks for, in the row's unit; null: it sets no number."""
    direction: Literal["at_least", "at_most", "above", "below"]
    """How the figure stands to the target when it is met."""
    met: bool | None
    """Whether the target is met; null: not known, or there is no target."""
    unknown: str | None
    """Why that is not known, or a figure made of rows does not hold for sure."""
    missing: list[str]
    """The countries for which it is not known."""
    coverage: float | None
    """Share of the member countries that reported something for the row; null: countries do not report it."""
    since: date | UnsetType = UNSET
    """First day of the period whose own figure it is; its last is `as_of`."""
    known_on: date | UnsetType = UNSET
    """Only what was recorded by the end of this day counts."""
    refused: Refusal | UnsetType = UNSET
    """Why there is no figure of that time."""


class Detail(RowTold, frozen=True, kw_only=True):
    """A row with its cells. What only some rows have is absent from the others."""

    values: list[Cell]
    """A cell for each country and label, then those of the region."""
    own: list[Cell] | UnsetType = UNSET
    """With a country's own token: its cells, exact and as of now, or of the time that was asked for."""
    on_time: dict[str, float]
    """Service -> share of all that countries reported to it that was recorded in time (30 days in this Plan), for each
    to which they report for this row; without those that are not published."""
    belongs: str | UnsetType = UNSET
    """The row of the Plan that this is a further figure of."""
    parts: Parts | UnsetType = UNSET
    window: Period | UnsetType | None = UNSET
    """Of a trend: the days that are compared."""
    baseline: Period | UnsetType | None = UNSET
    """Of a trend: the days with which they are compared."""
    partial: bool | UnsetType | None = UNSET
    """A silent country is in the trend; of a figure made of rows: some of them lack."""
    silent: list[str] | UnsetType = UNSET
    """Countries in the figure that have fallen silent."""


class Summary(RowTold, frozen=True, kw_only=True):
    """A row in one figure. What only some rows have is absent from the others."""

    value: float | None
    """In the row's unit; null: no data, or not published."""
    numerator: float | None
    """What a ratio or a mean divides."""
    denominator: int | None
    """By what it divides."""
    suppressed: bool
    """Known but not published; never the same as 0."""
    suppressed_cells: int
    """How many of its cells are not published."""
    belongs: str | UnsetType = UNSET
    """The row of the Plan that this is a further figure of."""
    parts: Parts | UnsetType = UNSET
    window: Period | UnsetType | None = UNSET
    """Of a trend: the days that are compared."""
    baseline: Period | UnsetType | None = UNSET
    """Of a trend: the days with which they are compared."""
    partial: bool | UnsetType | None = UNSET
    """A silent country is in the trend; of a figure made of rows: some of them lack."""
    silent: list[str] | UnsetType = UNSET
    """Countries in the figure that have fallen silent."""
    uncounted: int
    """Events that no figure has: they were set aside."""


class Due(Struct, frozen=True, kw_only=True):
    """A due date of a milestone."""

    id: str
    """That of the milestone; of a recurring one it goes on with the day."""
    milestone: str
    title: Text
    due: datetime | None
    """null: it is due some time after something that has not happened."""
    reached: datetime | None
    late_s: int
    """Seconds from `due` to `reached`; 0: not late, or not reached."""
    state: Standing
    """`late`: reached after it was due; `missed`: due, not reached; `running`: begun, without an end."""
    done: int
    """How many of those needed are done."""
    needed: int
    """How many countries, or parts, it takes."""
    missing: tuple[str, ...]
    """Countries or parts that have not done it."""


def summary(one: Figures, uncounted: int) -> Summary:
    """Return a row in one figure."""
    headline = one.headline
    return Summary(
        **_row(one),
        value=headline.value if headline else None,
        numerator=headline.numerator if headline else None,
        denominator=headline.denominator if headline else None,
        suppressed=bool(headline and headline.suppressed),
        suppressed_cells=one.suppressed,
        uncounted=uncounted,
        **_more(one),
    )


def detail(one: Figures, on_time: dict[str, float], own: list[Cell] | UnsetType = UNSET) -> Detail:
    """Return a row with its cells, and how timely the reports come that it is made of; `own`: for the country."""
    return Detail(**_row(one), values=one.cells, own=own, on_time=on_time, **_more(one))


def due(one: Occurrence, now: datetime) -> Due:
    """Return how a due date stands."""
    return Due(
        id=one.key,
        milestone=one.milestone.id,
        title=one.milestone.title,
        due=one.due,
        reached=one.reached,
        late_s=one.late_s,
        state=one.standing(now),
        done=one.done,
        needed=one.needed,
        missing=one.missing,
    )


def _row(one: Figures) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "title": row.title,
        "unit": row.unit,
        "kind": row.kind,
        "as_of": one.day,
        "target": row.target,
        "direction": row.direction,
        "met": one.met,
        "unknown": one.unknown or None,
        "missing": one.missing,
        "coverage": one.coverage,
    }


def _more(one: Figures) -> dict[str, Any]:
    """Return what only some rows have: whose further figure it is; of a trend what it compares, and who fell silent."""
    more: dict[str, Any] = {"belongs": one.row.belongs} if one.row.belongs else {}
    more |= {"refused": one.refused} if one.refused else {}
    if one.parts:
        more |= {"parts": one.parts, "partial": one.partial, "silent": one.silent}
    if one.row.kind == "trend":
        periods = one.comparison
        more |= {
            "window": Period(periods.since, periods.until) if periods else None,
            "baseline": Period(periods.baseline_since, periods.baseline_until) if periods else None,
            "partial": one.partial,
            "silent": one.silent,
        }
    return more
