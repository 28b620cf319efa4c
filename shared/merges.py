"""Merges: two identifiers of a country name the same, so what is kept of reports under one is kept under the other.

A merge is carried out as a correction of each report under the old identifier, made by the service itself: of the
earlier ones when the merge is recorded, of a later one behind it. Whatever counts by identifier then follows by the
rules that it has for corrections. Identifiers are a country's own: another's are unknown to it.
"""

import inspect
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from shared import cells, contracts
from shared.aggregates import corrected, taken_in
from shared.amendments import Root, first_reported
from shared.contracts import Contract, Corrected, Event, Merged, Problem, Refused, registry
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import NotYet, Rules, of

CORRECTED = f".{Corrected.__name__.lower()}.v1"


def with_merges(rules: Rules) -> Rules:
    """Return the rules of a service with the one for `.merged` of every entity."""

    async def on_merged(event: Event[Merged], connection: Connection) -> Iterable[Event[Any]]:
        field, old, into = _field(event.type), event.subject, event.data.into
        stays = await _standing(connection, event.country, field, into)
        if old in (into, stays):
            raise Refused(Problem("/data/into", "same_entity", "an identifier cannot be merged into itself"))
        for pointer, named in (("/subject", old), ("/data/into", into)):
            if not await _rows(connection, event, field, named, 1):
                raise NotYet(pointer)
        if not await _note(connection, event.country, field, old, into):
            raise Refused(Problem("/subject", "already_merged", "this identifier was merged before"))
        rows = await _rows(connection, event, field, old, None)
        roots = {root.position: root for row in rows if (root := await _root(row, connection))}
        concerned = [root for root in roots.values() if _concerns(rules, root, old)]
        return [one for root in concerned for one in await _amended(connection, event, root, stays)]

    return {**rules, Merged: on_merged}


async def late(connection: Connection, rules: Rules, events: Sequence[Event[Any]]) -> list[Event[Any]]:
    """Return the corrections of those recorded reports that came under an identifier merged before."""
    kept = [event for event in events if _keeps(rules, event)]
    if not kept:
        return []
    found = await connection.fetch(
        "select country, field, entity from merged where entity = any($1::text[])", [event.subject for event in kept]
    )
    known = {(row["country"], row["field"], row["entity"]) for row in found}
    corrections = []
    for event in kept:
        field = _field(event.data.original if isinstance(event.data, Corrected) else event.type)
        if (event.country, field, event.subject) in known:
            root = await first_reported(connection, event.country, event.id)
            into = await _standing(connection, event.country, field, event.subject)
            if root and not root.retracted and getattr(root.latest, field, into) != into:
                corrections += await _amended(connection, event, root, into)
    return corrections


def refused(verdict: Refused) -> Refused:
    """Return why a merge is refused when a report may not be corrected to the other identifier."""
    said = {"/data/supersedes": "/data/into"}
    return Refused(
        *(msgspec.structs.replace(one, pointer=said.get(one.pointer, one.pointer)) for one in verdict.problems)
    )


def _keeps(rules: Rules, event: Event[Any]) -> bool:
    """Say whether something is kept, or counted, of a country's report under its identifier."""
    if contracts.sender_of(event.source) == REGION:
        return False
    agreed = registry()[event.type]
    if agreed.generic:
        return agreed.data is Corrected
    return bool(agreed.entity and (agreed.tallies or inspect.iscoroutinefunction(of(rules, event))))


def _concerns(rules: Rules, root: Root, old: str) -> bool:
    agreed = registry()[root.event.type]
    return not root.retracted and _keeps(rules, root.event) and getattr(root.latest, agreed.entity) == old


@cache
def _field(wire: str) -> str:
    """Return the field in which the identifiers of this type's entity stand; without one, the entity's name."""
    named = registry()[wire]
    if named.entity and named.data is not Merged:
        return named.entity
    return next((one.entity for one in _reported(named.service, named.entity_name) if one.entity), named.entity_name)


@cache
def _types(service: str, field: str) -> list[str]:
    """Return the types whose reports name an entity of this kind, with those that correct them."""
    entities = {one.entity_name for one in registry().values() if one.service == service}
    own = [one for name in entities for one in _reported(service, name) if _field(one.type) == field]
    return sorted({one.type for one in own} | {f"crm.{service}.{one.entity_name}{CORRECTED}" for one in own})


def _reported(service: str, entity: str) -> list[Contract]:
    everything = (one for one in registry().values() if (one.service, one.entity_name) == (service, entity))
    return [one for one in everything if one.reported and not one.generic]


async def _rows(connection: Connection, event: Event[Any], field: str, entity: str, most: int | None) -> list[Any]:
    """Return the rows of the country's log that name the entity, at most so many."""
    return await connection.fetch(
        "select id, country from log where entity = $1 and country = $2 and type = any($3::text[])"
        " order by position limit $4",
        entity,
        event.country,
        _types(registry()[event.type].service, field),
        most,
    )


async def _root(row: Any, connection: Connection) -> Root | None:
    return await first_reported(connection, row["country"], row["id"])


async def _note(connection: Connection, country: str, field: str, old: str, into: str) -> bool:
    return bool(
        await connection.fetchval(
            "insert into merged (country, field, entity, into_entity) values ($1, $2, $3, $4)"
            " on conflict (country, field, entity) do nothing returning true",
            country,
            field,
            old,
            into,
        )
    )


async def _standing(connection: Connection, country: str, field: str, entity: str) -> str:
    """Return the identifier that stays, behind all merges."""
    while True:
        into = await connection.fetchval(
            "select into_entity from merged where country = $1 and field = $2 and entity = $3", country, field, entity
        )
        if into is None:
            return entity
        entity = into


async def _amended(connection: Connection, cause: Event[Any], root: Root, into: str) -> list[Event[Any]]:
    """Return what makes the report one about `into`."""
    data = msgspec.structs.replace(root.latest, **{registry()[root.event.type].entity: into})
    told = await cells.told(connection, root.event)
    return await taken_in(connection, cause, root, data, told) or [corrected(cause, root, data)]
