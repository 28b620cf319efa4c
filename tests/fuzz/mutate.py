"""Messages made at random from good ones, with their form in mind; the same seed makes the same ones.

Each carries a text of its own in free places (`CANARY` and a number), which must not show up in a log or an answer.
"""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from shared.contracts import SERVICES, Contract, questions
from shared.contracts.vocabulary import MEMBERS
from tests.fuzz.edges import (
    ABSENT,
    ORIGINALS,
    Sent,
    edges,
    encoded,
    fitting,
    good_report,
    places,
    put,
    reported,
    schema_of,
    sender,
)

CANARY = "Kanarya"
POOL, SOME = 50, 60
"""So many entities of a kind there are that reports are about, again and again; so many edge values are drawn from."""
JUNK = (
    *(b"\x00", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\xef\xbb\xbf", b"\n", b'"', b"\\"),
    *(b"{", b"}", b"[" * 2000, b'{"a":' * 500, b'"id":"x",', b'"data":{},', b"1e999", b"-", b",", b"/* */", b"NaN"),
)
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Nats-Msg-Id", ("a", "b", f"{CANARY} id", "x" * 3000)),
    ("Nats-Expected-Last-Sequence", ("0", "5", "-1", "9" * 30, "x")),
    ("Nats-Expected-Last-Subject-Sequence", ("0", "1")),
    ("Nats-Expected-Last-Msg-Id", ("a", f"{CANARY} id")),
    ("Nats-Expected-Stream", ("INTAKE", "INTEL")),
    ("Nats-Rollup", ("all", "sub")),
    ("Nats-TTL", ("1s", "never")),
    ("Nats-Schedule", ("@every 1s",)),
    ("Nats-Trace-Dest", ("report.intel.document.flagged",)),
    ("content-type", ("application/json; charset=utf-8", "text/plain", "application/cloudevents+json", CANARY)),
    ("traceparent", ("00-" + "1" * 32 + "-" + "2" * 16 + "-01", f"{CANARY} trace", "")),
    ("ce-specversion", ("1.0", "0.3", f"{CANARY} version")),
)


class Mutator:
    """A source of messages; `salt` keeps the ids of two apart."""

    def __init__(self, seed: int) -> None:
        self.chance, self.salt, self.number = random.Random(seed), f"m{seed}", 0

    def report(self) -> Sent:
        """A report with none to three things wrong in its fields, and perhaps in its bytes, headers and subject."""
        self.number += 1
        chance, agreed = self.chance, self.chance.choice(reported())
        report = good_report(agreed, 2 * self.number) | {"id": f"{self.salt}-{self.number}"}
        report["time"] = f"2004-{chance.randint(1, 2):02}-{chance.randint(1, 29):02}T{chance.randint(0, 23):02}:00:00Z"
        if agreed.entity in report["data"] and chance.random() < 0.8:
            report["data"][agreed.entity] = report["subject"] = f"{agreed.entity_name}-p{chance.randrange(POOL)}"
        country, subject = sender(report), f"report.{agreed.name}"
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            report = chance.choice(FIELDS)(self, agreed, report)
        headers = self._headers(report) if chance.random() < 0.1 else None
        binary = headers and "ce-specversion" in headers
        payload = encoded(report.get("data") if binary else report)
        if chance.random() < 0.15:
            payload = self.spoilt(payload)
        if chance.random() < 0.02:
            subject, headers = self._subject(subject), headers or {}
        if chance.random() < 0.02:
            country = chance.choice(MEMBERS)
        return Sent(country, subject, payload[: 64 * 1024 - 2048], agreed.name, headers)

    def question(self) -> Sent:
        """A question with something wrong in it, more often than not."""
        self.number += 1
        chance = self.chance
        (service, name), agreed = chance.choice(list(questions.every().items()))
        asked = dict(agreed.good)
        for _ in range(chance.choice((0, 1, 1, 2))):
            schema = _asked(service, name)
            field = chance.choice([*schema["properties"], "surname", f"{CANARY} {self.number}"])
            inner = schema["properties"].get(field, {})
            asked[field] = (
                chance.choice((*_edge_values(service, name, field), self.canary())) if inner else self.canary()
            )
        payload = encoded(asked)
        if chance.random() < 0.2:
            payload = self.spoilt(payload)
        if chance.random() < 0.02:
            name = chance.choice((CANARY, "mailbx", "x" * 300, "mailbox"))
            service = chance.choice(SERVICES)
        return Sent(chance.choice(MEMBERS), f"ask.{service}.{name}", payload, f"{service} {name}")

    def canary(self) -> str:
        return self.chance.choice(
            (f"{CANARY} {self.number}", f"{CANARY}.Lopez-{self.number}", f"{CANARY}\x00{self.number}")
        )

    def spoilt(self, payload: bytes) -> bytes:
        """The bytes with one thing done to them."""
        chance, at = self.chance, self.chance.randint(0, len(payload))
        end = chance.randint(at, len(payload))
        return chance.choice(
            (
                payload[:at],
                payload[:at] + payload[end:],
                payload[:end] + payload[at:end] + payload[end:],
                payload[:at] + chance.choice(JUNK) + payload[at:],
                payload[:at] + chance.randbytes(chance.randint(1, 8)) + payload[end:],
                payload[:at] + bytes([chance.randrange(256)]) + payload[at + 1 :],
                b"\xef\xbb\xbf" + payload,
                payload.decode(errors="replace").encode("utf-16"),
                payload + f"{CANARY} {self.number}".encode(),
                b"",
            )
        )

    def _headers(self, report: dict[str, Any]) -> dict[str, str]:
        name, values = self.chance.choice(HEADERS)
        headers = {name: self.chance.choice(values)}
        if name.startswith("ce-"):
            told = {key: str(value) for key, value in report.items() if key.isidentifier() and key != "data"}
            # The client itself refuses to send others.
            told = {key: value for key, value in told.items() if value.isascii() and value.isprintable()}
            headers = {f"ce-{key}": value for key, value in told.items()} | headers
            headers[f"ce-{self.chance.choice(('id', 'time', 'surname', 'data', 'source'))}"] = f"{CANARY} {self.number}"
        return headers

    def _subject(self, subject: str) -> str:
        other = self.chance.choice(reported())
        ends = (f"report.{other.name}", f"{subject}.x", "report.intel.document", f"report.intel.{CANARY}.flagged")
        return self.chance.choice((*ends, f"report.legal.document.{'x' * 900}", "report.intel.document.flaged"))


