"""Places where victims are suspected: acknowledged in time or reminded of, and what came of them (choreography 8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intel.gate import Marking, Relation, marking, may_know
from services.intel.judgements.notices import IntelJudgement, alert
from services.intel.judgements.owners import looked_up, named, used
from services.intel.policy import POLICY
from shared.contracts import identity
from shared.contracts.identity import Owners
from shared.contracts.intel import (
    FeedbackGiven,
    LocationAcknowledged,
    LocationCleared,
    LocationProven,
    LocationReported,
    LocationVerified,
)
from shared.contracts.notice import Alert
from shared.contracts.victims import VictimIdentified
from shared.contracts.vocabulary import REGION
from shared.record.judgement import Notice, Reading, Standing, Unknown

REPORTED = "intel.location.reported"
ANSWERS = (LocationAcknowledged, LocationCleared, LocationVerified)


@dataclass(frozen=True, slots=True)
class Place:
    """A place as one country reported it to the country that it lies in."""

    event_id: str
    place_ref: str
    """The whole identifier."""
    reporter: str
    target: str
    due: datetime
    marking: Marking

    @property
    def named(self) -> str:
        """The identifier as the reporter writes it."""
        return identity.written(self.place_ref, self.reporter)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the country of a place said of it."""

    event_id: str
    act: str


@dataclass(frozen=True, slots=True)
class Identification:
    """A victim identified because of another event, or of a place that the report names."""

    event_id: str
    name: str
    """What tells it from the country's others."""
    causationid: str | None
    place_ref: str | None
    reported_by: str


class Places(IntelJudgement):
    """The country in which a suspected place lies is told (Plan row IE-3.2.1), and its word is waited for.

    Those who reported the place are told what its country says of it: to others, it is not there.
    """

    reports = (LocationReported, *ANSWERS)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the place in its country; of a report also the country, for a new contact point, and its own id."""
        data = report.data
        yield self._place(report)
        yield _by_event(_country(report), report.id)
        if isinstance(data, LocationReported):
            yield f"places/{data.target_country}"
            yield from used(report, "place_ref")

    def owners(self, report: Standing[Any], read: Reading) -> Owners:
        """Return whose place it is: what is answered is looked up among what the country was told of."""
        if isinstance(report.data, LocationReported):
            return named(report, read, "place_ref")

        def told(one: Standing[Any]) -> tuple[str, bool] | None:
            given = isinstance(one.data, LocationReported)
            return (one.country, one.country == report.country) if given else None

        return looked_up("place_ref", report, read, lambda ref: _place(report.country, ref), told)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Unknown of an answer about a place that nobody reported."""
        reports = read.about(self._place(report))
        if isinstance(report.data, ANSWERS) and not any(isinstance(one.data, LocationReported) for one in reports):
            raise Unknown("/data/place_ref")

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the place, and the victims that were found because of it."""
        scope = self._place(report)
        return [scope, *(victim_scope(one.id) for one in _victims(read, scope, report.id))]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Follow the place up, or tell of a victim that was found because of one."""
        if scope.startswith("victim/"):
            return found(scope, read)
        reports, answers = _place_reports(read, scope)
        return [notice for report in reports for notice in follow_up(scope, report, answers)]

    def _place(self, report: Standing[Any]) -> str:
        return _place(_country(report), identity.key(report.data, "place_ref"))


class FoundVictims(IntelJudgement):
    """Who reported a place is told that a victim was identified because of it."""

    reports = (VictimIdentified,)

    def things(self, report: Standing[VictimIdentified]) -> Iterable[str]:
        """Return the victim's report, the event that it was identified because of, and the place that it names."""
        if report.event.causationid or report.data.place_ref:
            yield f"victim/{report.id}"
        if report.event.causationid:
            yield _caused(report.country, report.event.causationid)
        if report.data.place_ref:
            yield _identified(_place(report.country, report.data.place_ref))

    def scopes(self, report: Standing[VictimIdentified], read: Reading) -> Iterable[str]:
        """Return the victim."""
        del read
        return [victim_scope(report.id)]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell of the victim."""
        return found(scope, read)


def _country(report: Standing[Any]) -> str:
    """Return in which country the place lies."""
    return report.data.target_country if isinstance(report.data, LocationReported) else report.country


def _place(target: str, place_ref: str) -> str:
    return f"place/{target}/{place_ref}"


def _by_event(target: str, event_id: str) -> str:
    """Return the thing by which it is found which place in a country an event is about."""
    return f"place-event/{target}/{event_id}"


def _caused(country: str, event_id: str) -> str:
    return f"identified-by/{country}/{event_id}"


def _identified(place: str) -> str:
    """Return the thing that the victims are who may have been identified at a place, by whomever it was named."""
    _, country, place_ref = place.split("/", 2)
    return f"identified-at/{country}/{identity.parted(place_ref)[1]}"


def victim_scope(event_id: str) -> str:
    """Return the scope of a victim's identification."""
    return f"victim/{event_id}"


