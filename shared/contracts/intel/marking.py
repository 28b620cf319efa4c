"""How far a report may go: marked by its owner, graded by how sure it is."""

from shared.contracts.sense import Fact
from shared.contracts.vocabulary import Handling, InformationGrade, SourceGrade, Tlp


class Marked(Fact, frozen=True, kw_only=True):
    """A report that may say who may be told of it (TLP 2.0, handling code) and how sure it is (Europol 4x4).

    Without a marking, those whom it names are told, and those who hold a part in the matter themselves.
    """

    tlp: Tlp | None = None
    handling: Handling | None = None
    srceval: SourceGrade | None = None
    infoeval: InformationGrade | None = None
