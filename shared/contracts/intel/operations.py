"""Operations, exchanges of information, and the figures of control."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from msgspec import field

from shared.contracts import Count, Problem, Ref, Time, Value, contract
from shared.contracts.aggregates import Aggregate
from shared.contracts.intel.marking import Marked
from shared.contracts.sense import Fact
from shared.contracts.tallies import Age, Both, ByLabel, Once, Parts, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    ActionStage,
    ControlStat,
    Country,
    ExchangeKind,
    ExchangeRefusal,
    InfoClass,
    Listed,
    OneOrMore,
    OperationKind,
    Rating,
    Token,
    Topic,
    Urgency,
)

ANSWER = (
    Tally("request", ("exchange_id",), "change", opens=False, regional=True),
    Since("request", ("exchange_id",), "latency_s", regional=True),
)
FED_BACK = Both(("information", "feedback"), "fed_back")


OPERATION = Once(
    "operation",
    ("operation_id",),
    said=("kind", "participants"),
    parts=("participants",),
    several="joint",
    gathered=("participants",),
)
"""Partners name one operation by the identifier of whoever gave it: `GTM:op-3`."""


class OperationResults(Value, frozen=True, kw_only=True):
    """What a joint operation brought."""

    detentions: Count = 0
    victims: Count = 0
    documents: Count = 0


@contract(
    "intel.operation.executed",
    good={
        "operation_id": "op-3",
        "kind": "ordinary",
        "participants": ["GTM", "MEX"],
        "started": "2004-02-28T06:00:00Z",
        "ended": "2004-02-29T18:00:00Z",
        "results": {"detentions": 4, "victims": 9, "documents": 12},
        "reported_by": "immigration",
    },
    bad=("kind", "secret"),
    entity="operation_id",
    derived=("joint",),
    tallies=(OPERATION,),
    rows=(
        "IE-3.1iii",
        "PC-1a",
        "PC-1b",
    ),
)
class OperationExecuted(Fact, frozen=True, kw_only=True):
    """An operation was carried out; it is a joint one when two or more countries took part."""

    happened: ClassVar[tuple[str, ...]] = ("started", "ended")

    operation_id: Ref
    kind: OperationKind
    participants: OneOrMore[Country]
    started: Time | None = None
    ended: Time | None = None
    results: OperationResults | None = None
    joint: bool | None = None
    once: Parts | None = None
    """What it changes for each country that took part, and for the region."""


@contract(
    "intel.operation.planned",
    good={
        "operation_id": "op-3",
        "kind": "ordinary",
        "participants": ["GTM", "MEX"],
        "started": "2004-03-01T06:00:00Z",
        "reported_by": "immigration",
    },
    bad=("participants", []),
    entity="operation_id",
    tallies=(OPERATION,),
    rows=(
        "PC-1a",
        "PC-1.1.2",
        "MS-PC-2",
    ),
)
class OperationPlanned(Marked, frozen=True, kw_only=True):
    """An operation was designed (Plan PC 1.1.2); its participants are told, as far as its marking allows."""

    operation_id: Ref
    kind: OperationKind
    participants: OneOrMore[Country]
    started: Time | None = None
    ended: Time | None = None
    once: Parts | None = None


@contract(
    "intel.operation.evaluated",
    good={
        "operation_id": "op-3",
        "kind": "ordinary",
        "rating": "bueno",
        "lessons": ["regional_security"],
        "reported_by": "immigration",
    },
    bad=("rating", "good"),
    entity="operation_id",
    tallies=(Once("operation", ("operation_id",), said=("kind", "rating"), several="joint", like="executed"),),
    rows=("PC-1b",),
)
class OperationEvaluated(Fact, frozen=True, kw_only=True):
    """The result of an operation was judged (Plan PC 1: "evaluación cualitativa")."""

    operation_id: Ref
    kind: OperationKind
    rating: Rating
    lessons: Listed[Topic] = ()
    """What to train for."""
    once: Parts | None = None
    """What it changes for the country whose evaluation it is, and for the region; whether it is of a joint one, too."""


class Exchange(Marked, frozen=True, kw_only=True):
    """Information that goes from one country to another; what it says stays with them."""

    exchange_id: Ref
    sender: Country = field(name="from")
    to: Country
    info_class: InfoClass
    kind: ExchangeKind
    urgency: Urgency | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country`, too."""
        yield from super().check()
        if self.to == self.sender:
            yield Problem("/data/to", "same_country", "an exchange is between two countries")


EXCHANGE = {
    "exchange_id": "ex-1",
    "from": "GTM",
    "to": "MEX",
    "info_class": "routes",
    "kind": "operational",
    "handling": "H1",
    "reported_by": "police",
}


EXCHANGED: dict[str, Any] = {"privacy": "P", "entity": "exchange_id"}


