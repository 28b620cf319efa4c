"""The steps of the fold: a row's term or a milestone, compiled to the function that one event goes through."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from msgspec import structs

from services.indicators import checks, fields
from services.indicators.plan import Done, Milestone, Row, Term, Unless, Where
from services.indicators.state import BASELINE, Earliest, Key, Levels, State, Sums, micros
from shared.contracts.tallies import Tallied

BASELINE_SET = "indicators.baseline.set"
Moment = tuple[datetime, datetime]
"""When it happened and when it was recorded, UTC."""
Step = Callable[[Any, str, Moment, int], None]
"""(data, country, moment, 1 to put in or -1 to take out)"""


def term_step(state: State, row: Row, term: Term) -> Step:
    """Return what an event does to a row's sums: once, or for every member of the list that a label stands for."""
    for name, path in checks.labels_of(row, term).items():
        if path.endswith(f".{fields.EVERY}"):
            return _each_step(state, row, term, name, path)
    return _one_step(state, row, term, _key(row, term))


def _each_step(state: State, row: Row, term: Term, name: str, path: str) -> Step:
    """Do for each value of a list what is done for one, with the value as the label."""
    read = fields.reader(path)
    fixed = structs.replace(term, labels=term.labels | {name: "="})
    place = 1 + [*row.labels].index(name)
    whole = _key(row, fixed)
    known = {*row.known[name]} if name in row.known else None
    now: list[str] = [""]

    def key(data: Any, country: str) -> Key:
        cell = whole(data, country)
        return (*cell[:place], now[0], *cell[place + 1 :])

    once = _one_step(state, row, fixed, key)

    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        for value in read(data) or ():
            now[0] = fields.word(value) if known is None or value in known else "other"
            once(data, country, moment, sign)

    return step


def _one_step(state: State, row: Row, term: Term, key: Callable[[Any, str], Key]) -> Step:
    name = f"{row.id}/{term.role}"
    if term.last:
        step = _level_step(state.levels.setdefault(name, Levels()), key, _amount(row, term, term.last))
    elif row.kind == "latency" and term.role == "value":
        step = _latency_step(state, row, key, term)
    else:
        step = _sum_step(state.sums.setdefault(name, Sums()), row, key, term)
        if row.kind == "mean":
            step = _both(step, _counting_step(state.sums.setdefault(f"{row.id}/count", Sums()), row, key, term))
    return _when(term.where, step)


def milestone_step(state: State, milestone: Milestone, done: Done) -> Step:
    """Return what an event does towards a milestone."""
    groups = state.groups.setdefault(milestone.id, {})
    if milestone.recurring and not done.distinct:
        return _when(done.where, group_step(groups, by_month))
    if not done.distinct:
        return _when(done.where, group_step(groups, by_country))
    read = fields.reader(done.distinct)
    return _when(done.where, group_step(groups, lambda data, _country, _moment: fields.word(read(data))))


def paths(row: Row, term: Term) -> list[str]:
    """Return the fields that a term reads."""
    labels = [path for path in checks.labels_of(row, term).values() if not path.startswith("=")]
    amounts = [path for path in (term.add, term.last, term.country) if isinstance(path, str) and path]
    return [*labels, *amounts, *term.where]


def _key(row: Row, term: Term) -> Callable[[Any, str], Key]:
    """Return the function that names the cell of an event."""
    labels = checks.labels_of(row, term)
    place = fields.reader(term.country) if term.country else None
    if not labels and place is None:
        return lambda _data, country: (country,)
    plain = not row.known and not any("." in path or path.startswith("=") for path in labels.values())
    if place is None and plain and len(labels) > 1:
        together = operator.attrgetter(*(f"f_{path}" for path in labels.values()))
        return lambda data, country: (country, *[v if type(v) is str else fields.word(v) for v in together(data)])
    readers = [_label(path, row.known.get(name)) for name, path in labels.items()]

    def key(data: Any, country: str) -> Key:
        where = place(data) if place is not None else country
        return (where or country, *[read(data) for read in readers])

    return key


def _label(path: str, known: list[str] | None) -> Callable[[Any], str]:
    """Return the function that reads one label's value."""
    if path.startswith("="):
        return lambda _data: path[1:]
    read = fields.reader(path)
    if known is None:
        return lambda data: fields.word(read(data))
    values = {*known, fields.UNKNOWN}

    def among(data: Any) -> str:
        found = fields.word(read(data))
        return found if found in values else "other"

    return among


def _when(where: Where, step: Step) -> Step:
    """Return the step, taken only by events for which all the conditions hold."""
    tests = [(fields.reader(path), *_wanted(wanted)) for path, wanted in where.items()]
    if not tests:
        return step

    def conditional(data: Any, country: str, moment: Moment, sign: int) -> None:
        for read, values, welcome in tests:
            found = read(data)
            if (found in values) is not welcome or (found is None and not welcome):
                return
        step(data, country, moment, sign)

    return conditional


