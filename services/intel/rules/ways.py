"""Routes and bands: who else knows them, which are confirmed, and which are at work again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec

from services.intel.facts import suspects, ways
from services.intel.facts.suspects import Detection
from services.intel.facts.ways import BandAct, RouteAct
from services.intel.gate import Marking, Relation, may_know, reach
from services.intel.telling import Notice, alert, settle
from shared import contracts
from shared.contracts import Event, identity
from shared.contracts.intel import BandReactivated, RouteConfirmed
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import NotYet


async def on_route(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Tell whom a route concerns (Plan row IE-1.2c): the countries it touches, and those who reported it too."""
    if contracts.sender_of(about.source) == REGION:
        return []
    route_id = identity.key(about.data, "route_id")
    scope = f"route/{route_id}"
    acts = await ways.route_acts(connection, route_id)
    if cause is about and not any(one.act == "reported" for one in acts):
        raise NotYet("/data/route_id")
    return await settle(connection, cause, [scope], route(scope, acts))


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


async def on_band(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Tell whom a band concerns (Plan row PC-1c), and see whether it is at work again."""
    if contracts.sender_of(about.source) == REGION:
        return []
    return await band_settled(cause, identity.key(about.data, "band_id"), connection)


async def band_settled(cause: Event[Any], band_id: str, connection: Connection) -> list[Event[Any]]:
    """Bring what was told of a band to what its acts and its members' detections say."""
    scope = f"band/{band_id}"
    acts = await ways.band_acts(connection, band_id)
    detections = await suspects.with_band(connection, band_id) if acts else []
    return await settle(connection, cause, [scope], band(scope, acts, detections))


def band(scope: str, acts: Sequence[BandAct], detections: Sequence[Detection]) -> list[Notice]:
    """Return who is told what of a band."""
    notices = [notice for act in acts for notice in _acted(scope, act, acts)]
    dismantled = sorted((one for one in acts if one.act == "dismantled"), key=lambda one: (one.acted, one.event_id))
    for act, after in zip_longest(dismantled, dismantled[1:]):
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
