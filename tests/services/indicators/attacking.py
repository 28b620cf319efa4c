"""An attacker who reads every public address again and again, and claims how many persons there were.

It knows the catalogue and how the board works. From each two looks it takes what has changed: a number, a state, or
that something is there at all. Where that tells of persons, it claims how many. What is true is what the operator sees
at the same addresses, and how many reports about persons were recorded between the two looks. A claim counts only if
it is below 11.
"""

import csv
import io
import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.figures.disclosure import guarded
from services.indicators.folded.fold import Fold
from services.indicators.planned.persons import about_person, reached_by_persons
from services.indicators.publish import reports
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, REGION
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import get, served, viewed

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


@dataclass
class Claim:
    """That there were so many."""

    what: Key
    """What it follows from."""
    about: Key
    """Among what it would be a guess: a row's cells, or one number at all times."""
    number: int
    true: float
    """How many there were."""

    @property
    def right(self) -> bool:
        return self.number == self.true


@dataclass
class Attack:
    """What was seen in the looks, and what it comes to."""

    claims: list[Claim] = field(default_factory=list)
    priors: defaultdict[Key, Counter[float]] = field(default_factory=lambda: defaultdict(Counter))
    """Among what a guess is made -> how often which number is true."""
    times: Counter[str] = field(default_factory=Counter)
    """Kind of what moves -> between how many pairs of looks it could: where a number is not told, it was 0."""
    looks: int = 0

    def claim(self, what: Key, about: Key, number: float, true: float) -> None:
        if number == int(number) and 0 < number < K:
            self.claims.append(Claim(what, about, int(number), true))

    def could(self, about: Key, true: float) -> None:
        if 0 <= true < K:
            self.priors[about][true] += 1

    @property
    def right(self) -> int:
        return sum(one.right for one in self.claims)

    @property
    def by_chance(self) -> tuple[float, float]:
        """How many of the claims would be right if they were guesses, and the deviation of that number."""
        return self._chance(self.claims)

    def _chance(self, claims: list[Claim]) -> tuple[float, float]:
        """Who guesses knows how often the number is which, and not when."""
        shares = []
        for one in claims:
            prior = self.priors.get(one.about, Counter())
            whole = self.times[one.about[0]] or prior.total()
            shares.append(prior[one.number] / whole if whole else 0.0)
        return sum(shares), sum(one * (1 - one) for one in shares) ** 0.5

    @property
    def succeeds(self) -> bool:
        """Whether claims of some kind are right more often than chance has it: by three deviations, and more than one.

        Kinds are looked at one by one: one hole may give little beside many claims that come to nothing.
        """
        for kind in {one.what[0] for one in self.claims}:
            mine = [one for one in self.claims if one.what[0] == kind]
            mean, deviation = self._chance(mine)
            if sum(one.right for one in mine) > mean + 3 * deviation + 1:
                return True
        return False

    def told(self) -> str:
        kinds = Counter((one.what[0], one.what[1]) for one in self.claims if one.right)
        mean, _ = self.by_chance
        return (
            f"{len(self.claims)} claims below {K} in {self.looks} looks, {self.right} right, {mean:.1f} by chance: "
            f"{kinds.most_common(12)}"
        )


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


class Board:
    """The board over the played history, at one time after the other."""

    def __init__(self, history: list[tuple[datetime, str, bytes]]) -> None:
        self.history, self.place = history, 0
        self.fold, self.now = Fold(PLAN), history[0][0]
        self.published: dict[str, list[bytes]] = {}
        self.since = Counter[Key]()
        """How many reports about persons were recorded since the last look: by country and service, country, service,
        and type."""
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


def look(address: str, query: str = "", **headers: str) -> Look:
    """Everything that tells of persons at the public addresses, at one time."""
    asked = {name: get(f"{address}{path}", **headers) for name, path in _PATHS.items()}
    assert {status for status, *_ in asked.values()} == {200}, {name: one[0] for name, one in asked.items()}
    text = {name: body for name, (_, body, _) in asked.items()}
    return cells(text["cells"]) | metrics(text["metrics"]) | states(text["rows"], text["due"], text["ready"])


