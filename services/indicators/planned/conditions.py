"""Conditions of the plan: under which an event counts, by what its fields say."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from services.indicators.planned import fields

Scalar = str | int | bool


class Unless(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition that holds when the field is given and none of these."""

    unless: list[Scalar]


Where = dict[str, Scalar | list[Scalar] | Unless]
"""Field path -> the value, one of the values, or anything but these."""


def holds(where: Where, said: Mapping[str, Any]) -> bool:
    """Say whether all conditions hold for what is said at their paths."""
    for path, wanted in where.items():
        found, values = said[path], wanted.unless if isinstance(wanted, Unless) else wanted
        listed = values if isinstance(values, list) else [values]
        among = any(one in listed for one in found) if path.endswith(fields.ANY) else found in listed
        if found is None or among is isinstance(wanted, Unless):
            return False
    return True
