"""Everything that is wrong with a refused report, told to its sender without quoting what it said.

The hot path stops at the first fault; only here, off it, is the whole list worked out against the JSON Schema.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shared.contracts import Contract, Envelope, Problem, registry, report_type
from shared.contracts.suggestion import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

PROBLEMS_MAX = 50
"""Problems told of one report or question: the first that are found."""
FOUND_MAX = 2_000
"""Findings looked at, several of which may be one problem: no report takes longer to explain, whatever is in it."""
SUGGESTIONS_MAX = 10
"""Problems of one refusal for which a suggestion is looked for."""
DEPTH_MAX = 32
PLACE = re.compile(r"at `\$\.([\w.\[\]]+)`\Z")
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


class NotANumberError(ValueError):
    """The text has NaN or an infinity, which JSON does not know."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise DuplicateKeyError
    return result


def _not_a_number(_: str) -> None:
    raise NotANumberError


_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
_read = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_a_number).decode


def unambiguous(payload: bytes) -> Any:
    """Return the JSON value; raises DuplicateKeyError or another ValueError (no JSON, NaN), RecursionError."""
    return _read(payload.decode("utf-8"))


def unrepeated(payload: bytes) -> None:
    """Raise what `unambiguous` does of JSON that msgspec has read by its contract, at less than half of the cost.

    Without escapes every quotation mark opens or closes a text. Of a name that stands twice msgspec keeps the last one
    only, so what it has read, written again, has fewer of them.
    """
    if b"\\" in payload or _encode(_decode(payload)).count(b'"') != payload.count(b'"'):
        unambiguous(payload)


def repeated(payload: bytes, name: str) -> bool:
    """Say whether a JSON object names this field of its own twice. Raises a ValueError, or RecursionError."""
    outermost: list[int] = []

    def told(pairs: list[tuple[str, Any]]) -> None:
        outermost[:] = [sum(one == name for one, _ in pairs)]  # the last that is told is the whole

    json.loads(payload, object_pairs_hook=told)
    return outermost[:1] > [1]


def parsed(payload: bytes) -> tuple[Any, Problem | None]:
    """Return the JSON object of a report, or the problem that keeps it from being read."""
    try:
        value = unambiguous(payload)
    except (ValueError, RecursionError) as error:
        return None, _unreadable(error)
    if _depth(value) > DEPTH_MAX:
        return value, _unreadable(RecursionError())
    if not isinstance(value, dict):
        return value, Problem("", "wrong_type", "a report is one JSON object (a CloudEvents 1.0 event)")
    return value, None


HALF = re.compile("[\ud800-\udfff]")


def halved(value: dict[str, Any]) -> list[Problem]:
    """Tell whether a text in a report holds half a character; in free data there is no schema that would.

    Which text is not told: what stands in free data may be anything.
    """
    if not HALF.search(json.dumps(value, ensure_ascii=False)):
        return []
    return [Problem("", "bad_format", "a text holds half of a surrogate pair, which is no character")]


def _unreadable(error: Exception) -> Problem:
    match error:
        case DuplicateKeyError():
            return Problem("", "duplicate_key", "an object has the same field twice; send each field once")
        case UnicodeDecodeError():
            return Problem("", "not_utf8", "the bytes are not UTF-8")
        case RecursionError():
            return Problem("", "too_deep", f"the JSON is nested deeper than {DEPTH_MAX} levels")
        case NotANumberError():
            return Problem("", "not_json", "the report is not valid JSON: NaN and Infinity")
        case json.JSONDecodeError():
            return Problem("", "not_json", f"the report is not valid JSON near character {error.pos}")
    return Problem("", "out_of_range", "a number has too many digits")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        inner = [v for v in level if isinstance(v, dict | list)]
        level = [child for v in inner for child in (v.values() if isinstance(v, dict) else v)]
        depth += bool(inner)
    return depth


def all_problems(agreed: Contract, value: dict[str, Any]) -> list[Problem]:
    """Return what the schema of `agreed` finds wrong with a parsed report, at most `PROBLEMS_MAX`, by pointer.

    Without jsonschema, which a country's client may do without, only the first.
    """
    try:
        from shared.contracts.schema import validator  # noqa: PLC0415 - see above
    except ModuleNotFoundError:
        return _first(agreed, value)
    return listed(validator(agreed).iter_errors(value))


