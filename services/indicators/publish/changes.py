"""From one revision of a quarter's report to another: which figures changed, by how much, because of which events."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
from msgspec import Struct

from services.indicators.figures.behind import Alone, steps, subjects
from services.indicators.figures.cells import Cell
from services.indicators.figures.milestones import Standing
from services.indicators.figures.suppression import Counts, Guard, Key, rounded
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.publish.explaining import about_persons
from services.indicators.publish.recalling import Recall
from services.indicators.publish.reports import MilestoneReport, Report, RowReport
from shared.contracts.vocabulary import REGION

LIMIT_S = 10.0
"""So long the streams are read for the reasons."""
KEPT = 32
"""Answers that are kept: two revisions never change any more."""


class CellChange(Struct, frozen=True):
    """A figure that is another one now."""

    country: str
    labels: dict[str, str]
    """Empty of `REG`: the row in one figure."""
    before: float | None
    after: float | None
    """None: no data, or not published."""
    by: float | None
    """None: one of the two is not known."""


class RowChange(Struct, frozen=True):
    """What changed of an indicator."""

    id: str
    met_before: bool | None
    met_after: bool | None
    cells: list[CellChange]


class MilestoneChange(Struct, frozen=True):
    """A due date that stands otherwise now."""

    id: str
    before: Standing | None
    """None: the revision does not have it."""
    after: Standing | None


class Reason(Struct, frozen=True):
    """How many events, recorded between the two, moved figures that changed."""

    country: str
    type: str
    events: int | None
    suppressed: bool = False
    """No longer used: what is not published is not listed."""


class Changes(Struct, frozen=True, kw_only=True):
    """From one revision to another."""

    quarter: str
    before: int
    after: int
    """The two revisions."""
    positions: dict[str, list[int]]
    """Service -> the sequences at which the two were made: what lies between them is new."""
    indicators: list[RowChange]
    milestones: list[MilestoneChange]
    because: list[Reason]
    complete: bool
    """All events between the two were looked at."""
    note: str = ""
    """What cannot be told, and why."""


def changed(before: Report, after: Report) -> tuple[list[RowChange], list[MilestoneChange]]:
    """Return the indicators and the milestones that are not the same in both."""
    return [*_rows(before, after)], [*_milestones(before, after)]


def _rows(before: Report, after: Report) -> Iterator[RowChange]:
    old, new = ({row.id: row for row in one.indicators} for one in (before, after))
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        cells = [*_cells(_by_key(was), _by_key(now))]
        met = (was.met if was else None, now.met if now else None)
        if cells or met[0] != met[1]:
            yield RowChange(name, *met, cells)


def _by_key(row: RowReport | None) -> dict[tuple[str, ...], tuple[Cell, float | None]]:
    if row is None:
        return {}
    whole = Cell(REGION, {}, row.value, row.numerator, row.denominator, suppressed=row.suppressed)
    cells = [one for one in row.values if one.labels or one.country != REGION]
    return {(one.country, *(f"{k}={v}" for k, v in one.labels.items())): (one, one.value) for one in [whole, *cells]}


def _cells(
    before: Mapping[tuple[str, ...], tuple[Cell, float | None]],
    after: Mapping[tuple[str, ...], tuple[Cell, float | None]],
) -> Iterator[CellChange]:
    for key in dict.fromkeys([*before, *after]):
        cell, was = before.get(key) or (None, None)
        other, now = after.get(key) or (None, None)
        shown = cell or other
        if was != now and shown:
            by = now - was if was is not None and now is not None else None
            yield CellChange(shown.country, shown.labels, was, now, by)


def _milestones(before: Report, after: Report) -> Iterator[MilestoneChange]:
    old: dict[str, MilestoneReport] = {one.id: one for one in before.milestones}
    new = {one.id: one for one in after.milestones}
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        states = (was.state if was else None, now.state if now else None)
        if states[0] != states[1]:
            yield MilestoneChange(name, *states)


@dataclass(frozen=True)
class Comparing:
    """Compares two revisions, with the events between them as far as the streams still have them."""

    plan: Plan
    recall: Recall
    kept: dict[tuple[str, int, int], Changes]

    async def compare(self, before: Report, after: Report) -> Changes:
        """Return what changed; `because` is empty where the reports do not say at which sequences they were made."""
        key = before.quarter, before.revision, after.revision
        if key not in self.kept:
            found = await self._compare(before, after)
            if not found.complete:
                return found
            if len(self.kept) >= KEPT:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = found
        return self.kept[key]

    async def _compare(self, before: Report, after: Report) -> Changes:
        rows, milestones = changed(before, after)
        note, complete = "", True
        counting = _Counting(
            self.plan, [self.plan.rows[one.id] for one in rows if one.id in self.plan.rows], after.as_of
        )
        if not (before.events and after.events):
            note = "a report of before does not say at which sequences it was made: the events are not known"
        else:
            found = await self.recall.read(counting.wanted(), before.events, after.events, counting.take, LIMIT_S)
            complete = found.complete
            if found.archived:
                note = "some of the events are in the archive only, and not counted: " + ", ".join(
                    sorted(found.archived)
                )
        if before.digest != after.digest:
            note = note or "the plan is another one: figures may have changed without any event"
        return Changes(
            quarter=after.quarter,
            before=before.revision,
            after=after.revision,
            positions={name: [before.events.get(name, 0), n] for name, n in after.events.items()},
            indicators=rows,
            milestones=milestones,
            because=counting.told(),
            complete=complete,
            note=note,
        )


class _Head(Struct, frozen=True):
    type: str
    country: str


_head: Callable[[bytes], _Head] = msgspec.json.Decoder(_Head).decode


class _Counting:
    """Counts the events that moved rows which changed, by country and type."""

    def __init__(self, plan: Plan, rows: list[Row], day: date) -> None:
        self._plan, self._rows, self._day = plan, [row for row in rows if row.term], day
        self._alone = Alone(plan)
        self._victims = {row.id for row in rows if about_persons(row)}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._guarded: Counter[Key] = Counter()

    def wanted(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for row in self._rows:
            for service, those in subjects(row, REGION).items():
                found.setdefault(service, set()).update(those)
        return {service: _widest(those) for service, those in sorted(found.items())}

    def take(self, _service: str, _sequence: int, payload: bytes) -> bool:
        try:
            moved = [*steps(self._plan, self._alone.moved(payload), self._rows)]
        except Exception:  # noqa: BLE001 - the fold has set it aside as well: it is in no figure
            return True
        rows = {one.row for one in moved if one.day is not None and one.day <= self._day and one.row in self._plan.rows}
        if rows:
            head = _head(payload)
            counts = self._guarded if rows & self._victims else self._counts
            counts[head.country, head.type] += 1
        return True

    def told(self) -> list[Reason]:
        cells: dict[Key, Counts] = {key: (n,) for key, n in self._guarded.items()}
        guard = Guard(cells, self._plan.disclosure)
        found = [Reason(*key, n) for key, n in self._counts.items()]
        found += [
            Reason(key[0], key[1], rounded(n, self._plan.disclosure)[0])
            for key, n in cells.items()
            if not guard.hides(key)
        ]
        return sorted(found, key=lambda one: (one.country, one.type))


def _widest(subjects: set[str]) -> list[str]:
    """Return the subjects without those that others of them cover: the server refuses overlapping filters."""
    every = [one for one in subjects if one.split(".")[3:5] == ["*", "*"]]
    return sorted(every or subjects)
