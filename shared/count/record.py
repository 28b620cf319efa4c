"""The acts on record about some things, and what a report changes beside them.

What is put on record changes a number until a later act takes over; taking it off is the exact opposite.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.contracts import COUNT_MAX, Data
from shared.contracts.tallies import Age, LabelStep, Shift, Shifts, Since, Tallied, Tally
from shared.count import once
from shared.count.acts import Act, Acting, Placed, Thing, Told, only_opens, value
from shared.run.database import Connection, Row


@dataclass(slots=True)
class Record:
    """The acts about some things: of those on record, the neighbours of what is asked for and the first that open."""

    acts: dict[Thing, list[Act]] = field(default_factory=dict)
    opens: dict[Thing, list[Act]] = field(default_factory=dict)
    """Of what time is counted from: the first acts that open it."""
    whole: dict[Thing, list[Act]] = field(default_factory=dict)
    """All acts, of what others are held against."""
    several: once.Record = field(default_factory=once.Record)
    _added: dict[Placed, tuple[int, bytes | None]] = field(default_factory=dict)
    _gone: set[Placed] = field(default_factory=set)

    def beside(self, thing: Thing, act: Act) -> tuple[Act | None, Act | None]:
        """Return the acts before and after an act, of those on record."""
        known = self.acts.get(thing, [])
        place = bisect_left(known, act[:2], key=_place)
        return known[place - 1] if place else None, known[place] if place < len(known) else None

    def unlabelled(self, told: Told) -> bool:
        """Say whether acts of before labels were kept stand on record beside those of a report."""
        beside = [one for tally, thing, act in told.acts() if tally.said for one in self.beside(thing, act)]
        return any(one is not None and one[3] is None for one in beside)

    def is_first_since(self, thing: Thing, act: Act, since: datetime) -> bool:
        """Say whether nothing on record about the thing happened since then but the act."""
        before, after = self.beside(thing, act)
        return after is None and (before is None or before[0] < since)

    def lapse_s(self, thing: Thing, act: Act) -> int | None:
        """Return the whole seconds since the act before, if that one closed the thing and this one opens it."""
        before, _ = self.beside(thing, act)
        return _whole_s(act[0] - before[0]) if act[2] and before and not before[2] else None

    def first(self, thing: Thing) -> datetime | None:
        """Return when the thing was first opened; None: it was not."""
        known = self.opens.get(thing)
        return known[0][0] if known else None

    def put(self, told: Told) -> Data:
        """Put a report's acts on record; return its data with all that they count."""
        acts, parts = told.acts(), self.several.put(told.said)
        fields = _changed(told, acts, self) | _lasted(told, acts, self) | parts
        for _, thing, act in acts:
            placed = (thing, act[0], act[1])
            for kept in self._kept(thing, act):
                if act not in kept:
                    insort(kept, act, key=_place)
            self._added[placed] = act[2:]
        return msgspec.structs.replace(told.data, **fields)

    def take(self, told: Told) -> Data:
        """Take a report's acts off the record; return its data with what that takes away."""
        acts, parts = told.acts(), self.several.take(told.said)
        # An act that was not on record, of before it was counted, takes nothing away.
        mine = [one for one in acts if self._drop(one[1], one[2])]
        plain = dict.fromkeys(one.field for one, *_ in acts if isinstance(one, Tally) and one.field)
        return msgspec.structs.replace(told.data, **(plain | _changed(told, mine, self) | parts))

    def _drop(self, thing: Thing, act: Act) -> bool:
        known = [one for one in self.acts.get(thing, []) if one[:2] == act[:2]]
        for one in known:
            for kept in self._kept(thing, one):
                if one in kept:  # of what opens only the first are read
                    kept.remove(one)
            if self._added.pop((thing, one[0], one[1]), None) is None:
                self._gone.add((thing, one[0], one[1]))
        return bool(known)

    def _kept(self, thing: Thing, act: Act) -> list[list[Act]]:
        """Return the lists in which an act about the thing stands."""
        kept = [self.acts.setdefault(thing, [])]
        kept += [self.opens[thing]] if act[2] and thing in self.opens else []
        return kept + ([self.whole[thing]] if thing in self.whole else [])

    async def load(self, connection: Connection, come: Sequence[Told], gone: Sequence[Told]) -> None:
        """Read what putting and taking these needs, in at most four statements; of what goes, one neighbour more."""
        await self.several.load(connection, [one.said for one in come], [one.said for one in gone])
        acts = [(thing, act) for one in (*come, *gone) for _, thing, act in one.acts()]
        less = Counter(thing for one in gone for _, thing, _ in one.acts())
        beside = {other for one in (*come, *gone) for _, thing, _ in one.acts() for _, other in one.beside(thing)}
        await self._load_whole(connection, sorted(beside))
        await self._load_neighbours(connection, acts, less)
        since = {
            thing
            for one in come
            for tally in one.agreed.tallies
            if isinstance(tally, Since)
            for thing in one.things(tally)
        }
        await self._load_opens(connection, sorted(since), less)

    async def _load_whole(self, connection: Connection, things: Sequence[Thing]) -> None:
        self.whole |= {thing: [] for thing in things}
        if not things:
            return
        for row in await connection.fetch(
            "select what, thing, at, position, coalesce(level, opens::int) as level, said from tally"
            " where (what, thing) in (select * from unnest($1::text[], $2::text[])) order by at, position",
            [what for what, _ in things],
            [key for _, key in things],
        ):
            self.whole[row["what"], row["thing"]].append(_act(row))

    async def _load_neighbours(
        self, connection: Connection, acts: Sequence[tuple[Thing, Act]], less: Mapping[Thing, int]
    ) -> None:
        if not acts:
            return
        for row in await connection.fetch(
            "select a.what, a.thing, t.at, t.position, coalesce(t.level, t.opens::int) as level, t.said"
            " from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])"
            " as a (what, thing, at, position, most) cross join lateral ("
            " (select at, position, opens, level, said from tally where what = a.what and thing = a.thing"
            " and (at, position) < (a.at, a.position) order by at desc, position desc limit a.most)"
            " union all"
            " (select at, position, opens, level, said from tally where what = a.what and thing = a.thing"
            " and (at, position) >= (a.at, a.position) order by at, position limit a.most)) as t",
            [what for (what, _), _ in acts],
            [key for (_, key), _ in acts],
            [act[0] for _, act in acts],
            [act[1] for _, act in acts],
            [1 + less.get(thing, 0) for thing, _ in acts],
        ):
            known = self.acts.setdefault((row["what"], row["thing"]), [])
            act = _act(row)
            if act not in known:
                insort(known, act, key=_place)

    async def _load_opens(self, connection: Connection, things: Sequence[Thing], less: Mapping[Thing, int]) -> None:
        self.opens |= {thing: [] for thing in things}
        if not things:
            return
        for row in await connection.fetch(
            "select a.what, a.thing, t.at, t.position, coalesce(t.level, t.opens::int) as level, t.said"
            " from unnest($1::text[], $2::text[], $3::bigint[]) as a (what, thing, most) cross join lateral"
            " (select at, position, opens, level, said from tally where what = a.what and thing = a.thing and opens"
            " order by at, position limit a.most) as t",
            [what for what, _ in things],
            [key for _, key in things],
            [1 + less.get(thing, 0) for thing in things],
        ):
            self.opens[row["what"], row["thing"]].append(_act(row))

    async def save(self, connection: Connection) -> None:
        """Write what changed, in at most four statements."""
        gone = self._gone - self._added.keys()
        if gone or self._added:
            added = [(*thing, at, position, *told) for (thing, at, position), told in self._added.items()]
            await connection.execute(
                "with gone as (delete from tally using unnest($7::text[], $8::text[], $9::timestamptz[], $10::bigint[])"
                " as g (what, thing, at, position) where tally.what = g.what and tally.thing = g.thing"
                " and tally.at = g.at and tally.position = g.position)"
                " insert into tally (what, thing, at, position, opens, level, said)"
                " select what, thing, at, position, level <> 0, level, said from"
                " unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bytea[])"
                " as a (what, thing, at, position, level, said) on conflict (what, thing, at, position)"
                " do update set opens = excluded.opens, level = excluded.level, said = excluded.said",
                *([list(column) for column in zip(*added, strict=True)] or [[]] * 6),
                [what for (what, _), _, _ in gone],
                [key for (_, key), _, _ in gone],
                [at for _, at, _ in gone],
                [position for _, _, position in gone],
            )
        await self.several.save(connection)


