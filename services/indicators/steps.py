"""Where an event goes: the cells it is counted in and what else it moves, worked out once for all events alike.

Alike are events of one type and country that say the same in every field by which the plan tells them apart. So what an
event costs hardly depends on how many rows read it: conditions and labels are looked at once, and what is left is to add.
"""

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from services.indicators import checks, fields
from services.indicators.fields import EVERY, UNKNOWN, word
from services.indicators.plan import Done, Milestone, Plan, Row, Scalar, Term, Unless
from services.indicators.state import BASELINE, Cell, Earliest, Key, Levels, State, micros
from shared.contracts.tallies import Tallied

BASELINE_SET = "indicators.baseline.set"
ALIKE_MAX = 16_384
"""Targets that are remembered per event type; far more than occur, as labels and conditions have closed lists."""
Said = Mapping[str, Any]
"""Path -> the value that the events have there."""
Moment = tuple[datetime, datetime, int, int]
"""When it happened, when it was recorded, and the ordinals of the two days; UTC."""
TIME, RECORDEDTIME = 2, 3
"""The day that counts, in a moment."""
Effect = Callable[[Any, Moment, int], None]
"""(data, moment, 1 to put in or -1 to take out)"""
Target = tuple[list[tuple[Cell, int, int]], list[Effect]]
"""[(cell, which day of the moment counts, what one event adds)], and what depends on more than what events alike say"""


class Reading:
    """What a plan reads of one event type, and where such events go in a state."""

    def __init__(self, plan: Plan, state: State, event: str) -> None:
        self._state = state
        self._event = event
        self._terms = [(row, term) for row in plan.rows.values() for term in row.term if term.event == event]
        self._done = [(one, done) for one in plan.milestones.values() for done in one.done if done.event == event]
        self._dates = any(one.after and one.after.event == event for one in plan.milestones.values())
        apart = {path for row, term in self._terms for path in _apart(row, term)}
        self._apart = sorted(apart.union(*(_apart_done(done) for _, done in self._done)))
        wanted = {*self._apart, *(path for row, term in self._terms for path in paths(row, term))}
        if event == BASELINE_SET:
            wanted |= {"indicator", "since", "until"}
        self.wanted = frozenset(wanted)
        """The fields to decode."""
        self.said = fields.together(self._apart)
        """Reads from the decoded fields what tells events apart."""
        self.target = lru_cache(ALIKE_MAX)(self._target)
        """(country, what the event says) -> where it goes."""

    def __bool__(self) -> bool:
        """Whether the plan wants anything of this type."""
        return bool(self._terms or self._done or self._dates or self._event == BASELINE_SET)

    def _target(self, country: str, told: tuple[Any, ...]) -> Target:
        said = dict(zip(self._apart, told, strict=True))
        cells: list[tuple[Cell, int, int]] = []
        effects: list[Effect] = []
        for row, term in self._terms:
            for key in _keys(row, term, country, said):
                if isinstance(term.add, int) and not term.last:
                    cells.append((self._state.cell(row.stored(term.role), key), _clock(row), term.add))
                    if row.kind == "mean":
                        cells.append((self._state.cell(row.stored("count"), key), _clock(row), 1))
                else:
                    effects += _effects(self._state, row, term, key)
        for milestone, done in self._done:
            if _all_hold(done.where, said):
                effects.append(_reaching(self._state, milestone, done, country, said))
        if self._dates:
            effects.append(_noting(self._state.groups.setdefault(self._event, {}), country))
        if self._event == BASELINE_SET:
            effects.append(_settling(self._state))
        return cells, effects


def paths(row: Row, term: Term) -> list[str]:
    """Return the fields that a term reads."""
    return [*_apart(row, term), *(path for path in (term.add, term.last) if isinstance(path, str) and path)]


def _apart(row: Row, term: Term) -> list[str]:
    """Return the fields that decide whether a term counts an event, and in which cell."""
    labels = [path for path in checks.labels_of(row, term).values() if not path.startswith("=")]
    return [*labels, *term.where, *([term.country] if term.country else [])]


def _apart_done(done: Done) -> list[str]:
    return [*done.where, *([done.distinct] if done.distinct else [])]


def _clock(row: Row) -> int:
    return RECORDEDTIME if row.clock == "recordedtime" else TIME


def _keys(row: Row, term: Term, country: str, said: Said) -> Iterator[Key]:
    """Yield the cells: none where a condition does not hold, several where a label stands for each of a list."""
    if _all_hold(term.where, said):
        place = (said[term.country] if term.country else "") or country
        labels = checks.labels_of(row, term).items()
        for values in itertools.product(*(_label(row.known.get(name), path, said) for name, path in labels)):
            yield (place, *values)


