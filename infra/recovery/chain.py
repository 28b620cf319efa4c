"""Causes and consequences of an event, put together from the logs of all services."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from shared import contracts
from shared.contracts import SERVICES, Event

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

CAUSE = """split_part(encode(substring(
    payload from position('"causationid":"'::bytea in payload) + 15 for 65), 'escape'), '"', 1)"""
"""The cause that a row names, in the words of the index `log_cause`."""
ROW = "position, id, source, type, country, entity, payload"
UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)
DEPTH_MAX = 100
"""How far causes are followed back: beyond it, somebody has reported events as causes of each other."""


@dataclass(slots=True)
class Step:
    """An event, the service that recorded it, and what it set off, in order of recording."""

    service: str
    event: Event[Any]
    consequences: list["Step"] = field(default_factory=list)
    unreadable: str = ""
    """Why the event itself cannot be decoded (the exception's type): then its times are `UNKNOWN`."""


async def chains(connection: "Connection", event_id: str) -> list[Step]:
    """Return the first causes of the events with this id, each with all that came of it; empty: nobody recorded one.

    An id is unique together with its source only, and a cause is named by its id alone: where several events share an
    id, each of them is shown, and what names them as its cause is shown below each.
    """
    firsts = await _first_causes(connection, event_id)
    return [await _whole(connection, first) for first in firsts]


async def _first_causes(connection: "Connection", event_id: str) -> list[Step]:
    firsts: dict[tuple[str, int], Step] = {}
    fresh = {_key(step): step for step in await _recorded(connection, event_id)}
    known = dict(fresh)
    for _ in range(DEPTH_MAX):
        causes: dict[tuple[str, int], Step] = {}
        for key, step in fresh.items():
            found = await _recorded(connection, step.event.causationid) if step.event.causationid else []
            if not found:
                firsts[key] = step
            causes |= {_key(cause): cause for cause in found}
        fresh = {key: cause for key, cause in causes.items() if key not in known}
        if not fresh:
            break
        known |= fresh
    # Events that name each other as their cause have no first: then it is the one asked for.
    return list(firsts.values()) or list(known.values())[:1]


async def _whole(connection: "Connection", first: Step) -> Step:
    found = {_key(first): first}
    fresh = [first]
    while fresh:
        next_ones = await _set_off(connection, [step.event.id for step in fresh])
        fresh = [step for step in next_ones if _key(step) not in found]
        found |= {_key(step): step for step in fresh}
    return grown(first, found.values())


def grown(first: Step, found: Iterable[Step]) -> Step:
    """Return `first` with those among `found` that it set off below it, and theirs below them; each stands once."""
    by_cause: dict[str, list[Step]] = {}
    for step in sorted(found, key=lambda step: (step.event.recordedtime, step.service, step.event.sequence)):
        if step is not first and step.event.causationid:
            by_cause.setdefault(step.event.causationid, []).append(step)
    reached = [first]
    for step in reached:
        step.consequences = by_cause.pop(step.event.id, [])
        reached += step.consequences
    return first


async def _recorded(connection: "Connection", event_id: str) -> list[Step]:
    """Return the events with this id, of whatever source."""
    steps = []
    for service in SERVICES:
        at = f"select position from {service}.recorded where id = $1"  # noqa: S608 - our own names
        query = f"select {ROW} from {service}.log where position in ({at}) order by position"  # noqa: S608 - as above
        rows = await connection.fetch(query, event_id)
        steps += [_step(service, row) for row in rows]
    return steps


async def _set_off(connection: "Connection", ids: list[str]) -> list[Step]:
    """Return the events that name one of these as their cause."""
    steps = []
    for service in SERVICES:
        rows = await connection.fetch(
            f"select {ROW} from {service}.log where {CAUSE} = any($1::text[])"  # noqa: S608 - our own names
            """ and position('"causationid":"'::bytea in payload) > 0""",
            ids,
        )
        steps += [_step(service, row) for row in rows]
    return steps


def _step(service: str, row: "asyncpg.Record") -> Step:
    """Return the event of a row; where it cannot be read, what the row's columns tell of it."""
    try:
        return Step(service, contracts.decode(row["payload"]))
    except Exception as error:  # noqa: BLE001 - one damaged row hides no other
        columns = {name: row[name] for name in ("id", "source", "type", "country")}
        bare: Event[Any] = Event(
            **columns,
            specversion="1.0",
            time=UNKNOWN,
            recordedtime=UNKNOWN,
            subject=row["entity"],
            sequence=row["position"],
            data={},
        )
        return Step(service, bare, unreadable=type(error).__name__)


def _key(step: Step) -> tuple[str, int]:
    return step.service, step.event.sequence
