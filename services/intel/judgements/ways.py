"""Routes and bands: who else knows them, which are confirmed, and which are at work again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from services.intel.gate import Marking, Relation, marking, may_know, reach
from services.intel.judgements.notices import IntelJudgement, alert
from services.intel.judgements.owners import looked_up, named, used
from services.intel.judgements.suspects import Detection, detection
from shared import contracts
from shared.contracts import identity
from shared.contracts.identity import Owners
from shared.contracts.intel import (
    BandDismantled,
    BandIdentified,
    BandReactivated,
    RouteConfirmed,
    RouteReported,
    RouteRetired,
    TraffickerDetected,
)
from shared.contracts.intel.people import Band
from shared.contracts.vocabulary import MEMBERS, REGION
from shared.record.judgement import INSTANT, Notice, Reading, Standing, Unknown


@dataclass(frozen=True, slots=True)
class RouteAct:
    """A route reported, confirmed or retired by a country."""

    event_id: str
    country: str
    route_id: str
    """The whole identifier."""
    act: str
    members: tuple[str, ...]
    reported_by: str
    marking: Marking
    acted: datetime

    @property
    def named(self) -> str:
        """The identifier as the country writes it."""
        return identity.written(self.route_id, self.country)


@dataclass(frozen=True, slots=True)
class BandAct:
    """A band identified, dismantled or reactivated, as a country reported it."""

    event_id: str
    country: str
    act: str
    said: Band
    acted: datetime

    @property
    def marking(self) -> Marking:
        """How the report is marked."""
        return marking(self.said)


class Routes(IntelJudgement):
    """Whom a route concerns is told (Plan row IE-1.2c): the countries it touches, and those who reported it too."""

    reports = (RouteConfirmed, RouteReported, RouteRetired)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the route; what this service derived is no report."""
        if reported(report):
            yield _route(identity.key(report.data, "route_id"))
            yield from used(report, "route_id")

    def owners(self, report: Standing[Any], read: Reading) -> Owners:
        """Return whose route it is: of one in use, or no longer, its own, else one that the country was told of."""
        if isinstance(report.data, RouteReported):
            return named(report, read, "route_id")

        def told(one: Standing[Any]) -> tuple[str, bool] | None:
            concerns = one.country == report.country or report.country in route_act(one).members
            return (one.country, one.country == report.country) if one.verb == "reported" and concerns else None

        return looked_up("route_id", report, read, _route, told)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Unknown of a route that nobody reported."""
        if isinstance(report.data, RouteReported) or not reported(report):
            return
        if not any(one.verb == "reported" for one in read.about(_route(identity.key(report.data, "route_id")))):
            raise Unknown("/data/route_id")

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the route."""
        del read
        return [_route(identity.key(report.data, "route_id"))] if reported(report) else []

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell whom it concerns."""
        acts = [route_act(one) for one in read.about(scope)]
        return route(scope, sorted(acts, key=lambda one: (one.acted, one.event_id)))


def reported(report: Standing[Any]) -> bool:
    """Say whether a country reported it, not this service."""
    return contracts.sender_of(report.source) != REGION


def _route(route_id: str) -> str:
    return f"route/{route_id}"


def route_act(report: Standing[RouteReported | RouteConfirmed | RouteRetired]) -> RouteAct:
    """Return what a country reported of a route."""
    legs = report.data.legs if isinstance(report.data, RouteReported) else ()
    return RouteAct(
        event_id=report.id,
        country=report.country,
        route_id=identity.key(report.data, "route_id"),
        act=report.verb,
        members=tuple(sorted({one for leg in legs for one in (leg.origin, leg.to)} & {*MEMBERS})),
        reported_by=report.data.reported_by,
        marking=marking(report.data),
        acted=report.time,
    )


def route(scope: str, acts: Sequence[RouteAct]) -> list[Notice]:
    """Return who is told what of a route; a second country's report of it confirms it."""
    reports = [one for one in acts if one.act == "reported"]
    notices = [notice for report in reports for notice in _reported(scope, report)]
    for report in reports:
        backed = [one for one in acts if one.act != "retired" and one.country != report.country]
        for other in sorted({one.country for one in backed if may_know(one.marking, Relation.CONCERNED)}):
            which = report.event_id, "intel.route.reported"
            data = alert("route_confirmed", which, report.route_id, country=other, owned=True)
            notices.append(Notice(to=report.country, data=data, scope=scope))
    notices += _confirmed(scope, acts)
    for act in acts:
        if act.act == "retired":
            which = act.event_id, "intel.route.retired"
            data = alert("route_retired", which, act.route_id, country=act.country, owned=True)
            notices += [Notice(to=to, data=data, scope=scope) for to in _parties(act, acts)]
    return notices


