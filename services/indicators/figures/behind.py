"""What is behind a figure: the numbers that it is made of, and how much of each a single event put in or took out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from services.indicators.figures import kinds
from services.indicators.figures.kinds import Span
from services.indicators.figures.periods import Comparison
from services.indicators.folded import accounts
from services.indicators.folded.accounts import AS_ONE, REPORTED
from services.indicators.folded.fold import AMENDING, Fold
from services.indicators.folded.state import Entry, Levels, State, when
from services.indicators.folded.sums import Cell, Key
from services.indicators.planned import fields
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from services.indicators.planned.schedule import Milestone
from shared.contracts import SERVICES, registry
from shared.contracts.vocabulary import REGION

ANY_COUNTRY, IN_FORCE = "*", "in_force"
Part = tuple[str, Key]
"""(what it is of the figure, cell): `value`, `numerator`, `denominator`, `window` and so on; country and labels."""
Parts = Mapping[Part, int]


class Asked(Struct, frozen=True):
    """Which figure is asked about."""

    row: Row
    span: Span
    country: str = REGION
    labels: Mapping[str, str] = {}
    """Of the row's labels; those that are not named may have any value."""


class Made:
    """What one figure is made of, in a state and of single events alike."""

    def __init__(self, plan: Plan, state: State, asked: Asked) -> None:
        row, span = asked.row, asked.span
        self._plan, self._asked = plan, asked
        one = asked.country == REGION and row.once
        self._span = msgspec.structs.replace(span, region=True) if one else span
        self._compared = kinds.comparison(plan, row, state, span)
        in_force = state.levels.get(row.stored(IN_FORCE))
        self._latest = dict(in_force.latest(span.upto, span.known)) if in_force else {}
        self._newest = max(self._latest.values(), default=None)
        wanted = asked.labels or (row.headline if asked.country == REGION else {})
        names = [*row.labels]
        self._labels = {1 + names.index(name): value for name, value in wanted.items()}
        held = {part: n for part, n in self._all(state).items() if self._chosen(part[1])}
        regional = asked.country == REGION
        self._one = regional and not asked.labels and any(name.startswith("one") for name, _ in held)
        self._replaced = {key[1:] for name, key in held if name == "region"} if regional else set()
        self.parts = self._those(held)
        """The numbers that the figure is made of, in that state; of declared levels those in force."""

    def of(self, state: State) -> Parts:
        """Return how much of each number is in a state, which may be that of a single event."""
        return self._those(self._all(state))

    def declared(self, moved: "Moved") -> Iterator[tuple[str, Key, Entry, int]]:
        """Yield (role, cell, declaration, 1 or -1) of the levels of the figure that an event declares or takes back."""
        for name, key, entry, sign in moved.declared:
            row, _, role = name.rpartition("/")
            if row == self._asked.row.id and self._chosen(key):
                yield role, key, entry, sign

    def in_force(self, state: State) -> dict[Part, Entry]:
        """Return the declared levels that hold: which declaration of each."""
        row, span = self._asked.row, self._asked.span
        names = {role: row.stored(role) for role in roles(self._plan, row)}
        return {
            (role, key): entry
            for role, name in names.items()
            if name in state.levels
            for key, entry in state.levels[name].latest(span.upto, span.known)
        }

    def _those(self, found: Parts) -> dict[Part, int]:
        return {part: n for part, n in found.items() if self._chosen(part[1]) and self._meant(*part)}

    def _all(self, state: State) -> dict[Part, int]:
        found: Counter[Part] = Counter()
        for name, key, amount in numbers(self._plan, self._asked.row, state, self._span, self._compared):
            found[name, key] += amount
        return {part: n for part, n in found.items() if n}

    def _chosen(self, key: Key) -> bool:
        country = self._asked.country
        return (country == REGION or key[0] == country) and all(
            len(key) <= place or key[place] == value for place, value in self._labels.items()
        )

    def _meant(self, name: str, key: Key) -> bool:
        """Say whether it is the figure's own: the region may count otherwise than the sum of its countries."""
        if name.startswith("one"):
            return self._one
        if self._one:
            return False
        if self._asked.row.current and name == "numerator":  # only of the value that is in force there
            entry = self._latest.get((key[0],), self._newest)
            return entry is not None and entry[-1] == key[-1]
        if name == "region":
            return self._asked.country == REGION
        return name != "value" or key[1:] not in self._replaced


def numbers(
    plan: Plan, row: Row, state: State, span: Span, compared: Comparison | None
) -> Iterator[tuple[str, Key, int]]:
    """Yield (what it is, cell, amount) of all that a row's figures are made of, in the span.

    A trend's are those of its window and its baseline. What is added up of several events is the sum of what is of
    each; of declared levels the one in force counts.
    """
    for role in roles(plan, row):
        if role == IN_FORCE:
            continue  # it is no number: which value of what is counted counts
        if row.kind != "trend":
            for key, amount in kinds.amounts(plan, row, role, state, span):
                yield role, key, amount
        elif compared:
            more = "" if role == "value" else f"{role}_"
            for key, amount in kinds.during(plan, row, role, state, span, compared.since, compared.until):
                yield f"{more}window", key, amount
            first, last = compared.baseline_since, compared.baseline_until
            for key, amount in kinds.during(plan, row, role, state, span, first, last):
                yield f"{more}baseline", key, amount


