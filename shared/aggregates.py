"""A later report for the same period is carried out as a correction of the earlier one, made by the service.

The figure stands under the report that was recorded first, and counts from its time; what a later one says is a
correction of that, and the later one itself is withdrawn as its duplicate, or it would count again. So whoever adds up
reports and follows corrections has it right. Either id names the figure from then on, in corrections and retractions.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared import cells, contracts
from shared.amendments import Root, first_reported
from shared.contracts import Corrected, Data, Event, Retracted
from shared.contracts.aggregates import cell
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import Rule, Rules, Stored, derived_id, source


def with_aggregates(service: str, rules: Rules) -> Rules:
    """Return the rules of a service with those that take a figure's reports for one."""
    kinds = {one.data for one in contracts.registry().values() if one.service == service and one.aggregate}
    return {**rules, **{kind: _claimed(rules.get(kind)) for kind in kinds}}


def _claimed(rule: Rule | None) -> Stored:
    async def on_aggregate(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        await cells.claim(connection, contracts.registry()[event.type], event)
        outcome = rule(event, connection) if inspect.iscoroutinefunction(rule) else rule(event) if rule else []  # type: ignore[call-arg]
        return await outcome if inspect.isawaitable(outcome) else outcome

    return on_aggregate


async def late(connection: Connection, reports: Sequence[Event[Any]]) -> list[Event[Any]]:
    """Return what takes these recorded reports into the figures that stood before them."""
    amendments: list[Event[Any]] = []
    for event in reports:
        agreed = contracts.registry()[event.type]
        if agreed.aggregate is None or contracts.sender_of(event.source) == REGION:
            continue
        root = await first_reported(connection, event.country, event.id, event.source)
        if root is not None and not root.retracted:
            amendments += await taken_in(connection, event, root, event.data, event.time)
    return amendments


async def taken_in(connection: Connection, cause: Event[Any], root: Root, data: Data, told: Any) -> list[Event[Any]]:
    """Return what takes a report, told at a time, into the figure that its data are of; nothing: it is that itself."""
    agreed = contracts.registry()[root.event.type]
    one = cell(agreed, root.event.country, root.event.time, data)
    row = await cells.standing(connection, one) if one else None
    if row is None or (row["id"], row["source"]) == (root.event.id, root.event.source):
        return []
    stands = await first_reported(connection, root.event.country, row["id"], row["source"])
    if stands is None or stands.position == root.position:
        return []
    events = []
    if told >= row["told"] and msgspec.to_builtins(data) != msgspec.to_builtins(stands.latest):
        events.append(corrected(cause, stands, data))
    duplicate = {"reason": "duplicate", "replaced_by_sequence": stands.position}
    events.append(amendment(cause, root, Retracted, root.latest, **duplicate))
    return events


def corrected(cause: Event[Any], root: Root, data: Data) -> Event[Any]:
    """Return the correction by which a report says `data`."""
    agreed = contracts.registry()[root.event.type]
    plain = msgspec.structs.replace(data, **dict.fromkeys(agreed.derived))
    return amendment(cause, root, Corrected, data, data=msgspec.to_builtins(plain))


def amendment(cause: Event[Any], root: Root, kind: type[Corrected | Retracted], about: Any, **said: Any) -> Event[Any]:
    """Return an amendment of a country's report that the service itself makes."""
    agreed = contracts.registry()[root.event.type]
    wire = f"crm.{agreed.service}.{agreed.entity_name}.{kind.__name__.lower()}.v1"
    named: Mapping[str, Any] = {"original_source": root.event.source, "reported_by": about.reported_by}
    return Event(
        specversion="1.0",
        id=derived_id(cause.source, cause.id, wire, root.event.id),
        source=source(agreed.service),
        type=wire,
        time=cause.recordedtime,
        country=cause.country,
        data=kind(supersedes=root.event.id, **named, **said),
        recordedtime=cause.recordedtime,
        subject=(getattr(about, agreed.entity) if agreed.entity else "") or root.event.subject,
        datacontenttype="application/json",
        causationid=cause.id,
        correlationid=cause.correlationid or cause.id,
        traceparent=cause.traceparent,
    )
