"""The work of the Technical Group and of governments on laws and ratification."""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from shared.contracts import Ref, contract
from shared.contracts.legal.laws import JUDGES
from shared.contracts.means import GIVERS, PLEDGE, Resource
from shared.contracts.sense import Fact
from shared.contracts.tallies import Once, Parts, Tallied, Tally
from shared.contracts.vocabulary import (
    SEATS,
    Body,
    Country,
    DataRef,
    DefinedCrime,
    Direction,
    Instrument,
    Listed,
    OneOrMore,
    Organisation,
)


class Paper(Fact, frozen=True, kw_only=True):
    """A paper of the Technical Group or of a country."""

    paper_id: Ref
    body: Body
    since: date | None = None
    until: date | None = None
    text_ref: DataRef | None = None


class ToldPaper(Paper, frozen=True, kw_only=True):
    """A paper that counts once, whoever tells of it."""

    once: Parts | None = None


PAPER = {"paper_id": "st-2003", "body": "technical_group", "reported_by": "technical_group"}


PAPERS: dict[str, Any] = {"entity": "paper_id"}
GROUPS: dict[str, Any] = PAPERS | {"by": JUDGES}
"""What only the Technical Group, and who leads it, tell: its papers, not the countries' answers to it."""
TOLD = Once("paper", ("paper_id",))


@contract(
    "legal.study.published",
    good=PAPER,
    bad=("body", "x"),
    **GROUPS,
    tallies=(TOLD,),
    rows=(
        "LE-1.2",
        "MS-LE-3",
    ),
)
class StudyPublished(ToldPaper, frozen=True, kw_only=True):
    """The study of laws and of changes to consider was published (Plan LE 1.2)."""


@contract(
    "legal.report.submitted",
    good=PAPER | {"offence": "tip", "direction": "up"},
    bad=("direction", "sideways"),
    **GROUPS,
    tallies=(replace(TOLD, said=("offence", "direction")),),
    rows=("LE-1.1",),
)
class ReportSubmitted(ToldPaper, frozen=True, kw_only=True):
    """A periodic report on how far the crimes extend (Plan LE 1.1: "incremento o decremento")."""

    offence: DefinedCrime
    direction: Direction


@contract(
    "legal.questionnaire.issued",
    good=PAPER,
    bad=("paper_id", ...),
    **GROUPS,
    tallies=(TOLD,),
    rows=(
        "LE-1.2",
        "MS-LE-2",
    ),
)
class QuestionnaireIssued(ToldPaper, frozen=True, kw_only=True):
    """The Technical Group put its questions to the countries."""


@contract(
    "legal.questionnaire.answered",
    good=PAPER,
    bad=("paper_id", ""),
    **PAPERS,
    tallies=(replace(TOLD, regional=False),),
    rows=(
        "LE-1.2",
        "MS-LE-4",
    ),
)
class QuestionnaireAnswered(ToldPaper, frozen=True, kw_only=True):
    """A country answered the questions of the Technical Group."""


@contract(
    "legal.review.completed",
    good=PAPER,
    bad=("since", "May"),
    **GROUPS,
    tallies=(TOLD,),
    rows=(
        "LE-1.2",
        "MS-LE-5",
    ),
)
class ReviewCompleted(ToldPaper, frozen=True, kw_only=True):
    """The Technical Group's work was reviewed."""


@contract(
    "legal.review.presented",
    good=PAPER,
    bad=("until", "May"),
    **GROUPS,
    tallies=(TOLD,),
    rows=(
        "LE-1.2",
        "MS-LE-6",
    ),
)
class ReviewPresented(ToldPaper, frozen=True, kw_only=True):
    """The review was presented and judged."""


@contract(
    "legal.evaluation.completed",
    good=PAPER,
    bad=("text_ref", "x"),
    **PAPERS,
    rows=(
        "LE-1.E",
        "MS-LE-7",
    ),
)
class EvaluationCompleted(Paper, frozen=True, kw_only=True):
    """A country evaluated the changes of its laws (Plan LE 1)."""