def _edge(mutator: Mutator, agreed: Contract, report: dict[str, Any]) -> dict[str, Any]:
    path = mutator.chance.choice(_paths(agreed))
    return put(report, path, mutator.chance.choice(_edges(agreed, path)))


def _dropped(mutator: Mutator, _: Contract, report: dict[str, Any]) -> dict[str, Any]:
    holder = _holder(mutator, report)
    if holder:
        del holder[mutator.chance.choice(list(holder))]
    return report


def _added(mutator: Mutator, _: Contract, report: dict[str, Any]) -> dict[str, Any]:
    names = (
        "surname",
        f"{CANARY} {mutator.number}",
        f"{CANARY.lower()}_{mutator.number}",
        "dataref",
        "tracestate",
        "partitionkey",
        "country",
        "sequence",
    )
    _holder(mutator, report)[mutator.chance.choice(names)] = mutator.canary()
    return report


def _told(mutator: Mutator, agreed: Contract, report: dict[str, Any]) -> dict[str, Any]:
    paths = [path for path in _paths(agreed) if path != ("id",)]
    return put(report, mutator.chance.choice(paths), mutator.canary())


def _swapped(mutator: Mutator, _: Contract, report: dict[str, Any]) -> dict[str, Any]:
    holder = _holder(mutator, report)
    if holder:
        one, other = mutator.chance.choices(list(holder), k=2)
        holder[one], holder[other] = holder[other], holder[one]
    return report


def _wrapped(mutator: Mutator, _: Contract, report: dict[str, Any]) -> dict[str, Any]:
    holder = _holder(mutator, report)
    if holder:
        name = mutator.chance.choice(list(holder))
        value = holder[name]
        for _ in range(mutator.chance.choice((1, 2, 40))):
            value = mutator.chance.choice(([value], {name: value}, {"a": value, "b": mutator.canary()}))
        holder[name] = value
    return report


def _foreign(mutator: Mutator, agreed: Contract, report: dict[str, Any]) -> dict[str, Any]:
    named = [path for path in _paths(agreed) if str(report.get("data")).find("GTM") >= 0 and len(path) > 1]
    return put(report, mutator.chance.choice(named or _paths(agreed)), mutator.chance.choice(MEMBERS))


def _amending(mutator: Mutator, _: Contract, report: dict[str, Any]) -> dict[str, Any]:
    if isinstance(report.get("data"), dict) and "supersedes" in report["data"]:
        earlier = f"{mutator.salt}-{mutator.chance.randint(1, mutator.number)}"
        report["data"]["supersedes"] = mutator.chance.choice((earlier, report.get("id"), f"x-original-{ORIGINALS}"))
    return report


Change = Callable[[Mutator, Contract, dict[str, Any]], dict[str, Any]]
FIELDS: tuple[Change, ...] = (*(_edge, _edge, _edge, _dropped, _added, _told, _swapped, _wrapped, _foreign, _amending),)


def _holder(mutator: Mutator, report: dict[str, Any]) -> dict[str, Any]:
    """The data, more often than the envelope."""
    data = report.get("data")
    return data if isinstance(data, dict) and mutator.chance.random() < 0.7 else report


@cache
def _paths(agreed: Contract) -> list[tuple[str, ...]]:
    return [path for path, _ in places(agreed)]


@cache
def _edges(agreed: Contract, path: tuple[str, ...]) -> tuple[Any, ...]:
    """Some of a field's edge values: of all of them, those of all types would fill the memory."""
    parts, schema = schema_of(agreed)["$defs"], dict(places(agreed))[path]
    found = [*edges(schema, parts, fitting(schema, parts)), ABSENT]
    return tuple(random.Random(str(path)).sample(found, min(len(found), SOME)))


@cache
def _asked(service: str, name: str) -> dict[str, Any]:
    schema = msgspec.json.schema(questions.every()[service, name].ask)
    found: dict[str, Any] = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return found | {"$defs": schema["$defs"]}


@cache
def _edge_values(service: str, name: str, field: str) -> tuple[Any, ...]:
    schema = _asked(service, name)
    inner = schema["properties"][field]
    return tuple(edges(inner, schema["$defs"], fitting(inner, schema["$defs"])))
