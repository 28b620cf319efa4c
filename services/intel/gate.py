"""Who may be told of what: the one place where markings are read.

Each marking allows a report to go so far; the one that allows least decides. What a country sends to another by
naming it goes no further than its own marking allows either.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from shared.contracts import Data
from shared.contracts.vocabulary import Handling, InformationGrade, SourceGrade, Tlp


class Relation(IntEnum):
    """What a country is to a report; each is told what the ones behind it are told, and more."""

    OWNER = 0
    """It reported it."""
    NAMED = 1
    """The report names it as the one that it is for."""
    CONCERNED = 2
    """It holds a part in the same matter itself: it reported the same band, route or person."""
    MEMBER = 3
    """Any other member of the Conference."""
    REGION = 4
    """Everybody, published figures included."""


@dataclass(frozen=True, slots=True)
class Marking:
    """How a report is marked and graded."""

    tlp: Tlp | None = None
    handling: Handling | None = None
    srceval: SourceGrade | None = None
    infoeval: InformationGrade | None = None


# TLP 2.0 (FIRST). `red` and `amber+strict` tell persons from organisations within a country, which is the
# country's own affair: between countries both end at those named. Unmarked is `amber`: on a need to know.
TLP: dict[Tlp | None, Relation] = {
    "red": Relation.NAMED,
    "amber+strict": Relation.NAMED,
    "amber": Relation.CONCERNED,
    None: Relation.CONCERNED,
    "green": Relation.MEMBER,
    "clear": Relation.REGION,
}
# Europol handling codes (SIENA). H1 limits the use in court, not who is told; H2 asks for the owner's permission,
# which it gave to those whom it named; what the conditions of H3 are no machine knows: its owner passes it on itself.
HANDLING: dict[Handling | None, Relation] = {
    None: Relation.REGION,
    "H0": Relation.REGION,
    "H1": Relation.REGION,
    "H2": Relation.NAMED,
    "H3": Relation.OWNER,
}
# Europol 4x4: a source that cannot be assessed does not go beyond those who can check it themselves.
SOURCE: dict[SourceGrade | None, Relation] = {
    None: Relation.REGION,
    "A": Relation.REGION,
    "B": Relation.REGION,
    "C": Relation.MEMBER,
    "X": Relation.CONCERNED,
}
DOUBTED: tuple[SourceGrade, ...] = ("C", "X")
UNCORROBORATED: InformationGrade = "4"


def marking(data: Data) -> Marking:
    """Return how a report is marked."""
    return Marking(*(getattr(data, name, None) for name in ("tlp", "handling", "srceval", "infoeval")))


def reach(marked: Marking) -> Relation:
    """Return the furthest relation that may be told; hearsay of a doubted source goes to those named only."""
    doubted = marked.srceval in DOUBTED and marked.infoeval == UNCORROBORATED
    grade = Relation.NAMED if doubted else SOURCE[marked.srceval]
    return min(TLP[marked.tlp], HANDLING[marked.handling], grade)


def may_know(marked: Marking, relation: Relation) -> bool:
    """Say whether a country that is this to a report may be told of it."""
    return relation <= reach(marked)


def opened_to(country: str, owner: str, recipients: Collection[str]) -> Relation:
    """Return what a country is to a book that its owner opened to `recipients`.

    To the others it is a member like any: that it holds the same number itself does not open the book to it.
    """
    if country == owner:
        return Relation.OWNER
    return Relation.NAMED if country in recipients else Relation.MEMBER
