"""What the fold remembers: sums per cell and day, declared levels, earliest times, and nothing per event."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw

from services.indicators.folded.sums import Key, Sums
from services.indicators.folded.views import View
from services.indicators.planned.rows import ANY_REPORT

_encode = msgspec.json.Encoder().encode
Was = list[tuple[dict[Any, Any], Any, Any]]
"""What was where before a change: (mapping, key, value or None)."""
Entry = tuple[int, int, int, Any]
"""What was declared: from when on it holds, time and recordedtime (microseconds), level (or the word in force)."""
Known = dict[int, int]
"""Day's ordinal -> how often it was declared, less how often taken back, in what was recorded on that day."""
LAYOUT = 9
"""Of the dump: another one is folded again from the start."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REPORTS = ANY_REPORT
"""Among the sums: how many reports each country sent, by the day they were recorded."""
OPEN_REPORTS = f"{ANY_REPORT}/open"
"""Among the sums: the same of those reports only that are about no person."""
DELAY_SECONDS = f"{ANY_REPORT}/seconds"
"""Among the sums: (country, service) -> how many seconds the region knew of its reports later than they happened."""
BASELINE = "*"
"""Among the levels: the days settled: of trends' periods (row, `since` or `until`), of milestones (id, `due`)."""
EARLIEST_KEPT = 64
"""So many times are kept per group of a milestone: more retractions of the first ones than that do not happen."""


ASIDE_KEPT = 1000
"""So many events that were set aside are remembered per stream; of more than that the number."""


class StateError(Exception):
    """The stored state belongs to another plan or another layout: fold again from the start."""


def micros(when: datetime) -> int:
    """Return microseconds since 1970."""
    return (when - EPOCH) // MICROSECOND


def when(us: int) -> datetime:
    """Return the UTC time of `micros`."""
    return EPOCH + us * MICROSECOND


class Levels:
    """Declared levels per cell: each declaration by its two times, so that one can be taken back exactly.

    Declarations are few (a headcount now and then), unlike events that are counted.
    """

    __slots__ = ("_dumped", "_sorted", "declared")

    def __init__(self) -> None:
        self.declared: dict[Key, dict[Entry, Known]] = {}
        self._sorted: dict[Key, list[Entry]] = {}
        """Cell -> its declarations in order; made when looked at."""
        self._dumped: dict[Key, bytes] = {}
        """Cell -> as it stands in the dump; kept until something changes."""

    def touched(self, key: Key) -> None:
        """Forget what was made of a cell that changes."""
        self._sorted.pop(key, None)
        self._dumped.pop(key, None)

    def note(self, key: Key, entry: Entry, sign: int, recorded: int, was: Was) -> None:
        """Note (sign 1) or take back (sign -1) that a level was declared, and what was there before."""
        self.touched(key)
        was.append((self.declared, key, self.declared.get(key)))
        declared = self.declared.setdefault(key, {})
        before = declared.get(entry)
        was.append((declared, entry, before))
        known = {**(before or {}), recorded: (before or {}).get(recorded, 0) + sign}
        known = {day: n for day, n in known.items() if n}
        if known:
            declared[entry] = known
        else:
            declared.pop(entry, None)
        if not declared:
            del self.declared[key]

    def upto(self, until: int | None, known: int | None = None) -> Iterator[tuple[Key, int]]:
        """Yield each cell's latest level by the end of a day (an ordinal); None: the latest of all."""
        for key, entry in self.latest(until, known):
            yield key, entry[-1]

    def latest(self, until: int | None, known: int | None = None) -> Iterator[tuple[Key, Entry]]:
        """Yield each cell's latest declaration by the end of a day (an ordinal); None: the latest of all.

        Of those for one moment the latest told by then counts. `known`: of those recorded by the end of a day.
        """
        end = None if until is None else timedelta(days=until + 1 - EPOCH.toordinal()) // MICROSECOND
        for key, declared in self.declared.items():
            if key not in self._sorted:
                self._sorted[key] = sorted(declared)
            held = self._sorted[key]
            past = len(held) if end is None else bisect_left(held, (end,))
            found: Entry | None = None
            for entry in reversed(held[:past]):
                if found and entry[0] < found[0]:
                    break
                if _holds(declared[entry], known):
                    if end is None or entry[1] < end:
                        found = entry
                        break
                    found = found or entry
            if found:
                yield key, found

    def dump(self) -> bytes:
        """Return the cells in order, as `dump_cell` writes each: [cell, …]."""
        return b"[" + b",".join(self.dump_cell(key) for key in sorted(self.declared)) + b"]"

    def dump_cell(self, key: Key) -> bytes:
        """Return a cell: [key, [[since, time, recordedtime, level, [[recorded day, how often], …]], …]]."""
        if key not in self._dumped:
            held = sorted(self.declared[key].items())
            self._dumped[key] = _encode((key, [[*entry, sorted(known.items())] for entry, known in held]))
        return self._dumped[key]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Levels":
        """Return what was dumped."""
        levels = cls()
        for key, held in dumped:
            levels.declared[tuple(key)] = {(since, *at, level): dict(known) for since, *at, level, known in held}
        return levels


