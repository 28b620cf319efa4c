"""What intel does with what it records, beyond recording it."""

from collections.abc import Iterable
from typing import Any

from shared.contracts import Event
from shared.contracts.intel import LocationReported, OperationExecuted
from shared.contracts.notice import Alert
from shared.rules import Rules, derive, enriched

SERVICE = "intel"


def on_operation_executed(event: Event[OperationExecuted]) -> Iterable[Event[Any]]:
    """Mark an operation as joint when two or more countries took part (Plan rows IE-3.1iii, PC-1a)."""
    return [enriched(event, joint=len(event.data.participants) > 1)]


def on_location_reported(event: Event[LocationReported]) -> Iterable[Event[Any]]:
    """Tell the country in which the suspected place lies (Plan row IE-3.2.1)."""
    data = event.data
    if data.target_country == event.country:
        return []
    alert = Alert(
        kind="location_reported", about=event.id, about_type=event.type, entity=event.subject, due=data.ack_by
    )
    return [derive(SERVICE, alert, cause=event, to=data.target_country)]


RULES: Rules = {
    LocationReported: on_location_reported,
    OperationExecuted: on_operation_executed,
}
