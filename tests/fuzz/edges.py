"""The edge values of every field, made from the published schemas: bounds and just beyond, odd texts, wrong types.

A value is put into the contract's good example, so that all else is in order and the value itself is judged.
"""

import copy
import itertools
import json
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import msgspec

from shared.contracts import Contract, questions, registry
from shared.contracts.schema import example, report_schema
from shared.contracts.vocabulary import MEMBERS

Schema = dict[str, Any]


class Raw(NamedTuple):
    """Text that stands in the JSON as it is: numbers that Python would write otherwise, and what is no JSON."""

    text: str


class Sent(NamedTuple):
    """A message on its way in: whose account, where to, what, and which field of it is at an edge."""

    country: str
    subject: str
    payload: bytes
    about: str
    headers: dict[str, str] | None = None


ABSENT = object()
ODD: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, "", "x", (), {}, [[]], [None], {"a": {}}, ["x"] * 3)
"""Every JSON type where another is asked for; `()` is an empty list."""
TEXTS = (
    *("", " ", "a", "A", "0", "-", "null", "a b", " a", "a\n", "a\r\n", "a\t", "\x00", "a\x00b", "a\x7f", "\x80"),
    *("\ud800", "a\udfffb", "\udc00\ud800", "\ufeffa", "\u202ea", "e\u0301", "\u00e9", "\U0001f600", "\u0661\u0662"),
    *("\u2028", "\uffff", "%s%n", "../../x", "{{7*7}}", "${x}", "'; drop table log; --", "<b>", "*", ">", "a.b", "$"),
    *("a" * 63, "a" * 64, "a" * 65, "a" * 200, "a" * 201, "\u00e9" * 64, "a" * 20_000, "+50255512345", "55512345"),
    *("Maria.Lopez", "2024-001", "GTM:2024-001", "urn:crm:country:GTM:x", "urn:crm:service:intel", "-" * 65),
)
DATES = (
    *("0000-01-01", "0001-01-01", "0001-01-02", "0099-12-31", "1000-01-01", "1582-10-10", "1899-12-31", "1900-02-29"),
    *("1969-12-31", "1970-01-01", "1999-12-31", "2000-01-01", "2000-02-29", "2003-05-08", "2003-05-09", "2004-02-29"),
    *("2004-02-30", "2004-3-1", "2005-02-29", "2038-01-19", "2100-02-29", "2199-12-31", "2200-01-01", "2200-12-31"),
    *("2201-01-01", "2262-04-12", "9999-12-31", "10000-01-01", "-0001-01-01", "20040301", "2004-W10-1", "2004-061"),
)
CLOCKS = (
    *("T00:00:00Z", "T23:59:59Z", "T23:59:60Z", "T24:00:00Z", "T00:00:00+14:00", "T00:00:00-12:00", "T23:59:59-14:00"),
    *("T00:00:00+23:59", "T00:00:00+24:00", "T00:00:00-00:00", "T00:00:00", "t00:00:00z", " 00:00:00Z", "T00:00Z"),
    *("T23:59:59.9Z", "T23:59:59.999999Z", "T23:59:59.9999999Z", "T23:59:59.999999999Z", "T23:59:59.9999995-06:00"),
    *("T00:00:00.0000000000001Z", "T12:00:00,5Z", "T12:00:00\ud800Z", "T12:00:00Z\n"),
)
SOME_CLOCKS = ("T00:00:00Z", "T00:00:00+14:00", "T23:59:59.9999999-12:00")
TIMES = (*(f"2004-02-29{clock}" for clock in CLOCKS), *(day + clock for day in DATES for clock in SOME_CLOCKS))
NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, 0.5, -0.5, 1e308),
    *map(
        Raw, ("-0", "-0.0", "1.0", "1e0", "1E2", "1e400", "-1e400", "5e-324", "1e-400", "NaN", "Infinity", "-Infinity")
    ),
    *map(Raw, ("01", "+1", "1.", ".5", "0x10", "1_000", "9" * 5000, "0." + "9" * 400)),
)
WORDS = ("REG", "GBD", "XXA", "XOM", "UTO", "YUG", "ANT", "ZZZ", "ESP", "SV", "D", "gtm", "GTM\n", "GTM ", "unknown")
FITTING = (
    *("x-1", "a", "A_A", "ab", "USD", "9fx", "urn:crm:vault:GTM:a1", "https://example.org/x", "GTM:x-1", "5f" * 32),
    f"00-{'1' * 32}-{'2' * 16}-01",
)
"""Tried one by one where an optional text has a form and the example has no value."""
LIST_LENGTHS = (63, 64, 65, 3000)
ORIGINALS = 10
"""So many reports of each entity kind there are for amendments to name."""