def _holds(declared: Known, known: int | None) -> bool:
    """Say whether what was declared and taken back on some days holds by what was known at the end of one."""
    return sum(n for day, n in declared.items() if known is None or day <= known) > 0


@dataclass(slots=True)
class Earliest:
    """The earliest times at which something happened (microseconds, rising), and how many more there were.

    Of one service, as its events come in the order in which they were recorded.
    """

    kept: list[int] = field(default_factory=list)
    more: int = 0
    first: list[tuple[int, int | None]] = field(default_factory=list)
    """(day's ordinal, what the earliest was known to be from the end of that day on), one for each change."""

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

    def known_from(self, recorded: int) -> None:
        """Note what the earliest is at the end of the day on which the last change was recorded."""
        first = self.kept[0] if self.kept else None
        if first == (self.first[-1][1] if self.first else None):
            return
        if self.first and self.first[-1][0] >= recorded:
            recorded, _ = self.first.pop()
        if first != (self.first[-1][1] if self.first else None):
            self.first.append((recorded, first))

    def earliest(self, known: int | None) -> int | None:
        """Return the earliest time as known at the end of a day (None: now); None: nothing was known of any."""
        if known is None:
            return self.kept[0] if self.kept else None
        place = bisect_right(self.first, known, key=itemgetter(0))
        return self.first[place - 1][1] if place else None


class Groups(dict[tuple[str, str], Earliest]):
    """(group, service that told of it) -> its earliest times; one that has none leaves no trace."""

    def note(self, key: tuple[str, str], us: int, sign: int, recorded: int, was: Was) -> None:
        """Note (sign 1) or take back (sign -1) that it happened, and what was there before."""
        times = self.setdefault(key, Earliest())
        was.append((self, key, Earliest(times.kept[:], times.more, times.first[:])))
        if sign > 0:
            times.add(us)
        else:
            times.remove(us)
        times.known_from(recorded)

    def firsts(self, known: int | None = None) -> dict[str, datetime]:
        """Return when each group happened first, as known at the end of a day (None: now)."""
        found: dict[str, int] = {}
        for (group, _), times in self.items():
            us = times.earliest(known)
            if us is not None:
                found[group] = min(us, found.get(group, us))
        return {group: when(us) for group, us in found.items()}


@dataclass(slots=True)
class Aside:
    """Events of one stream that could not be folded, or are missing in it."""

    kept: dict[int, str] = field(default_factory=dict)
    """Sequence -> the exception's type, or `missing`."""
    more: int = 0
    """How many there are beyond those kept."""

    def add(self, sequence: int, reason: str) -> None:
        """Note one; the first ones are kept."""
        if len(self.kept) < ASIDE_KEPT:
            self.kept[sequence] = reason
        else:
            self.more += 1

    def __len__(self) -> int:
        return len(self.kept) + self.more


