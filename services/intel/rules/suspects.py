"""Presumed traffickers: a profile from several detections, and two identifiers that are one person.

Two detections are compared trait by trait. What is known of both and differs (sex, age band, nationality) rules out
that they are one person; what agrees scores, by how much it tells people apart; nothing is held to be one person on
less than a shared band or route with further traits. The confidence is the score, lessened by the weaker of the two
gradings (Europol 4x4). Two identifiers are one when any two of their detections are; so order does not matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.intel.facts import suspects
from services.intel.facts.suspects import Detection
from services.intel.gate import Marking, Relation, may_know
from services.intel.policy import POLICY
from services.intel.rules.ways import band_settled
from services.intel.telling import Notice, alert, settle
from shared.contracts import Event, identity
from shared.contracts.intel import TraffickerDetected, TraffickerMerged, TraffickerProfiled
from shared.contracts.vocabulary import REGION
from shared.database import Connection

DETECTED = "intel.trafficker.detected"
POINTS = {"same_band": 45, "same_route": 20, "same_nationality": 15, "same_role": 10, "same_sex": 5}
POINTS_WAY = 10
"""For each way of working in common, at most for two."""
POINTS_MIN = 70
SOURCE_WEIGHT = {"A": 100, "B": 90, "C": 70, "X": 60, None: 80}
INFORMATION_WEIGHT = {"1": 100, "2": 90, "3": 90, "4": 70, None: 100}
EVIDENCE_MAX = 64


@dataclass(frozen=True, slots=True)
class Link:
    """Why two detections are held to be of one person."""

    confidence: int
    """Per cent."""
    reasons: tuple[str, ...]
    evidence: tuple[str, str]


def weight(marking: Marking) -> int:
    """Return what a report is worth, in per cent, by the grades of its source and of itself."""
    return SOURCE_WEIGHT[marking.srceval] * INFORMATION_WEIGHT[marking.infoeval] // 100


def link(one: Detection, other: Detection) -> Link | None:
    """Return why two detections, under two identifiers, are of one person; None: nothing says so."""
    if _differ(one.sex, other.sex) or _differ(one.age_band, other.age_band):
        return None
    if _differ(one.nationality, other.nationality):
        return None
    agree = {
        "same_band": one.band_id is not None and one.band_id == other.band_id,
        "same_route": one.route_id is not None and one.route_id == other.route_id,
        "same_nationality": one.nationality is not None and one.nationality == other.nationality,
        "same_role": one.role == other.role != "Other",
        "same_sex": one.sex == other.sex != "unknown",
    }
    ways = len({*one.modus_operandi} & {*other.modus_operandi})
    points = sum(POINTS[reason] for reason, agrees in agree.items() if agrees) + POINTS_WAY * min(ways, 2)
    if points < POINTS_MIN or not (agree["same_band"] or agree["same_route"]):
        return None
    reasons = [reason for reason, agrees in agree.items() if agrees] + ["same_ways_of_working"] * bool(ways)
    confidence = min(points, 100) * min(weight(one.marking), weight(other.marking)) // 100
    first, second = sorted((one.event_id, other.event_id))
    return Link(confidence, tuple(reasons), (first, second)) if confidence >= POLICY.merged_at else None


def _differ(one: str | None, other: str | None) -> bool:
    return one != other and not {one, other} & {None, "unknown"}


async def on_detected(
    cause: Event[Any], about: Event[TraffickerDetected], connection: Connection
) -> Iterable[Event[Any]]:
    """Draw the suspect's profile, and compare the suspect with those of the same band or route."""
    suspect = about.country, about.data.trafficker_pid
    own = await suspects.of(connection, [suspect])
    events = await settle(connection, cause, [_scope(suspect)], profile(suspect, own))
    band_id, route_id = (
        identity.key(about.data, name) if getattr(about.data, name) else None for name in ("band_id", "route_id")
    )
    bands = {one.band_id for one in own} | {band_id}
    routes = {one.route_id for one in own} | {route_id}
    others = await suspects.sharing(connection, sorted(filter(None, bands)), sorted(filter(None, routes))) - {suspect}
    if others:
        theirs = await suspects.of(connection, sorted(others))
        notices, scopes = [], []
        for other in sorted(others):
            detections = [one for one in theirs if one.suspect == other]
            scopes.append(_pair(suspect, other))
            notices += merged(own, detections)
        events += await settle(connection, cause, scopes, notices)
    if band_id:
        events += await band_settled(cause, band_id, connection)
    return events


def profile(suspect: tuple[str, str], detections: Sequence[Detection]) -> list[Notice]:
    """Return the profile that a country gets of its suspect from two detections on; the more, the surer."""
    if len(detections) < 2:  # noqa: PLR2004 - "several"
        return []
    country, pid = suspect
    sure = min(95, 40 + 20 * len(detections)) * max(weight(one.marking) for one in detections) // 100
    evidence = sorted(one.event_id for one in detections)
    data = TraffickerProfiled(
        pids=(pid,), confidence=sure, evidence=tuple(evidence[:EVIDENCE_MAX]), reasons=("same_identifier",)
    )
    return [Notice(to=country, data=data, scope=_scope(suspect), name="/".join(suspect))]


def merged(own: Sequence[Detection], theirs: Sequence[Detection]) -> list[Notice]:
    """Return that two suspects are one person, for the region's figures, and what each country may know of it."""
    links = [(found, one, other) for one in own for other in theirs if (found := link(one, other)) is not None]
    if not links:
        return []
    first, second = sorted((own[0].suspect, theirs[0].suspect))
    scope = _pair(first, second)
    evidence = sorted({event_id for found, _, _ in links for event_id in found.evidence})
    best = max(found.confidence for found, _, _ in links)
    reasons = sorted({reason for found, _, _ in links for reason in found.reasons})
    # Two countries may have given the same identifier: then each is told with its owner.
    apart = first[1] != second[1]
    pids = [pid if apart else identity.whole(pid, country) for country, pid in (first, second)]
    data = TraffickerMerged(
        pids=tuple(pids),
        into=pids[0],
        confidence=best,
        evidence=tuple(evidence[:EVIDENCE_MAX]),
        reasons=tuple(reasons),
    )
    same = first[0] == second[0]
    notices = [Notice(to=first[0] if same else REGION, data=data, scope=scope, name=scope)]
    for mine, other in () if same else ((own, theirs), (theirs, own)):
        notices += _matched(scope, mine, other, links)
    return notices


def _matched(
    scope: str,
    mine: Sequence[Detection],
    other: Sequence[Detection],
    links: Sequence[tuple[Link, Detection, Detection]],
) -> list[Notice]:
    """Tell a country, where the other's marking allows, that its suspect is known there: whom, the two settle."""
    country = mine[0].country
    pairs = [(one, another) if one.country == country else (another, one) for _, one, another in links]
    allowed = sorted(own.event_id for own, theirs in pairs if may_know(theirs.marking, Relation.CONCERNED))
    if not allowed:
        return []
    data = alert("trafficker_matched", (allowed[0], DETECTED), mine[0].pid, country=other[0].country)
    return [Notice(to=country, data=data, scope=scope, name=f"{scope}/{country}")]


def _scope(suspect: tuple[str, str]) -> str:
    return f"suspect/{suspect[0]}/{suspect[1]}"


def _pair(one: tuple[str, str], other: tuple[str, str]) -> str:
    first, second = sorted((one, other))
    return f"{_scope(first)}+{_scope(second)}"
