"""An attacker who reads every public address again and again, and claims how many persons there were.

It knows the catalogue and how the board works. From each two looks it takes what has changed: a number, a state, or
that something is there at all. Where that tells of persons, it claims how many. What is true is what the operator sees
at the same addresses, and how many reports about persons were recorded between the two looks. A claim counts only if
it is below 11.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

import msgspec

from services.indicators.figures.disclosure import guarded
from services.indicators.planned.persons import reached_by_persons
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, REGION
from tests.services.indicators.looking import (
    CELL,
    DATED,
    EACH,
    METRIC,
    OPERATOR,
    STATE,
    WHOLE,
    Board,
    K,
    Key,
    Look,
    cells,
    look,
    second,
)
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import get, served


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
        return bool(self.found)

    @property
    def found(self) -> set[str]:
        """Kinds of claims that are right more often than chance has it: by three deviations, and more than one.

        Kinds are looked at one by one: one hole may give little beside many claims that come to nothing.
        """
        kinds = set()
        for kind in {one.what[0] for one in self.claims}:
            mine = [one for one in self.claims if one.what[0] == kind]
            mean, deviation = self._chance(mine)
            if sum(one.right for one in mine) > mean + 3 * deviation + 1:
                kinds.add(kind)
        return kinds

    def told(self) -> str:
        kinds = Counter((one.what[0], one.what[1]) for one in self.claims if one.right)
        mean, _ = self.by_chance
        return (
            f"{len(self.claims)} claims below {K} in {self.looks} looks, {self.right} right, {mean:.1f} by chance: "
            f"{kinds.most_common(12)}"
        )


def looked(
    history: list[tuple[datetime, str, bytes]],
    times: list[datetime],
    part: int = 0,
    parts: int = 1,
    asked: list[date] | None = None,
) -> tuple[Attack, Attack]:
    """Attack with a part of the looks, what is public and, as the control, what the operator sees.

    `asked`: the days that are asked for afterwards; those of the looks, if no others are given.

    The parts of all looks, each of them made by one of the parts, come to the same as one that makes all (`together`).
    """
    first, last = (len(times) * number // parts for number in (part, part + 1))
    board, both = Board(history), (Attack(), Attack())
    with served(board.view) as address:
        before: tuple[Look, Look] | None = None
        for number, at in enumerate(times[:last]):
            board.goes(at)
            if number + 1 < first:
                continue
            now = look(address), look(address, **OPERATOR)
            if number >= first:
                _looked_at(both, board, before, now)
            before = now
        if part + 1 == parts:
            for attack in both:
                _by_revisions(attack, board)
        board.goes(times[-1])
        days = [one.date() for one in times]
        _by_days(both, address, days[max(0, first - 1) : last] if asked is None else asked)
        _by_periods(both, address, days, part, parts)
    return both


def together(parts: Iterable[tuple[Attack, Attack]]) -> tuple[Attack, Attack]:
    """Return what the attacks by parts come to."""
    both = Attack(), Attack()
    for part in parts:
        for whole, one in zip(both, part, strict=True):
            whole.claims += one.claims
            whole.times.update(one.times)
            whole.looks += one.looks
            for about, prior in one.priors.items():
                whole.priors[about].update(prior)
    return both


def _seen(both: tuple[Attack, Attack], pair: tuple[Look, Look]) -> Iterator[tuple[Attack, tuple[Look, Look]]]:
    """Yield each attack with what it sees and what is true: to the control that is the same."""
    yield both[0], pair
    yield both[1], (pair[1], pair[1])


def _looked_at(
    both: tuple[Attack, Attack], board: Board, before: tuple[Look, Look] | None, now: tuple[Look, Look]
) -> None:
    for attack, (seen, true) in _seen(both, now):
        attack.looks += 1
        _one_look(attack, seen, true)
    if before:
        for (attack, old), (_, new) in zip(_seen(both, before), _seen(both, now), strict=True):
            _two_looks(attack, "look", old, new)
            _two_states(attack, board.since, old[0], new[0])
            _moments(attack, board.moments, old[0], new[0])


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
    said = set[Key]()  # what several addresses tell of the same is claimed once, or one hit would count as many
    for key in sorted({key for key in seen.keys() | now.keys() if seen.get(key) != now.get(key)}):
        labels = dict(one.split("=", 1) for one in key if "=" in one)
        name = labels.get("milestone", key[1]).partition("/")[0]
        place = (labels["country"], labels["service"]) if "service" in labels else (labels.get("country", ""),)
        about, number, true = (name,), 1.0, 0.0
        if (key[0] == STATE and name in {*PLAN.rows, *PLAN.milestones}) or (key[0] == METRIC and key[1] in DATED):
            true = _fed(name, since)
        elif key[0] == METRIC and key[1] in EACH and not openly[place]:  # what is told openly could have moved it
            about, true = place, since[place]
        elif key[0] == METRIC and key[1] in WHOLE:
            about = (labels["stream"].lower(),)
            number, true = now.get(key, 0) - seen.get(key, 0) - openly[about], since[about]
        else:
            continue
        if about not in said:
            said.add(about)
            attack.claim(("state", *key[1:]), ("state", *about), number, true)


def _moments(attack: Attack, true: Mapping[Key, int], seen: Look, now: Look) -> None:
    """Claim of a milestone's time, where it is told, that one report is of that second: nobody guesses that."""
    for key in now.keys() - seen.keys():
        if key[0] == STATE and (found := PLAN.milestones.get(key[1].partition("/")[0])):
            reached, _ = json.loads(key[3])
            if reached:
                number = sum(true.get((done.event, second(reached)), 0) for done in found.done)
                attack.claim(("moment", *key[1:]), ("moment", key[1]), 1, number)


def _fed(name: str, since: Mapping[Key, int]) -> int:
    """How many reports about persons came for a row or milestone."""
    fed = {term.event for term in PLAN.rows[name].term} if name in PLAN.rows else set()
    fed |= {done.event for done in PLAN.milestones[name].done} if name in PLAN.milestones else set()
    return sum(since.get((event,), 0) for event in fed)


def _by_days(both: tuple[Attack, Attack], address: str, days: list[date]) -> None:
    """Ask afterwards for the figures as of each of the days, and claim what lies between two."""
    before: tuple[Look, Look] | None = None
    for day in days:
        path = f"{address}/api/indicators.csv?as_of={day}"
        now = cells(get(path)[1]), cells(get(path, **OPERATOR)[1])
        if before:
            for (attack, old), (_, new) in zip(_seen(both, before), _seen(both, now), strict=True):
                _two_looks(attack, "day", old, new)
        before = now


def _by_periods(both: tuple[Attack, Attack], address: str, days: list[date], part: int, parts: int) -> None:
    """Ask for the figures of the periods between the days, and of whole quarters, and claim the small ones."""
    quarters = [date(year, month, 1) for year in (2003, 2004, 2005) for month in (1, 4, 7, 10)]
    quarters = [one for one in quarters if days[0] <= one <= days[-1]]
    for since, until in [*pairwise(days), *pairwise(quarters)][part::parts]:
        path = f"{address}/api/indicators.csv?since={since}&until={until - timedelta(days=1)}"
        if since < until:
            for attack, (seen, true) in _seen(both, (cells(get(path)[1]), cells(get(path, **OPERATOR)[1]))):
                _one_look(attack, seen, true)


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
