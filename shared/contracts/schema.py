"""JSON Schemas (2020-12) of reports and events, their examples, and the AsyncAPI document, from the registry."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from shared.contracts import (
    SERVICES,
    Contract,
    Data,
    Envelope,
    Event,
    Time,
    place_of,
    registry,
    report_type,
    sender_of,
    source_of,
    vocabulary,
)
from shared.contracts.bounds import END, PSEUDONYM
from shared.contracts.door import bind, shortened
from shared.contracts.prose import fields_said, plain
from shared.contracts.vocabulary import MEMBERS, SEATS

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULL: Schema = {"type": "null"}
LOCAL = "#/$defs/{name}"
SHARED = "#/components/schemas/{name}"
SENT = SHARED + ".report"
"""Groups inside reports: narrower than inside events, which may be old."""
MAILBOX, ASK, EVENT = "mailbox", "ask", "Event"


def report_schema(agreed: Contract) -> Schema:
    """Return the schema of a whole report of this type, as a country sends it: closed, without derived fields."""
    return portable(_report_schema(agreed))


def _report_schema(agreed: Contract) -> Schema:
    schema, parts = _report_parts(agreed, LOCAL)
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
    schema, parts = _event_parts(agreed, LOCAL)
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


def _report_parts(agreed: Contract, refs: str) -> tuple[Schema, Schema]:
    schema, parts = _envelope(agreed, Envelope, report_type(agreed), refs)
    bind(Envelope, schema, {})
    bind(agreed.data, schema["properties"]["data"], parts)
    for attribute in agreed.derived:
        del schema["properties"]["data"]["properties"][_wire(agreed, attribute)]
    parts = {name: part for name, part in parts.items() if name in _named_in(schema, parts)}
    return schema | {"description": f"{plain(agreed.doc)} {_senders(agreed)}".strip()}, parts


def _named_in(node: Any, parts: Schema) -> set[str]:
    """Return the parts that a schema refers to, by way of others too: those of derived fields are in no report."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = {name for one in inner for name in _named_in(one, parts)}
    if isinstance(node, dict) and isinstance(ref := node.get("$ref"), str):
        name = ref.rpartition("/")[2].removesuffix(".report")
        found |= {name} | _named_in(parts[name], parts)
    return found


def _senders(agreed: Contract) -> str:
    """Say who may send it, which a schema cannot check."""
    behalf = f", or who holds a seat of {', '.join(agreed.behalf)} and reports in its name" if agreed.behalf else ""
    country = f"Only the country named in {_wire(agreed, agreed.owner)} may send it{behalf}." if agreed.owner else ""
    operator = ", or the region's operator" if agreed.operated else ""
    bodies = f"Only these may report it: {', '.join(agreed.by)}{operator}." if agreed.by else ""
    return f"{country} {bodies}".strip()


def _event_parts(agreed: Contract, refs: str) -> tuple[Schema, Schema]:
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


ABOUT = """\
How a country's system takes part in the Plan of Action's system. All subjects are those inside the country's own
NATS account: the server itself adds the country, so that no country can speak for another. Servers and keys are
given by the deployment. A report is acknowledged when it is on disk; what is wrong with it, or what follows from
it, arrives in the mailbox."""


def asyncapi() -> Schema:
    """Return the document: one channel per reported type, one for questions, one for the mailbox."""
    agreed = registry()
    reported = [one for one in agreed.values() if one.reported]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "CRM Plan of Action: country systems", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            **{f"report.{one.name}": _report_channel(one, reported) for one in reported},
            ASK: _ask_channel(),
            MAILBOX: _mailbox_channel(agreed),
        },
        "operations": {
            **{f"report.{one.name}": _operation("send", f"report.{one.name}") for one in reported},
            ASK: _operation("send", ASK) | {"reply": {"channel": _ref("channels", ASK)}},
            MAILBOX: _operation("receive", MAILBOX),
        },
        "components": {"messages": _messages(agreed), "schemas": _schemas(agreed)},
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": _ref("channels", channel)}


def _report_channel(agreed: Contract, reported: list[Contract]) -> dict[str, Any]:
    versions = [one.type for one in reported if one.name == agreed.name]
    return {
        "address": f"report.{agreed.name}",
        "description": f"{plain(agreed.doc)} {_senders(agreed)}".strip(),
        "messages": {one: _ref("components", "messages", f"{one}.report") for one in versions},
    }


def _ask_channel() -> dict[str, Any]:
    return {
        "address": "ask.{service}.{question}",
        "description": "A question to a service and, to its reply subject, the answer.",
        "parameters": {
            "service": {"enum": list(SERVICES)},
            "question": {"description": "The question's name; those that a service answers are in its reference."},
        },
        "messages": {"question": {"payload": {"type": "object"}}, "answer": {"payload": {"type": "object"}}},
    }


def _mailbox_channel(agreed: Mapping[str, Contract]) -> dict[str, Any]:
    return {
        "address": "$JS.API.CONSUMER.MSG.NEXT.MAILBOX.{country}",
        "description": "Pulled from a JetStream consumer and acknowledged: the country's own reports as recorded, "
        "and what the services have to tell it. Unknown fields and types are to be ignored.",
        "parameters": {"country": {"enum": list(MEMBERS)}},
        "messages": {one: _ref("components", "messages", f"{one}.event") for one in agreed},
    }


def _messages(agreed: Mapping[str, Contract]) -> dict[str, Any]:
    events = {f"{name}.event": _message(one, "event", example_event(one)) for name, one in agreed.items()}
    reports = {f"{name}.report": _message(one, "report", example(one)) for name, one in agreed.items() if one.reported}
    return events | reports


def _message(agreed: Contract, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": agreed.type,
        "title": f"{agreed.name} ({kind})",
        "summary": agreed.doc,
        "payload": _ref("components", "schemas", f"{agreed.type}.{kind}"),
        "examples": [{"payload": payload}],
    }


def _schemas(agreed: Mapping[str, Contract]) -> dict[str, Schema]:
    schemas: dict[str, Schema] = {name: {"enum": list(values)} for values, name in _vocabulary().items()}
    for name, one in agreed.items():
        event, parts = _event_parts(one, SHARED)
        own = {key: event["properties"].pop(key) for key in ("type", "data")}
        schemas |= _named({EVENT: event | {"title": EVENT, "description": plain(Event.__doc__ or "")}, **parts})
        schemas[f"{name}.event"] = _named({"allOf": [{"$ref": SHARED.format(name=EVENT)}, {"properties": own}]})
        if one.reported:
            report, groups = _report_parts(one, SENT)
            schemas |= _named({f"{name}.report": report, **{f"{group}.report": part for group, part in groups.items()}})
    return portable(schemas)


@cache
def _vocabulary() -> Mapping[tuple[str, ...], str]:
    """Return the names of the closed lists by their values, as msgspec sorts them."""
    lists = ((name, get_args(value)) for name, value in vars(vocabulary).items() if get_origin(value) is Literal)
    return {tuple(sorted(values)): name for name, values in lists}


def _named(schema: Any) -> Any:
    """Return the schema with its vocabularies by reference, so that each list stands in the document once."""
    if isinstance(schema, list):
        return [_named(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    name = _vocabulary().get(tuple(schema["enum"])) if isinstance(schema.get("enum"), list) else None
    return {"$ref": SHARED.format(name=name)} if name else {key: _named(value) for key, value in schema.items()}
