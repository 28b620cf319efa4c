"""What the fold remembers: sums per cell and day, declared levels, earliest times, and nothing per event."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import msgspec

from services.indicators.checks import ANY_REPORT

if TYPE_CHECKING:
    from services.indicators.accounts import Source

Key = tuple[str, ...]
"""A cell: country, then the row's label values."""
LAYOUT = 3
"""Of the dump: another one is folded again from the start."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REPORTS = ANY_REPORT
"""Among the sums: how many reports each country sent, by the day they were recorded."""
BASELINE = "*"
"""Among the levels: the periods settled for trends: (row, `since` or `until`) -> the day's ordinal."""
EARLIEST_KEPT = 64
"""So many times are kept per group of a milestone: more retractions of the first ones than that do not happen."""


class StateError(Exception):
    """The stored state belongs to another plan or another layout: fold again from the start."""


def micros(when: datetime) -> int:
    """Return microseconds since 1970."""
    return (when - EPOCH) // MICROSECOND


def when(us: int) -> datetime:
    """Return the UTC time of `micros`."""
    return EPOCH + us * MICROSECOND


class Cell:
    """A whole-number sum by day (a date's ordinal), with its running total."""

    __slots__ = ("days", "total")

    def __init__(self) -> None:
        self.days: defaultdict[int, int] = defaultdict(int)
        self.total = 0

    def add(self, day: int, amount: int) -> None:
        """Add to a day."""
        self.days[day] += amount
        self.total += amount

    def between(self, after: int, until: int) -> int:
        """Return the sum over the days after one and up to another."""
        return sum(amount for day, amount in self.days.items() if after < day <= until)


Sums = defaultdict[Key, Cell]
"""What is added up under one name; what sums to nothing leaves no trace."""


def _dump_sums(sums: Sums) -> list[Any]:
    held = [(key, [(day, n) for day, n in sorted(cell.days.items()) if n]) for key, cell in sorted(sums.items())]
    return [[list(key), days] for key, days in held if days]


def _load_sums(dumped: list[Any]) -> Sums:
    sums = Sums(Cell)
    for key, days in dumped:
        for day, amount in days:
            sums[tuple(key)].add(day, amount)
    return sums


class View:
    """The cells of a row in one role, made of those of accounts."""

    __slots__ = ("_seen", "_sources", "cells")

    def __init__(self, sources: "Iterable[Source]") -> None:
        self._sources = list(sources)
        self._seen = [0] * len(self._sources)
        self.cells: dict[Key, list[tuple[Cell, int]]] = {}
        """Row's cell -> [(account's cell, what its numbers count)]."""

    def over(self, sums: Mapping[str, Sums]) -> Self:
        """Return it with the cells that the accounts have got since (they lose none)."""
        for index, source in enumerate(self._sources):
            held: Mapping[Key, Cell] = sums.get(source.name, {})
            for key, cell in islice(held.items(), self._seen[index], None):
                mine = source.key(key)
                if mine is not None:
                    self.cells.setdefault(mine, []).append((cell, source.factor))
            self._seen[index] = len(held)
        return self

    def days(self, key: Key) -> dict[int, int]:
        """Return what there is in a cell on each day."""
        found: dict[int, int] = {}
        for cell, factor in self.cells[key]:
            for day, amount in cell.days.items():
                found[day] = found.get(day, 0) + amount * factor
        return {day: amount for day, amount in found.items() if amount}

    def upto(self, until: int | None) -> Iterator[tuple[Key, int]]:
        """Yield each cell's sum up to and including a day (None: all), where there is anything."""
        if until is not None:
            yield from self.between(0, until)
            return
        for key, parts in self.cells.items():
            total = sum(cell.total * factor for cell, factor in parts)
            if total or self.days(key):
                yield key, total

    def between(self, after: int, until: int) -> Iterator[tuple[Key, int]]:
        """Yield each cell's sum over the days after one and up to another, where there is anything."""
        for key, parts in self.cells.items():
            total = sum(cell.between(after, until) * factor for cell, factor in parts)
            if total or any(after < day <= until for day in self.days(key)):
                yield key, total


