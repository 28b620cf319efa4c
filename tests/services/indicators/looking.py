"""What the board tells of persons at its public addresses, at one time after the other of the played history."""

import csv
import io
import json
import lzma
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.figures.disclosure import guarded
from services.indicators.folded.fold import Fold
from services.indicators.planned.persons import about_person, reached_by_persons
from services.indicators.publish import reports
from shared.contracts import SERVICES
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import get, viewed, watched

GOLDEN = Path(__file__).parents[2] / "golden"
K = 11
OPERATOR = {"Authorization": "Bearer secret"}
Key = tuple[str, ...]
Look = dict[Key, float]
"""What one address told at one time, number by number; what is there without a number is 1."""
CELL, METRIC, STATE, REPORT = "cell", "metric", "state", "report"
EACH = ("crm_country_last_event_timestamp_seconds", "crm_country_silent")
"""Families of a country that every report of it may move."""
DATED = ("crm_milestone_reached_timestamp_seconds", "crm_milestone_done", "crm_indicator_met", "crm_indicator_unknown")
"""Families of a row or milestone that tell a state."""
WHOLE = ("crm_fold_sequence", "crm_stream_sequence", "crm_fold_aside_events")
"""Families of a stream, in the same way."""


def golden(until: datetime) -> list[tuple[datetime, str, bytes]]:
    """What the played region recorded by a time: (recorded, service, event), in the order of recording."""
    found = []
    for service in SERVICES:
        with lzma.open(GOLDEN / f"{service}.jsonl.xz", "rt") as batches:
            rows = [row for line in batches for row in json.loads(line)["rows"]]
        found += [(_recorded(row), service, row.encode()) for row in rows]
    return [one for one in sorted(found, key=lambda one: one[0]) if one[0] <= until]


def _recorded(row: str) -> datetime:
    return datetime.fromisoformat(msgspec.json.decode(row)["recordedtime"]).astimezone(UTC)


def second(time: str) -> str:
    """Name the second of a time, in UTC."""
    return datetime.fromisoformat(time).astimezone(UTC).replace(microsecond=0).isoformat()


def cells(text: str) -> Look:
    """The numbers of `/api/indicators.csv` about persons, by row, place and labels."""
    found: Look = {}
    about = guarded(PLAN)
    for line in csv.DictReader(io.StringIO(text)):
        if line["indicator"] in about:
            labels = [f"{name}={value}" for name, value in line.items() if name.startswith("label_") and value]
            key = CELL, line["indicator"], line["country"], *labels
            found[*key, "there"] = 1
            columns = ("numerator", "denominator") if line["denominator"] else ("value",)
            found |= {(*key, name): float(line[name]) for name in columns if line[name]}
            if line["met"]:
                found[STATE, line["indicator"], "met", line["met"]] = 1
    return found


def metrics(text: str) -> Look:
    """The samples that tell of persons, or may: of rows about persons, types about persons, countries and streams."""
    found: Look = {}
    about = guarded(PLAN)
    by_persons = {one.id for one in PLAN.milestones.values() if reached_by_persons(one)}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            said = one.labels
            event = ".".join(said.get(name, "") for name in ("service", "entity", "verb"))
            of_persons = (
                said.get("indicator") in about
                or said.get("milestone", "").partition("/")[0] in by_persons
                or (one.name == "crm_events_total" and about_person(event))
                or one.name in {*EACH, *WHOLE, "crm_rejected_total"}
                or one.name.startswith("crm_report_delay_seconds")
            )
            if of_persons and one.name not in {"crm_milestone_due_timestamp_seconds", "crm_indicator_target"}:
                found[METRIC, one.name, *(f"{name}={value}" for name, value in sorted(said.items()))] = one.value
            if one.name == "crm_events_total" and not about_person(event):
                found["open", said["service"], said["country"], event] = one.value
    return found


