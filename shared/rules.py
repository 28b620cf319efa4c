"""Rules: what one event sets off. A rule loads, decides, saves, and returns further events.

A rule's clock is the recorded time of its event and its ids are derived from it, so a repeat does the same.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias

from shared import contracts
from shared.contracts import Data, Event
from shared.database import Connection
from shared.record.judgement import NotReady, derive, derived_id, enriched, source
from shared.record.judgement import Unknown as NotYet

__all__ = [
    "NotReady",
    "NotYet",
    "Pure",
    "Rule",
    "Rules",
    "Stored",
    "apply",
    "derive",
    "derived_id",
    "enriched",
    "of",
    "source",
]

RECORDED: ContextVar[bool] = ContextVar("recorded", default=False)
"""Set while what was recorded before goes through the rules again (`crm restore`): what the door asks of a report was
asked when it came, by the bounds and the seats of that day."""
DEPTH_MAX = 8
"""How far events may set off events within one transaction; more is a loop in the rules."""

Pure: TypeAlias = Callable[[Event[Any]], Iterable[Event[Any]]]
Stored: TypeAlias = Callable[[Event[Any], Connection], Awaitable[Iterable[Event[Any]]]]
Rule: TypeAlias = Pure | Stored
"""A plain function decides from the event alone; an async one also reads and writes the service's tables.

An event that it returns under the id of the one it was given takes its place: so a rule adds what only
the owning service knows (`derived` fields of a contract).
"""
Rules: TypeAlias = Mapping[type[Data], Rule]


def of(rules: Rules, event: Event[Any]) -> Rule | None:
    """Return the rule for an event; a report's data are of a subclass of what its contract names."""
    agreed = contracts.registry().get(event.type)
    return rules.get(agreed.data) if agreed else None


async def apply(rules: Rules, event: Event[Any], connection: Connection, depth: int = 0) -> list[Event[Any]]:
    """Return the event as it is to be recorded, followed by all that it sets off, in order of cause."""
    rule = of(rules, event)
    if rule is None:
        return [event]
    if depth > DEPTH_MAX:
        raise RuntimeError(f"rules of {event.type} set each other off more than {DEPTH_MAX} deep")
    outcome = rule(event, connection) if inspect.iscoroutinefunction(rule) else rule(event)  # type: ignore[call-arg]
    returned = list(await outcome if inspect.isawaitable(outcome) else outcome)
    itself = [one for one in returned if one.id == event.id and one.source == event.source]
    result = [itself[0] if itself else event]
    for one in returned:
        if one not in itself:
            result += await apply(rules, one, connection, depth + 1)
    return result
