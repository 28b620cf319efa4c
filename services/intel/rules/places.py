"""Places where victims are suspected: acknowledged in time or reminded of, and what came of them (choreography 8)."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.intel.facts import places, told
from services.intel.facts.places import Answer, Identification, Place
from services.intel.gate import Relation, may_know
from services.intel.telling import Notice, alert, settle
from shared.contracts import Event, Retracted, identity
from shared.contracts.intel import FeedbackGiven, LocationProven, LocationReported
from shared.contracts.victims import VictimIdentified
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import NotYet

REPORTED = "intel.location.reported"


async def on_place(cause: Event[Any], about: Event[LocationReported], connection: Connection) -> Iterable[Event[Any]]:
    """Tell the country in which the suspected place lies (Plan row IE-3.2.1), and wait for its word."""
    place_ref = identity.key(about.data, "place_ref")
    return await _settled(cause, about.data.target_country, place_ref, connection, about=about.id)


async def on_answer(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Tell those who reported a place what its country says of it: to others, it is not there."""
    place_ref = identity.key(about.data, "place_ref")
    if cause is about and not await places.reports(connection, about.country, place_ref):
        raise NotYet("/data/place_ref")
    return await _settled(cause, about.country, place_ref, connection, about=about.id)


async def on_identified(
    cause: Event[Any], about: Event[VictimIdentified], connection: Connection
) -> Iterable[Event[Any]]:
    """Tell who reported a place that a victim was identified because of it; a correction leaves the cause as it was."""
    if isinstance(cause.data, Retracted):
        await places.drop_identification(connection, about)
        return await settle(connection, cause, [_victim(about.id)], [])
    named = await places.meant(connection, about.country, about.data.place_ref) if about.data.place_ref else []
    events: list[Event[Any]] = []
    if cause is about and (about.causationid or named):
        # Another country's place of the same name is meant only with its owner: where several are, none is.
        await places.add_identification(connection, about, named[0] if len(named) == 1 else None)
        caused = await places.caused_by(connection, about.country, about.causationid) if about.causationid else []
        for place_ref in dict.fromkeys([*caused, *named[: len(named) == 1]]):
            events += await _settled(cause, about.country, place_ref, connection)
    return events


async def _settled(
    cause: Event[Any], target: str, place_ref: str, connection: Connection, *, about: str = ""
) -> list[Event[Any]]:
    scope = f"place/{target}/{place_ref}"
    reports = await places.reports(connection, target, place_ref)
    answers = await places.answers(connection, target, place_ref)
    known = await told.events(connection, scope)
    said = {one.event_id for one in answers}
    # An id names the first report that has it: another country may give one of its own the same.
    first = await places.first(connection, target, [about, *(one.event_id for one in reports)])
    causes = [
        {known.get(_report(scope, one).key, ""), *said}
        | ({one.event_id} if first[one.event_id] == (one.reporter, place_ref) else set())
        for one in reports
    ]
    elsewhere = {event_id for event_id, (_, where) in first.items() if where != place_ref}
    ever = {about, *known.values(), *said, *first} - elsewhere - {""}
    victims = await places.identifications(connection, target, sorted(ever), place_ref)
    notices = []
    for report, named in zip(reports, causes, strict=True):
        found = [one for one in victims if one.causationid in named or one.place_ref == place_ref]
        notices += follow_up(scope, report, answers, found)
        notices += [_proven(report, one) for one in found if may_know(report.marking, Relation.NAMED)]
    return await settle(connection, cause, [scope, *(_victim(one.event_id) for one in victims)], notices)


def _victim(event_id: str) -> str:
    return f"victim/{event_id}"


def follow_up(scope: str, report: Place, answers: Sequence[Answer], victims: Sequence[Identification]) -> list[Notice]:
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
    for victim in victims:
        notices += _feedback(report, victim)
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
    scope, name = _victim(victim.event_id), f"{report.event_id}/{victim.event_id}"
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
    name = f"{report.place_ref}/{victim.event_id}"
    return Notice(to=report.target, data=proven, scope=_victim(victim.event_id), name=name)


async def reoffered(connection: Connection, country: str) -> list[tuple[Place, Notice]]:
    """Return, for a new contact point, the places that still await its country's word."""
    waiting = [one for one in await places.unanswered(connection, country) if may_know(one.marking, Relation.NAMED)]
    return [(one, _report(f"place/{country}/{one.place_ref}", one)) for one in waiting]
