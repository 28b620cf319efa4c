"""Corrections and retractions, the same for every entity: what was reported is never changed, only amended.

The recorded amendment carries what held before (`previous`), so that a reader can take it out again exactly
without having kept it. A service that acts on another's reports amends what it learned of them in the same way.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from shared import cells, contracts, seats
from shared.contracts import Contract, Corrected, Data, Event, Merged, Problem, Refused, Report, Retracted
from shared.contracts.door import shortened, within
from shared.contracts.owned import identified
from shared.contracts.refusal import all_problems
from shared.contracts.report import authority
from shared.contracts.sense import too_late
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.owners import Ownings, named_anew
from shared.rules import RECORDED, NotReady, NotYet, Rules, enriched

Amend: TypeAlias = Callable[[Event[Any], Data, Data | None, Connection], Awaitable[tuple[Data, Data | None]]]
"""(event first reported, previous data, new data or None when retracted, connection) -> the same two, with the
`derived` fields that make taking out the one and putting in the other right."""
Amends: TypeAlias = Mapping[type[Data], Amend]
Follow: TypeAlias = Callable[[Event[Any], Event[Any], Event[Any] | None, Connection], Awaitable[Iterable[Event[Any]]]]
"""(the amendment as recorded, the report as it stood, as it stands or None when retracted, connection) -> what that
sets off: what the report had set off is brought to what it would have set off as it now stands. Runs after `Amend`."""
Follows: TypeAlias = Mapping[type[Data], Follow]


NONE_OWNED: Ownings = {}


@dataclass(frozen=True, slots=True)
class Root:
    """The event first reported, and what holds of it now."""

    position: int
    event: Event[Any]
    latest: Data
    retracted: bool


def with_amendments(
    service: str, rules: Rules, amends: Amends, follows: Follows, ownings: Ownings = NONE_OWNED
) -> Rules:
    """Return the rules of a service with those for `.corrected` and `.retracted` of every entity, its own or heard."""

    async def on_amended(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        if event.name.startswith(f"{service}."):
            told = await _recorded(event, rules, amends, ownings, connection)
            return [told, *await _followed(told, follows, connection)]
        if event.data.original not in contracts.registry():
            return []  # a type newer than this process, so none of its rules acted on it
        before, after = versions(event)
        if type(before.data) in rules:
            await _acted_on(event, connection)
        amend = amends.get(type(before.data))
        if amend:
            await amend(before, before.data, after.data if after else None, connection)
        return await _followed(event, follows, connection)

    return {**rules, Corrected: on_amended, Retracted: on_amended}


async def _acted_on(told: Event[Any], connection: Connection) -> None:
    """Raise NotReady while this service has not acted on the other's report: replicas may hear both in any order."""
    at = told.data.original_sequence
    heard = "select 1 from heard where stream = $1 and sequence = $2"
    if at is not None and not await connection.fetchval(heard, told.name.partition(".")[0].upper(), at):
        raise NotReady("/data/original_sequence")


async def _recorded(
    event: Event[Any], rules: Rules, amends: Amends, ownings: Ownings, connection: Connection
) -> Event[Any]:
    """Return the amendment of a report of this service as it is to be recorded; keep what now holds."""
    root = await _root(event, connection)
    agreed = contracts.registry()[root.event.type]
    # Who held a seat when it was reported may amend that report, whoever holds the seat now.
    await seats.judge(connection, event, root.event.time)
    new = None
    if isinstance(event.data, Corrected):
        new = await _checked(agreed, event, root, connection)
        new = msgspec.structs.replace(new, **{name: getattr(root.latest, name) for name in agreed.derived})
        owning = ownings.get(agreed.data)
        if owning and named_anew(agreed, root.latest, new):
            new = msgspec.structs.replace(new, owners=await owning(event.country, new, connection) or None)
    previous, amended = await _amended(root, rules, amends, new, connection)
    told = None if contracts.sender_of(event.source) == REGION else event.time
    await cells.move(connection, agreed, root.event, amended, told, "/data/data")
    await _save(root, event, root.latest if amended is None else amended, connection)
    more = {} if amended is None else {"data": msgspec.to_builtins(amended)}
    named = getattr(amended or root.latest, agreed.entity) if agreed.entity else None
    return enriched(
        msgspec.structs.replace(event, subject=named or event.subject),
        original=root.event.type,
        original_id=root.event.id,
        original_source=root.event.source,
        original_time=root.event.time,
        original_recordedtime=root.event.recordedtime,
        original_sequence=root.position,
        previous=msgspec.to_builtins(previous),
        **more,
    )


async def _followed(told: Event[Any], follows: Follows, connection: Connection) -> Iterable[Event[Any]]:
    before, after = versions(told)
    follow = follows.get(type(before.data))
    return await follow(told, before, after, connection) if follow else []


def versions(told: Event[Any]) -> tuple[Event[Any], Event[Any] | None]:
    """Return the amended report as it stood and as it stands (None: it does not), from a recorded amendment."""
    agreed = contracts.registry()[told.data.original]

    def version(data: dict[str, Any]) -> Event[Any]:
        return msgspec.structs.replace(
            told,
            id=told.data.original_id or told.data.supersedes,
            source=told.data.original_source or told.source,
            type=agreed.type,
            time=told.data.original_time,
            recordedtime=told.data.original_recordedtime,
            data=msgspec.convert(data, agreed.data),
        )

    corrected = told.data.data if isinstance(told.data, Corrected) else None
    return version(told.data.previous), version(corrected) if corrected is not None else None