_PATHS = {
    "cells": "/api/indicators.csv",
    "metrics": "/metrics",
    "rows": "/api/indicators?format=json",
    "due": "/api/milestones?format=json",
    "ready": "/readyz",
}


def attacked(history: list[tuple[datetime, str, bytes]], times: list[datetime], *, rule_off: bool = False) -> Attack:
    """Attack the board at these times; `rule_off`: as it would be if the public saw what the operator does."""
    board, attack = Board(history), Attack()
    mine = OPERATOR if rule_off else {}
    with served(board.view) as address:
        before: tuple[Look, Look] | None = None
        for at in times:
            board.goes(at)
            now = look(address, **mine), look(address, **OPERATOR)
            attack.looks += 1
            _one_look(attack, *now)
            if before:
                _two_looks(attack, "look", before, now)
                _two_states(attack, board.since, before[0], now[0])
            before = now
        days = [one.date() for one in times]
        _by_days(attack, address, days, mine)
        _by_periods(attack, address, days, mine)
    _by_revisions(attack, board)
    return attack


def _one_look(attack: Attack, seen: Look, true: Look) -> None:
    """Claim small numbers that are told; parts of a published sum, where one is lacking; and what lies in a bucket."""
    for key, number in true.items():
        if key[0] == CELL and key[-1] != "there":
            attack.could((CELL, key[1]), number)
    for key, number in seen.items():
        if key[0] == CELL and key[-1] != "there":
            attack.claim(key, (CELL, key[1]), number, true.get(key, 0))
            if key[2] == REGION and PLAN.rows[key[1]].kind in {"count", "current"}:
                _lacking(attack, key, seen, true)
    for (key, number), (exact_key, exact) in zip(_buckets(seen), _buckets(seen, true), strict=True):
        assert key == exact_key
        attack.could(("bucket", *key[:2]), exact)
        attack.claim(("bucket", *key), ("bucket", *key[:2]), number, exact)