def _parties(act: RouteAct, acts: Sequence[RouteAct]) -> list[str]:
    """Return who is told of an act: who knows the route, unless the actor's own reports of it are not for them."""
    far = min((reach(one.marking) for one in acts if one.country == act.country), default=Relation.REGION)
    named = [one for one in acts if may_know(one.marking, Relation.NAMED)]
    known = {member for one in named if one.country == act.country for member in one.members}
    if far >= Relation.CONCERNED:
        known |= {one.country for one in acts} | {member for one in named for member in one.members}
    return sorted(known - {act.country})


def _reported(scope: str, report: RouteAct) -> list[Notice]:
    others = sorted({*report.members} - {report.country})
    which = report.event_id, "intel.route.reported"
    if others and not may_know(report.marking, Relation.NAMED):
        kept = alert("not_passed_on", which, report.route_id, owned=True, marked=report.marking)
        return [Notice(to=report.country, data=kept, scope=scope)]
    data = alert("route_reported", which, report.route_id, country=report.country, owned=True, marked=report.marking)
    return [Notice(to=to, data=data, scope=scope) for to in others]


def _confirmed(scope: str, acts: Sequence[RouteAct]) -> list[Notice]:
    """Confirm a route once that two countries reported, unless one of them said so itself."""
    reports = [one for one in acts if one.act == "reported"]
    second = next((one for one in reports if one.country != reports[0].country), None)
    if second is None or any(one.act == "confirmed" for one in acts):
        return []
    owner = identity.parted(second.route_id)[0]
    data = RouteConfirmed(
        route_id=second.named,
        owners={"route_id": owner} if owner else None,
        reported_by=second.reported_by,  # type: ignore[arg-type]  # read back as it was written
    )
    others = [one for one in reports if one.country != second.country]
    told_ = any(may_know(one.marking, Relation.CONCERNED) for one in others)
    return [Notice(to=second.country if told_ else REGION, data=data, scope=scope, name=scope)]


class Bands(IntelJudgement):
    """Whom a band concerns is told (Plan row PC-1c), and whether it is at work again."""

    reports = (BandDismantled, BandIdentified, BandReactivated, TraffickerDetected)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the band, of what a country reported of it; of a detection, the detections."""
        if isinstance(report.data, TraffickerDetected):
            if report.data.band_id:
                yield detected_with(identity.key(report.data, "band_id"))
        elif reported(report):
            yield f"band/{identity.key(report.data, 'band_id')}"
            yield from used(report, "band_id")

    def owners(self, report: Standing[Any], read: Reading) -> Owners:
        """Return whose band it is."""
        return {} if isinstance(report.data, TraffickerDetected) else named(report, read, "band_id")

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the band."""
        del read
        detected = isinstance(report.data, TraffickerDetected)
        if (detected and report.data.band_id) or (not detected and reported(report)):
            yield f"band/{identity.key(report.data, 'band_id')}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell whom it concerns; of the detections only the first after each end of the band is read."""
        acts = [band_act(one) for one in read.about(scope)]
        acts.sort(key=lambda one: (one.acted, one.event_id))
        detections = []
        for act, after in ends(acts):
            until = after.acted if after else None
            first = read.about(detected_with(scope.removeprefix("band/")), act.acted + INSTANT, until, most=1)
            detections += [detection(one) for one in first]
        return band(scope, acts, detections)