def encoded(value: Any) -> bytes:
    """The JSON of a value that may hold `Raw`."""

    def raw(node: Any) -> Any:
        if isinstance(node, Raw):
            return f"@raw:{node.text}@"
        if isinstance(node, dict):
            return {key: raw(inner) for key, inner in node.items()}
        return [raw(inner) for inner in node] if isinstance(node, list | tuple) else node

    return re.sub(r'"@raw:([^"@]*)@"', r"\1", json.dumps(raw(value))).encode()


def edges(schema: Schema, parts: Schema, good: Any) -> Iterator[Any]:
    """Yield the edge values of what the schema describes; `good` is one that fits."""
    if "$ref" in schema:
        yield from edges(parts[schema["$ref"].rpartition("/")[2]], parts, good)
        return
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from edges(one, parts, good)
        return
    yield from ODD
    match schema.get("type"):
        case "string":
            yield from _texts(schema, good)
        case "integer" | "number":
            bounds = [schema[key] for key in ("minimum", "maximum") if key in schema]
            yield from (bound + step for bound in bounds for step in (-1, 0, 1))
            yield from NUMBERS
        case "array":
            yield from _lists(schema, parts, good)
        case "object":
            yield from _objects(schema, parts, good)
        case _:
            yield from _words(schema)


def _texts(schema: Schema, good: Any) -> Iterator[str]:
    yield from {"date": (*DATES, *TIMES[:3]), "date-time": TIMES}.get(schema.get("format", ""), ())
    yield from TEXTS
    for bound in {schema.get("minLength"), schema.get("maxLength")} - {None}:
        for length in (bound - 1, bound, bound + 1):
            yield (good + good[-1] * length)[: max(length, 0)] if isinstance(good, str) and good else "a" * length


def _words(schema: Schema) -> Iterator[Any]:
    known = schema.get("enum") or [schema.get("const")]
    texts = [word for word in known if isinstance(word, str)]
    yield from known if len(known) <= 12 else [*known[:2], *known[-2:]]
    yield from [word for word in MEMBERS if word in known]
    yield from (*WORDS, *(other for word in texts[:2] for other in (word.upper(), word[:-1], f"{word}\n", f"{word}x")))
    yield from ("a\x00", "\ud800", "x" * 20_000)


def _lists(schema: Schema, parts: Schema, good: Any) -> Iterator[Any]:
    item = good[0] if good else fitting(schema["items"], parts)
    yield from ([], [item], [item, item])
    yield from ([item] * length for length in LIST_LENGTHS)
    yield ["no such word"] * 1000
    yield from ([edge] for edge in edges(schema["items"], parts, item))


def _objects(schema: Schema, parts: Schema, good: Any) -> Iterator[Any]:
    base = good if isinstance(good, dict) else fitting(schema, parts)
    for name, inner in schema.get("properties", {}).items():
        for edge in edges(inner, parts, base.get(name, fitting(inner, parts))):
            yield base | {name: edge}
        yield {key: value for key, value in base.items() if key != name}
    yield from (base | {name: "x"} for name in ("surname", "Juana Inventada", "a" * 5000, "", "\x00", "\ud800"))


def fitting(schema: Schema, parts: Schema) -> Any:  # noqa: PLR0911 - one for each kind of schema
    """A value that fits a schema, as far as the schema says."""
    if "$ref" in schema:
        return fitting(parts[schema["$ref"].rpartition("/")[2]], parts)
    if "anyOf" in schema or "enum" in schema:
        return fitting(schema["anyOf"][0], parts) if "anyOf" in schema else schema["enum"][0]
    match schema.get("type"):
        case "string":
            form = {"date": "2004-03-01", "date-time": "2004-03-01T10:00:00Z"}.get(schema.get("format", ""))
            return form or next((one for one in FITTING if re.search(schema.get("pattern", ""), one)), "x")
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "array":
            return [fitting(schema["items"], parts)]
        case "object":
            named = schema.get("properties", {})
            return {name: fitting(named[name], parts) for name in schema.get("required", ()) if name in named}
    return schema.get("const", "x")


