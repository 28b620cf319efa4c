"""The degree to which objectives are met: of the targets below each, how many are met, not met, not known."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from services.indicators.figures.figures import Figures
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.hierarchy import COLUMNS, Entry, Node, Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Area

Verdict = Literal["met", "not_met", "not_known", "no_target"]


class Degree(Struct, frozen=True):
    """How many of the rows below something stand how; their further figures with a target are among them."""

    met: int = 0
    not_met: int = 0
    not_known: int = 0
    """They have a target; whether it is met cannot be said."""
    no_target: int = 0
    """Rows of the Plan for which it sets no number: they say nothing of the degree."""

    @property
    def targets(self) -> int:
        """How many have a target."""
        return self.met + self.not_met + self.not_known


def verdict(one: Figures) -> Verdict:
    """Say how a row stands against its target."""
    if one.row.target is None:
        return "no_target"
    return "not_known" if one.met is None else "met" if one.met else "not_met"


def rows_of(plan: Plan, parent: str) -> list[str]:
    """Return the rows below an area or node, each followed by its further figures; each once, in the plan's order."""
    carried = set(plan.hierarchy.carried(parent))
    return [row.id for row in plan.rows.values() if row.id in carried or row.belongs in carried]


def degrees(plan: Plan, found: Iterable[Figures]) -> Mapping[str, Degree]:
    """Return for each area and node its degree.

    An area counts no rows that are made of other rows: `LE-2.R2` repeats `LE-1.R2`, and would count twice.
    """
    return degrees_by(plan, {one.row.id: verdict(one) for one in found})


def degrees_by(plan: Plan, verdicts: Mapping[str, Verdict]) -> Mapping[str, Degree]:
    """Return the same of verdicts by row, as a published report has them; rows that it has not are left out."""
    whole = {area.id: _plain(plan, area.id) for area in plan.areas}
    parts = {node: rows_of(plan, node) for node in plan.hierarchy.nodes}
    return {parent: _degree(plan, rows, verdicts) for parent, rows in (whole | parts).items()}


def _plain(plan: Plan, area: str) -> list[str]:
    return [one for one in rows_of(plan, area) if plan.rows[one].kind not in COMPOSED]


def _degree(plan: Plan, rows: list[str], verdicts: Mapping[str, Verdict]) -> Degree:
    # A further figure without a target is no row of the Plan, and nobody misses it.
    known = [(one, verdicts[one]) for one in rows if one in verdicts]
    counted = Counter(said for one, said in known if said != "no_target" or not plan.rows[one].belongs)
    return Degree(counted["met"], counted["not_met"], counted["not_known"], counted["no_target"])


class RowVerdict(Struct, frozen=True):
    """How a row stands against its target."""

    id: str
    verdict: Verdict
    unknown: str | None
    """Why it is not known; null: it is."""
    missing: list[str]
    """The countries for which it is not known."""


class NodeTold(Struct, frozen=True, kw_only=True):
    """An objective, a result or an activity, with all below it."""

    id: str
    level: str
    text: Text
    schedule: list[Entry] | None
    """What the Plan says here or in what stands above it; null: nothing."""
    responsible: Text | None
    resources: Text | None
    indicators: list[Entry]
    by: list[str]
    """The rows and milestones that carry the text itself."""
    rows: list[RowVerdict]
    """Every row below it."""
    degree: Degree
    below: list["NodeTold"]


class AreaTold(Struct, frozen=True, kw_only=True):
    """A work area, with all below it."""

    id: str
    level: Literal["area"] = "area"
    title: Text
    words: str
    """The Plan's own name of it."""
    degree: Degree
    below: list[NodeTold]


def told(plan: Plan, found: Iterable[Figures]) -> list[AreaTold]:
    """Return the areas with all below them for tools: what the Plan says, what carries it, how far it is met."""
    known = {one.row.id: one for one in found}
    telling = _Telling(plan, degrees(plan, known.values()), known)
    return [telling.area(area) for area in plan.areas]


class _Telling(Struct, frozen=True):
    plan: Plan
    degrees: Mapping[str, Degree]
    found: Mapping[str, Figures]

    def area(self, area: Area) -> AreaTold:
        return AreaTold(
            id=area.id,
            title=area.title,
            words=area.words,
            degree=self.degrees[area.id],
            below=[self.node(node) for node in self.plan.hierarchy.below(area.id)],
        )

    def node(self, node: Node) -> NodeTold:
        tree = self.plan.hierarchy
        said: dict[str, Any] = {column: tree.said(node, column) for column in COLUMNS}
        return NodeTold(
            id=node.id,
            level=node.level,
            text=node.text,
            **said,
            indicators=node.indicators,
            by=node.by,
            rows=[_row(self.found[row]) for row in rows_of(self.plan, node.id)],
            degree=self.degrees[node.id],
            below=[self.node(below) for below in tree.below(node.id)],
        )


def _row(one: Figures) -> RowVerdict:
    return RowVerdict(one.row.id, verdict(one), one.unknown or None, one.missing)