def _place_reports(read: Reading, scope: str) -> tuple[list[Place], list[Answer]]:
    """Return the reports of a place, and what its country said of it."""
    about = sorted(read.about(scope), key=lambda one: one.id)
    reports = [place_report(one) for one in about if isinstance(one.data, LocationReported)]
    return reports, [Answer(one.id, one.verb) for one in about if isinstance(one.data, ANSWERS)]


def place_report(report: Standing[LocationReported]) -> Place:
    """Return a place as it was reported; it is due as the report says, or within the policy's time."""
    data = report.data
    return Place(
        event_id=report.id,
        place_ref=identity.key(data, "place_ref"),
        reporter=report.country,
        target=data.target_country,
        due=data.ack_by or report.known + POLICY.acknowledged_within,
        marking=marking(data),
    )


def _causes(read: Reading, scope: str, report: Place, answers: Sequence[Answer]) -> set[str]:
    """Return the events by which a victim was identified because of a place: its report, what was told, the answers."""
    told = next((one.event_id for one in read.notified(scope) if one.key == _report(scope, report).identity), "")
    said = {told, *(one.event_id for one in answers)} - {""}
    # An id names the first report that has it: another country may give one of its own the same.
    named = [
        one for one in read.about(_by_event(report.target, report.event_id)) if isinstance(one.data, LocationReported)
    ]
    first = min(named, key=lambda one: one.position, default=None)
    mine = first is not None and (first.country, identity.key(first.data, "place_ref")) == (
        report.reporter,
        report.place_ref,
    )
    return said | ({report.event_id} if mine else set())


def _victims(read: Reading, scope: str, event_id: str) -> list[Standing[VictimIdentified]]:
    """Return the victims that were, or may have been, found because of a place, or of one of its events."""
    reports, answers = _place_reports(read, scope)
    country = scope.split("/", 2)[1]
    told = {one.event_id for one in read.notified(scope)}
    events = {event_id, *told, *(one.event_id for one in reports), *(one.event_id for one in answers)}
    things = [_identified(scope), *(_caused(country, one) for one in sorted(events))]
    return [one for thing in things for one in read.about(thing)]


def found(scope: str, read: Reading) -> list[Notice]:
    """Return who is told of a victim that was identified because of places.

    Several systems, of one country or more, may have given their reports the same id: each is told of.
    """
    victims = read.about(scope)
    return [notice for victim in victims for notice in _found(victim, _named(victim, victims), read)]


def _named(victim: Standing[VictimIdentified], victims: Sequence[Standing[VictimIdentified]]) -> str:
    """Return what tells a victim from its country's others: its report's id, and where that is taken its source."""
    same = [one for one in victims if one.country == victim.country and one.source < victim.source]
    return f"{victim.id}/{victim.source}" if same else victim.id


def _found(victim: Standing[VictimIdentified], name: str, read: Reading) -> list[Notice]:
    meant = _meant(read, victim)
    one = Identification(victim.id, name, victim.event.causationid or None, meant, victim.data.reported_by)
    notices = []
    for place in _linked(read, victim, meant):
        reports, answers = _place_reports(read, place)
        for report in reports:
            if one.causationid in _causes(read, place, report, answers) or one.place_ref == report.place_ref:
                known = may_know(report.marking, Relation.NAMED)
                notices += _feedback(report, one) if known and report.reporter != report.target else []
                notices += [_proven(report, one)] if known else []
    return notices