def good_report(agreed: Contract, number: int) -> dict[str, Any]:
    """A good report; an amendment is one of the `originals`, and every second report is about an entity of its own."""
    report = deepcopy(example(agreed)) | {"id": f"{tag(agreed)}-{number}"}
    if agreed.generic and "supersedes" in report["data"]:
        original = _original(agreed)
        first = example(original)
        report |= {"source": first["source"], "subject": first.get("subject")}
        report["data"]["supersedes"] = f"{tag(original)}-original-{number % ORIGINALS}"
        if "data" in report["data"]:
            report["data"]["data"] = dict(first["data"])
    elif number % 2 and agreed.entity in report["data"]:
        report["data"][agreed.entity] = report["subject"] = f"{agreed.entity_name}-e{number}"
    return report


def originals() -> Iterator[Sent]:
    """Yield good reports of every type, of some so many that amendments find one."""
    for agreed in reported():
        if not agreed.generic:
            for number in range(ORIGINALS if agreed is _original(agreed) else 1):
                report = example(agreed) | {"id": f"{tag(agreed)}-original-{number}"}
                yield Sent(sender(report), f"report.{agreed.name}", encoded(report), f"{agreed.name} original")


@cache
def schema_of(agreed: Contract) -> Schema:
    return report_schema(agreed)


@cache
def reported() -> tuple[Contract, ...]:
    return tuple(one for one in registry().values() if one.reported)


@cache
def tag(agreed: Contract) -> str:
    """What the ids of a type's reports begin with; an id in words would be taken for a name."""
    return f"t{reported().index(agreed)}x"


@cache
def _original(agreed: Contract) -> Contract:
    """The type whose reports an amendment of this entity kind is about here."""
    kind = agreed.name.rpartition(".")[0]
    return next(one for one in reported() if one.name.rpartition(".")[0] == kind and not one.generic)


def sender(report: dict[str, Any]) -> str:
    return str(report["source"].split(":")[3])


def places(agreed: Contract) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Yield the path and the schema of every field of a reported type; the parts of groups are within these."""
    fields = schema_of(agreed)["properties"]
    yield from (((name,), inner) for name, inner in fields.items() if name != "data")
    yield from ((("data", name), inner) for name, inner in fields["data"]["properties"].items())
    yield ("data",), {"type": "object"}


def put(report: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The report with a value at a path, or without it where the value is `ABSENT`."""
    data = report.get("data")
    holder = data if len(path) > 1 and isinstance(data, dict) else report
    if value is ABSENT:
        holder.pop(path[-1], None)
    else:
        holder[path[-1]] = copy.deepcopy(value)  # what is changed next is this report, not the kept value
    return report


def reports(agreed: Contract, every: int, start: int) -> Iterator[Sent]:
    """Yield a report for one in `every` of the edge values of a type's fields, and good ones for other countries."""
    subject, parts, good = f"report.{agreed.name}", schema_of(agreed)["$defs"], example(agreed)
    number = itertools.count()
    for path, schema in places(agreed):
        at = (good["data"] if len(path) > 1 else good).get(path[-1], fitting(schema, parts))
        for edge in (*edges(schema, parts, at), ABSENT):
            if (found := next(number)) % every == start:
                report = good_report(agreed, found)
                if path[-1] == agreed.entity:
                    del report["subject"]
                yield Sent(sender(report), subject, encoded(put(report, path, edge)), f"{agreed.name} {'/'.join(path)}")
    for country in MEMBERS:
        if (found := next(number)) % every == start:
            report = good_report(agreed, found)
            other = report | {"source": f"urn:crm:country:{country}:sicam", "id": f"{report['id']}-{country}"}
            yield Sent(sender(report), subject, encoded(other), f"{agreed.name} for another")
            if country != sender(report):  # else it is the same report once more: one verdict does for both
                yield Sent(country, subject, encoded(other), f"{agreed.name} from another")


def every_report(every: int, chance: random.Random) -> Iterator[Sent]:
    """Yield one in `every` of the edge values of each reported type; 1: all."""
    for agreed in reported():
        yield from reports(agreed, every, chance.randrange(every))


def every_question() -> Iterator[Sent]:
    """Yield every edge value of every question to every service, from one country after another."""
    asking = itertools.cycle(MEMBERS)
    for (service, name), agreed in questions.every().items():
        schema = msgspec.json.schema(agreed.ask)
        parts = schema["$defs"]
        for edge in edges({"$ref": schema["$ref"]}, parts, dict(agreed.good)):
            yield Sent(next(asking), f"ask.{service}.{name}", encoded(edge), f"{service} {name}")
