"""What the Plan's tables say around its rows: objectives, their results, their activities, and what each asks for.

A line of the Plan's tables has an objective, results, activities, indicators, a schedule, who is responsible, and
resources. It may stand at any of the three levels. What is said there goes for everything below that says nothing of
its own. `by` names the rows and milestones that carry a text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from msgspec import Struct


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """A text in the languages of the region."""

    es: str
    en: str
    fr: str


class Entry(Text, frozen=True, forbid_unknown_fields=True):
    """An indicator or a date as the Plan words it, with the ids that carry it."""

    by: list[str]


Column = Literal["schedule", "responsible", "resources"]
COLUMNS: tuple[Column, ...] = ("schedule", "responsible", "resources")


class Node(Struct, frozen=True, forbid_unknown_fields=True):
    """An objective, a result or an activity."""

    id: str
    """The area, a letter for the level (O, R, A) and the Plan's number: `IE-R1.1`."""
    parent: str
    """The area of an objective; the objective of a result; the result (or objective) of an activity."""
    text: Text
    by: list[str] = []
    """What carries the text itself, beside its indicators and dates."""
    indicators: list[Entry] = []
    schedule: list[Entry] = []
    responsible: Text | None = None
    resources: Text | None = None
    unsaid: list[Column] = []
    """Columns that the Plan leaves empty here."""

    @property
    def level(self) -> str:
        """Return its table's name."""
        return type(self).__name__.lower()

    @property
    def number(self) -> str:
        """Return the Plan's number of it."""
        return self.id.partition("-")[2][1:]

    def carried(self) -> Iterator[str]:
        """Yield the rows and milestones that carry what it says."""
        yield from self.by
        for entry in (*self.indicators, *self.schedule):
            yield from entry.by


class Objective(Node, frozen=True, forbid_unknown_fields=True):
    """What an area is to reach."""


class Result(Node, frozen=True, forbid_unknown_fields=True):
    """What is there when an objective is met."""


class Activity(Node, frozen=True, forbid_unknown_fields=True):
    """What is done for a result."""


LEVELS: Mapping[str, type[Node]] = {"objective": Objective, "result": Result, "activity": Activity}
_ABOVE: Mapping[str, tuple[str, ...]] = {"objective": (), "result": ("objective",), "activity": ("result", "objective")}


class Hierarchy(Struct, frozen=True, dict=True):
    """All nodes of a plan, in its order."""

    nodes: Mapping[str, Node]

    def below(self, parent: str) -> list[Node]:
        """Return what stands right under an area or node."""
        return [node for node in self.nodes.values() if node.parent == parent]

    def path(self, node: Node) -> list[Node]:
        """Return the node and all above it, the objective first."""
        above = self.nodes.get(node.parent)
        return [*(self.path(above) if above else []), node]

    def carried(self, parent: str) -> list[str]:
        """Return the rows and milestones of an area or node and of all below it, each once."""
        own = [*self.nodes[parent].carried()] if parent in self.nodes else []
        return [*dict.fromkeys([*own, *(one for node in self.below(parent) for one in self.carried(node.id))])]

    def said(self, node: Node, column: Column) -> Text | list[Entry] | None:
        """Return what the Plan says in a column of the node, or of the nearest above it; None: nothing."""
        for one in reversed(self.path(node)):
            if found := getattr(one, column):
                return found  # type: ignore[no-any-return]  # of the column's type
            if column in one.unsaid:
                break
        return None

    @cached_property
    def places(self) -> Mapping[str, Node]:
        """Row or milestone -> the node it hangs on: where a dated or measured line names it, else the lowest."""
        found: dict[str, Node] = {}
        for node in self.nodes.values():
            for identity in node.carried():
                if identity not in found or len(self.path(node)) > len(self.path(found[identity])):
                    found[identity] = node
        return found


def node_faults(node: Node, nodes: Mapping[str, Node], areas: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Yield everything wrong with a node; `known`: the ids of all rows and milestones."""
    area, above = node.id.partition("-")[0], nodes.get(node.parent)
    if not re.fullmatch(rf"[A-Z]+-{node.level[0].upper()}\d+(\.\d+)*", node.id):
        yield f"an id of this level is like {area}-{node.level[0].upper()}1"
    if area not in set(areas):
        yield "its id starts with no known area"
    if node.level == "objective" and node.parent != area:
        yield f"its parent is its area, {area}"
    if node.level != "objective" and (above is None or above.level not in _ABOVE[node.level]):
        yield f"its parent {node.parent!r} is no {' or '.join(_ABOVE[node.level])}"
    elif above is not None and above.id.partition("-")[0] != area:
        yield f"its parent {node.parent!r} is of another area"
    for entry in (*node.indicators, *node.schedule):
        if not entry.by:
            yield f"nothing carries {entry.en!r}"
    yield from (f"there is no row or milestone {one!r}" for one in node.carried() if one not in set(known))
    yield from (f"{column} is given, and said to be empty" for column in node.unsaid if getattr(node, column))


def tree_faults(tree: Hierarchy) -> Iterator[tuple[str, str]]:
    """Yield (node, what is wrong) of nodes that are right by themselves."""
    for node in tree.nodes.values():
        if node.level == "objective" and not tree.carried(node.id):
            yield node.id, "nothing measures it"
        for column in COLUMNS:
            bare = tree.said(node, column) is None and not any(column in one.unsaid for one in tree.path(node))
            if bare and not tree.below(node.id):
                yield node.id, f"it has no {column}, nor has what stands above it; if the Plan leaves it empty: unsaid"


def unlinked(tree: Hierarchy, known: Iterable[str]) -> Iterator[str]:
    """Yield the rows and milestones that hang on nothing."""
    linked = {one for node in tree.nodes.values() for one in node.carried()}
    yield from (one for one in known if one not in linked)
