"""The parts of a quarter's report, in one language: its summary, what changed, each area, each country."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from services.indicators.figures.cells import Cell
from services.indicators.figures.milestones import Standing
from services.indicators.figures.objectives import Degree, Verdict, degrees_by
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.planned.schedule import end_of
from services.indicators.publish import pages
from services.indicators.publish.changes import RowChange, changed
from services.indicators.publish.charts import curve
from services.indicators.publish.country import CELLS_MAX
from services.indicators.publish.overview import score_row
from services.indicators.publish.reports import MilestoneReport, Report, RowReport
from services.indicators.publish.store import Published
from services.indicators.publish.words import SHARE, Words
from shared.contracts.vocabulary import MEMBERS, REGION

AHEAD_MAX = 8
"""So many of the next due dates are told."""
STANDINGS: Mapping[str, tuple[Standing, ...]] = {
    "reached": ("reached", "running", "on_track"),
    "late": ("late",),
    "missed": ("missed",),
    "open": ("open",),
}
"""How due dates are drawn -> how they may stand."""


class Shown(Struct, frozen=True, kw_only=True):
    """A report, and those that it is compared with."""

    one: Report
    checksum: str
    """SHA-256 (hex) of its bytes."""
    asked: int | None
    """The revision that was asked for; None: the latest."""
    before: Report | None
    """The latest of the quarter before; of an evaluation the latest of the first quarter that has a report."""
    year: Report | None
    """The latest of the same quarter a year before."""
    revised: Report | None
    """The same quarter's revision before this one."""
    revisions: Sequence[Published]
    """All revisions of this quarter."""
    past: Sequence[Report]
    """The latest of each quarter up to this one, in order."""
    evaluation: bool = False
    """Whether the whole Plan is told, from its first report on, and not the quarter."""

    @property
    def since(self) -> str:
        """Return what `before` is called in the words of the page."""
        return "begin" if self.evaluation else "before"


