"""JSON Schemas (2020-12) of reports and events, and their examples, from the registry."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from shared.contracts import (
    Contract,
    Data,
    Envelope,
    Event,
    Time,
    place_of,
    report_type,
    sender_of,
    source_of,
)
from shared.contracts.bounds import END, PSEUDONYM
from shared.contracts.door import bind, shortened
from shared.contracts.prose import fields_said, plain
from shared.contracts.vocabulary import SEATS

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULL: Schema = {"type": "null"}
LOCAL = "#/$defs/{name}"


def report_schema(agreed: Contract) -> Schema:
    """Return the schema of a whole report of this type, as a country sends it: closed, without derived fields."""
    return portable(_report_schema(agreed))


def _report_schema(agreed: Contract) -> Schema:
    schema, parts = report_parts(agreed, LOCAL)
    head = {"$schema": DIALECT, "$id": f"urn:crm:schema:{agreed.type}:report"}
    return head | schema | {"examples": [example(agreed)], "$defs": parts}


def portable(schema: Schema) -> Schema:
    """Return the schema as published: RE2 has no look-ahead, and `$` says "end of text" there and in ECMA 262.

    In Python `$` would let a line feed at the end through, so our own validators keep what the types say.
    """
    end = json.dumps(END)[1:-1]
    published: Schema = json.loads(json.dumps(schema).replace(end, "$"))
    return published


def event_schema(agreed: Contract) -> Schema:
    """Return the schema of an event of this type as recorded; readers ignore fields that it does not know."""
    schema, parts = event_parts(agreed, LOCAL)
    head = {"$schema": DIALECT, "$id": f"urn:crm:schema:{agreed.type}:event"}
    return portable(head | schema | {"examples": [example_event(agreed)], "$defs": parts})


def data_schema(agreed: Contract) -> Schema:
    """Return the schema of the data alone, derived fields included, closed to others."""
    (root,), parts = msgspec.json.schema_components((report_type(agreed),), ref_template=LOCAL)
    schema: Schema = parts.pop(_name(root))
    return schema | {"$defs": parts}


def example(agreed: Contract) -> dict[str, Any]:
    """Return the contract's good example as a whole report, from a country that may send it."""
    good = dict(agreed.good)
    country = good[_wire(agreed, agreed.owner)] if agreed.owner else "GTM"
    if good.get("reported_by") in SEATS:
        country = "PAN" if good["reported_by"] == "regional_school" else "MEX"
    envelope = {
        "specversion": "1.0",
        "id": f"0193a1b2-{agreed.entity_name}-{agreed.verb}",
        "source": source_of(country, "sicam"),
        "type": agreed.type,
        "time": "2004-03-01T10:00:00Z",
    }
    if agreed.entity:
        envelope["subject"] = good.get(_wire(agreed, agreed.entity)) or f"{agreed.entity_name}-1"
    return envelope | {"datacontenttype": "application/json", "data": good}


def example_event(agreed: Contract) -> dict[str, Any]:
    """Return the contract's good example as the owning service would record it."""
    event = example(agreed)
    if not agreed.reported:
        event |= {"source": f"urn:crm:service:{agreed.service}", "causationid": "0193a1b2-cause"}
    country = place_of(sender_of(event["source"])) if agreed.reported else "GTM"
    return event | {"country": country, "recordedtime": "2004-03-01T10:00:05Z", "sequence": 1}


def report_parts(agreed: Contract, refs: str) -> tuple[Schema, Schema]:
    """Return the schema of a whole report, and those of the groups in its data, to which it refers by `refs`."""
    schema, parts = _envelope(agreed, Envelope, report_type(agreed), refs)
    bind(Envelope, schema, {})
    bind(agreed.data, schema["properties"]["data"], parts)
    for attribute in agreed.derived:
        del schema["properties"]["data"]["properties"][_wire(agreed, attribute)]
    parts = {name: part for name, part in parts.items() if name in _named_in(schema, parts)}
    return schema | {"description": f"{plain(agreed.doc)} {senders(agreed)}".strip()}, parts