def _place(act: Act) -> tuple[datetime, int]:
    return act[:2]


def _act(row: Row) -> Act:
    return row["at"], row["position"], row["level"], row["said"]


def _changed(told: Told, acts: Sequence[tuple[Acting, Thing, Act]], record: Record) -> dict[str, Any]:
    """Return the fields that tell what a report's acts change."""
    found: dict[str, Any] = {}
    labelled: dict[str, tuple[LabelStep, ...]] = {}
    for tally, thing, act in acts:
        before, after = record.beside(thing, act)
        by, until = act[2] - (before[2] if before else 0), after[0] if after else None
        if isinstance(tally, Tally) and tally.by_turns:
            by, until = (1 if act[2] else -1), None
        if tally.said and (steps := _labelled(thing, before, act, after)):
            labelled |= {name: steps for name in (getattr(tally, "field", ""), tally.shifts) if name}
        if isinstance(tally, Tally) and tally.field:
            found[tally.field] = Tallied(by=by, until=until) if by else None
        if isinstance(tally, Tally) and tally.flag:
            found[tally.flag] = by != 0
        if tally.shifts:
            found[tally.shifts] = (*found.get(tally.shifts, ()), *_shifts(act[0], by, until))
        for name, other in told.beside(thing):
            found[name] = _together(_shifts(act[0], by, until), record.whole.get(other, []))
    return found | by_label(told, labelled)


