"""Rules: what one event sets off. A rule loads, decides, saves, and returns further events.

A rule's clock is the recorded time of its event and its ids are derived from it, so a repeat does the same.
"""

import inspect
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from shared import contracts
from shared.contracts import Data, Event
from shared.contracts.vocabulary import Addressee
from shared.database import Connection

NAMESPACE = uuid.UUID("6a0f5a39-0f6b-5c5e-9a53-20030509cafe")
RECORDED: ContextVar[bool] = ContextVar("recorded", default=False)
"""Set while what was recorded before goes through the rules again (`crm restore`): what the door asks of a report was
asked when it came, by the bounds and the seats of that day."""
DEPTH_MAX = 8
"""How far events may set off events within one transaction; more is a loop in the rules."""

D = TypeVar("D", bound=Data)
Pure: TypeAlias = Callable[[Event[Any]], Iterable[Event[Any]]]
Stored: TypeAlias = Callable[[Event[Any], Connection], Awaitable[Iterable[Event[Any]]]]
Rule: TypeAlias = Pure | Stored
"""A plain function decides from the event alone; an async one also reads and writes the service's tables.

An event that it returns under the id of the one it was given takes its place: so a rule adds what only
the owning service knows (`derived` fields of a contract).
"""
Rules: TypeAlias = Mapping[type[Data], Rule]


class NotYet(Exception):  # noqa: N818 - it is not an error: the event waits for the one it refers to
    """The event refers (at `pointer`) to something not recorded yet; it comes back after a delay."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


class NotReady(NotYet):
    """What the event refers to is on its way in this service itself: it waits for us, and is never refused for it."""


def derived_id(*parts: str) -> str:
    """Return the id that these parts always give."""
    return str(uuid.uuid5(NAMESPACE, "|".join(parts)))


def source(service: str) -> str:
    """Return the CloudEvents source of a service's own events."""
    return f"urn:crm:service:{service}"


def derive(  # noqa: PLR0913 - the facts of an event, each named at its place of use
    service: str,
    data: Data,
    *,
    cause: Event[Any],
    to: Addressee,
    subject: str = "",
    key: str = "",
    time: datetime | None = None,
) -> Event[Any]:
    """Return the event that `service` sets off because of `cause`, addressed to `to`'s mailbox (`REG`: nobody's).

    `key` tells apart several events of one type with one cause; `time` is the cause's recorded time unless given.
    """
    agreed = contracts.of(type(data), service)
    named = getattr(data, agreed.entity) if agreed.entity else None
    return Event(
        specversion="1.0",
        id=derived_id(cause.source, cause.id, agreed.type, key),
        source=source(service),
        type=agreed.type,
        time=time or cause.recordedtime,
        country=to,
        data=data,
        recordedtime=cause.recordedtime,
        subject=subject or named or cause.subject,
        datacontenttype="application/json",
        causationid=cause.id,
        correlationid=cause.correlationid or cause.id,
        traceparent=cause.traceparent,
    )


def enriched(event: Event[D], **derived: Any) -> Event[D]:
    """Return the event with its `derived` fields filled in."""
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, **derived))


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
