"""Ways of working, routes, and places where victims are suspected."""

from datetime import date
from typing import Any, ClassVar

from msgspec import field

from shared.contracts import Count, Data, Ref, Time, Value, contract
from shared.contracts.identity import Owners
from shared.contracts.intel.marking import Marked
from shared.contracts.means import Money
from shared.contracts.sense import Fact
from shared.contracts.tallies import ByLabel, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    Country,
    DataRef,
    Exploitation,
    Geohash,
    InfoClass,
    Mode,
    Offence,
    OneOrMore,
    PointKind,
    State,
    Token,
)


class Leg(Value, frozen=True, kw_only=True):
    """One leg of a route."""

    origin: State = field(name="from")
    to: State
    mode: Mode
    point_kind: PointKind
    """What the end of the leg is."""


@contract(
    "intel.route.reported",
    good={
        "route_id": "rt-12",
        "legs": [{"from": "ECU", "to": "GTM", "mode": "boat", "point_kind": "Transit"}],
        "reported_by": "immigration",
    },
    bad=("legs", []),
    entity="route_id",
    tallies=(Tally("route", ("route_id",), "change", regional=True),),
    rows=("IE-1.2c",),
)
class RouteReported(Marked, frozen=True, kw_only=True):
    """A route of smugglers or traffickers became known (Plan IE 1.2: "rutas")."""

    happened: ClassVar[tuple[str, ...]] = ("first_seen", "last_seen")

    route_id: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    legs: OneOrMore[Leg]
    fee: Money | None = None
    first_seen: date | None = None
    last_seen: date | None = None
    change: Tallied | None = None


@contract(
    "intel.location.reported",
    good={
        "place_ref": "place-31",
        "geohash": "9fxe",
        "venue": "farm",
        "suspected_exploitation": "ForcedLabour",
        "target_country": "MEX",
        "reported_by": "ngo",
    },
    bad=("geohash", "9fxeb"),
    privacy="S",
    entity="place_ref",
    tallies=(Tally("place", ("place_ref",), "change", regional=True, said=("target_country",)),),
    rows=("IE-3.2.1",),
)
class LocationReported(Marked, frozen=True, kw_only=True):
    """A place was reported where victims of trafficking are suspected (Plan IE 3.2.1)."""

    awaited: ClassVar[tuple[str, ...]] = ("ack_by",)

    place_ref: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    venue: Token
    suspected_exploitation: Exploitation
    target_country: Country
    """Where the place is, and whose answer is awaited."""
    geohash: Geohash | None = None
    ack_by: Time | None = None
    change: Tallied | None = None
    by_label: ByLabel | None = None


@contract(
    "intel.modality.reported",
    good={"modality": "false_tour_group", "offence": "som", "info_class": "concealment", "reported_by": "police"},
    bad=("info_class", "gossip"),
    rows=("IE-1.2b",),
)
class ModalityReported(Fact, frozen=True, kw_only=True):
    """A way in which smugglers or traffickers work became known (Plan IE 1.2)."""

    modality: Token
    offence: Offence
    info_class: InfoClass
    description_ref: DataRef | None = None


class KnownRoute(Fact, frozen=True, kw_only=True):
    """A route on record."""

    route_id: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    change: Tallied | None = None


ROUTE = {"route_id": "rt-12", "reported_by": "immigration"}


@contract(
    "intel.route.confirmed",
    good=ROUTE,
    bad=("route_id", ...),
    entity="route_id",
    tallies=(Tally("route", ("route_id",), "change", regional=True),),
    rows=("IE-1.2c",),
)
class RouteConfirmed(KnownRoute, frozen=True, kw_only=True):
    """A route is in use still, or was found again by another."""


@contract(
    "intel.route.retired",
    good=ROUTE,
    bad=("route_id", "rt 12"),
    entity="route_id",
    tallies=(Tally("route", ("route_id",), "change", opens=False, regional=True),),
    rows=("IE-1.2c",),
)
class RouteRetired(KnownRoute, frozen=True, kw_only=True):
    """A route is no longer in use."""


class KnownPlace(Fact, frozen=True, kw_only=True):
    """A place that was reported."""

    place_ref: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    outcome_ref: DataRef | None = None


PLACE = {"place_ref": "place-31", "reported_by": "police"}


PLACES: dict[str, Any] = {"privacy": "S", "entity": "place_ref"}


@contract(
    "intel.location.acknowledged",
    good=PLACE,
    bad=("place_ref", ...),
    **PLACES,
    tallies=(
        Tally("place_acknowledged", ("place_ref",), "change", regional=True),
        Since("place", ("place_ref",), "latency_s", regional=True, only="place_acknowledged"),
    ),
    rows=("IE-3.2.1",),
)
class LocationAcknowledged(KnownPlace, frozen=True, kw_only=True):
    """The country of the place took note of the report."""

    change: Tallied | None = None
    latency_s: Count | None = None


@contract(
    "intel.location.verified",
    good=PLACE | {"victims_found": 3},
    bad=("victims_found", "three"),
    **PLACES,
    tallies=(Tally("place_verified", ("place_ref",), "change", shifts="counts", regional=True),),
    rows=("IE-3.2.1",),
)
class LocationVerified(KnownPlace, frozen=True, kw_only=True):
    """The country of the place found the suspicion to be true."""

    victims_found: Count | None = None
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    change: Tallied | None = None


@contract(
    "intel.location.proven",
    good={"place_ref": "place-31"},
    bad=("place_ref", ...),
    **PLACES,
    tallies=(Tally("place_proven", ("place_ref",), "change", regional=True),),
    rows=("IE-3.2.1",),
)
class LocationProven(Data, frozen=True, kw_only=True):
    """A victim was identified because of a place that was reported (Plan IE 3.2.1); its country is told, once."""

    place_ref: Ref
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    change: Tallied | None = None


@contract(
    "intel.location.cleared",
    good=PLACE,
    bad=("place_ref", ""),
    **PLACES,
    tallies=(Tally("place_cleared", ("place_ref",), shifts="counts", regional=True),),
    rows=("IE-3.2.1",),
)
class LocationCleared(KnownPlace, frozen=True, kw_only=True):
    """The country of the place found the suspicion to be unfounded."""

    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