@contract(
    "intel.information.received",
    good=EXCHANGE,
    bad=("kind", "x"),
    owner="to",
    **EXCHANGED,
    tallies=(
        Tally("information", ("sender", "exchange_id"), shifts="counts", said=("info_class",)),
        FED_BACK,
        Age("gathered", "age_s"),
    ),
    rows=(
        "PC-1.1.1",
        "PC-1.1.3",
    ),
)
class InformationReceived(Exchange, frozen=True, kw_only=True):
    """A country took in what another sent it (Plan PC 1.1.1)."""

    happened: ClassVar[tuple[str, ...]] = ("gathered",)

    gathered: date | None = None
    """When it was gathered: its age at receipt."""
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    fed_back: Shifts | None = None
    """What it changes of the number of pieces of information received on which feedback was given."""
    age_s: Count | None = None
    """Seconds from the end of the day it was gathered to its receipt."""
    by_label: ByLabel | None = None


@contract(
    "intel.information.shared",
    good=EXCHANGE,
    bad=("to", "EUR"),
    owner="sender",
    **EXCHANGED,
    tallies=(Tally("information_shared", ("exchange_id",), shifts="counts", said=("to", "kind")),),
    rows=(
        "PC-1.1.5",
        "MS-PC-2",
    ),
)
class InformationShared(Exchange, frozen=True, kw_only=True):
    """A country gave information to another (Plan PC 1.1.5)."""

    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    by_label: ByLabel | None = None


@contract(
    "intel.information.requested",
    good=EXCHANGE | {"due": "2004-03-08T10:00:00Z"},
    bad=("due", "soon"),
    owner="sender",
    **EXCHANGED,
    tallies=(Tally("request", ("exchange_id",), "change", regional=True),),
    rows=("PC-1.1.5",),
)
class InformationRequested(Exchange, frozen=True, kw_only=True):
    """A country asked another for information; due in seven days unless urgent."""

    awaited: ClassVar[tuple[str, ...]] = ("due",)

    due: Time | None = None
    change: Tallied | None = None


@contract(
    "intel.information.answered",
    good=EXCHANGE,
    bad=("info_class", "x"),
    owner="sender",
    **EXCHANGED,
    tallies=ANSWER,
    rows=("PC-1.1.5",),
)
class InformationAnswered(Exchange, frozen=True, kw_only=True):
    """A country answered a request."""

    change: Tallied | None = None
    latency_s: Count | None = None


@contract(
    "intel.information.refused",
    good=EXCHANGE | {"reason": "not_competent"},
    bad=("reason", "no"),
    owner="sender",
    **EXCHANGED,
    tallies=ANSWER,
    rows=("PC-1.1.5",),
)
class InformationRefused(Exchange, frozen=True, kw_only=True):
    """A country refused a request, and says why."""

    reason: ExchangeRefusal
    change: Tallied | None = None
    latency_s: Count | None = None


@contract(
    "intel.feedback.given",
    good={"exchange_id": "ex-1", "to": "MEX", "useful": True, "used_for": "operation", "reported_by": "police"},
    bad=("useful", "very"),
    entity="exchange_id",
    tallies=(
        Tally("feedback", ("to", "exchange_id"), "change"),
        FED_BACK,
        Since("information", ("to", "exchange_id"), "latency_s", only="feedback"),
    ),
    rows=("PC-1.1.3",),
)
class FeedbackGiven(Fact, frozen=True, kw_only=True):
    """The source of information is told what it was good for (Plan PC 1.1.3)."""

    exchange_id: Ref
    to: Country
    useful: bool
    used_for: Token | None = None
    change: Tallied | None = None
    fed_back: Shifts | None = None
    latency_s: Count | None = None


@contract(
    "intel.actionplan.advanced",
    good={"stage": "evaluation", "reported_by": "immigration"},
    bad=("stage", "rest"),
    rows=(
        "PC-1.1.4",
        "MS-PC-1",
    ),
)
class ActionPlanAdvanced(Fact, frozen=True, kw_only=True):
    """A country's ordinary action plan reached a stage (Plan PC 1.1.4)."""

    stage: ActionStage


@contract(
    "intel.controlstat.reported",
    good={
        "kind": "inspections",
        "count": 12000,
        "since": "2004-01-01",
        "until": "2004-02-29",
        "reported_by": "immigration",
    },
    bad=("kind", "smiles"),
    aggregate=Aggregate(("kind",), period=("since", "until")),
    rows=(
        "IE-3.1ii",
        "IE-3.1iv",
    ),
)
class ControlStatReported(Fact, frozen=True, kw_only=True):
    """Figures of border control in a period, both days included: the base of rates."""

    happened: ClassVar[tuple[str, ...]] = ("since", "until")

    kind: ControlStat
    count: Count
    since: date
    until: date
