"""What must hold between the fields of a report, whatever it is about."""

from collections.abc import Iterator
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