def states(rows: str, due: str, ready: str) -> Look:
    """What is said of rows and milestones about persons beside their numbers, each state as something that is there."""
    found: Look = {}
    about = guarded(PLAN)
    by_persons = {one.id for one in PLAN.milestones.values() if reached_by_persons(one)}
    for one in json.loads(rows):
        if one["id"] in about:
            for name in ("met", "unknown", "missing", "coverage", "suppressed_cells", "silent", "partial", "as_of"):
                if name != "as_of":
                    found[STATE, one["id"], name, json.dumps(one.get(name))] = 1
    for one in json.loads(due):
        if one["milestone"] in by_persons and one["state"] not in {"missed", "open", "withheld"}:
            found[STATE, one["id"], one["state"], json.dumps([one["reached"], one["done"]])] = 1
    found[STATE, "readyz", "uncounted", str(json.loads(ready)["uncounted"])] = 1
    return found


def told(changed: str) -> Look:
    """What the first server-sent event says of each row about persons, as something that is there."""
    about = guarded(PLAN)
    return {(STATE, one["id"], "events", json.dumps(one)): 1 for one in json.loads(changed) if one["id"] in about}


def page(text: str) -> Look:
    """What the first page says of each row about persons: its words, as something that is there."""
    about = guarded(PLAN)
    rows = re.findall(r'<tr id="row-([^"]+)".*?</tr>', text, re.DOTALL)
    whole = re.findall(r'<tr id="row-[^"]+".*?</tr>', text, re.DOTALL)
    assert about <= {*rows}, "a row about persons is not on the page"
    return {(STATE, name, "page", said): 1 for name, said in zip(rows, whole, strict=True) if name in about}


class Board:
    """The board over the played history, at one time after the other."""

    def __init__(self, history: list[tuple[datetime, str, bytes]]) -> None:
        self.history, self.place = history, 0
        self.fold, self.now = Fold(PLAN), history[0][0]
        self.published: dict[str, list[bytes]] = {}
        self.since = Counter[Key]()
        """How many reports about persons were recorded since the last look: by country and service, country, service,
        and type."""
        self.moments = Counter[Key]()
        """How many reports about persons there are of what happened in a second: by type and second."""
        self.view = viewed(self.fold, now=lambda: self.now, ready=lambda: True, report=self._report)

    async def _report(self, quarter: str, revision: int | None) -> bytes | None:
        held = self.published.get(quarter, [])
        return (held[-1] if revision is None else held[revision - 1]) if held else None

    def goes(self, until: datetime) -> None:
        """Fold what was recorded by then; publish the reports that are due, and what has changed of those before."""
        self.now, self.since = until, Counter()
        while self.place < len(self.history) and self.history[self.place][0] <= until:
            _, service, payload = self.history[self.place]
            self.fold.take(service, self.fold.state.sequences.get(service, 0) + 1, payload)
            self.place += 1
            self._noted(service, payload)
        for quarter in reports.closed(self.fold.state, until - timedelta(hours=1)):
            held = self.published.setdefault(quarter, [])
            one = reports.report(PLAN, self.fold.state, quarter, len(held) + 1)
            if not held or reports.fingerprint(one) != reports.fingerprint(
                msgspec.json.decode(held[-1], type=reports.Report)
            ):
                held.append(reports.content(one))

    def _noted(self, service: str, payload: bytes) -> None:
        head = msgspec.json.decode(payload)
        event, country = head["type"][4:].rpartition(".")[0], head["country"]
        if about_person(event):
            told = head["source"].startswith("urn:crm:country:")
            keys = [(service,), (event,), *([(country, service), (country,)] if told else [])]
            self.since.update(keys)
            self.moments[event, second(head["time"])] += 1


def look(address: str, query: str = "", **headers: str) -> Look:
    """Everything that tells of persons at the public addresses, at one time."""
    asked = {name: get(f"{address}{path}", **headers) for name, path in _PATHS.items()}
    assert {status for status, *_ in asked.values()} == {200}, {name: one[0] for name, one in asked.items()}
    text = {name: body for name, (_, body, _) in asked.items()}
    said = states(text["rows"], text["due"], text["ready"]) | page(text["page"])
    said |= told(watched(f"{address}/api/events"))
    return cells(text["cells"]) | metrics(text["metrics"]) | said


_PATHS = {
    "cells": "/api/indicators.csv",
    "metrics": "/metrics",
    "rows": "/api/indicators?format=json",
    "due": "/api/milestones?format=json",
    "ready": "/readyz",
    "page": "/?lang=en",
}