def _named_in(node: Any, parts: Schema) -> set[str]:
    """Return the parts that a schema refers to, by way of others too: those of derived fields are in no report."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = {name for one in inner for name in _named_in(one, parts)}
    if isinstance(node, dict) and isinstance(ref := node.get("$ref"), str):
        name = ref.rpartition("/")[2].removesuffix(".report")
        found |= {name} | _named_in(parts[name], parts)
    return found


def senders(agreed: Contract) -> str:
    """Say who may send it, which a schema cannot check."""
    behalf = f", or who holds a seat of {', '.join(agreed.behalf)} and reports in its name" if agreed.behalf else ""
    country = f"Only the country named in {_wire(agreed, agreed.owner)} may send it{behalf}." if agreed.owner else ""
    operator = ", or the region's operator" if agreed.operated else ""
    bodies = f"Only these may report it: {', '.join(agreed.by)}{operator}." if agreed.by else ""
    return f"{country} {bodies}".strip()


def event_parts(agreed: Contract, refs: str) -> tuple[Schema, Schema]:
    """Return the same of an event as recorded."""
    return _envelope(agreed, Event, agreed.data, refs)


def _envelope(agreed: Contract, around: Any, kind: type[Data], refs: str) -> tuple[Schema, Schema]:
    """Return the schema of `around[kind]` with its data in place, and the schemas of the groups inside the data."""
    (root,), parts = msgspec.json.schema_components((around[kind],), ref_template=refs)
    schema = parts.pop(_name(root))
    data = schema["properties"]["data"]
    schema["properties"] |= {"type": {"const": agreed.type}, "data": _told(parts.pop(_name(data)), agreed.data)}
    schema |= {"title": agreed.type, "description": plain(agreed.doc)}
    if around is Event:
        for attribute in ("time", "recordedtime"):
            schema["properties"][attribute] = {"type": "string", "format": "date-time"}
    groups = vars(sys.modules[agreed.data.__module__])
    return schema, {name: _told(part, groups.get(name)) for name, part in parts.items()}


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2].removesuffix(".report")


@cache
def _wire(agreed: Contract, attribute: str) -> str:
    return next(field.encode_name for field in msgspec.structs.fields(agreed.data) if field.name == attribute)


def _told(schema: Schema, kind: type[msgspec.Struct] | None) -> Schema:
    """Return the schema of a struct with what its docstrings say."""
    if kind is None:
        return schema
    said = fields_said(kind)
    for field in msgspec.structs.fields(kind):
        if said[field.name].text and field.encode_name in schema["properties"]:
            schema["properties"][field.encode_name]["description"] = said[field.name].text
    return schema | {"title": kind.__name__, "description": plain(kind.__doc__ or "")}


ITEMS_MAX = 1_000
"""Items of one list that are looked at to explain a refusal; no contract has longer lists."""


def _items(validator: Any, items: Schema, instance: Any, schema: Schema) -> Iterator[ValidationError]:
    """Find what is wrong with the items, one by one; a list that is too long is wrong enough."""
    if isinstance(instance, list) and len(instance) <= schema.get("maxItems", len(instance)):
        for index, item in enumerate(instance[:ITEMS_MAX]):
            yield from validator.descend(item, items, path=index)


def _any_of(validator: Any, any_of: list[Schema], instance: Any, schema: Schema) -> Iterator[ValidationError]:
    """Find what is wrong with "this or null" one by one, as with "this"; the library's own way works out everything."""
    others = [one for one in any_of if one != NULL]
    if len(others) > 1 or others == any_of:
        yield from Draft202012Validator.VALIDATORS["anyOf"](validator, any_of, instance, schema)
    elif instance is not None:
        yield from validator.descend(instance, others[0])


def _not(validator: Any, refused: Any, instance: Any, schema: Schema) -> Iterator[ValidationError]:
    """Refuse what has a form; of names and telephone numbers, which nearly every text is held to, in one step."""
    if refused is not PSEUDONYM.keywords["not"]:
        yield from Draft202012Validator.VALIDATORS["not"](validator, refused, instance, schema)
    elif isinstance(instance, str) and not PSEUDONYM.holds(instance):
        yield ValidationError("a name or a telephone number")


# What JSON Schema leaves to the validator, done as our decoder does it: 1.0 is no integer, and a time is what
# msgspec reads as one. And so that whoever asks for the first faults need not wait for the last.
_strict: Callable[..., Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"items": _items, "anyOf": _any_of, "not": _not},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
_formats = FormatChecker(formats=())
NO_TIME = (ValueError, OverflowError)
"""What a text that is no time raises: also one with half a character, which cannot be encoded."""


@_formats.checks("date-time", raises=NO_TIME)
def _time(value: object) -> bool:
    return not isinstance(value, str) or bool(msgspec.convert(shortened(value, datetime), Time))


@_formats.checks("date", raises=NO_TIME)
def _date(value: object) -> bool:
    return not isinstance(value, str) or bool(msgspec.convert(value, date))


def conforms(value: object, form: str) -> bool:
    """Say whether a value has a format, as our decoder reads it."""
    return _formats.conforms(value, form)


@cache
def validator(agreed: Contract) -> Draft202012Validator:
    """Return the validator of whole reports of this type: it accepts what the decoder accepts, and lists all faults."""
    return _strict(_report_schema(agreed), format_checker=_formats)


def closed_validator(kind: type[msgspec.Struct]) -> Draft202012Validator:
    """Return the validator of a struct that is closed to unknown fields, of one mind with its decoder."""
    return _strict(bound_schema(kind), format_checker=_formats)


def bound_schema(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a struct with all its bounds."""
    (root,), parts = msgspec.json.schema_components((kind,), ref_template=LOCAL)
    schema: Schema = parts.pop(_name(root))
    bind(kind, schema, parts)
    return schema | {"$defs": parts}
