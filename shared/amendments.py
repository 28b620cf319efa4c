"""Corrections and retractions, the same for every entity: what was reported is never changed, only amended.

The recorded amendment carries what held before (`previous`), so that a reader can take it out again exactly
without having kept it.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import Contract, Corrected, Data, Event, Problem, Refused, Report, Retracted
from shared.contracts.refusal import all_problems
from shared.contracts.report import authority
from shared.database import Connection
from shared.rules import NotYet, Rules, enriched

CHAIN_MAX = 32
"""How many corrections of corrections are followed back to the event first reported."""

Amend: TypeAlias = Callable[[Event[Any], Data, Data | None, Connection], Awaitable[tuple[Data, Data | None]]]
"""(event first reported, previous data, new data or None when retracted, connection) -> the same two, with the
`derived` fields that make taking out the one and putting in the other right."""
Amends: TypeAlias = Mapping[type[Data], Amend]


@dataclass(frozen=True, slots=True)
class Root:
    """The event first reported, and what holds of it now."""

    position: int
    event: Event[Any]
    latest: Data
    retracted: bool


def with_amendments(rules: Rules, amends: Amends) -> Rules:
    """Return the rules of a service with those for `.corrected` and `.retracted` of every entity."""

    async def on_corrected(event: Event[Corrected], connection: Connection) -> Iterable[Event[Any]]:
        root = await _root(event, connection)
        agreed = contracts.registry()[root.event.type]
        new = _checked(agreed, event)
        new = msgspec.structs.replace(new, **{name: getattr(root.latest, name) for name in agreed.derived})
        previous, amended = await _amended(root, rules, amends, new, connection)
        assert amended is not None
        await _save(root, amended, retracted=False, connection=connection)
        return [_told(event, root, previous, data=msgspec.to_builtins(amended))]

    async def on_retracted(event: Event[Retracted], connection: Connection) -> Iterable[Event[Any]]:
        root = await _root(event, connection)
        previous, _ = await _amended(root, rules, amends, None, connection)
        await _save(root, root.latest, retracted=True, connection=connection)
        return [_told(event, root, previous)]

    return {**rules, Corrected: on_corrected, Retracted: on_retracted}


async def _root(event: Event[Corrected] | Event[Retracted], connection: Connection) -> Root:
    """Return what `event` amends; raises NotYet when it is not recorded, Refused when it may not be amended."""
    wanted = event.data.supersedes
    for _ in range(CHAIN_MAX):
        row = await connection.fetchrow(
            "select position, payload from log where id = $1 and source like $2",
            wanted,
            f"urn:crm:country:{event.country}:%",
        )
        if row is None:
            raise NotYet("/data/supersedes")
        found = contracts.decode(row["payload"])
        if not isinstance(found.data, Corrected | Retracted):
            break
        wanted = found.data.supersedes
    else:
        raise Refused(Problem("/data/supersedes", "too_deep", f"more than {CHAIN_MAX} corrections of corrections"))
    if found.name.split(".")[:2] != event.name.split(".")[:2]:
        raise Refused(Problem("/data/supersedes", "wrong_reference", "the event named is of another entity"))
    now = await connection.fetchrow("select latest, retracted from amended where root = $1 for update", row["position"])
    latest = msgspec.json.decode(now["latest"], type=type(found.data)) if now else found.data
    if now and now["retracted"]:
        raise Refused(Problem("/data/supersedes", "already_retracted", "the event named was retracted"))
    return Root(row["position"], found, latest, retracted=False)


def _checked(agreed: Contract, event: Event[Corrected]) -> Data:
    """Return the corrected data, which must be what a report of the same type may say; raises Refused."""
    value = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": agreed.type,
        "time": event.time.isoformat(),
        "data": event.data.data,
    }
    new = None
    try:
        new = msgspec.convert(event.data.data, contracts.report_type(agreed))
    except msgspec.ValidationError:
        problems = all_problems(agreed, value) or [Problem("/data", "invalid", "the data do not fit the contract")]
    else:
        assert isinstance(new, Report)
        problems = [*authority(agreed, event.source, new, event.country), *new.check()]
    if new is None or problems:
        raise Refused(*(msgspec.structs.replace(one, pointer=f"/data{one.pointer}") for one in problems))
    return new


async def _amended(
    root: Root, rules: Rules, amends: Amends, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Return previous and new data with their `derived` fields right; a pure rule gives them from the data alone."""
    kind = contracts.registry()[root.event.type].data
    if kind in amends:
        return await amends[kind](root.event, root.latest, new, connection)
    rule = rules.get(kind)
    if new is None or rule is None or inspect.iscoroutinefunction(rule):
        return root.latest, new
    event = msgspec.structs.replace(root.event, data=new)
    again = [one.data for one in rule(event) if one.id == event.id]  # type: ignore[call-arg, union-attr]
    return root.latest, again[0] if again else new


async def _save(root: Root, latest: Data, *, retracted: bool, connection: Connection) -> None:
    await connection.execute(
        "insert into amended (root, latest, retracted) values ($1, $2, $3)"
        " on conflict (root) do update set latest = excluded.latest, retracted = excluded.retracted",
        root.position,
        msgspec.json.encode(latest),
        retracted,
    )


def _told(event: Event[Any], root: Root, previous: Data, **more: Any) -> Event[Any]:
    original: datetime = root.event.time
    return enriched(
        event,
        original=root.event.type,
        original_time=original,
        original_recordedtime=root.event.recordedtime,
        original_sequence=root.position,
        previous=msgspec.to_builtins(previous),
        **more,
    )