@dataclass(slots=True)
class State:
    """All of it. Equal histories give equal `dump`s, however the five streams interleave."""

    digest: str
    """Of the plan that it was folded with."""
    sums: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    """`<row>/<role>` -> sums."""
    levels: dict[str, Levels] = field(default_factory=dict)
    groups: defaultdict[str, Groups] = field(default_factory=lambda: defaultdict(Groups))
    """Milestone (or event name that due dates are counted from) -> group -> earliest times."""
    events: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=dict)
    """(service, entity, verb) -> country -> events recorded."""
    amended: dict[str, int] = field(default_factory=dict)
    """Event type -> how often since the start its events were corrected or retracted; no part of the dump."""
    heard: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(country, service) -> when the region last recorded a report from it."""
    heard_openly: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """The same by reports about no person: what the public may know."""
    rejected: dict[Key, int] = field(default_factory=dict)
    """(service, country, code) -> reports refused for it."""
    sequences: dict[str, int] = field(default_factory=dict)
    """Service -> sequence of the last event folded."""
    hashes: dict[str, bytes] = field(default_factory=dict)
    """Service -> the hash of its log's row at that sequence; empty: not known, as a message was missing."""
    aside: dict[str, Aside] = field(default_factory=dict)
    """Service -> the events of its stream, up to its sequence, that are not counted."""
    views: dict[tuple[str, str], View] = field(default_factory=dict)
    """(row, role) -> its cells; made when looked at, and no part of the dump."""

    @property
    def uncounted(self) -> int:
        """How many events were set aside: no figure has them."""
        return sum(map(len, self.aside.values()))

    def write(self) -> Iterator[None]:
        """Write piece by piece what has changed since the last `dump`, which then is soon done.

        The state may move on between two pieces.
        """
        for sums in [*self.sums.values()]:
            yield from sums.write()
        for levels in [*self.levels.values()]:
            for key in [*levels.declared]:
                if key in levels.declared:
                    levels.dump_cell(key)
                    yield

    def dump(self) -> bytes:
        """Return the state as canonical bytes."""
        return _encode(
            {
                "layout": LAYOUT,
                "digest": self.digest,
                "sums": _named({name: sums.dump() for name, sums in self.sums.items()}),
                "levels": _named({name: levels.dump() for name, levels in self.levels.items()}),
                "groups": _dump_groups(self.groups),
                "events": [[*name, sorted(counts.items())] for name, counts in sorted(self.events.items()) if counts],
                "heard": [[*key, micros(at)] for key, at in sorted(self.heard.items())],
                "heard_openly": [[*key, micros(at)] for key, at in sorted(self.heard_openly.items())],
                "rejected": [[*key, n] for key, n in sorted(self.rejected.items())],
                "sequences": sorted(self.sequences.items()),
                "hashes": [[name, one.hex()] for name, one in sorted(self.hashes.items())],
                "aside": [[name, sorted(one.kept.items()), one.more] for name, one in sorted(self.aside.items())],
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
            events={(service, entity, verb): dict(n) for service, entity, verb, n in stored["events"]},
            heard={(country, service): when(us) for country, service, us in stored["heard"]},
            heard_openly={(country, service): when(us) for country, service, us in stored["heard_openly"]},
            rejected={(service, country, code): n for service, country, code, n in stored["rejected"]},
            sequences=dict(stored["sequences"]),
            hashes={service: bytes.fromhex(one) for service, one in stored["hashes"]},
            aside={service: Aside(dict(kept), more) for service, kept, more in stored["aside"]},
        )
        for name, groups in stored["groups"]:
            for group, service, kept, more, first in groups:
                state.groups[name][group, service] = Earliest(kept, more, [(day, us) for day, us in first])
        state.sums.update((name, Sums.load(sums)) for name, sums in stored["sums"])
        return state


def _named(dumped: Mapping[str, bytes]) -> list[Any]:
    return [[name, Raw(held)] for name, held in sorted(dumped.items()) if held != b"[]"]


def _dump_groups(groups: Mapping[str, Groups]) -> list[Any]:
    found = []
    for name, held in sorted(groups.items()):
        present = [[*key, one.kept, one.more, one.first] for key, one in sorted(held.items()) if one.first or one.more]
        if present:
            found.append([name, present])
    return found