def _label(known: list[str] | None, path: str, said: Said) -> list[str]:
    """Return the values of one label."""
    if path.startswith("="):
        return [path[1:]]
    every = path.endswith(f".{EVERY}")
    found = [word(value) for value in (said[path] if every else [said[path]])]
    return found if known is None else [one if one in (*known, UNKNOWN) else "other" for one in found]


def _all_hold(where: Mapping[str, Scalar | list[Scalar] | Unless], said: Said) -> bool:
    return all(_holds(wanted, said[path]) for path, wanted in where.items())


def _holds(wanted: Scalar | list[Scalar] | Unless, found: Any) -> bool:
    if isinstance(wanted, Unless):
        return found is not None and found not in wanted.unless
    return found in wanted if isinstance(wanted, list) else bool(found == wanted)


def _effects(state: State, row: Row, term: Term, key: Key) -> Iterator[Effect]:
    """Yield what an event does whose amount is one of its fields."""
    path = term.last or str(term.add)
    read = _amount(row, term, path)
    if term.last:
        levels = state.levels.setdefault(row.stored(term.role), Levels())
        yield _given(read, lambda level, moment, sign: levels.add(key, (moment[0], moment[1]), level, sign))
    elif row.kind == "latency" and term.role == "value":
        yield _lasting(state, row, key[0], read)
    elif path in fields.changes(term.event):
        yield _changing(state.cell(row.stored(term.role), key), read)
    else:
        cell, clock = state.cell(row.stored(term.role), key), _clock(row)
        yield _given(read, lambda amount, moment, sign: cell.add(moment[clock], amount * sign))
        if row.kind == "mean":
            count = state.cell(row.stored("count"), key)
            yield _given(read, lambda _amount, moment, sign: count.add(moment[clock], sign))


def _amount(row: Row, term: Term, path: str) -> fields.Read:
    """Return the function that reads a whole number: as it stands, by the term's scale, or with the row's decimals."""
    read = fields.reader(path)
    if term.scale:
        return lambda data: term.scale.get(read(data))
    if row.digits:
        factor = 10**row.digits
        return lambda data: None if (found := read(data)) is None else round(found * factor)
    return read


def _given(read: fields.Read, use: Callable[[int, Moment, int], None]) -> Effect:
    """Use the amount where the event has one."""

    def effect(data: Any, moment: Moment, sign: int) -> None:
        amount = read(data)
        if amount is not None:
            use(amount, moment, sign)

    return effect


def _changing(cell: Cell, read: fields.Read) -> Effect:
    """Add what the event says it changes, and take it back at the time when a later act takes over."""

    def effect(data: Any, moment: Moment, sign: int) -> None:
        change: Tallied | None = read(data)
        if change is not None:
            cell.add(moment[TIME], change.by * sign)
            if change.until is not None:
                cell.add(change.until.astimezone(UTC).toordinal(), -change.by * sign)

    return effect


def _lasting(state: State, row: Row, place: str, read: fields.Read) -> Effect:
    """Fill a histogram per country: counts per bucket (`+Inf` for what is longer than all), and the sum of seconds."""
    bounds = [*row.buckets_s]
    counts = [state.cell(row.stored("bucket"), (place, name)) for name in (*map(str, bounds), "+Inf")]
    seconds, clock = state.cell(row.stored("seconds"), (place,)), _clock(row)

    def use(took: int, moment: Moment, sign: int) -> None:
        counts[bisect_left(bounds, took)].add(moment[clock], sign)
        seconds.add(moment[clock], took * sign)

    return _given(read, use)


def _reaching(state: State, milestone: Milestone, done: Done, country: str, said: Said) -> Effect:
    """Note what an event does towards a milestone: by the month of one that recurs, else by what is to differ."""
    groups = state.groups.setdefault(milestone.id, {})
    if done.distinct:
        return _noting(groups, word(said[done.distinct]))
    if not milestone.recurring:
        return _noting(groups, country)
    return lambda _data, moment, sign: _note(groups, f"{moment[0]:%Y-%m}", moment, sign)


def _noting(groups: dict[str, Earliest], group: str) -> Effect:
    return lambda _data, moment, sign: _note(groups, group, moment, sign)


def _note(groups: dict[str, Earliest], group: str, moment: Moment, sign: int) -> None:
    times = groups.setdefault(group, Earliest())
    if sign > 0:
        times.add(micros(moment[0]))
    else:
        times.remove(micros(moment[0]))


def _settling(state: State) -> Effect:
    """Note the period that a trend is to be measured against."""
    levels = state.levels.setdefault(BASELINE, Levels())
    row = fields.reader("indicator")
    ends = {name: fields.reader(name) for name in ("since", "until")}

    def effect(data: Any, moment: Moment, sign: int) -> None:
        for name, read in ends.items():
            day = date.fromisoformat(read(data)).toordinal()
            levels.add((row(data), name), (moment[0], moment[1]), day, sign)

    return effect
