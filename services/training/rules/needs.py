"""Training needs: raised by what happened, planned by a course, met by certificates after it, or overdue."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

import msgspec

from services.training.policy import POLICY
from services.training.rules.notices import SERVICE, owner
from services.training.store import needs
from shared import deadlines
from shared.contracts import Data, Event, identity
from shared.contracts.intel import EntryRequirementChanged, OperationEvaluated
from shared.contracts.legal import ProcedureIssued
from shared.contracts.training import (
    CourseDelivered,
    CourseScheduled,
    NeedMet,
    NeedOverdue,
    NeedPlanned,
    NeedRaised,
    NeedWithdrawn,
)
from shared.contracts.vocabulary import Priority, Topic
from shared.database import Connection
from shared.facts import Columns
from shared.rules import derive, derived_id

ENTRY_RULES: Topic = "crm_member_policies"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What officers need to be trained in, where, by when."""

    topic: Topic
    due: datetime
    priority: Priority = "normal"
    bcp: str | None = None
    pattern: str | None = None
    since: datetime | None = None
    """From when on training meets it; by default, from when it was asked for."""
    detected: datetime | None = None
    """When the first of what it comes from was seen, likewise."""


def of_entry_rule(event: Event[EntryRequirementChanged]) -> list[Wanted]:
    """Ask for training in an entry rule that takes effect soon (choreography 16)."""
    effective = datetime.combine(event.data.effective_from, time.min, UTC)
    if effective - event.time > POLICY.entry_rule_notice:
        return []
    due = max(effective, event.recordedtime + POLICY.entry_rule_trained_within)
    return [Wanted(topic=ENTRY_RULES, due=due, priority="high")]


def of_procedure(event: Event[ProcedureIssued]) -> list[Wanted]:
    """Ask for training in a procedure's topic."""
    return _in_time(event, [event.data.topic] if event.data.topic else [])


def of_operation(event: Event[OperationEvaluated]) -> list[Wanted]:
    """Ask for training in the lessons of an operation."""
    return _in_time(event, event.data.lessons)


def _in_time(event: Event[Any], topics: Iterable[Topic]) -> list[Wanted]:
    return [Wanted(topic=topic, due=event.recordedtime + POLICY.trained_within) for topic in topics]


Asking: TypeAlias = Callable[[Event[Any]], list[Wanted]]
ASKING: Mapping[type[Data], Asking] = {
    EntryRequirementChanged: of_entry_rule,
    OperationEvaluated: of_operation,
    ProcedureIssued: of_procedure,
}
"""Which reports of other services ask for training, each by itself; forgeries do so by their number."""


async def on_asking(event: Event[Any], connection: Connection) -> list[Event[Any]]:
    """Raise the needs that a report asks for."""
    outcome = []
    for wanted in ASKING[type(event.data)](event):
        outcome += await raised(event, event, wanted, connection)
    return outcome


async def reasked(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Withdraw the needs that an amended report asks for no more, and raise those that it asks for now (a `Follow`)."""
    now = {one.topic: one for one in ASKING[type(after.data)](after)} if after else {}
    outcome = []
    for need in await needs.raised_by(connection, before.id, before.source):
        if need.topic not in now:
            outcome += await withdrawn(told, need, connection)
        elif need.state != "withdrawn":
            del now[need.topic]
    for wanted in now.values():
        assert after is not None
        outcome += await raised(told, after, wanted, connection)
    return outcome


async def raised(cause: Event[Any], asking: Event[Any], wanted: Wanted, connection: Connection) -> list[Event[Any]]:
    """Raise a need because of `cause`, on account of the report `asking`; what was done since may meet it at once."""
    need = needs.Need(
        need_id=derived_id("need", cause.source, cause.id, wanted.topic),
        cause=asking.id,
        source=asking.source,
        country=cause.country,
        topic=wanted.topic,
        bcp=wanted.bcp,
        pattern=wanted.pattern,
        since=wanted.since or asking.time,
        raised=cause.recordedtime,
        detected=wanted.detected or asking.time,
    )
    await needs.add_need(connection, need)
    named: dict[str, Any] = {"need_id": need.need_id, "topic": need.topic, "bcp": need.bcp}
    told = NeedRaised(**named, priority=wanted.priority, due=wanted.due)
    overdue = NeedOverdue(**named, due=wanted.due)
    await deadlines.fire_at(
        connection,
        _overdue(need.need_id),
        wanted.due,
        derive(SERVICE, overdue, cause=cause, to=cause.country, key=need.need_id, time=wanted.due),
    )
    raising = derive(SERVICE, told, cause=cause, to=cause.country, key=need.need_id)
    return [raising, *await judged(raising, cause.country, [need.topic], connection)]


async def withdrawn(cause: Event[Any], need: needs.Need, connection: Connection) -> list[Event[Any]]:
    """Withdraw a need for which nothing was done yet; one for which a course was set stays."""
    if need.state != "raised":
        return []
    await needs.set_state(connection, need.need_id, "withdrawn")
    await deadlines.clear(connection, _overdue(need.need_id))
    told = NeedWithdrawn(need_id=need.need_id, topic=need.topic, bcp=need.bcp)  # type: ignore[arg-type]
    return [derive(SERVICE, told, cause=cause, to=cause.country, key=need.need_id)]


async def judged(cause: Event[Any], country: Any, topics: Iterable[str], connection: Connection) -> list[Event[Any]]:
    """Tell which open needs of a country in these topics are now planned or met."""
    outcome = []
    for need in await needs.matched(connection, country, list(topics)):
        named: dict[str, Any] = {"need_id": need.need_id, "topic": need.topic, "bcp": need.bcp}
        told: NeedPlanned | NeedMet
        if need.met:
            latency_s = max(0, int((cause.time - need.began) / timedelta(seconds=1)))
            told = NeedMet(**named, latency_s=latency_s)
            await needs.set_state(connection, need.need_id, "met")
            await deadlines.clear(connection, _overdue(need.need_id))
        elif need.state == "raised" and need.course_id:
            told = NeedPlanned(**named, course_id=need.course_id)
            await needs.set_state(connection, need.need_id, "planned")
        else:
            continue
        outcome.append(derive(SERVICE, told, cause=cause, to=country, key=need.need_id))
    return outcome


def course(event: Event[Any], data: CourseScheduled | CourseDelivered) -> Columns:
    """Keep a course that is set or was given, as given in the country of its border post."""
    return {
        "country": owner(data.bcp, event.country),
        "course_id": data.course_id,
        "topics": data.topics,
        "bcp": data.bcp and identity.parted(data.bcp)[1],
        "delivered": isinstance(data, CourseDelivered),
        "at": event.time,
    }


async def on_course(event: Event[CourseScheduled | CourseDelivered], connection: Connection) -> list[Event[Any]]:
    """Tell which needs the course plans, or meets with the certificates that followed it."""
    return await judged(event, owner(event.data.bcp, event.country), event.data.topics, connection)


async def recoursed(
    told: Event[Any], _before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Tell which needs the course as it stands plans or meets; what was told before stays told (a `Follow`)."""
    if after is None:
        return []
    return await judged(told, owner(after.data.bcp, after.country), after.data.topics, connection)


def _overdue(need_id: str) -> str:
    return f"need/{need_id}"
