"""Holds a report to the bounds of its values, at whatever depth they stand, and says them in its schema."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

import msgspec

from shared.contracts.bounds import YEARS, Bound

Holds: TypeAlias = Callable[[Any], bool]
LONG_FRACTION = re.compile(rb"[.][0-9]{7}")
FRACTION = re.compile(r"(:[0-9]{2}[.][0-9]{6})[0-9]+")


@cache
def within(kind: type[msgspec.Struct]) -> Holds:
    """Return the test whether a decoded struct of this kind keeps to all bounds."""
    checks = [
        (attrgetter(field.name), check) for field in msgspec.structs.fields(kind) if (check := _check(field.type))
    ]

    def holds(value: Any) -> bool:
        for get, check in checks:  # no `all` over a generator, and nothing called for what is left out
            inner = get(value)
            if inner is not None and not check(inner):
                return False
        return True

    return holds


def _check(hint: Any) -> Holds | None:
    """Return the test of a value of this type; None: it has no bound but its type's own."""
    if bound := bound_of(hint):
        return bound.holds
    if is_group(hint):
        return within(hint)
    inner = _inner(hint)
    check = _check(inner) if inner is not None else None
    if check is None:
        return None
    if is_list(hint):
        return lambda value: all(map(check, value))
    return lambda value: value is None or check(value)


def bound_of(hint: Any) -> Bound | None:
    """Return the bound that a type names, the outermost; every date and time has one."""
    if hint in (date, datetime):
        return YEARS
    if get_origin(hint) is not Annotated:
        return None
    base, *more = get_args(hint)
    return next((one for one in reversed(more) if isinstance(one, Bound)), None) or bound_of(base)


def is_group(hint: Any) -> bool:
    """Whether values of this type are structs."""
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def is_list(hint: Any) -> bool:
    """Whether values of this type are lists."""
    return get_origin(get_args(hint)[0] if get_origin(hint) is Annotated else hint) in (tuple, list)


def _inner(hint: Any) -> Any:
    """Return the type inside "this or null", a list or an annotation; None: there is none."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _inner(get_args(hint)[0])
    if origin in (Union, UnionType):
        kinds = [one for one in get_args(hint) if one is not type(None)]
        return kinds[0] if len(kinds) == 1 else None
    return get_args(hint)[0] if origin in (tuple, list) and get_args(hint) else None


def bind(kind: type[msgspec.Struct], schema: dict[str, Any], parts: Mapping[str, dict[str, Any]]) -> None:
    """Write the bounds of a struct's fields into its schema, and those of its groups into theirs (`parts`, by name)."""
    for field in msgspec.structs.fields(kind):
        if node := schema["properties"].get(field.encode_name):
            _bind(field.type, node, parts)


def _bind(hint: Any, node: dict[str, Any], parts: Mapping[str, dict[str, Any]]) -> None:
    if "anyOf" in node:
        node = next(one for one in node["anyOf"] if one != {"type": "null"})
    if bound := bound_of(hint):
        node.update(bound.keywords)
    elif is_group(hint):
        bind(hint, parts[hint.__name__], parts)
    elif (inner := _inner(hint)) is not None:
        _bind(inner, node["items"] if is_list(hint) else node, parts)


def cut(payload: bytes, kind: Any) -> bytes:
    """Return the JSON with the fractions of its times cut to the six digits that are kept: msgspec would round them.

    Only what `kind` has as a time is touched: an identifier may look like one. What is no JSON is left as it is.
    """
    if not LONG_FRACTION.search(payload):
        return payload
    try:
        return json.dumps(shortened(json.loads(payload), kind)).encode()
    except (ValueError, RecursionError):
        return payload


def shortened(value: Any, hint: Any) -> Any:
    """Return a JSON value of this type with the fractions of its times cut."""
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if base is datetime:
        return FRACTION.sub(r"\1", value) if isinstance(value, str) else value
    if isinstance(value, dict) and is_group(base):
        kinds = _kinds(base)
        return {name: shortened(one, kinds[name]) if name in kinds else one for name, one in value.items()}
    inner = _inner(hint)
    if inner is None:
        return value
    if isinstance(value, list) and is_list(hint):
        return [shortened(one, inner) for one in value]
    return value if is_list(hint) else shortened(value, inner)


@cache
def _kinds(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