def roles(plan: Plan, row: Row) -> list[str]:
    """Return in which roles something is kept for a row."""
    summed = [role for name, role in accounts.accounts_of(plan).sources if name == row.id]
    declared = [term.role for term in row.term if term.last]
    kept = dict.fromkeys([*summed, *declared])
    return [role for role in kept if role != REPORTED and not role.endswith(AS_ONE)]


class Step(Struct, frozen=True, omit_defaults=True):
    """How much an event moved a number of a row on a day."""

    row: str
    part: str
    cell: Key
    """Country, then the row's labels; of a milestone towards what of it the event counts."""
    day: date | None
    amount: Any
    """What it adds (below 0: takes away); of a declared level, the level."""
    level: bool = False
    sign: int = 1
    """Of a level: -1 where the declaration is taken back."""


class Moved(Struct, frozen=True):
    """What a single event moves, as if there were no other."""

    state: State
    """What it adds up."""
    declared: list[tuple[str, Key, Entry, int]]
    """(under which name levels are held, cell, what it declares, 1 or -1: it takes that back)"""
    reached: list[tuple[str, str, int]]
    """(milestone, group of it, 1 or -1)"""


class Alone:
    """Single events, each as if there were no other."""

    def __init__(self, plan: Plan) -> None:
        self._fold = Fold(plan)
        self._names: dict[int, tuple[str, Key]] = {}
        """A cell's `id` -> under which name and key the state holds it; it loses none."""
        self._seen: dict[str, int] = {}

    def moved(self, payload: bytes) -> Moved:
        """Return what an event moves; raises whatever makes a fold set it aside."""
        moves, own = self._fold.moves(payload), self._fold.state
        state, declared, reached = State(self._fold.plan.digest), [], []
        for cells, day, amount in moves.added:
            for name, key in map(self._named, cells):
                state.sums[name][key].add(day, amount, moves.recorded)
        for where, key, what, sign in moves.rarer:
            if isinstance(where, Levels):
                name = next(name for name, one in own.levels.items() if one is where)
                declared.append((name, key, what, sign))
            else:
                name = next(name for name, one in own.groups.items() if one is where)
                reached.append((name, key[0], sign))
        return Moved(state, declared, reached)

    def _named(self, cell: Cell) -> tuple[str, Key]:
        if id(cell) not in self._names:
            for name, sums in self._fold.state.sums.items():
                seen = self._seen.get(name, 0)
                if len(sums) > seen:
                    self._names |= {id(one): (name, key) for key, one in islice(sums.items(), seen, None)}
                    self._seen[name] = len(sums)
        return self._names[id(cell)]


def feeding(row: Row) -> set[str]:
    """Return the event types (`service.entity.verb`) that can be behind a row; `*`: all."""
    found = {term.event for term in row.term}
    for term in row.term:
        # What several tell counts under the type of one of them, whichever of their reports comes last.
        one = fields.once(term.event, term.once) if term.once else None
        alike = {agreed.name for agreed in registry().values()} if one else set()
        found |= {name for name in alike if any(each.what == one.what for each in fields.onces(name).values() if one)}
    return found


def subjects(row: Row, country: str) -> dict[str, list[str]]:
    """Return for each service under which subjects what is behind a row stands in its stream, amendments with it.

    `country` narrows it to what is addressed to one, where nothing else can count there; `REG`: any.
    """
    by_others = any(term.country or term.once for term in row.term)
    place = ANY_COUNTRY if country == REGION or by_others else country
    found: dict[str, set[str]] = {}
    for event in feeding(row):
        if event == ANY_REPORT:
            return {service: [f"crm.evt.{service}.*.*.{place}"] for service in SERVICES}
        service, entity, _ = event.split(".")
        own = [event, *(f"{service}.{one}.{verb}" for one in (entity, "notice") for verb in AMENDING)]
        found.setdefault(service, set()).update(f"crm.evt.{one}.{place}" for one in own)
    return {service: sorted(those) for service, those in sorted(found.items())}


def milestone_subjects(milestone: Milestone) -> dict[str, list[str]]:
    """Return for each service under which subjects what reaches a milestone stands in its stream."""
    found: dict[str, set[str]] = {}
    for event in [one.event for one in milestone.done]:
        service, entity, _ = event.split(".")
        own = [event, *(f"{service}.{one}.{verb}" for one in (entity, "notice") for verb in AMENDING)]
        found.setdefault(service, set()).update(f"crm.evt.{one}.{ANY_COUNTRY}" for one in own)
    return {service: sorted(those) for service, those in sorted(found.items())}


def made_of_rows(row: Row) -> list[str]:
    """Return of which rows (or areas, or milestone) a row is made that has no events of its own; empty: it has."""
    if row.kind in COMPOSED:
        return [*row.inputs]
    return [row.calendar] if row.calendar else []


def steps(plan: Plan, one: Moved, rows: Iterable[Row] | None = None) -> Iterator[Step]:
    """Yield what an event moved in the rows' numbers."""
    for row in plan.rows.values() if rows is None else rows:
        for role in roles(plan, row):
            view = kinds.view(plan, row.id, role, one.state)
            for key in view.cells:
                for day, amount in sorted(view.days(key).items()):
                    yield Step(row.id, role, key, date.fromordinal(day), amount)
            for name, key, entry, sign in one.declared:
                if name == row.stored(role):
                    yield Step(row.id, role, key, when(entry[0]).date(), entry[-1], level=True, sign=sign)
    for milestone, group, sign in one.reached:
        yield Step(milestone, "reached", (group,), None, sign)