def detected_with(band_id: str) -> str:
    """Return the thing that the detections of a band's members are."""
    return f"detections/band/{band_id}"


def band_act(report: Standing[Any]) -> BandAct:
    """Return what a country reported of a band."""
    said = Band(**{name: getattr(report.data, name) for name in Band.__struct_fields__})
    return BandAct(report.id, report.country, report.verb, said, report.time)


def ends(acts: Sequence[BandAct]) -> list[tuple[BandAct, BandAct | None]]:
    """Return each end of a band with the next one."""
    dismantled = sorted((one for one in acts if one.act == "dismantled"), key=lambda one: (one.acted, one.event_id))
    return [*pairwise((*dismantled, None))]  # type: ignore[list-item]  # only the last is None, and it is no first


def band(scope: str, acts: Sequence[BandAct], detections: Sequence[Detection]) -> list[Notice]:
    """Return who is told what of a band."""
    notices = [notice for act in acts for notice in _acted(scope, act, acts)]
    for act, after in ends(acts):
        again = _sign_of_life(act, after, acts, detections)
        if again:
            notices += _reactivated(scope, act, *again)
    return notices


def _acted(scope: str, act: BandAct, acts: Sequence[BandAct]) -> list[Notice]:
    named = {str(one) for one in act.said.countries} - {act.country}
    concerned = {one.country for one in acts} - {act.country} - named
    which, band_id = (act.event_id, f"intel.band.{act.act}"), identity.key(act.said, "band_id")
    data = alert(f"band_{act.act}", which, band_id, country=act.country, owned=True, marked=act.marking)
    told_ = sorted(named) if may_know(act.marking, Relation.NAMED) else []
    told_ += sorted(concerned) if may_know(act.marking, Relation.CONCERNED) else []
    if named and not may_know(act.marking, Relation.NAMED):
        kept = alert("not_passed_on", which, band_id, owned=True, marked=act.marking)
        return [Notice(to=act.country, data=kept, scope=scope)]
    return [Notice(to=to, data=data, scope=scope) for to in told_]


def _sign_of_life(
    dismantled: BandAct, after: BandAct | None, acts: Sequence[BandAct], detections: Sequence[Detection]
) -> tuple[str, str, Marking] | None:
    """Return by whom (country, organisation, marking) a band was first found at work after it was broken up."""

    def within(when: datetime) -> bool:
        return bool(when > dismantled.acted and (after is None or when <= after.acted))

    if any(one.act == "reactivated" and within(one.acted) for one in acts):
        return None
    signs: list[tuple[datetime, str, str, str, Marking]] = [
        (one.acted, one.event_id, one.country, one.said.reported_by, one.marking)
        for one in acts
        if one.act == "identified" and within(one.acted)
    ]
    signs += [
        (one.detected, one.event_id, one.country, one.reported_by, one.marking)
        for one in detections
        if within(one.detected)
    ]
    return min(signs, key=lambda one: one[:2])[2:] if signs else None


def _reactivated(scope: str, act: BandAct, country: str, reported_by: str, marked: Marking) -> list[Notice]:
    """Record that the band is at work again, for the finder if it may know of its end; tell who had broken it up."""
    owned = bool(act.said.owners)  # else it is of before: two countries' reports may have the same id
    name = f"reactivated/{scope}/{act.event_id}" if owned else f"reactivated/{act.event_id}"
    data = BandReactivated(**{**msgspec.structs.asdict(act.said), "reported_by": reported_by})
    own = country == act.country or may_know(act.marking, Relation.CONCERNED)
    notices = [Notice(to=country if own else REGION, data=data, scope=scope, name=name)]
    if country != act.country and may_know(marked, Relation.CONCERNED):
        which = act.event_id, "intel.band.dismantled"
        band_id = identity.key(act.said, "band_id")
        told_ = alert("band_reactivated", which, band_id, country=country, owned=True, marked=marked)
        notices.append(Notice(to=act.country, data=told_, scope=scope, name=name))
    return notices
