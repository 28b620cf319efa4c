"""Presumed traffickers: a profile from several detections, and two identifiers that are one person.

Two detections are compared trait by trait. What is known of both and differs (sex, age band, nationality) rules out
that they are one person; what agrees scores, by how much it tells people apart; nothing is held to be one person on
less than a shared band or route with further traits. The confidence is the score, lessened by the weaker of the two
gradings (Europol 4x4). Two identifiers are one when any two of their detections are; so order does not matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.intel.gate import Marking, Relation, marking, may_know
from services.intel.judgements.notices import IntelJudgement, alert
from services.intel.judgements.owners import named, used
from services.intel.policy import POLICY
from shared.contracts import identity
from shared.contracts.identity import Owners
from shared.contracts.intel import TraffickerDetected, TraffickerMerged, TraffickerProfiled
from shared.contracts.vocabulary import REGION
from shared.record.judgement import Notice, Reading, Standing

DETECTED = "intel.trafficker.detected"
POINTS = {"same_band": 45, "same_route": 20, "same_nationality": 15, "same_role": 10, "same_sex": 5}
POINTS_WAY = 10
"""For each way of working in common, at most for two."""
POINTS_MIN = 70
SOURCE_WEIGHT = {"A": 100, "B": 90, "C": 70, "X": 60, None: 80}
INFORMATION_WEIGHT = {"1": 100, "2": 90, "3": 90, "4": 70, None: 100}
EVIDENCE_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One detection of a presumed trafficker, under the identifier that its country gives the person."""

    event_id: str
    country: str
    pid: str
    sex: str
    age_band: str
    role: str
    nationality: str | None = None
    band_id: str | None = None
    route_id: str | None = None
    modus_operandi: tuple[str, ...] = ()
    reported_by: str = "police"
    marking: Marking = field(default_factory=Marking)
    detected: datetime

    @property
    def suspect(self) -> tuple[str, str]:
        """Who, for the country."""
        return self.country, self.pid


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


class Suspects(IntelJudgement):
    """A country's suspect has a profile from several detections on."""

    reports = (TraffickerDetected,)

    def things(self, report: Standing[TraffickerDetected]) -> Iterable[str]:
        """Return the suspect, and with which band and on which route."""
        data = report.data
        yield _scope((report.country, data.trafficker_pid))
        yield from _ways(data)
        yield from used(report, "band_id", "route_id")

    def owners(self, report: Standing[TraffickerDetected], read: Reading) -> Owners:
        """Return whose band and route it is."""
        return named(report, read, "band_id", "route_id")

    def scopes(self, report: Standing[TraffickerDetected], read: Reading) -> Iterable[str]:
        """Return the suspect."""
        del read
        yield _scope((report.country, report.data.trafficker_pid))

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Draw the profile."""
        found = detections(read, scope)
        return profile(found[0].suspect, found) if found else []


class Pairs(IntelJudgement):
    """Two identifiers are told to be one person.

    A suspect is compared with all who were detected with the same band or on the same route: their detections are read.
    """

    reports = (TraffickerDetected,)

    def scopes(self, report: Standing[TraffickerDetected], read: Reading) -> Iterable[str]:
        """Return the suspect together with each other one of the same bands and routes."""
        suspect = report.country, report.data.trafficker_pid
        own = [*read.about(_scope(suspect)), report]
        ways = sorted({way for one in own for way in _ways(one.data)})
        others = {(one.country, one.data.trafficker_pid) for way in ways for one in read.about(way)} - {suspect}
        return [_pair(suspect, other) for other in sorted(others)]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Compare every detection of the one with every one of the other."""
        first, _, second = scope.partition("+")
        own, theirs = detections(read, first), detections(read, second)
        return merged(own, theirs) if own and theirs else []


def detection(report: Standing[TraffickerDetected]) -> Detection:
    """Return a detection."""
    data = report.data
    return Detection(
        event_id=report.id,
        country=report.country,
        pid=data.trafficker_pid,
        sex=data.sex,
        age_band=data.age_band,
        role=data.role,
        nationality=data.nationality,
        band_id=identity.key(data, "band_id") if data.band_id else None,
        route_id=identity.key(data, "route_id") if data.route_id else None,
        modus_operandi=tuple(data.modus_operandi),
        reported_by=data.reported_by,
        marking=marking(data),
        detected=report.time,
    )


def detections(read: Reading, suspect: str) -> list[Detection]:
    """Return the detections of a suspect."""
    return sorted((detection(one) for one in read.about(suspect)), key=lambda one: one.event_id)


def _ways(data: TraffickerDetected) -> list[str]:
    fields = [field_ for field_ in ("band_id", "route_id") if getattr(data, field_)]
    return [f"detections/{field_.removesuffix('_id')}/{identity.key(data, field_)}" for field_ in fields]


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