class Representative(Fact, frozen=True, kw_only=True):
    """A country's permanent representative in the Technical Group (Plan LE 1.1.1)."""

    country: Country
    officer_ref: DataRef | None = None
    change: Tallied | None = None


REPRESENTATIVE = {
    "country": "GTM",
    "officer_ref": "urn:crm:vault:GTM:officer-9",
    "reported_by": "foreign_ministry",
}


@contract(
    "legal.representative.designated",
    good=REPRESENTATIVE,
    bad=("officer_ref", "Luis"),
    privacy="S",
    owner="country",
    tallies=(Tally("representative", ("country",), "change"),),
    rows=(
        "LE-1.1.1",
        "MS-LE-1",
    ),
)
class RepresentativeDesignated(Representative, frozen=True, kw_only=True):
    """A country designated its representative."""


@contract(
    "legal.representative.vacated",
    good=REPRESENTATIVE,
    bad=("country", ...),
    privacy="S",
    owner="country",
    tallies=(Tally("representative", ("country",), "change", opens=False),),
    rows=("LE-1.1.1",),
)
class RepresentativeVacated(Representative, frozen=True, kw_only=True):
    """A country has no representative for the time being."""


@contract(
    "legal.meeting.held",
    good={
        "meeting_id": "tg-1",
        "body": "technical_group",
        "date": "2003-06-20",
        "attending": ["MEX", "GTM"],
        "reported_by": "technical_group",
    },
    bad=("attending", ["EU"]),
    by=JUDGES,
    entity="meeting_id",
    tallies=(
        Once(
            "meeting",
            ("body", "date"),
            said=("body", "attending"),
            parts=("attending",),
            gathered=("attending",),
            local=("body", SEATS),
        ),
    ),
    rows=("LE-1.M",),
)
class LegalMeetingHeld(Fact, frozen=True, kw_only=True):
    """A meeting on legislation took place; the Technical Group has four in two years."""

    happened: ClassVar[tuple[str, ...]] = ("date",)

    meeting_id: Ref
    body: Body
    date: date
    attending: Listed[Country]
    once: Parts | None = None
    """What it changes for each country that attended, and for the region."""


@contract(
    "legal.ratification.requested",
    good={"instrument": "TIP", "countries": ["GTM", "HND"], "reported_by": "ppt"},
    bad=("countries", []),
    by=("ppt", "st"),
    rows=(
        "LE-2.1",
        "MS-LE-8",
    ),
)
class RatificationRequested(Fact, frozen=True, kw_only=True):
    """Countries not yet party to a treaty were asked to become so (Plan LE 2)."""

    instrument: Instrument
    countries: OneOrMore[Country]


class Effort(Fact, frozen=True, kw_only=True):
    """What was done so that a treaty be ratified and carried out (Plan LE 2.1)."""

    country: Country
    institutions: Listed[Organisation] = ()
    instrument: Instrument | None = None


EFFORT = {"country": "GTM", "instrument": "TIP", "institutions": ["legislature"], "reported_by": "foreign_ministry"}


@contract(
    "legal.lobbying.conducted",
    good=EFFORT,
    bad=("instrument", "x"),
    rows=("LE-2.1.1",),
)
class LobbyingConducted(Effort, frozen=True, kw_only=True):
    """Governments spoke for ratification to one another (Plan LE 2.1.1)."""


@contract(
    "legal.coordination.held",
    good=EFFORT,
    bad=("institutions", ["x"]),
    owner="country",
    rows=("LE-2.1.2",),
)
class CoordinationHeld(Effort, frozen=True, kw_only=True):
    """Institutions of a country came together for ratification (Plan LE 2.1.2)."""


@contract(
    "legal.resource.pledged",
    good=PLEDGE,
    bad=("kind", "love"),
    **GIVERS,
    rows=("XC-7",),
)
class LegalResourcePledged(Resource, frozen=True, kw_only=True):
    """A country pledged means for the Plan's work on laws."""


@contract(
    "legal.resource.delivered",
    good=PLEDGE,
    bad=("row", "IE 1"),
    **GIVERS,
    rows=("XC-7",),
)
class LegalResourceDelivered(Resource, frozen=True, kw_only=True):
    """Pledged means for the Plan's work on laws were given."""