class Levels:
    """Declared levels per cell: each declaration by its two times, so that one can be taken back exactly.

    Declarations are few (a headcount now and then), unlike events that are counted.
    """

    __slots__ = ("declared",)

    def __init__(self) -> None:
        self.declared: dict[Key, dict[tuple[int, int, int], int]] = {}

    def add(self, key: Key, at: tuple[datetime, datetime], level: int, sign: int) -> None:
        """Note (sign 1) or take back (sign -1) that `level` was declared at (time, recordedtime)."""
        entry = (micros(at[0]), micros(at[1]), level)
        declared = self.declared.setdefault(key, {})
        there = declared.get(entry, 0) + sign
        if there:
            declared[entry] = there
        else:
            declared.pop(entry, None)
        if not declared:
            del self.declared[key]

    def upto(self, until: int | None) -> Iterator[tuple[Key, int]]:
        """Yield each cell's latest level by the end of a day (an ordinal); None: the latest of all."""
        end = None if until is None else micros(datetime.fromordinal(until + 1).replace(tzinfo=UTC))
        for key, declared in self.declared.items():
            past = (entry for entry, n in declared.items() if n > 0 and (end is None or entry[0] < end))
            latest = max(past, default=None)
            if latest is not None:
                yield key, latest[2]

    def dump(self) -> list[Any]:
        """Return it as sorted lists."""
        cells = sorted(self.declared.items())
        return [[list(key), [[*entry, n] for entry, n in sorted(declared.items())]] for key, declared in cells]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Levels":
        """Return what was dumped."""
        levels = cls()
        for key, held in dumped:
            levels.declared[tuple(key)] = {(time, recorded, level): n for time, recorded, level, n in held}
        return levels


@dataclass(slots=True)
class Earliest:
    """The earliest times at which something happened (microseconds, rising), and how many more there were."""

    kept: list[int] = field(default_factory=list)
    more: int = 0

    def add(self, us: int) -> None:
        """Note one."""
        if len(self.kept) == EARLIEST_KEPT and us >= self.kept[-1]:
            self.more += 1
            return
        insort(self.kept, us)
        if len(self.kept) > EARLIEST_KEPT:
            self.kept.pop()
            self.more += 1

    def remove(self, us: int) -> None:
        """Take one back."""
        place = bisect_left(self.kept, us)
        if place < len(self.kept) and self.kept[place] == us:
            del self.kept[place]
        else:
            self.more -= 1


@dataclass(slots=True)
class State:
    """All of it. Equal histories give equal `dump`s, however the five streams interleave."""

    digest: str
    """Of the plan that it was folded with."""
    sums: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(lambda: Sums(Cell)))
    """`<row>/<role>` -> sums."""
    levels: dict[str, Levels] = field(default_factory=dict)
    groups: dict[str, dict[str, Earliest]] = field(default_factory=dict)
    """Milestone (or event name that due dates are counted from) -> group -> earliest times."""
    events: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=dict)
    """(service, entity, verb) -> country -> events recorded."""
    heard: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(country, service) -> when the region last recorded a report from it."""
    rejected: dict[Key, int] = field(default_factory=dict)
    """(service, country, code) -> reports refused for it."""
    sequences: dict[str, int] = field(default_factory=dict)
    """Service -> sequence of the last event folded."""
    views: dict[tuple[str, str], View] = field(default_factory=dict)
    """(row, role) -> its cells; made when looked at, and no part of the dump."""

    def dump(self) -> bytes:
        """Return the state as canonical bytes."""
        return msgspec.json.encode(
            {
                "layout": LAYOUT,
                "digest": self.digest,
                "sums": [[name, held] for name, sums in sorted(self.sums.items()) if (held := _dump_sums(sums))],
                "levels": [[name, levels.dump()] for name, levels in sorted(self.levels.items()) if levels.declared],
                "groups": _dump_groups(self.groups),
                "events": [[*name, sorted(counts.items())] for name, counts in sorted(self.events.items()) if counts],
                "heard": [[*key, micros(at)] for key, at in sorted(self.heard.items())],
                "rejected": [[*key, n] for key, n in sorted(self.rejected.items())],
                "sequences": sorted(self.sequences.items()),
            },
        )

    @classmethod
    def load(cls, dumped: bytes, digest: str) -> "State":
        """Return the state that was dumped; StateError if it was folded with another plan."""
        stored: Mapping[str, Any] = msgspec.json.decode(dumped)
        if stored.get("layout") != LAYOUT or stored["digest"] != digest:
            raise StateError("the snapshot belongs to another plan")
        state = cls(
            digest=digest,
            levels={name: Levels.load(levels) for name, levels in stored["levels"]},
            groups={
                name: {group: Earliest(kept, more) for group, kept, more in groups} for name, groups in stored["groups"]
            },
            events={(service, entity, verb): dict(n) for service, entity, verb, n in stored["events"]},
            heard={(country, service): when(us) for country, service, us in stored["heard"]},
            rejected={(service, country, code): n for service, country, code, n in stored["rejected"]},
            sequences=dict(stored["sequences"]),
        )
        state.sums.update((name, _load_sums(sums)) for name, sums in stored["sums"])
        return state


def _dump_groups(groups: Mapping[str, Mapping[str, Earliest]]) -> list[Any]:
    found = []
    for name, held in sorted(groups.items()):
        present = [[group, one.kept, one.more] for group, one in sorted(held.items()) if one.kept or one.more]
        if present:
            found.append([name, present])
    return found
