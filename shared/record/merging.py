"""Merges: two identifiers of a country name the same, so what is kept of reports under one is kept under the other.

A merge is carried out as a correction of each report under the old identifier, made by the service itself: of the
earlier ones when the merge is recorded, of a later one behind it. Whatever counts by identifier then follows.
 Identifiers are a country's own: another's are unknown to it.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from shared import contracts
from shared.contracts import Contract, Corrected, Event, Merged, Problem, Refused, registry
from shared.contracts.vocabulary import REGION
from shared.record import amending, periods
from shared.record.judgement import Unknown, derived_id

if TYPE_CHECKING:
    from shared.record.amending import Root
    from shared.record.deciding import Deciding

CORRECTED = f".{Corrected.__name__.lower()}.v1"


def merge(deciding: "Deciding", event: Event[Merged]) -> None:
    """Record a merge, and correct the reports under the old identifier."""
    field, old, into = _field(event.type), event.subject, event.data.into
    stays = _stays(deciding, event.country, field, into)
    if old in (into, stays):
        raise Refused(Problem("/data/into", "same_entity", "an identifier cannot be merged into itself"))
    for pointer, named in (("/subject", old), ("/data/into", into)):
        if not _named(deciding, event, field, named):
            raise Unknown(pointer)
    if deciding.tables.merged.get((event.country, field, old)) is not None:
        raise Refused(Problem("/subject", "already_merged", "this identifier was merged before"))
    deciding.tables.merged.put((event.country, field, old), into)
    found = [
        amending.reported_in(deciding, deciding.row(position)) for position, *_ in _named(deciding, event, field, old)
    ]
    roots = {root.position: root for root in found if root}
    deciding.append(event)
    try:
        for root in roots.values():
            if _concerns(deciding, root, old):
                for amendment in _amended(deciding, event, root, stays):
                    deciding.record(_apart(deciding, amendment))
    except Refused as verdict:
        raise _refused(verdict) from verdict


def late(deciding: "Deciding", event: Event[Any]) -> list[Event[Any]]:
    """Return the corrections of a recorded report that came under an identifier merged before."""
    if not event.subject or not _keeps(deciding, event):
        return []
    field = _field(event.data.original if isinstance(event.data, Corrected) else event.type)
    if deciding.tables.merged.get((event.country, field, event.subject)) is None:
        return []
    root = amending.reported_in(deciding, deciding.row(event.sequence))
    into = _stays(deciding, event.country, field, event.subject)
    if root and not root.retracted and getattr(root.latest, field, into) != into:
        return _amended(deciding, event, root, into)
    return []


def _apart(deciding: "Deciding", amendment: Event[Any]) -> Event[Any]:
    """Return an amendment under an id of its own: two systems of the country may have given their reports the same."""
    if all(one.source != amendment.source for one in deciding.logged(amendment.id)):
        return amendment
    return msgspec.structs.replace(amendment, id=derived_id(amendment.id, amendment.data.original_source))


def _refused(verdict: Refused) -> Refused:
    """Return why a merge is refused when a report may not be corrected to the other identifier."""
    said = {"/data/supersedes": "/data/into"}
    return Refused(
        *(msgspec.structs.replace(one, pointer=said.get(one.pointer, one.pointer)) for one in verdict.problems)
    )


def _keeps(deciding: "Deciding", event: Event[Any]) -> bool:
    """Say whether something is kept, or counted, of a country's report under its identifier."""
    if contracts.sender_of(event.source) == REGION:
        return False
    agreed = registry()[event.type]
    if agreed.generic:
        return agreed.data is Corrected
    return bool(agreed.entity and (agreed.tallies or agreed.aggregate or deciding.judgements.get(agreed.data)))


def _concerns(deciding: "Deciding", root: "Root", old: str) -> bool:
    agreed = registry()[root.event.type]
    return not root.retracted and _keeps(deciding, root.event) and getattr(root.latest, agreed.entity) == old


@cache
def _field(wire: str) -> str:
    """Return the field in which the identifiers of this type's entity stand; without one, the entity's name."""
    named = registry()[wire]
    if named.entity and named.data is not Merged:
        return named.entity
    return next((one.entity for one in _reported(named.service, named.entity_name) if one.entity), named.entity_name)


@cache
def _types(service: str, field: str) -> frozenset[str]:
    """Return the types whose reports name an entity of this kind, with those that correct them."""
    entities = {one.entity_name for one in registry().values() if one.service == service}
    own = [one for name in entities for one in _reported(service, name) if _field(one.type) == field]
    return frozenset({one.type for one in own} | {f"crm.{service}.{one.entity_name}{CORRECTED}" for one in own})


def _reported(service: str, entity: str) -> list[Contract]:
    everything = (one for one in registry().values() if (one.service, one.entity_name) == (service, entity))
    return [one for one in everything if one.reported and not one.generic]


def _named(deciding: "Deciding", event: Event[Any], field: str, entity: str) -> list[tuple[int, str, str, str]]:
    """Return the rows (position, id, country, type) of the country's log that name the entity."""
    types = _types(registry()[event.type].service, field)
    rows = [*deciding.tables.by_entity.get(entity), *deciding.tables.entities.added.get(entity, {}).values()]
    return [one for one in rows if one[2] == event.country and one[3] in types]


def _stays(deciding: "Deciding", country: str, field: str, entity: str) -> str:
    """Return the identifier that stays, behind all merges."""
    while (into := deciding.tables.merged.get((country, field, entity))) is not None:
        entity = into
    return entity


def _amended(deciding: "Deciding", cause: Event[Any], root: "Root", into: str) -> list[Event[Any]]:
    """Return what makes the report one about `into`."""
    data = msgspec.structs.replace(root.latest, **{registry()[root.event.type].entity: into})
    when = periods.told(deciding, root.event)
    return periods.taken_in(deciding, cause, root, data, when) or [periods.corrected(cause, root, data)]
