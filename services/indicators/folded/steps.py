"""Where an event goes: the cells it is counted in and what else it moves, worked out once for all events alike.

Alike are events of one type and country that say the same in every field by which the plan tells them apart.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, TypeAlias

from services.indicators.folded import accounts
from services.indicators.folded.accounts import ONE, Account, Said, Source
from services.indicators.folded.moves import Effect, Moment, Moves, day_of, whole
from services.indicators.folded.sharing import Sharing
from services.indicators.folded.state import BASELINE, Groups, Levels, State, micros
from services.indicators.folded.sums import Cell, Key, Sums
from services.indicators.planned import fields
from services.indicators.planned.conditions import holds
from services.indicators.planned.fields import plain, word
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row, Term
from services.indicators.planned.schedule import Done, Milestone
from shared.contracts.tallies import LabelStep, Shifts, Steps, Tallied

SETTLED = {
    "indicators.baseline.set": ("indicator", ("since", "until")),
    "indicators.milestone.scheduled": ("milestone", ("due",)),
}
"""What the presidency settles: event type -> the field naming what it is settled for, and those of the days."""
CLOCKS = ("time", "recordedtime")

Several: TypeAlias = Sequence[tuple[Account, Sums]]
Of: TypeAlias = Callable[[Said], list[Cell]]
"""(what else is said: another report's labels) -> the cells of an event."""
Moving: TypeAlias = Callable[[Of], Effect]
Change: TypeAlias = tuple[LabelStep, ...] | Tallied | Steps | Shifts | int | None
Target = tuple[list[tuple[list[Cell], int]], list[Effect]]
"""[(cells that get 1, which of the moment's days counts)], and what depends on more than what events alike say"""


class Reading:
    """What a plan reads of one event type, and where such events go in a state."""

    def __init__(self, plan: Plan, state: State, event: str) -> None:
        self._state = state
        self._event = event
        self._accounts = [
            (alike, _moving(event, alike), [(one, state.sums[one.name]) for one in several])
            for alike, several in accounts.accounts_of(plan).by_event.get(event, {}).items()
            if not alike.once
        ]
        self._shared = [one for field in fields.onces(event) if (one := Sharing(plan, state, event, field)).wanted]
        self._own = [
            (row, term, accounts.own(row, term))
            for row in plan.rows.values()
            for term in row.term
            if term.event == event and (term.last or (row.kind == "latency" and term.role == "value"))
        ]
        self._done = [(one, done) for one in plan.milestones.values() for done in one.done if done.event == event]
        self._dates = any(one.after and one.after.event == event for one in plan.milestones.values())
        read = [one for *_, several in self._accounts for one, _ in several]
        read += [source.account for *_, source in self._own]
        apart = {path for account in read for path in account.paths}
        apart |= {path for _, done in self._done for path in [*done.where, done.distinct, done.country] if path}
        self._apart = sorted(apart)
        self._settled = SETTLED.get(event)
        settled = {self._settled[0], *self._settled[1]} if self._settled else set()
        settled |= {fields.as_of(event)} - {""} if self._own else set()
        shared = {path for one in self._shared for path in one.wanted}
        newer = {fields.instead(event, account.amount) for account in read} - {""}
        newer |= {fields.BY_LABEL for account in read if fields.told_by_label(event, account.amount)}
        self.wanted = frozenset(apart.union(settled, shared, newer, *(account.amounts for account in read)))
        """The fields to decode."""
        self.said = fields.together(self._apart)
        """Reads from the decoded fields what tells events apart."""
        self.target = lru_cache(accounts.ALIKE_MAX)(self._target)
        """(country, what the event says) -> where it goes."""

    def __bool__(self) -> bool:
        """Whether the plan wants anything of this type."""
        return bool(self._accounts or self._shared or self._own or self._done or self._dates or self._settled)

    def _target(self, country: str, told: tuple[Any, ...]) -> Target:
        said = dict(zip(self._apart, told, strict=True))
        counts: tuple[list[Cell], list[Cell]] = [], []
        effects: list[Effect] = []
        for alike, moving, several in self._accounts:
            if moving:
                effects.append(moving(partial(_cells, several, country, said)))
            else:
                counts[CLOCKS.index(alike.clock)].extend(_cells(several, country, said))
        effects += [one.effect(country) for one in self._shared]
        for row, term, source in self._own:
            mine = [source.key(cell) for cell in source.account.keys(country, said)]
            effects += [_own(self._state, row, term, source, key) for key in mine if key is not None]
        for milestone, done in self._done:
            if holds(done.where, said):
                groups = self._state.groups[milestone.id]
                effects += [_noting(groups, one, done.event) for one in _groups(milestone, done, country, said)]
                if milestone.recurring and not done.distinct:
                    effects.append(_meeting(groups, done.event))
        if self._dates:
            effects.append(_noting(self._state.groups[self._event], country, self._event))
        if self._settled:
            effects.append(_settling(self._state, *self._settled))
        return [(cells, clock) for clock, cells in enumerate(counts) if cells], effects


def _moving(event: str, account: Account) -> Moving | None:
    """Return what makes an effect for the cells of an event; None: an event simply counts there."""
    if account.amount in fields.changes(event):
        return _changing(account)
    return _adding(account) if account.amount or account.on else None


def _adding(account: Account) -> Moving:
    """Add what an event says how much it adds, or when."""
    read, clock = accounts.amount(account), CLOCKS.index(account.clock)
    dated = fields.reader(account.on) if account.on else None
    counting = not account.amount or (account.present and not account.weight)

    def moving(of: Of) -> Effect:
        cells = of({})

        def effect(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
            amount = read(data) if account.amount else 1
            if amount is not None:
                by = 1 if counting else whole(amount)
                said = dated(data) if dated else None
                day = date.fromisoformat(said).toordinal() if said else moment.days[clock]
                moves.added.append((cells, day, by * sign))

        return effect

    return moving


def _cells(several: Several, country: str, own: Said, said: Said = MappingProxyType({})) -> list[Cell]:
    """Return the cells of an event by what it says, or by what else is said there: by another report's labels."""
    found = []
    for account, sums in several:
        told = own
        if said:
            told = {path: fields.within(said, path) if _top(path) in said else own[path] for path in account.paths}
        found += [sums[key] for key in account.keys(country, told)]
    return found


def _top(path: str) -> str:
    return path.partition(".")[0]


def _changing(account: Account) -> Moving:
    """Add what an event says it changes."""
    read, known = _change(account), fields.known(account.event, account.amount)

    def moving(of: Of) -> Effect:
        own = of({})

        def effect(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
            change: Change = read(data)
            if change is None:
                return
            day = min(moment.days) if known else moment.days[0]
            if isinstance(change, int):
                moves.added.append((own, day, whole(int(change)) * sign))
            elif isinstance(change, Tallied):
                by = whole(change.by) * sign
                moves.added.append((own, day, by))
                if change.until is not None:
                    moves.added.append((own, day_of(change.until), -by))
            else:
                for step in change:
                    said = getattr(step, "said", {})  # another report's labels
                    moves.added.append((of(said) if said else own, day_of(step.at), whole(step.by) * sign))

        return effect

    return moving


def _change(account: Account) -> fields.Read:
    """Return what reads what an event says it changes; where it was recorded before that, what it said then."""
    read, name = accounts.amount(account), account.amount
    if newer := fields.instead(account.event, name):
        read = fields.unless_told(newer, read)
    if fields.told_by_label(account.event, name):
        read = fields.by_label(name, read)
    if fields.changes(account.event)[name] is Tallied:
        return read
    older = None if account.before in ("", ONE) else fields.reader(account.before)

    def found(data: Any) -> Change:
        change: Change = read(data)
        if change is not None:
            return change
        before: Change = older(data) if older else int(account.before or 0)
        return before

    return found


def _given(read: fields.Read, use: Effect) -> Effect:
    """Use the amount where the event has one."""

    def effect(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
        amount = read(data)
        if amount is not None:
            use(whole(amount), moment, sign, moves)

    return effect


def _own(state: State, row: Row, term: Term, source: Source, key: Key) -> Effect:
    """Return what an event does that declares a level, or falls into a bucket (`+Inf`: it is longer than all)."""
    read = accounts.amount(source.account)
    if term.last:
        levels = state.levels.setdefault(row.stored(term.role), Levels())
        return _declaring(levels, key, term.event, read, plain if term.role == "in_force" else whole)
    clock = CLOCKS.index(row.clock)
    buckets = state.sums[row.stored("bucket")]
    counts = [[buckets[key[0], name]] for name in (*map(str, row.buckets_s), "+Inf")]

    def measure(s: int, moment: Moment, sign: int, moves: Moves) -> None:
        moves.added.append((counts[bisect_left(row.buckets_s, s)], moment.days[clock], sign))

    return _given(read, measure)


def _declaring(levels: Levels, key: Key, event: str, read: fields.Read, fit: Callable[[Any], Any]) -> Effect:
    """Declare a level from the day on that it is for, if its type names one; nobody counts ahead of the report."""
    day = fields.as_of(event)
    since = fields.reader(day) if day else None

    def effect(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
        level, begins = read(data), moment.time
        if level is None:
            return
        if since and (said := since(data)):
            begins = min(begins, datetime.combine(date.fromisoformat(said), datetime.min.time(), UTC))
        entry = (micros(begins), micros(moment.time), micros(moment.recorded), fit(level))
        moves.rarer.append((levels, key, entry, sign))

    return effect


def _groups(milestone: Milestone, done: Done, country: str, said: Said) -> list[str]:
    """Return towards which groups of a milestone an event counts: countries, parts of it, or parts of each country."""
    part = plain(word(said[done.distinct])) if done.distinct else ""
    if not part and milestone.recurring:
        return []  # what recurs goes by its day
    if part and not milestone.countries:
        return [part]
    told = (said[done.country] if done.country else None) or country
    countries = told if isinstance(told, tuple) else (told,)
    return [f"{plain(one)}/{part}" if part else plain(one) for one in countries]


def _meeting(groups: Groups, event: str) -> Effect:
    """Note by the day on which it happened what says no day of its own."""
    service = event.partition(".")[0]
    return lambda _data, moment, sign, moves: moves.rarer.append(
        (groups, (str(moment.time.date()), service), micros(moment.time), sign)
    )


def _noting(groups: Groups, group: str, event: str) -> Effect:
    key = group, event.partition(".")[0]
    return lambda _data, moment, sign, moves: moves.rarer.append((groups, key, micros(moment.time), sign))


def _settling(state: State, what: str, days: tuple[str, ...]) -> Effect:
    """Note the period that a trend is to be measured against, or the day that a milestone is due."""
    levels = state.levels.setdefault(BASELINE, Levels())
    row = fields.reader(what)
    ends = {name: fields.reader(name) for name in days}

    def effect(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
        at = (micros(moment.time), micros(moment.time), micros(moment.recorded))
        for name, read in ends.items():
            day = date.fromisoformat(read(data)).toordinal()
            moves.rarer.append((levels, (plain(row(data)), name), (*at, day), sign))

    return effect
