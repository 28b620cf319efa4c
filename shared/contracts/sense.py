"""What must hold between the fields of a report, whatever it is about."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import cache
from typing import Any, get_args, get_origin

from msgspec.structs import fields

from shared.contracts import Data, Problem, Report

PERIODS = (
    ("valid_from", "valid_until"),
    ("valid_from", "valid_to"),
    ("started", "ended"),
    ("occurred_from", "occurred_to"),
    ("first_seen", "last_seen"),
    ("since", "until"),
)
SLACK = timedelta(hours=24)
"""Between a time and a date: zones differ, and so do readings of a day."""


def contradiction(field: str, message: str) -> Problem:
    """Return the problem of a field that says the contrary of another, or of what the type itself says."""
    return Problem(f"/data/{field}", "contradiction", message)


def untimely(data: Data, time: datetime) -> Iterator[Problem]:
    """Yield what lies more than a day on the wrong side of the report's own time.

    `after_report` where something is told as done; `contradiction` where it is awaited.
    """
    for name in data.happened:
        value = getattr(data, name)
        if value is not None and _begin(value) - SLACK > time:
            yield Problem(f"/data/{name}", "after_report", "it is told as done, and lies after the time of the report")
    for name in data.awaited:
        value = getattr(data, name)
        if value is not None and value + SLACK < time:
            yield Problem(f"/data/{name}", "contradiction", "it is due before the time of the report")


def _begin(value: datetime | date | int) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime(value, 1, 1, tzinfo=UTC) if isinstance(value, int) else datetime.combine(value, clock.min, UTC)


class Fact(Report, frozen=True, kw_only=True):
    """A report whose lists have no repeats and whose periods do not end before they begin."""

    def check(self) -> Iterator[Problem]:
        """Yield `repeated_value` and `ends_before_start`; a subclass adds its own."""
        lists, periods = _shape(type(self))
        for attribute, wire in lists:
            value = getattr(self, attribute)
            if any(one in value[:index] for index, one in enumerate(value or ())):
                yield Problem(f"/data/{wire}", "repeated_value", "the list names something more than once")
        for start, end in periods:
            first, last = getattr(self, start), getattr(self, end)
            if first is not None and last is not None and last < first:
                yield Problem(f"/data/{end}", "ends_before_start", f"it ends before {start}")


@cache
def _shape(kind: type[Data]) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the lists (attribute, name on the wire) and the periods that this kind of report has."""
    known = fields(kind)
    lists = tuple((field.name, field.encode_name) for field in known if _is_list(field.type))
    attributes = {field.name for field in known}
    return lists, tuple(period for period in PERIODS if set(period) <= attributes)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(map(_is_list, get_args(annotation)))
