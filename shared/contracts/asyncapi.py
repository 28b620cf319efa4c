"""The AsyncAPI 3.0 documents: of all services, or of one, which is small enough to read.

What many types share stands once, among the components: the envelope's attributes, vocabularies, what no text may be.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias, get_args, get_origin

import msgspec

from shared.contracts import Contract, Envelope, Event, questions, registry, vocabulary
from shared.contracts.bounds import PSEUDONYM
from shared.contracts.door import bind
from shared.contracts.prose import plain
from shared.contracts.schema import (
    NULL,
    Schema,
    event_parts,
    example,
    example_event,
    portable,
    report_parts,
    senders,
)
from shared.contracts.vocabulary import MEMBERS

SHARED = "#/components/schemas/{name}"
SENT = SHARED + ".report"
"""Groups inside reports: narrower than inside events, which may be old."""
MAILBOX, ASK, STORED, EVENT, REPORT, TELLS = "mailbox", "ask", "stored", "Event", "Report", "NamesAPerson"
Part: TypeAlias = Literal["", "sent", "told"]
ALIKE = {"Alert", "Corrected", "Merged", "Rejected", "Retracted"}
"""Structs of data that many types share: each is the same in all of them."""
ABOUT = """\
How a country's system takes part in the Plan of Action's system. All subjects are those inside the country's own
NATS account: the server itself adds the country, so that no country can speak for another. Servers and keys are
given by the deployment. A report is acknowledged when it is on disk; what is wrong with it, or what follows from
it, arrives in the mailbox."""
NKEY: Schema = {
    "type": "asymmetricEncryption",
    "description": "NATS NKey: the country's seed (GTM.nk) signs the server's challenge. It never leaves the country.",
}
CERTIFICATE: Schema = {"type": "X509", "description": "TLS 1.3 with the country's certificate, where the region asks."}
OR_NULL = "OrNull"
NOT_NULL: Schema = {"not": {"const": None}}
"""Narrows what is refused: a pattern says nothing of null, and so would refuse it. (With the type in place of this,
generators take the type for refused.)"""
NO_ITEMS: tuple[Any, ...] = ([], ())
"""Goes without saying of a list that is left out, and generators of Java make `= ;` of it."""
NATS: Schema = {"bindings": {"nats": {"bindingVersion": "0.1.0"}}}
HEADERS: Schema = {
    "type": "object",
    "description": "In CloudEvents' binary mode the attributes stand here, percent-encoded, and the payload is `data` "
    "alone. In structured mode there is none of these.",
    "properties": {
        f"ce-{name}": {"type": "string"}
        for name in ("specversion", "id", "source", "type", "time", "subject", "causationid", "correlationid")
    }
    | {"content-type": {"type": "string"}},
}
ANSWER: Schema = {
    "type": "object",
    "description": "The report is on disk; or, with `error`, it is not.",
    "properties": {
        "stream": {"type": "string"},
        "seq": {"type": "integer"},
        "error": {"type": "object", "properties": {"code": {"type": "integer"}, "err_code": {"type": "integer"}}},
    },
}


def asyncapi(service: str = "", part: Part = "") -> Schema:
    """Return the document of one service, or of all; of what is sent to it, of what it tells, or of both.

    One channel per reported type, one per question, one for the mailbox; reports and questions have their answers.
    """
    agreed = {name: one for name, one in registry().items() if service in ("", one.service)}
    reported = [one for one in agreed.values() if one.reported and part != "told"]
    asked = {
        f"{ASK}.{of}.{one.name}": one
        for (of, _), one in questions.every().items()
        if service in ("", of) and part != "told"
    }
    told = agreed if part != "sent" else {}
    channels = {
        **{f"report.{one.name}": _report_channel(one, reported) for one in reported},
        **{name: _question_channel(name, one) for name, one in asked.items()},
        **({MAILBOX: _mailbox_channel(told)} if told else {}),
        **({STORED: {"address": None, "messages": {STORED: {"payload": ANSWER}}}} if reported else {}),
    }
    operations = {
        **{f"report.{one.name}": _sending(f"report.{one.name}", STORED) for one in reported},
        **{name: _sending(name, name, "answer") for name in asked},
        **({MAILBOX: {"action": "receive", "channel": _ref("channels", MAILBOX), **NATS}} if told else {}),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"CRM Plan of Action: {service or 'country systems'}",
            "version": "1",
            "description": ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": {
            "region": {
                "host": "{host}",
                "protocol": "nats",
                "variables": {"host": {"default": "127.0.0.1:4222", "description": "The deployment says where."}},
                "security": [_ref("components", "securitySchemes", name) for name in ("nkey", "certificate")],
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": _messages(reported, told),
            "schemas": _schemas(reported, told, asked),
            "securitySchemes": {"nkey": NKEY, "certificate": CERTIFICATE},
            "correlationIds": {"began": {"location": "$message.payload#/correlationid"}},
        },
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _sending(channel: str, answers: str, message: str = STORED) -> Schema:
    reply = {"channel": _ref("channels", answers), "messages": [_ref("channels", answers, "messages", message)]}
    said = {"messages": [_ref("channels", channel, "messages", "question")]} if message == "answer" else {}
    return {"action": "send", "channel": _ref("channels", channel), **said, "reply": reply, **NATS}


def _report_channel(agreed: Contract, reported: list[Contract]) -> Schema:
    versions = [one.type for one in reported if one.name == agreed.name]
    return {
        "address": f"report.{agreed.name}",
        "description": f"{plain(agreed.doc)} {senders(agreed)}".strip(),
        "messages": {one: _ref("components", "messages", f"{one}.report") for one in versions},
    }


def _question_channel(name: str, asked: questions.Question) -> Schema:
    answer = {"oneOf": [{"properties": {"answer": _schema_ref(f"{name}.answer")}}, {"required": ["error"]}]}
    return {
        "address": name,
        "description": plain(asked.doc),
        "messages": {
            "question": {"payload": _schema_ref(f"{name}.question"), "examples": [{"payload": dict(asked.good)}]},
            "answer": {"payload": {"type": "object", **answer}},
        },
    }


def _schema_ref(name: str) -> Schema:
    return {"$ref": SHARED.format(name=name)}


def _mailbox_channel(agreed: Mapping[str, Contract]) -> Schema:
    return {
        "address": "$JS.API.CONSUMER.MSG.NEXT.MAILBOX.{country}",
        "description": "Pulled from a JetStream consumer and acknowledged: the country's own reports as recorded, "
        "and what the services have to tell it. Unknown fields and types are to be ignored.",
        "parameters": {"country": {"enum": list(MEMBERS)}},
        "messages": {one: _ref("components", "messages", f"{one}.event") for one in agreed},
    }


def _messages(reported: Sequence[Contract], told: Mapping[str, Contract]) -> Schema:
    events = {
        f"{one.type}.event": _message(one, "event") | {"examples": [{"payload": example_event(one)}]}
        for one in told.values()
    }
    headers = {"headers": _schema_ref("BinaryHeaders")}
    reports = {
        f"{one.type}.report": _message(one, "report") | headers | {"examples": [{"payload": example(one)}]}
        for one in reported
    }
    return events | reports


def _message(agreed: Contract, kind: str) -> Schema:
    return {
        "name": agreed.type,
        "title": f"{agreed.name} ({kind})",
        "correlationId": _ref("components", "correlationIds", "began"),
        "payload": _schema_ref(f"{agreed.type}.{kind}"),
    }


def _schemas(
    reported: Sequence[Contract], told: Mapping[str, Contract], asked: Mapping[str, questions.Question]
) -> dict[str, Schema]:
    vocabularies: dict[str, Schema] = {name: {"enum": list(values)} for values, name in _vocabulary().items()}
    vocabularies |= {name + OR_NULL: {"enum": [*one["enum"], None]} for name, one in vocabularies.items()}
    schemas: dict[str, Schema] = {"BinaryHeaders": HEADERS}
    for name, one in told.items():
        event, parts = event_parts(one, SHARED)
        schemas |= parts | _enveloped(f"{name}.event", event, EVENT, Event.__doc__ or "")
    for one in reported:
        report, groups = report_parts(one, SENT)
        known = list(report["properties"])
        schemas |= {f"{group}.report": part for group, part in groups.items()}
        schemas |= _enveloped(f"{one.type}.report", report, REPORT, Envelope.__doc__ or "")
        del schemas[REPORT]["additionalProperties"]
        schemas[REPORT]["propertyNames"] = {"enum": known}  # closed, also where it is a part of another
    for name, question in asked.items():
        schemas |= _question_schemas(name, question)
    whole = {name: _named(schema) for name, schema in schemas.items()}
    return portable(_used(vocabularies | {TELLS: PSEUDONYM.keywords["not"] | NOT_NULL}, whole) | whole)


def _enveloped(name: str, schema: Schema, envelope: str, says: str) -> dict[str, Schema]:
    """Return the schema of one type as what it shares with all (`envelope`), and what is its own; and the shared one.

    What is its own says that it is an object: the AsyncAPI parser tells the schemas inside apart only of those.
    Data that are the same in every type, as those of all withdrawals are, stand once, too.
    """
    own = {key: schema["properties"].pop(key) for key in ("type", "data")}
    shared = schema | {"title": envelope, "description": plain(says)}
    found = {
        envelope: shared,
        name: {"allOf": [_schema_ref(envelope), {"type": "object", "properties": own, "discriminator": "type"}]},
    }
    if own["data"]["title"] in ALIKE:
        data = f"{own['data']['title']}.{envelope}"
        found[data] = own["data"]
        own["data"] = _schema_ref(data)
    return found


def _question_schemas(name: str, asked: questions.Question) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for kind, what in ((asked.ask, "question"), (asked.answer, "answer")):
        (root,), parts = msgspec.json.schema_components((kind,), ref_template=SHARED)
        own = str(root["$ref"]).rpartition("/")[2]
        schema: Schema = parts.pop(own)
        if what == "question":
            bind(kind, schema, parts)
        found |= {f"{name}.{what}": schema, **parts}
    return found


def _used(offered: Mapping[str, Schema], schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return those of the offered schemas that are referred to."""
    text = json.dumps(schemas)
    return {name: one for name, one in offered.items() if f'"{SHARED.format(name=name)}"' in text}


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
    if _tells(schema):
        return {"$ref": SHARED.format(name=TELLS)}
    if name := _list(schema):
        return {"$ref": SHARED.format(name=name)}
    said = {key: value for key, value in _nullable(schema).items() if key != "default" or value not in NO_ITEMS}
    return {key: _named(value) for key, value in said.items()}


def _list(schema: Schema) -> str:
    """Return the name of the closed list that a schema is, or of that with null; or nothing."""
    this, *others = schema.get("anyOf") or [schema]
    name = _vocabulary().get(tuple(this["enum"]), "") if isinstance(this.get("enum"), list) else ""
    return "" if others and others != [NULL] else name + OR_NULL if name and others else name


def _nullable(schema: Schema) -> Schema:
    """Return "this or null" as one schema with two types, of which generators of Java make more than `Object`."""
    this, *others = schema.get("anyOf") or [{}]
    if others != [NULL] or not isinstance(this.get("type"), str):
        return schema
    bound = {"not": this["not"] | NOT_NULL} if "not" in this and not _tells(this["not"]) else {}
    whole: Schema = {key: value for key, value in schema.items() if key != "anyOf"} | this | bound
    return whole | {"type": [this["type"], "null"]}


def _tells(schema: Any) -> bool:
    """Return whether a schema says which texts name a person."""
    return bool(schema == PSEUDONYM.keywords["not"])