def by_label(told: Told, steps: dict[str, tuple[LabelStep, ...]]) -> dict[str, Any]:
    """Return the field that tells a report's changes label by label, where its type has one."""
    return {"by_label": steps or None} if hasattr(told.data, "by_label") else {}


def _labelled(thing: Thing, before: Act | None, act: Act, after: Act | None) -> tuple[LabelStep, ...]:
    """Return what an act changes under which labels; nothing where it is all under its own.

    What only opens stands under the labels of the first act. What closes, too, stands under those of the latest.
    An act of before labels were kept is taken to have the same.
    """
    at, _, level, own = act
    found: Counter[tuple[datetime, bytes | None]] = Counter()
    if not only_opens(thing[0]):
        stood = [(before[3] or own, before[2]), (own, -level)] if before else [(own, -level)]
        for said, was in stood:
            found[at, said] -= was
            if after:
                found[after[0], said] += was
    elif before is None:
        found[at, own] += 1
        if after:
            found[after[0], after[3] or own] -= 1
    steps = [(at, said, by) for (at, said), by in found.items() if by]
    if all(said == own for _, said, _ in steps):
        return ()
    return tuple(LabelStep(at=at, by=by, said={} if said == own else _read(said)) for at, said, by in steps)


def _read(said: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(said or b"{}")
    return {name: tuple(one) if isinstance(one, list) else one for name, one in found.items()}


def _together(shifts: Shifts, others: Sequence[Act]) -> Shifts:
    """Return what is left of a change while the other thing holds: nothing, or a change in each such time."""
    if not shifts:
        return ()
    start, by = shifts[0].at, shifts[0].by
    until = shifts[1].at if shifts[1:] else None
    found: Shifts = ()
    for (at, _, level, _), following in zip(others, [*others[1:], None], strict=False):
        ends = [end for end in (following[0] if following else None, until) if end is not None]
        begin, end = max(at, start), min(ends, default=None)
        if level and (end is None or begin < end):
            found += _shifts(begin, by, end)
    return found


def _shifts(at: datetime, by: int, until: datetime | None) -> Shifts:
    if not by:
        return ()
    return (Shift(at=at, by=by), *((Shift(at=until, by=-by),) if until else ()))


def _lasted(told: Told, acts: Sequence[tuple[Acting, Thing, Act]], record: Record) -> dict[str, int | None]:
    """Return the fields that tell how long something took."""
    opening = [(tally.lapse, thing, act) for tally, thing, act in acts if isinstance(tally, Tally) and tally.lapse]
    found = {name: record.lapse_s(thing, act) for name, thing, act in opening}
    for one in told.agreed.tallies:
        if isinstance(one, Since):
            firsts = _all_times(record.first(thing) for thing in told.things(one))
            took = [told.time - first for first in firsts if first <= told.time]
            if took and (only := one.only):
                mine, since = [one[1:] for one in acts if one[0].what == only], told.time - max(took)
                took = took if mine and all(record.is_first_since(*pair, since) for pair in mine) else []
            found[one.field] = _whole_s(max(took)) if took else None
        if isinstance(one, Age) and (day := value(told.data, one.since)) is not None:
            end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            found[one.field] = _whole_s(max(timedelta(0), told.time - end))
    return found


def _all_times(times: Iterable[datetime | None]) -> list[datetime]:
    return [one for one in times if one is not None]


def _whole_s(took: timedelta) -> int | None:
    """Return whole seconds; None where that is beyond what any contract takes: some 31 years are an error's."""
    seconds = int(took.total_seconds())
    return seconds if seconds <= COUNT_MAX else None
