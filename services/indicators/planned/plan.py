"""The Plan as data: its rows and milestones, read from TOML and checked against the contracts, all faults at once."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from services.indicators.planned import checks, hierarchy, persons
from services.indicators.planned.hierarchy import Hierarchy, Node, Text
from services.indicators.planned.persons import Rule
from services.indicators.planned.rows import Area, Responsible, Row
from services.indicators.planned.schedule import Milestone
from shared.contracts import Ref

FOLDER = Path(__file__).parents[1] / "plan"


class Plan(Struct, frozen=True, eq=False):
    """Everything that one folder of TOML says; `digest` changes when any of it does."""

    id: str
    title: Text
    start: date
    silent_days: int
    remind_days: int
    bodies: Mapping[str, list[Responsible]]
    floor: float
    areas: tuple[Area, ...]
    rows: Mapping[str, Row]
    milestones: Mapping[str, Milestone]
    digest: str
    hierarchy: Hierarchy = Hierarchy({})
    disclosure: Rule = Rule()
    lead: Text | None = None
    played: Text | None = None
    units: Mapping[str, Text] = {}
    labels: Mapping[str, Text] = {}
    translations: Mapping[str, Text] = {}
    """The plan's own words, in Spanish -> the same with our translations."""


class Fault(Struct, frozen=True):
    """One thing wrong with a plan."""

    file: str
    row: str
    reason: str


class PlanError(Exception):
    """The plan cannot be used; `faults` has every reason. `plan`: the plan, where only its links are wrong."""

    def __init__(self, faults: list[Fault], plan: Plan | None = None) -> None:
        self.faults = faults
        self.plan = plan
        super().__init__("\n".join(f"{fault.file}: {fault.row}: {fault.reason}" for fault in faults))


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The `[plan]` table: one per folder."""

    title: Text
    start: date
    id: Ref = "crm-2003"
    """By which reports name it."""
    silent_days: int = 30
    """A country that has reported, and then nothing for so long, is silent."""
    remind_days: int = 30
    """So long before a milestone is due there is a reminder."""
    bodies: dict[str, list[Responsible]] = {}
    """Who is `responsible`, in the Plan's words -> who is told; the presidency is told in any case."""
    lead: Text | None = None
    """What the board says under its heading, instead of the same in general."""
    played: Text | None = None
    """What it says where the plan is played in quick motion: what is real, and what invented."""
    floor: float = 0.0
    """The share of member countries that must have reported for a row, else nothing is said of the region's target. 0:
    the plan asks for nobody's report, not even for once having heard of each."""
    disclosure: Rule = Rule()
    """The rule of what is published about persons."""
    units: dict[str, Text] = {}
    """Units of its rows that the pages have no words for."""
    labels: dict[str, Text] = {}
    """Labels of its rows that the pages have no words for."""


def load(folder: Path = FOLDER) -> Plan:
    """Read and check a plan; PlanError with all faults if there is any."""
    faults: list[Fault] = []
    digest = hashlib.sha256(persons.FILE.read_bytes())  # what is folded of who was heard depends on it, too
    found: dict[str, list[tuple[str, Any]]] = {table: [] for table in _TABLES}
    for file in sorted(folder.glob("*.toml")):
        text = file.read_bytes()
        digest.update(file.name.encode() + b"\0" + text + b"\0")
        for table, row in _entries(file.name, text, faults):
            found[table].append((file.name, row))
    if len(found["plan"]) != 1:
        faults.append(Fault(folder.name, "plan", "a plan has exactly one [plan] table"))
    rows, milestones = found["indicator"], found["milestone"]
    nodes = [entry for table in hierarchy.LEVELS for entry in found[table]]
    areas = tuple(row for _, row in found["area"])
    faults += _duplicates([*rows, *milestones, *nodes])
    faults += [Fault(file, row.id, reason) for file, row in rows for reason in checks.row_faults(row, areas)]
    faults += [Fault(file, row.id, reason) for file, row in rows for reason in checks.link_faults(row, rows, areas)]
    faults += [Fault(file, row.id, reason) for file, row in milestones for reason in checks.milestone_faults(row)]
    due = {row.id for _, row in milestones if row.recurring}
    faults += [Fault(file, row.id, reason) for file, row in rows for reason in checks.calendar_faults(row, due)]
    faults += [
        Fault(file, "plan", f"disclosure: {head.disclosure.fault}")
        for file, head in found["plan"]
        if head.disclosure.fault
    ]
    if faults:
        raise PlanError(faults)
    head = found["plan"][0][1]
    by_row, by_milestone = {row.id: row for _, row in rows}, {row.id: row for _, row in milestones}
    tree = Hierarchy({node.id: node for _, node in nodes})
    said = {name: getattr(head, name) for name in head.__struct_fields__}
    said["translations"] = {one.es: one for _, one in found["translation"]}
    plan = Plan(**said, areas=areas, rows=by_row, milestones=by_milestone, digest=digest.hexdigest(), hierarchy=tree)
    if faults := [*_hierarchy_faults(nodes, areas, [*rows, *milestones])]:
        raise PlanError(faults, plan)
    return plan


def _hierarchy_faults(
    nodes: list[tuple[str, Node]], areas: tuple[Area, ...], carriers: list[tuple[str, Any]]
) -> Iterator[Fault]:
    """Yield what is wrong with the objectives, results and activities, and what hangs on none of them.

    A plan that tells no objectives can be used; `crm plan check` says what it lacks.
    """
    by_id, names = {node.id: node for _, node in nodes}, [area.id for area in areas]
    known = [row.id for _, row in carriers]
    wrong = False
    for file, node in nodes:
        for reason in hierarchy.node_faults(node, by_id, names, known):
            wrong = True
            yield Fault(file, node.id, reason)
    if wrong or not nodes:
        return
    tree, files = Hierarchy(by_id), {row.id: file for file, row in [*nodes, *carriers]}
    yield from (Fault(files[one], one, reason) for one, reason in hierarchy.tree_faults(tree))
    whole = [row.id for _, row in carriers if not getattr(row, "belongs", "")]
    hangs = "it hangs on no objective, result or activity"
    yield from (Fault(files[one], one, hangs) for one in hierarchy.unlinked(tree, whole))


_TABLES: dict[str, type[Struct]] = {
    "plan": _Head,
    "area": Area,
    "indicator": Row,
    "milestone": Milestone,
    "translation": Text,
    **hierarchy.LEVELS,
}


def _entries(file: str, text: bytes, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """Yield the file's tables as structs; what does not fit goes to `faults`."""
    try:
        content = tomllib.loads(text.decode())
    except ValueError as error:
        faults.append(Fault(file, "-", f"not TOML: {error}"))
        return
    for table, rows in content.items():
        if table not in _TABLES:
            faults.append(Fault(file, table, f"unknown table; known: {', '.join(_TABLES)}"))
            continue
        for row in rows if isinstance(rows, list) else [rows]:
            try:
                yield table, msgspec.convert(row, _TABLES[table])
            except msgspec.ValidationError as error:
                name = str(row.get("id", table)) if isinstance(row, dict) else table
                faults.append(Fault(file, name, str(error)))


def _duplicates(rows: list[tuple[str, Any]]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for file, row in rows:
        if row.id in seen:
            yield Fault(file, row.id, f"id is already used in {seen[row.id]}")
        seen[row.id] = file