def _meant(read: Reading, victim: Standing[VictimIdentified]) -> str | None:
    """Return the whole identifier of the place that a victim's report names.

    Another country's place of the same name is meant only with its owner: where several are, none is.
    """
    if not victim.data.place_ref:
        return None
    found = [
        key
        for key in identity.keys(victim.data.place_ref)
        if any(isinstance(one.data, LocationReported) for one in read.about(_place(victim.country, key)))
    ]
    return found[0] if len(found) == 1 else None


def _linked(read: Reading, victim: Standing[VictimIdentified], meant: str | None) -> list[str]:
    """Return the places that a victim's report names, or that the event it was caused by is about."""
    country, cause = victim.country, victim.event.causationid
    places = [_place(country, meant)] if meant else []
    if cause:
        told = read.event(cause)
        about = [cause, told.data.about] if told is not None and isinstance(told.data, Alert) else [cause]
        events = [event for one in about for event in read.about(_by_event(country, one))]
        places += [_place(country, identity.key(one.data, "place_ref")) for one in events]
    return sorted({*places})


def follow_up(scope: str, report: Place, answers: Sequence[Answer]) -> list[Notice]:
    """Return who is told what of a place that one country reported in another."""
    if report.reporter == report.target:
        return []
    which = report.event_id, REPORTED
    if not may_know(report.marking, Relation.NAMED):
        data = alert("not_passed_on", which, report.place_ref, owned=True, marked=report.marking)
        return [Notice(to=report.reporter, data=data, scope=scope)]
    notices = [_report(scope, report)]
    if not answers:
        for to, other in ((report.target, report.reporter), (report.reporter, report.target)):
            late = alert("location_overdue", which, report.place_ref, due=report.due, country=other, owned=True)
            notices.append(Notice(to=to, data=late, scope=scope, due=report.due))
    for answer in answers:
        said = answer.event_id, f"intel.location.{answer.act}"
        data = alert(f"location_{answer.act}", said, report.place_ref, country=report.target, owned=True)
        notices.append(Notice(to=report.reporter, data=data, scope=scope))
    return notices


def _report(scope: str, report: Place) -> Notice:
    which = report.event_id, REPORTED
    marked, reporter = report.marking, report.reporter
    data = alert(
        "location_reported",
        which,
        report.place_ref,
        due=report.due,
        country=reporter,
        owned=True,
        marked=marked,
    )
    return Notice(to=report.target, data=data, scope=scope)


def _feedback(report: Place, victim: Identification) -> list[Notice]:
    """Give the feedback in the name of the place's country, and tell the reporter (Plan PC 1.1.3)."""
    scope, name = victim_scope(victim.event_id), f"{report.event_id}/{victim.name}"
    drafted = FeedbackGiven(
        exchange_id=report.named,
        to=report.reporter,  # type: ignore[arg-type]  # read back as it was written
        useful=True,
        used_for="victim_identified",
        reported_by=victim.reported_by,  # type: ignore[arg-type]
    )
    which = victim.event_id, "victims.victim.identified"
    data = alert(
        "feedback",
        which,
        report.place_ref,
        reason="victim_identified",
        country=report.target,
        owned=True,
    )
    return [
        Notice(to=report.target, data=drafted, scope=scope, name=name),
        Notice(to=report.reporter, data=data, scope=scope, name=name),
    ]


def _proven(report: Place, victim: Identification) -> Notice:
    """Say that a place led to a victim, once however many reported the place (Plan row IE-3.2.1)."""
    owner, _ = identity.parted(report.place_ref)
    proven = LocationProven(
        place_ref=identity.written(report.place_ref, report.target), owners={"place_ref": owner or REGION}
    )
    name = f"{report.place_ref}/{victim.name}"
    return Notice(to=report.target, data=proven, scope=victim_scope(victim.event_id), name=name)


def reoffered(read: Reading, country: str) -> list[tuple[Place, Notice]]:
    """Return, for a new contact point, the places that still await its country's word.

    All places ever reported in the country are read: a post is filled a few times in a year.
    """
    found_ = [place_report(one) for one in read.about(f"places/{country}") if one.country != country]
    found_ = [one for one in found_ if may_know(one.marking, Relation.NAMED)]
    waiting = [one for one in found_ if not _place_reports(read, _place(country, one.place_ref))[1]]
    return [(one, _report(_place(country, one.place_ref), one)) for one in waiting]