def _wanted(wanted: Any) -> tuple[tuple[Any, ...], bool]:
    """Return the values, and whether the field must have one of them or none."""
    if isinstance(wanted, Unless):
        return tuple(wanted.unless), False
    return (tuple(wanted) if isinstance(wanted, list) else (wanted,)), True


def _both(first: Step, second: Step) -> Step:
    def both(data: Any, country: str, moment: Moment, sign: int) -> None:
        first(data, country, moment, sign)
        second(data, country, moment, sign)

    return both


def _sum_step(sums: Sums, row: Row, key: Callable[[Any, str], Key], term: Term) -> Step:
    clock = 1 if row.clock == "recordedtime" else 0
    add = sums.add
    if isinstance(term.add, int):
        amount = term.add

        def fixed(data: Any, country: str, moment: Moment, sign: int) -> None:
            add(key(data, country), moment[clock].toordinal(), amount * sign)

        return fixed
    if term.add in fields.changes(term.event):
        return _change_step(sums, key, fields.reader(term.add), known=fields.known(term.event, term.add))
    read = _amount(row, term, term.add)

    def field_step(data: Any, country: str, moment: Moment, sign: int) -> None:
        amount = read(data)
        if amount is not None:
            add(key(data, country), moment[clock].toordinal(), amount * sign)

    return field_step


def _counting_step(sums: Sums, row: Row, key: Callable[[Any, str], Key], term: Term) -> Step:
    """Count the events that have an amount."""
    clock = 1 if row.clock == "recordedtime" else 0
    read = _amount(row, term, term.add) if isinstance(term.add, str) else None

    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        if read is None or read(data) is not None:
            sums.add(key(data, country), moment[clock].toordinal(), sign)

    return step


def _amount(row: Row, term: Term, path: str) -> fields.Read:
    """Return the function that reads a whole number: as it stands, by the term's scale, or with the row's decimals."""
    read = fields.reader(path)
    if term.scale:
        return lambda data: term.scale.get(read(data))
    if row.digits:
        factor = 10**row.digits
        return lambda data: None if (found := read(data)) is None else round(found * factor)
    return read


def _change_step(sums: Sums, key: Callable[[Any, str], Key], read: fields.Read, *, known: bool) -> Step:
    """Add what the event says it changes, and take it back at the time when a later act takes over."""

    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        change: Tallied | None = read(data)
        if change is None:
            return
        cell = key(data, country)
        sums.add(cell, (min(moment) if known else moment[0]).toordinal(), change.by * sign)
        if change.until is not None:
            sums.add(cell, change.until.astimezone(UTC).toordinal(), -change.by * sign)

    return step


def _level_step(levels: Levels, key: Callable[[Any, str], Key], read: fields.Read) -> Step:
    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        level = read(data)
        if level is not None:
            levels.add(key(data, country), moment, level, sign)

    return step


def _latency_step(state: State, row: Row, key: Callable[[Any, str], Key], term: Term) -> Step:
    """Fill a histogram per country: counts per bucket (`+Inf` for what is longer than all), and the sum of seconds."""
    counts = state.sums.setdefault(f"{row.id}/bucket", Sums())
    seconds = state.sums.setdefault(f"{row.id}/seconds", Sums())
    read = fields.reader(str(term.add))
    clock = 1 if row.clock == "recordedtime" else 0

    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        took = read(data)
        if took is None:
            return
        bucket = next((str(le) for le in row.buckets_s if took <= le), "+Inf")
        place, day = key(data, country)[0], moment[clock].toordinal()
        counts.add((place, bucket), day, sign)
        seconds.add((place,), day, took * sign)

    return step


def baseline_step(state: State) -> Step:
    """Note the period that a trend is to be measured against."""
    levels = state.levels.setdefault(BASELINE, Levels())
    row = fields.reader("indicator")
    ends = {name: fields.reader(name) for name in ("since", "until")}

    def step(data: Any, _country: str, moment: Moment, sign: int) -> None:
        for name, read in ends.items():
            levels.add((row(data), name), moment, date.fromisoformat(read(data)).toordinal(), sign)

    return step


def by_country(_data: Any, country: str, _moment: Moment) -> str:
    """Group by the event's country."""
    return country


def by_month(_data: Any, _country: str, moment: Moment) -> str:
    """Group by the month in which it happened."""
    return f"{moment[0]:%Y-%m}"


def group_step(groups: dict[str, Earliest], group_of: Callable[[Any, str, Moment], str]) -> Step:
    """Note the time of each event under its group."""

    def step(data: Any, country: str, moment: Moment, sign: int) -> None:
        group = groups.setdefault(group_of(data, country, moment), Earliest())
        if sign > 0:
            group.add(micros(moment[0]))
        else:
            group.remove(micros(moment[0]))

    return step
