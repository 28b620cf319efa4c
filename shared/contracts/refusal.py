"""Everything that is wrong with a refused report, told to its sender without quoting what it said.

The hot path stops at the first fault; only here, off it, is the whole list worked out against the JSON Schema.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from shared.contracts import Contract, Problem, registry
from shared.contracts.schema import conforms, validator
from shared.contracts.suggestion import nearest

PROBLEMS_MAX = 50
DEPTH_MAX = 32
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")

CODES = {
    "required": ("missing_field", "this field is required"),
    "additionalProperties": ("unknown_field", "this field is not part of the contract"),
    "unevaluatedProperties": ("unknown_field", "this field is not part of the contract"),
    "enum": ("unknown_value", "the value is not in the vocabulary of this field"),
    "const": ("unknown_value", "only one value is possible here"),
    "type": ("wrong_type", "the value has the wrong JSON type"),
    "pattern": ("bad_format", "the value does not have the form that the contract asks for"),
    "format": ("bad_format", "the value does not have the form that the contract asks for"),
    "not": ("not_pseudonymous", "it is written like a name or a telephone number; use an id that tells of no person"),
    "minLength": ("bad_length", "the text is too short"),
    "maxLength": ("bad_length", "the text is too long"),
    "minimum": ("out_of_range", "the number is too small"),
    "maximum": ("out_of_range", "the number is too large"),
    "minItems": ("bad_length", "the list has too few items"),
    "maxItems": ("bad_length", "the list has too many items"),
}


class DuplicateKeyError(ValueError):
    """An object names a field twice: which one is meant cannot be known."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise DuplicateKeyError
    return result


def _not_a_number(_: str) -> None:
    raise ValueError


_read = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_a_number).decode


def unambiguous(payload: bytes) -> Any:
    """Return the JSON value; raises DuplicateKeyError or another ValueError (no JSON, NaN), RecursionError."""
    return _read(payload.decode("utf-8"))


def parsed(payload: bytes) -> tuple[Any, Problem | None]:
    """Return the JSON object of a report, or the problem that keeps it from being read."""
    deep = Problem("", "too_deep", f"the JSON is nested deeper than {DEPTH_MAX} levels")
    problem = None
    value = None
    try:
        value = unambiguous(payload)
    except DuplicateKeyError:
        problem = Problem("", "duplicate_key", "an object has the same field twice; send each field once")
    except UnicodeDecodeError:
        problem = Problem("", "not_utf8", "the bytes are not UTF-8")
    except RecursionError:
        problem = deep
    except ValueError as error:
        where = f" near character {error.pos}" if isinstance(error, json.JSONDecodeError) else ": NaN and Infinity"
        problem = Problem("", "not_json", f"the report is not valid JSON{where}")
    if problem is None and _depth(value) > DEPTH_MAX:
        problem = deep
    if problem is None and not isinstance(value, dict):
        problem = Problem("", "wrong_type", "a report is one JSON object (a CloudEvents 1.0 event)")
    return value, problem


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        inner = [v for v in level if isinstance(v, dict | list)]
        level = [child for v in inner for child in (v.values() if isinstance(v, dict) else v)]
        depth += bool(inner)
    return depth


def all_problems(agreed: Contract, value: dict[str, Any]) -> list[Problem]:
    """Return what the schema of `agreed` finds wrong with a parsed report, at most `PROBLEMS_MAX`, by pointer."""
    return listed(validator(agreed).iter_errors(value))


def listed(errors: Iterable[ValidationError]) -> list[Problem]:
    """Return what a validator found, at most `PROBLEMS_MAX`, by pointer."""
    found = {(problem.pointer, problem.code): problem for error in errors for problem in _told(error)}
    return sorted(found.values(), key=lambda problem: (problem.pointer, problem.code))[:PROBLEMS_MAX]


def _told(error: ValidationError) -> Iterator[Problem]:
    if error.validator in {"anyOf", "oneOf"} and error.context:
        # An optional field is "this or null": what the sender wants to hear is what is wrong with "this".
        for inner in error.context:
            if inner.schema != {"type": "null"}:
                yield from _told(inner)
        return
    schema: Any = error.schema
    wanted: Any = error.validator_value
    instance: Any = error.instance
    code, message = CODES.get(str(error.validator), ("invalid", "the value does not fit the contract"))
    at = pointer(error.absolute_path)
    if code == "unknown_field":
        known = list(schema.get("properties", {}))
        unknown = (name for name in instance if name not in known)
        yield from (_unknown_field(at, name, known) for name in unknown)
    elif code == "missing_field":
        yield from (Problem(f"{at}/{name}", code, message) for name in wanted if name not in instance)
    elif code == "unknown_value":
        known = wanted if isinstance(wanted, list) else [wanted]
        yield Problem(at, code, message, nearest(instance, known))
    elif error.validator == "pattern" and "x-minimum" in schema:
        if conforms(instance, schema["format"]):
            yield Problem(at, "out_of_range", f"it lies between {schema['x-minimum']} and {schema['x-maximum']}")
    else:
        yield Problem(at, code, message)


def pointer(path: Iterable[str | int]) -> str:
    """Return the RFC 6901 pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _unknown_field(at: str, name: str, known: list[str]) -> Problem:
    """Tell of a field by its name only where that is a known one misspelt: any other may be content."""
    meant = nearest(name, known)
    code, message = CODES["additionalProperties"]
    return Problem(f"{at}/{name}" if meant and FIELD_NAME.match(name) else at, code, message, meant)


def unknown_type(wanted: object, at: str = "/type") -> Problem:
    """Return the problem of a type that no contract has, with the type that may have been meant."""
    types = [agreed.type for agreed in registry().values() if agreed.reported]
    return Problem(at, "unknown_type", "no contract has this type (see /contracts)", nearest(wanted, types))