def _first(agreed: Contract, value: dict[str, Any]) -> list[Problem]:
    try:
        msgspec.convert(value, Envelope[report_type(agreed)])  # type: ignore[misc]
    except msgspec.ValidationError as error:
        return [Problem(where(error), "invalid", "the value does not fit the contract")]
    return []


class _Finding(NamedTuple):
    """What a problem is made of; `known` are the values of which one may have been meant."""

    pointer: str
    code: str
    message: str
    value: object = None
    known: Iterable[object] = ()


def listed(errors: "Iterable[ValidationError]") -> list[Problem]:
    """Return the first problems that a validator finds, at most `PROBLEMS_MAX`, by pointer.

    The validator is asked no further than for these, and only some are given suggestions.
    """
    found: dict[tuple[str, str], _Finding] = {}
    for finding in islice(chain.from_iterable(map(_told, errors)), FOUND_MAX):
        found.setdefault((finding.pointer, finding.code), finding)
        if len(found) == PROBLEMS_MAX:
            break
    problems, suggestions = [], 0
    for at, code, message, value, known in sorted(found.values(), key=lambda one: one[:2]):
        suggested = nearest(value, known) if known and suggestions < SUGGESTIONS_MAX else None
        suggestions += bool(known)
        problems.append(Problem(at, code, message, suggested))
    return problems


def _told(error: "ValidationError") -> Iterator[_Finding]:
    if error.validator in {"anyOf", "oneOf"} and error.context:
        # An optional field is "this or null": what the sender wants to hear is what is wrong with "this".
        for inner in error.context:
            if inner.schema != {"type": "null"}:
                yield from _told(inner)
        return
    from shared.contracts.schema import conforms  # noqa: PLC0415 - it needs jsonschema; see `all_problems`

    schema: Any = error.schema
    wanted: Any = error.validator_value
    instance: Any = error.instance
    code, message = CODES.get(str(error.validator), ("invalid", "the value does not fit the contract"))
    at = pointer(error.absolute_path)
    if code == "unknown_field":
        known = list(schema.get("properties", {}))
        unknown = (name for name in instance if name not in known)
        yield from (_unknown_field(at, name, known) for name in islice(unknown, PROBLEMS_MAX))
    elif code == "missing_field":
        yield from (_Finding(f"{at}/{name}", code, message) for name in wanted if name not in instance)
    elif code == "unknown_value":
        in_a_list = any(isinstance(step, int) for step in error.absolute_path)
        known = wanted if isinstance(wanted, list) else [wanted]
        yield _Finding(at, code, message, instance, () if in_a_list else known)
    elif error.validator == "pattern" and "x-minimum" in schema:
        if conforms(instance, schema["format"]):
            yield _Finding(at, "out_of_range", f"it lies between {schema['x-minimum']} and {schema['x-maximum']}")
    else:
        yield _Finding(at, code, message)


def pointer(path: Iterable[str | int]) -> str:
    """Return the RFC 6901 pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _unknown_field(at: str, name: str, known: list[str]) -> _Finding:
    """Tell of a field by its name only where that is a known one misspelt: any other may be content."""
    meant = nearest(name, known)
    code, message = CODES["additionalProperties"]
    if meant and FIELD_NAME.match(name):
        return _Finding(f"{at}/{name}", code, message, meant, (meant,))
    return _Finding(at, code, message, meant, (meant,) if meant else ())


def where(error: msgspec.ValidationError) -> str:
    """Return the pointer to what the decoder did not take, as far as it tells ("… - at `$.data.kind`")."""
    told = PLACE.search(str(error))
    return "/" + told[1].replace("[...]", "").replace(".", "/") if told else ""


def unknown_type(wanted: object, at: str = "/type") -> Problem:
    """Return the problem of a type that no contract has, with the type that may have been meant."""
    types = [agreed.type for agreed in registry().values() if agreed.reported]
    return Problem(at, "unknown_type", "no contract has this type (see /contracts)", nearest(wanted, types))