class Parts:
    """Of one report, with those that it is compared with."""

    def __init__(self, said: Words, plan: Plan, shown: Shown) -> None:
        self._said, self._plan, self._shown = said, plan, shown
        self._one, self._rows = shown.one, _by_id(shown.one)
        self._degrees = degrees_by(plan, {row.id: _verdict(row) for row in shown.one.indicators})
        self._whole = Degree(
            *(sum(getattr(self._degrees[area.id], name) for area in plan.areas) for name in Degree.__struct_fields__)
        )

    @property
    def _score(self) -> Row | None:
        return score_row(self._plan)

    def answer(self) -> dict[str, Any]:
        """Return how far the whole Plan has come, and since when."""
        since = [(self._shown.since, self._shown.before), ("year", self._shown.year)]
        return {
            "value": self._said.number(self._value(self._one), SHARE),
            "title": self._said.title(self._score.title) if self._score else "",
            "changes": [(name, told) for name, then in since if (told := self._change(then))],
            "degree": self._whole,
        }

    def _value(self, one: Report | None) -> float | None:
        row = _by_id(one).get(self._score.id) if one and self._score else None
        return row.value if row else None

    def _change(self, then: Report | None) -> dict[str, Any] | None:
        return self._said.changed(self._value(self._one), self._value(then))

    def sentences(self) -> Iterator[str]:
        """Yield the summary: five or six sentences, each made from the report's own figures."""
        text, number = self._said.text, self._said.number
        says = "says_begin_" if self._shown.evaluation else "says_"
        value, change = self._value(self._one), self._change(self._shown.before)
        if value is not None:
            yield text["says_score"].format(score=number(value, SHARE)) + (
                f" {self._said.counted(says + change['which'], change['points'])}" if change else ""
            )
        told = {name: number(getattr(self._whole, name)) for name in ("targets", "met", "not_met", "not_known")}
        yield text["says_targets"].format(**told)
        if self._shown.before:
            won, lost = (sum(1 for one in self._turned() if one[1] == which) for which in ("won", "lost"))
            counted = self._said.counted("says_won", won), self._said.counted("says_lost", lost)
            doubt = sum(1 for one in self._turned() if one[1] == "doubt")
            yield text[f"{says}turned"].format(won=counted[0], lost=counted[1])
            if doubt:  # apart: behind a number and a point, "0. 4 targets" would read as a decimal
                yield self._said.counted("says_doubted", doubt)
        yield text["says_reporting"].format(n=round(self._one.coverage * len(MEMBERS)), of=len(MEMBERS))
        stood = _stood(self._one.milestones)
        yield text["says_milestones"].format(**{name: number(n) for name, n in stood.items()})

    def score(self) -> dict[str, Any] | None:
        """Return the score's curve, quarter by quarter."""
        points = [(self._said.quarter(one.quarter, short=True), self._value(one)) for one in self._shown.past]
        return curve(self._said, SHARE, points) if self._score else None

    def areas(self) -> Iterator[dict[str, Any]]:
        """Yield each area with its rows, and its due dates by how they stand."""
        for area in self._plan.areas:
            rows = [row for row in self._one.indicators if row.id.partition("-")[0] == area.id]
            yield {
                "id": area.id,
                "title": self._said.title(area.title),
                "degree": self._degrees[area.id],
                "due": _stood(one for one in self._one.milestones if one.id.split("-")[1] == area.id),
                "rows": [self._row(row) for row in rows],
            }

    def objectives(self) -> Iterator[dict[str, Any]]:
        """Yield each area's objectives, with how far each is met."""
        for area in self._plan.areas:
            below = self._plan.hierarchy.below(area.id)
            told = [
                {"number": node.number, "text": self._said.title(node.text), "degree": self._degrees[node.id]}
                for node in below
            ]
            if told:
                yield {"id": area.id, "title": self._said.title(area.title), "below": told}

    def _row(self, row: RowReport) -> dict[str, Any]:
        return {
            "id": row.id,
            "title": self._said.title(row.title),
            "value": self._figure(row),
            "unit": "" if row.suppressed or row.value is None else self._said.unit(row.unit, row.value),
            "target": self._target(row),
            "standing": _standing(row),
            "unknown": pages.why(self._said, _standing(row), row.unknown, row.missing, row.value),
            "reporting": pages.reporting(row.coverage),
            "partial": bool(row.partial),
        }

    def _target(self, row: RowReport) -> str:
        """Return a target with its direction, as the plan has it."""
        planned = self._plan.rows.get(row.id)
        told = self._said.figure(row, row.target, short=True)
        return told if row.target is None or planned is None else self._said.text[planned.direction].format(n=told)

    def _figure(self, row: RowReport | None) -> str:
        if row is None:
            return "—"
        return self._said.text["not_published"] if row.suppressed else self._said.figure(row, row.value)

    def _turned(self) -> Iterator[tuple[RowReport, str]]:
        """Yield the rows whose target was met or lost since the quarter before, and which of both."""
        before = _by_id(self._shown.before)
        for row in self._one.indicators:
            then = before.get(row.id)
            if then and row.target is not None and bool(row.met) != bool(then.met):
                yield row, "won" if row.met else "lost" if row.met is False else "doubt"

    def moved(self) -> Iterator[dict[str, Any]]:
        """Yield the rows with a target that changed since the quarter before: first those that turned."""
        before, year = _by_id(self._shown.before), _by_id(self._shown.year)
        turned = {row.id: which for row, which in self._turned()}
        if not self._shown.before:
            return
        rows = [row for row in self._one.indicators if row.target is not None]
        changed_ = [row for row in rows if row.id in turned or self._figure(row) != self._figure(before.get(row.id))]
        for row in sorted(changed_, key=lambda row: row.id not in turned):
            yield {
                "id": row.id,
                "title": self._said.title(row.title),
                "which": turned.get(row.id, ""),
                "year": self._figure(year.get(row.id)),
                self._shown.since: self._figure(before.get(row.id)),
                "now": self._figure(row),
                "unit": self._said.unit(row.unit, None),
                "standing": _standing(row),
            }

    def due(self) -> Iterator[dict[str, Any]]:
        """Yield all milestones, each in one line: of what recurs, how often it stands how."""
        together: dict[str, list[MilestoneReport]] = {}
        for held in self._one.milestones:
            together.setdefault(held.id.partition("/")[0], []).append(held)
        for name, each in together.items():
            if each[0].id == name:
                yield from map(self.milestone, each)
            else:
                times = self._said.text["milestone_times"].format(n=self._said.number(len(each)))
                yield {"id": name, "title": self._said.title(each[0].title), "times": times, "stood": _stood(each)}

    def milestone(self, held: MilestoneReport) -> dict[str, Any]:
        """Return a due date in one line."""
        return {
            "id": held.id,
            "title": self._said.title(held.title),
            "due": self._said.day(held.due),
            "standing": held.state,
            "missing": pages.missing(self._said, held),
        }

    def ahead(self) -> Iterator[dict[str, Any]]:
        """Yield what is due next; of what recurs only its next day."""
        waiting = [one for one in self._dated() if (one.due or self._end) >= self._end and not one.reached]
        nearest = {one.title.en: one for one in reversed(waiting)}
        yield from map(self.milestone, [one for one in waiting if one in nearest.values()][:AHEAD_MAX])

    def late(self) -> Iterator[dict[str, Any]]:
        """Yield what was due and is not done, the latest first; of what recurs only its last day."""
        missed = [one for one in self._dated() if one.state == "missed"]
        latest_ = {one.title.en: one for one in missed}
        yield from map(self.milestone, [one for one in reversed(missed) if one in latest_.values()])

    @property
    def _end(self) -> datetime:
        return end_of(self._one.as_of)

    def _dated(self) -> list[MilestoneReport]:
        """Return the due dates in order; those without a day are in none."""
        return [one for one in self._in_order() if one.due]

    def _in_order(self) -> list[MilestoneReport]:
        """Return all due dates in order, those without a day last."""
        return sorted(self._one.milestones, key=lambda one: (one.due is None, one.due or self._end))

    def lacking(self) -> Iterator[dict[str, Any]]:
        """Yield the countries without whose reports targets are not known, those with most first."""
        lacks = Counter(code for row in self._one.indicators for code in row.missing)
        for code, n in lacks.most_common():
            yield {"name": self._said.country(code), "code": code, "n": self._said.counted("targets_lacking", n)}

    def countries(self) -> Iterator[dict[str, Any]]:
        """Yield each country with what waits for it, and its own figures of what has a target."""
        lacks = Counter(code for row in self._one.indicators for code in row.missing)
        for code in MEMBERS:
            own = [(row, [cell for cell in row.values if cell.country == code]) for row in self._one.indicators]
            yield {
                "code": code,
                "name": self._said.country(code),
                "told": sum(bool(cells) for row, cells in own if row.coverage is not None),
                "of": sum(row.coverage is not None for row, _ in own),
                "lacks": self._said.counted("targets_lacking", lacks[code]) if lacks[code] else "",
                "waits": [self.milestone(one) | {"missing": ""} for one in self._in_order() if code in one.missing],
                "rows": [
                    self._own(row, cells)
                    for row, cells in own
                    if row.target is not None and 0 < len(cells) <= CELLS_MAX
                ],
            }

    def _own(self, row: RowReport, cells: list[Cell]) -> dict[str, Any]:
        return {
            "id": row.id,
            "title": self._said.title(row.title),
            "cells": [pages.labelled(self._said, row, cell) for cell in cells],
        }

    def revisions(self) -> Iterator[dict[str, Any]]:
        """Yield each revision of the quarter's report."""
        for one in self._shown.revisions:
            yield {"revision": one.revision, "day": self._said.day(one.published)}

    def revised(self) -> Iterator[dict[str, Any]]:
        """Yield what this revision changed of the one before: figures in one, and how often parts of them."""
        if not self._shown.revised:
            return
        before = _by_id(self._shown.revised)
        for change in changed(self._shown.revised, self._one)[0]:
            row = self._rows.get(change.id) or before.get(change.id)
            if row:
                yield {
                    "id": row.id,
                    "title": self._said.title(row.title),
                    "before": self._figure(before.get(row.id)),
                    "now": self._figure(self._rows.get(row.id)),
                    "cells": self._said.counted("country_many", _parts(change)),
                }


def _by_id(one: Report | None) -> Mapping[str, RowReport]:
    return {row.id: row for row in one.indicators} if one else {}


def _stood(held: Iterable[MilestoneReport]) -> dict[str, int]:
    """Return how many due dates stand how, as they are drawn."""
    stood = Counter(one.state for one in held)
    return {name: sum(stood[state] for state in states) for name, states in STANDINGS.items()}


def _parts(change: RowChange) -> int:
    """Return how many figures below the row's one figure changed."""
    return sum(1 for one in change.cells if one.labels or one.country != REGION)


def _verdict(row: RowReport) -> Verdict:
    if row.target is None:
        return "no_target"
    return "not_known" if row.met is None else "met" if row.met else "not_met"


def _standing(row: RowReport) -> str:
    known = _verdict(row)
    return "no_data" if known == "not_known" and row.unknown == "no_data" else known