async def _root(event: Event[Corrected] | Event[Retracted], connection: Connection) -> Root:
    """Return what `event` amends; raises NotYet when it is not recorded, Refused when it may not be amended."""
    root = await first_reported(
        connection, event.country, event.data.supersedes, event.data.original_source or event.source
    )
    sender = contracts.sender_of(event.source)
    if root is None or sender not in {REGION, contracts.sender_of(root.event.source)}:
        raise NotYet("/data/supersedes")
    if root.event.name.split(".")[:2] != event.name.split(".")[:2]:
        raise Refused(Problem("/data/supersedes", "wrong_reference", "the event named is of another entity"))
    if root.retracted:
        raise Refused(Problem("/data/supersedes", "already_retracted", "the event named was retracted"))
    if isinstance(root.event.data, Merged):
        raise Refused(Problem("/data/supersedes", "not_amendable", "a merge stands: correct the reports instead"))
    return root


async def first_reported(connection: Connection, country: str, event_id: str, source: str = "") -> Root | None:
    """Return the country's report that `event_id` is, or that it corrects; None when it is not recorded.

    Of several systems of the country that gave the same id, the one called `source` is meant. An amendment says itself
    what it amends in the end; only those recorded before they did are followed one by one.
    """
    row = await _row(connection, country, event_id, source)
    while row is not None:
        found = contracts.decode(row["payload"])
        amends = found.data
        if not isinstance(amends, Corrected | Retracted):
            return await _standing(connection, row["position"], found)
        if amends.original_sequence is None:
            row = await _row(connection, country, amends.supersedes, found.source, row["position"])
        else:
            first = "select position, payload from log where position = $1"
            row = await connection.fetchrow(first, amends.original_sequence)
    return None


async def _row(connection: Connection, country: str, event_id: str, source: str, before: int | None = None) -> Any:
    return await connection.fetchrow(
        "select position, payload from log where id = $1 and country = $2"
        " and (source like $3 or type like '%.corrected.v1') and position < coalesce($5, position + 1)"
        " order by source = $4 desc, position limit 1",
        event_id,
        country,
        source if country == REGION else contracts.source_of(country, "%"),
        source,
        before,
    )


async def _standing(connection: Connection, position: int, event: Event[Any]) -> Root:
    """Return how a report stands; one whose figure was taken into another's is that one."""
    now = await connection.fetchrow("select latest, retracted, into_root from amended where root = $1", position)
    while now and now["into_root"]:
        position = now["into_root"]
        event = contracts.decode(await connection.fetchval("select payload from log where position = $1", position))
        now = await connection.fetchrow("select latest, retracted, into_root from amended where root = $1", position)
    latest = msgspec.json.decode(now["latest"], type=type(event.data)) if now else event.data
    return Root(position, event, latest, retracted=bool(now and now["retracted"]))


async def _checked(agreed: Contract, event: Event[Corrected], root: Root, connection: Connection) -> Data:
    """Return the corrected data, which must be what a report of the same type may say; raises Refused."""
    if RECORDED.get():
        return msgspec.convert(event.data.data, agreed.data)
    value = {
        "specversion": "1.0",
        "id": event.id,
        "source": root.event.source,
        "type": agreed.type,
        "time": msgspec.to_builtins(event.time),
        "data": event.data.data,
    }
    new = None
    kind = contracts.report_type(agreed)
    try:
        new = msgspec.convert(shortened(event.data.data, kind), kind)
        fits = within(kind)(new)
    except (msgspec.ValidationError, UnicodeEncodeError):
        fits = False
    if not fits:
        problems = all_problems(agreed, value) or [Problem("/data", "invalid", "the data do not fit the contract")]
    else:
        assert isinstance(new, Report)
        new, foreign = identified(agreed, new, event.country)
        named = seats.named(msgspec.structs.replace(event, data=new))
        held = await seats.held(connection, root.event.time) if named else None
        problems = [
            *authority(agreed, root.event.source, new, contracts.sender_of(root.event.source), held),
            *foreign,
            *_too_late(new, root),
            *new.check(),
        ]
    if new is None or problems:
        raise Refused(*(msgspec.structs.replace(one, pointer=f"/data{one.pointer}") for one in problems))
    return new


def _too_late(new: Data, root: Root) -> list[Problem]:
    """Say what the corrected data tell as done too late, unless they did before there was this bound."""
    time = root.event.time
    return [] if any(too_late(root.latest, time)) else list(too_late(new, time))


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


async def _save(root: Root, event: Event[Any], latest: Data, connection: Connection) -> None:
    await connection.execute(
        "insert into amended (root, latest, retracted, into_root) values ($1, $2, $3, $4) on conflict (root) do update"
        " set latest = excluded.latest, retracted = excluded.retracted, into_root = excluded.into_root",
        root.position,
        msgspec.json.encode(latest),
        isinstance(event.data, Retracted),
        getattr(event.data, "replaced_by_sequence", None),
    )
