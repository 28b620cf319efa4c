"""The quarterly report (Plan IE 3.1): figures as of the quarter's end, and what they rest on.

A report is bytes: published once, never edited. What is reported late, or corrected, shows in the next revision; of
what is about persons, in the next quarter's. The hashes say up to which row of each log it was made; at which sequences
that was is kept beside it, for whoever has the logs to fold them so far and get the same figures.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures, Parts, all_figures
from services.indicators.figures.kinds import Span, reporting
from services.indicators.figures.milestones import Standing, occurrences, report_due
from services.indicators.folded.state import REPORTS, State
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import end_of, quarter, quarter_end, quarters
from shared.contracts.vocabulary import MEMBERS

_encode = msgspec.json.Encoder(order="deterministic").encode


class RowReport(Struct, frozen=True):
    """One indicator in a report."""

    id: str
    title: Text
    unit: str
    kind: str
    target: float | None
    met: bool | None
    unknown: str
    """Why it is not known whether the target is met, or whether a figure made of rows holds; empty: it is known."""
    missing: list[str]
    """The countries for which it is not known."""
    parts: Parts | None
    coverage: float | None
    value: float | None
    numerator: float | None
    denominator: int | None
    suppressed: bool
    partial: bool | None
    """A silent country is in the trend; of a figure made of rows: some of them lack."""
    values: list[Cell]


class MilestoneReport(Struct, frozen=True):
    """One due date in a report."""

    id: str
    title: Text
    due: datetime | None
    reached: datetime | None
    state: Standing
    done: int = 0
    needed: int = 1
    missing: tuple[str, ...] = ()
    """By name; a report published before this was told has none."""


class Report(Struct, frozen=True, omit_defaults=True):
    """A quarter's report. What has a default is left out of those that were published before it was told."""

    quarter: str
    revision: int
    as_of: date
    plan: Text
    coverage: float
    """Share of the member countries that reported in the quarter."""
    suppressed: int
    """Rows about persons whose one figure is not published; of older reports, cells."""
    events: dict[str, int]
    """Of reports published before these were no longer public: service -> sequence of the last event folded."""
    indicators: list[RowReport]
    milestones: list[MilestoneReport]
    hashes: dict[str, str] = {}
    """Service -> the hash (hex) of its log's row at that sequence; a service whose log was not read whole has none."""
    digest: str = ""
    """SHA-256 (hex) of the plan under which it was made."""
    checkpoints: dict[str, str] = {}
    """Service -> a checkpoint of its log that holds these rows (C2SP tlog-checkpoint, with its cosignatures)."""


def closed(state: State, now: datetime) -> list[str]:
    """Return the quarters that are over, from that of the first report recorded on."""
    first = min((day for cell in state.sums[REPORTS].values() for day in cell.days), default=None)
    if first is None:
        return []
    return [quarter(day) for day in quarters(date.fromordinal(first), now.date()) if end_of(day) < now]


def due(name: str) -> datetime:
    """Return until when a quarter's report is to be published."""
    return end_of(report_due(quarter_end(name)))


def report(plan: Plan, state: State, name: str, revision: int, found: Sequence[Figures] | None = None) -> Report:
    """Return a quarter's report as the state has it now, in publishable figures; `found`: all these, if at hand."""
    day = quarter_end(name)
    found = all_figures(plan, state, Span.as_of(day), closed=day) if found is None else found
    return Report(
        quarter=name,
        revision=revision,
        as_of=day,
        plan=plan.title,
        coverage=_coverage(plan, state, day),
        suppressed=sum(bool(one.headline and one.headline.suppressed) for one in found),
        events={},
        indicators=[_row(one) for one in found],
        milestones=list(_milestones(plan, state, end_of(day))),
        hashes={service: one.hex() for service, one in sorted(state.hashes.items()) if one},
        digest=plan.digest,
    )


def content(one: Report) -> bytes:
    """Return the bytes that are published; their SHA-256 is the report's checksum."""
    return _encode(one)


def fingerprint(one: Report) -> bytes:
    """Return the SHA-256 of all that readers look at; equal ones need no new revision."""
    shown = msgspec.structs.replace(one, revision=0, events={}, hashes={}, digest="", checkpoints={})
    return hashlib.sha256(_encode(shown)).digest()


def _coverage(plan: Plan, state: State, day: date) -> float:
    before = date(day.year, day.month - 2, 1).toordinal() - 1
    span = msgspec.structs.replace(Span.of(date.fromordinal(before + 1), day), public=True)
    return len(reporting(plan, state, span) & set(MEMBERS)) / len(MEMBERS)


def _row(one: Figures) -> RowReport:
    row, headline = one.row, one.headline
    return RowReport(
        id=row.id,
        title=row.title,
        unit=row.unit,
        kind=row.kind,
        target=row.target,
        met=one.met,
        unknown=one.unknown,
        missing=one.missing,
        parts=one.parts,
        coverage=one.coverage,
        value=headline.value if headline else None,
        numerator=headline.numerator if headline else None,
        denominator=headline.denominator if headline else None,
        suppressed=bool(headline and headline.suppressed),
        partial=one.partial,
        values=one.cells,
    )


def _milestones(plan: Plan, state: State, end: datetime) -> Iterator[MilestoneReport]:
    """Yield how each due date stood at the quarter's end."""
    for one in occurrences(plan, state, until=end, public=True):
        told = one.done, one.needed, one.missing
        yield MilestoneReport(one.key, one.milestone.title, one.due, one.reached, one.standing(end), *told)


def table(one: Report) -> str:
    """Return the report's figures as CSV: a line for each cell, the row's one figure first."""
    text = io.StringIO()
    writer = csv.writer(text)
    figure = ["value", "numerator", "denominator"]
    writer.writerow(["indicator", "country", "labels", *figure, "suppressed", "unit", "met", "unknown"])
    for row in one.indicators:
        whole = Cell("REG", {}, row.value, row.numerator, row.denominator, suppressed=row.suppressed)
        for cell in [whole, *row.values]:
            labels = ";".join(f"{name}={value}" for name, value in cell.labels.items())
            numbers: list[Any] = [cell.value, cell.numerator, cell.denominator]
            told = ["" if number is None else f"{number:.12g}" for number in numbers]
            said = [int(cell.suppressed), row.unit, _said(row.met), row.unknown]
            writer.writerow([row.id, cell.country, labels, *told, *said])
    return text.getvalue()


def _said(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "no"
