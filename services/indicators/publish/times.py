"""The JSON of figures over time: series, a country's profile, and what of a time was asked for."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from services.indicators.figures import kinds
from services.indicators.figures.cells import Cell
from services.indicators.figures.disclosure import Refusal
from services.indicators.figures.figures import Figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import occurrences
from services.indicators.figures.series import By, Line, Period
from services.indicators.folded.state import REPORTS, State
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Kind, Row
from services.indicators.planned.schedule import end_of
from services.indicators.publish.answers import Detail, Due, Summary, due
from services.indicators.publish.asking import Stretch
from shared.contracts.vocabulary import Country


class OfPeriod(Period, frozen=True, kw_only=True):
    """A period of a series, and what is said of the whole region in it."""

    met: bool | None
    """Whether the target is met; null: not known, or there is no target."""
    unknown: str | None
    """Why that is not known."""
    coverage: float | None
    """Share of the member countries that reported something for the row; null: countries do not report it."""
    refused: Refusal | UnsetType = UNSET
    """Why there is no figure of it."""


class Series(Struct, frozen=True, kw_only=True):
    """A row by month, quarter or year."""

    id: str
    title: Text
    unit: str
    kind: Kind
    by: By
    figure: Literal["period", "end"]
    """`period`: the periods' own figures; `end`: what had happened by their ends."""
    known_on: date | UnsetType = UNSET
    """Only what was recorded by the end of this day counts."""
    periods: list[OfPeriod]
    lines: list[Line]
    """One for each country and label asked for that has a figure in any of the periods."""


class CountryRow(Struct, frozen=True, kw_only=True):
    """A row in a country."""

    id: str
    title: Text
    unit: str
    kind: Kind
    target: float | None
    """The region's, in the row's unit; null: the Plan sets no number."""
    values: list[Cell]
    """The country's cells."""
    region: Cell | None
    """The region in one figure; null: there are no data."""
    refused: Refusal | UnsetType = UNSET
    """Why there is no figure of that time."""


class Profile(Struct, frozen=True, kw_only=True):
    """All that is known of a country."""

    country: Country
    as_of: date
    """The end of this day, UTC."""
    since: date | UnsetType = UNSET
    """First day of the period whose own figures these are; its last is `as_of`."""
    known_on: date | UnsetType = UNSET
    """Only what was recorded by the end of this day counts."""
    last_reported: date | None
    """The day on which its last report was recorded; null: it has sent none."""
    silent: bool
    """It had reported, and then nothing for longer than the Plan allows."""
    rows: list[CountryRow]
    """Those rows in which it has a figure, or of which there is none at that time."""
    missing: list[Due]
    """The due dates that wait for it, in the Plan's order."""


def told_series(  # noqa: PLR0913, PLR0917 - what was asked for, and what was found
    row: Row,
    by: By,
    figure: Literal["period", "end"],
    each: Sequence[Period],
    found: Sequence[Figures],
    lines: list[Line],
) -> Series:
    """Return a series."""
    return Series(
        id=row.id,
        title=row.title,
        unit=row.unit,
        kind=row.kind,
        by=by,
        figure=figure,
        periods=[
            OfPeriod(
                period.since,
                period.until,
                met=one.met,
                unknown=one.unknown or None,
                coverage=one.coverage,
                refused=one.refused or UNSET,
            )
            for period, one in zip(each, found, strict=True)
        ],
        lines=lines,
    )


def profile(  # noqa: PLR0913 - what it is made of
    plan: Plan, state: State, country: Country, span: Span, found: Sequence[Figures], *, public: bool
) -> Profile:
    """Return a country's profile, of its figures and all others'; `public`: heard by reports about no person."""
    span = msgspec.structs.replace(span, public=public)
    rows = [
        CountryRow(
            id=one.row.id,
            title=one.row.title,
            unit=one.row.unit,
            kind=one.row.kind,
            target=one.row.target,
            values=values,
            region=one.headline,
            refused=one.refused or UNSET,
        )
        for one in found
        if (values := [cell for cell in one.cells if cell.country == country]) or one.refused
    ]
    day, end = span.day.toordinal(), end_of(span.day)
    sent = kinds.view(plan, REPORTS, "value", state, public=public)
    days = [on for on in sent.days((country,), span.known) if on <= day] if (country,) in sent.cells else []
    due_then = occurrences(plan, state, end, span.known, public=public)
    return Profile(
        country=country,
        as_of=span.day,
        last_reported=date.fromordinal(max(days)) if days else None,
        silent=country in kinds.silent(plan, state, span),
        rows=rows,
        missing=[due(one, end) for one in due_then if country in one.missing],
    )


def some(found: Figures, country: str, labels: Mapping[str, str]) -> Figures:
    """Return a row's figures with the cells asked for; all of them, where nothing is."""
    cells = [
        one for one in found.cells if (not country or one.country == country) and labels.items() <= one.labels.items()
    ]
    return msgspec.structs.replace(found, cells=cells) if country or labels else found


Told = TypeVar("Told", Summary, Detail, Series, Profile)


def timed(told: Told, asked: Stretch) -> Told:
    """Return the answer with what of a time was asked for."""
    known = asked.known_on or UNSET
    if isinstance(told, Series):
        return msgspec.structs.replace(told, known_on=known)
    return msgspec.structs.replace(told, since=asked.since or UNSET, known_on=known)