def _lacking(attack: Attack, whole: Key, seen: Look, true: Look) -> None:
    """Claim the one part that is not told of a sum that is: the difference."""
    parts = {one: seen.get((*whole[:2], one, *whole[3:])) for one in MEMBERS}
    hidden = [one for one, told in parts.items() if told is None]
    if len(hidden) == 1:
        rest = seen[whole] - sum(told for told in parts.values() if told is not None)
        key = (*whole[:2], hidden[0], *whole[3:])
        attack.claim(("lacking", *key[1:]), (CELL, key[1]), max(1, min(K - 1, rest + K // 2)), true.get(key, 0))


def _buckets(seen: Look, told: Look | None = None) -> Iterator[tuple[Key, float]]:
    """Yield how many lie in each bucket of the histograms that are seen."""
    found = seen if told is None else told
    for (one, _), (other, _) in pairwise(sorted((key, n) for key, n in seen.items() if "_bucket" in key[1])):
        if one[:-1] == other[:-1]:
            yield other[1:], abs(found.get(other, 0) - found.get(one, 0))


def _two_looks(attack: Attack, kind: str, before: tuple[Look, Look], now: tuple[Look, Look]) -> None:
    """Claim by how much each number has moved; of a cell that is there now, and was not: that it is one."""
    (seen, true), (seen_now, true_now) = before, now
    attack.times[kind] += 1
    for key in true.keys() | true_now.keys():
        if key[0] in {CELL, METRIC} and true.get(key, 0) != true_now.get(key, 0):
            attack.priors[kind, *key][abs(true_now.get(key, 0) - true.get(key, 0))] += 1
    for key in seen.keys() | seen_now.keys():
        old, new = seen.get(key), seen_now.get(key)
        if old == new or key[0] not in {CELL, METRIC} or key[1] in {*EACH, *WHOLE, *DATED}:
            continue
        exact, number = key, abs((new or 0) - (old or 0))
        number = 1 if number == K else number  # a multiple more: that the last one came now
        if key[-1] == "there":
            counted = (*key[:-1], "denominator")
            exact = counted if counted in true_now else (*key[:-1], "value")
        attack.claim((kind, *key[1:]), (kind, *exact), number, abs(true_now.get(exact, 0) - true.get(exact, 0)))


def _two_states(attack: Attack, since: Counter[Key], seen: Look, now: Look) -> None:
    """Claim, where something has changed that one report about a person can move: that it was one."""
    openly = Counter[Key]()
    for key, number in now.items():
        if key[0] == "open":
            places = [(key[1],), (key[2],), (key[2], key[1])]
            openly.update(dict.fromkeys(places, int(number - seen.get(key, 0))))
    attack.times["state"] += 1
    places = [(one, service) for one in MEMBERS for service in SERVICES] + [(one,) for one in (*MEMBERS, *SERVICES)]
    for name in {*guarded(PLAN), *(one for one, found in PLAN.milestones.items() if reached_by_persons(found))}:
        attack.priors["state", name][_fed(name, since)] += 1
    for place in places:
        attack.priors["state", *place][since[place]] += 1
    for key in {key for key in seen.keys() | now.keys() if seen.get(key) != now.get(key)}:
        labels = dict(one.split("=", 1) for one in key if "=" in one)
        name = labels.get("milestone", key[1]).partition("/")[0]
        place = (labels["country"], labels["service"]) if "service" in labels else (labels.get("country", ""),)
        if (key[0] == STATE and name in {*PLAN.rows, *PLAN.milestones}) or (key[0] == METRIC and key[1] in DATED):
            attack.claim(("state", *key[1:]), ("state", name), 1, _fed(name, since))
        elif key[0] == METRIC and key[1] in EACH and not openly[place]:  # what is told openly could have moved it
            attack.claim(("state", *key[1:]), ("state", *place), 1, since[place])
        elif key[0] == METRIC and key[1] in WHOLE:
            place = (labels["stream"].lower(),)
            moved = now.get(key, 0) - seen.get(key, 0) - openly[place]
            attack.claim(("state", *key[1:]), ("state", *place), moved, since[place])


def _fed(name: str, since: Mapping[Key, int]) -> int:
    """How many reports about persons came for a row or milestone."""
    fed = {term.event for term in PLAN.rows[name].term} if name in PLAN.rows else set()
    fed |= {done.event for done in PLAN.milestones[name].done} if name in PLAN.milestones else set()
    return sum(since.get((event,), 0) for event in fed)


def _by_days(attack: Attack, address: str, days: list[date], mine: Mapping[str, str]) -> None:
    """Ask afterwards for the figures as of each of the days, and claim what lies between two."""
    before: tuple[Look, Look] | None = None
    for day in days:
        path = f"{address}/api/indicators.csv?as_of={day}"
        now = cells(get(path, **mine)[1]), cells(get(path, **OPERATOR)[1])
        if before:
            _two_looks(attack, "day", before, now)
        before = now


def _by_periods(attack: Attack, address: str, days: list[date], mine: Mapping[str, str]) -> None:
    """Ask for the figures of the periods between the days, and of whole quarters, and claim the small ones."""
    quarters = [date(year, month, 1) for year in (2003, 2004, 2005) for month in (1, 4, 7, 10)]
    quarters = [one for one in quarters if days[0] <= one <= days[-1]]
    for since, until in [*pairwise(days), *pairwise(quarters)]:
        path = f"{address}/api/indicators.csv?since={since}&until={until - timedelta(days=1)}"
        if since < until:
            _one_look(attack, cells(get(path, **mine)[1]), cells(get(path, **OPERATOR)[1]))


def _by_revisions(attack: Attack, board: Board) -> None:
    """Compare each revision of each report with the one before: whatever moved of persons was moved by few."""
    about = guarded(PLAN)
    for held in board.published.values():
        for before, after in pairwise(msgspec.json.decode(one) for one in held):
            moved = sum(after["events"].get(name, 0) - n for name, n in before["events"].items())
            attack.claim(("report", "events"), ("report",), moved, moved)
            rows = {one["id"]: one for one in before["indicators"]}
            for one in after["indicators"]:
                if one["id"] in about and one != rows.get(one["id"]):
                    attack.claim(("report", one["id"]), ("report",), 1, 1)
