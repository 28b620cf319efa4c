"""Counting exactly: fills in what an event changes of a number, judged by the acts on record about the same thing.

Each act is a row, and which of them hold is told by their times, never by the order in which they came. What one event
changes is a step at its own time and, where a later act stands, a step back at that one's time; putting an act in and
taking it out again are therefore exact opposites, and adding up all changes gives, for every day, how many things held.

Runs under the lock that gives an event its position, so that no two replicas count the same thing at once.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import msgspec

from shared import contracts, once
from shared.contracts import COUNT_MAX, Contract, Data, Event, identity
from shared.contracts.tallies import Age, Both, Level, Opens, Shift, Shifts, Since, Tallied, Tally
from shared.database import Connection

AMENDING = ("corrected", "retracted")
Thing: TypeAlias = tuple[str, str]
"""(what, key)"""
Act: TypeAlias = tuple[datetime, int, int]
"""(time, position of its event, how much there is of the thing from then on: of what opens or closes, 1 or 0)"""
Acting: TypeAlias = Tally | Level


@dataclass(frozen=True, slots=True)
class _Told:
    """What holds of one report."""

    agreed: Contract
    data: Data
    country: str
    time: datetime
    known: datetime
    """When the region knew."""
    position: int

    def things(self, tally: Acting | Since) -> list[Thing]:
        """Return what the report is about: nothing where a part of the key is absent, several where it is a list."""
        parts = [str(self.time.astimezone(UTC).year)] if isinstance(tally, Tally) and tally.period else []
        keys = ["|".join(parts if tally.regional else [self.country, *parts])]
        for path in tally.key:
            value = _value(self.data, path)
            values = value if isinstance(value, tuple | list) else [] if value is None else [value]
            keys = [f"{key}|{self._named(tally, path, one)}" for key in keys for one in values]
        return [(tally.what, key) for key in keys]

    def _named(self, tally: Acting | Since, path: str, value: Any) -> str:
        """Return a part of the key, in a regional one with the owner of what it names."""
        scope = self.agreed.ids.get(path, "")
        grouped = "." in path  # what stands in a group (an article of a treaty) is no country's own
        if not tally.regional or grouped or not isinstance(value, str) or scope.removeprefix(identity.OF) in tally.key:
            return str(value)
        return identity.told_apart(scope, self.data, path, self.country)

    @property
    def said(self) -> once.Said:
        """What counts once, whoever tells it."""
        return once.Said(self.agreed, self.data, self.country, self.time, self.position)

    def acts(self) -> list[tuple[Acting, Thing, Act]]:
        """Return the acts that the report is."""
        found: list[tuple[Acting, Thing, Act]] = []
        for tally in self.agreed.tallies:
            level = _level(tally, self.data) if isinstance(tally, Acting) else None
            if isinstance(tally, Acting) and level is not None:
                act = (self._counts(tally), self.position, level)
                found += [(tally, thing, act) for thing in self.things(tally)]
        return found

    def beside(self, thing: Thing) -> list[tuple[str, Thing]]:
        """Return (field, other thing) for each pair that the thing is one of."""
        pairs = [one for one in self.agreed.tallies if isinstance(one, Both) and thing[0] in one.whats]
        return [(one.shifts, (one.whats[one.whats[0] == thing[0]], thing[1])) for one in pairs]

    def _counts(self, tally: Acting) -> datetime:
        """Return from when on an act counts."""
        if isinstance(tally, Level):
            return self.time
        day: date | None = _value(self.data, tally.at) if tally.at else None
        if day is not None:
            return datetime.combine(day, time.min, UTC)
        return min(self.time, self.known) if tally.known else self.time


@dataclass(slots=True)
class _Record:
    """The acts about some things: of those on record, the neighbours of what is asked for and the first that opens."""

    acts: dict[Thing, list[Act]] = field(default_factory=dict)
    first: dict[Thing, datetime] = field(default_factory=dict)
    whole: dict[Thing, list[Act]] = field(default_factory=dict)
    """All acts, of what others are held against."""

    def change(self, thing: Thing, act: Act) -> tuple[int, datetime | None]:
        """Return by how much the act changes the level among the others, and until when: another takes over then."""
        known = self.acts.get(thing, [])
        place = bisect_left(known, act)
        before = known[place - 1][2] if place else 0
        return act[2] - before, known[place][0] if place < len(known) else None

    def is_first_since(self, thing: Thing, act: Act, since: datetime) -> bool:
        """Say whether nothing on record about the thing happened since then but the act."""
        known = self.acts.get(thing, [])
        place = bisect_left(known, act)
        return place == len(known) and (place == 0 or known[place - 1][0] < since)

    def lapse_s(self, thing: Thing, act: Act) -> int | None:
        """Return the whole seconds since the act before, if that one closed the thing and this one opens it."""
        known = self.acts.get(thing, [])
        place = bisect_left(known, act)
        if not act[2] or place == 0 or known[place - 1][2]:
            return None
        return _whole_s(act[0] - known[place - 1][0])

    def add(self, thing: Thing, act: Act) -> None:
        """Put an act on record."""
        insort(self.acts.setdefault(thing, []), act)
        if thing in self.whole:
            insort(self.whole[thing], act)
        if act[2]:
            self.first[thing] = min(act[0], self.first.get(thing, act[0]))


async def count(connection: Connection, events: Sequence[Event[Any]]) -> list[Event[Any]]:
    """Return the events, which have their positions, with what they count filled in, and keep their acts.

    The caller holds the lock of the log.
    """
    result = list(events)
    fresh: list[tuple[int, _Told]] = []
    for index, event in enumerate(events):
        agreed = contracts.registry().get(event.type)
        if agreed is None:
            continue
        if agreed.verb in AMENDING:
            result[index] = await _amended(connection, event)
        elif agreed.tallies:
            told = _Told(agreed, event.data, event.country, event.time, event.recordedtime, event.sequence)
            fresh.append((index, told))
    filled = await _put(connection, [told for _, told in fresh])
    for (index, _), data in zip(fresh, filled, strict=True):
        result[index] = msgspec.structs.replace(result[index], data=data)
    return result


async def _amended(connection: Connection, event: Event[Any]) -> Event[Any]:
    """Take out what an amended report counted, and put in what it counts now."""
    amendment = event.data
    agreed = contracts.registry().get(amendment.original or "")
    if agreed is None or not agreed.tallies or amendment.previous is None:
        return event
    position = await connection.fetchval(
        "select position from log where id = $1 and source = $2",
        getattr(amendment, "original_id", None) or amendment.supersedes,
        getattr(amendment, "original_source", None) or event.source,
    )

    time = amendment.original_time
    known = amendment.original_recordedtime or time

    def told(data: dict[str, Any]) -> _Told:
        return _Told(agreed, msgspec.convert(data, agreed.data), event.country, time, known, position)

    previous = await _taken(connection, told(amendment.previous))
    more = {"previous": msgspec.to_builtins(previous)}
    if agreed.verb != "retracted" and getattr(amendment, "data", None) is not None:
        [data] = await _put(connection, [told(amendment.data)])
        more["data"] = msgspec.to_builtins(data)
        # What is taken out next time is what was put in now.
        await connection.execute("update amended set latest = $2 where root = $1", position, msgspec.json.encode(data))
    return msgspec.structs.replace(event, data=msgspec.structs.replace(amendment, **more))


async def _taken(connection: Connection, told: _Told) -> Data:
    """Take a report's acts off the record; return its data with what that takes away."""
    acts, parts = told.acts(), await once.take(connection, told.said)
    if not acts:
        return msgspec.structs.replace(told.data, **parts)
    removed = await connection.fetch(
        "delete from tally using unnest($1::text[], $2::text[], $3::timestamptz[]) as gone (what, thing, at)"
        " where tally.what = gone.what and tally.thing = gone.thing and tally.at = gone.at and position = $4"
        " returning tally.what",
        [what for _, (what, _), _ in acts],
        [key for _, (_, key), _ in acts],
        [at for _, _, (at, _, _) in acts],
        told.position,
    )
    beside = [other for _, thing, _ in acts for _, other in told.beside(thing)]
    record = await _recorded(connection, [(thing, act) for _, thing, act in acts], [], beside)
    # An act that was not on record, of before it was counted, takes nothing away.
    gone = {row["what"] for row in removed}
    mine = [one for one in acts if one[1][0] in gone]
    plain = dict.fromkeys(one.field for one, *_ in acts if isinstance(one, Tally) and one.field)
    return msgspec.structs.replace(told.data, **(plain | _changed(told, mine, record) | parts))


async def _put(connection: Connection, tolds: Sequence[_Told]) -> list[Data]:
    """Put reports on record, in this order; return their data with all that they count."""
    if not tolds:
        return []
    each = [told.acts() for told in tolds]
    acts = [(thing, act) for own in each for _, thing, act in own]
    since = [
        thing for told in tolds for one in told.agreed.tallies if isinstance(one, Since) for thing in told.things(one)
    ]
    beside = [
        other for told, own in zip(tolds, each, strict=True) for _, thing, _ in own for _, other in told.beside(thing)
    ]
    record = await _recorded(connection, acts, since, beside)
    parts = await once.put(connection, [told.said for told in tolds])
    filled = []
    for told, own, more in zip(tolds, each, parts, strict=True):
        fields = _changed(told, own, record) | _lasted(told, own, record) | more
        filled.append(msgspec.structs.replace(told.data, **fields))
        for _, thing, act in own:
            record.add(thing, act)
    await connection.execute(
        "insert into tally (what, thing, at, position, opens, level)"
        " select what, thing, at, position, level <> 0, level from"
        " unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])"
        " as a (what, thing, at, position, level) on conflict do nothing",
        [what for (what, _), _ in acts],
        [key for (_, key), _ in acts],
        [at for _, (at, _, _) in acts],
        [position for _, (_, position, _) in acts],
        [level for _, (_, _, level) in acts],
    )
    return filled


def _changed(told: _Told, acts: Sequence[tuple[Acting, Thing, Act]], record: _Record) -> dict[str, Any]:
    """Return the fields that tell what a report's acts change."""
    found: dict[str, Any] = {}
    for tally, thing, act in acts:
        by, until = record.change(thing, act)
        if isinstance(tally, Tally) and tally.by_turns:
            by, until = (1 if act[2] else -1), None
        if isinstance(tally, Tally) and tally.field:
            found[tally.field] = Tallied(by=by, until=until) if by else None
        if isinstance(tally, Tally) and tally.flag:
            found[tally.flag] = by != 0
        if tally.shifts:
            found[tally.shifts] = (*found.get(tally.shifts, ()), *_shifts(act[0], by, until))
        for name, other in told.beside(thing):
            found[name] = _together(_shifts(act[0], by, until), record.whole.get(other, []))
    return found


def _together(shifts: Shifts, others: Sequence[Act]) -> Shifts:
    """Return what is left of a change while the other thing holds: nothing, or a change in each such time."""
    if not shifts:
        return ()
    start, by = shifts[0].at, shifts[0].by
    until = shifts[1].at if shifts[1:] else None
    found: Shifts = ()
    for (at, _, level), following in zip(others, [*others[1:], None], strict=False):
        ends = [end for end in (following[0] if following else None, until) if end is not None]
        begin, end = max(at, start), min(ends, default=None)
        if level and (end is None or begin < end):
            found += _shifts(begin, by, end)
    return found


def _shifts(at: datetime, by: int, until: datetime | None) -> Shifts:
    if not by:
        return ()
    return (Shift(at=at, by=by), *((Shift(at=until, by=-by),) if until else ()))


def _lasted(told: _Told, acts: Sequence[tuple[Acting, Thing, Act]], record: _Record) -> dict[str, int | None]:
    """Return the fields that tell how long something took."""
    opening = [(tally.lapse, thing, act) for tally, thing, act in acts if isinstance(tally, Tally) and tally.lapse]
    found = {name: record.lapse_s(thing, act) for name, thing, act in opening}
    for one in told.agreed.tallies:
        if isinstance(one, Since):
            firsts = [record.first[thing] for thing in told.things(one) if thing in record.first]
            took = [told.time - first for first in firsts if first <= told.time]
            if took and (only := one.only):
                mine, since = [one[1:] for one in acts if one[0].what == only], told.time - max(took)
                took = took if mine and all(record.is_first_since(*pair, since) for pair in mine) else []
            found[one.field] = _whole_s(max(took)) if took else None
        if isinstance(one, Age) and (day := _value(told.data, one.since)) is not None:
            end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            found[one.field] = _whole_s(max(timedelta(0), told.time - end))
    return found


def _whole_s(took: timedelta) -> int | None:
    """Return whole seconds; None where that is beyond what any contract takes: some 31 years are an error's."""
    seconds = int(took.total_seconds())
    return seconds if seconds <= COUNT_MAX else None


async def _recorded(
    connection: Connection, acts: Sequence[tuple[Thing, Act]], things: Sequence[Thing], beside: Sequence[Thing]
) -> _Record:
    """Return what is on record around the acts, since when the things are open, and all about those beside them."""
    record = _Record(whole={thing: [] for thing in beside})
    if beside:
        for row in await connection.fetch(
            "select what, thing, at, position, coalesce(level, opens::int) as level from tally"
            " where (what, thing) in (select * from unnest($1::text[], $2::text[])) order by at, position",
            [what for what, _ in record.whole],
            [key for _, key in record.whole],
        ):
            record.whole[row["what"], row["thing"]].append((row["at"], row["position"], row["level"]))
    if acts:
        for row in await connection.fetch(
            "select a.what, a.thing, t.at, t.position, coalesce(t.level, t.opens::int) as level"
            " from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[]) as a (what, thing, at, position)"
            " cross join lateral ("
            " (select at, position, opens, level from tally where what = a.what and thing = a.thing"
            " and (at, position) < (a.at, a.position) order by at desc, position desc limit 1)"
            " union all"
            " (select at, position, opens, level from tally where what = a.what and thing = a.thing"
            " and (at, position) > (a.at, a.position) order by at, position limit 1)) as t",
            [what for (what, _), _ in acts],
            [key for (_, key), _ in acts],
            [at for _, (at, _, _) in acts],
            [position for _, (_, position, _) in acts],
        ):
            known = record.acts.setdefault((row["what"], row["thing"]), [])
            act = (row["at"], row["position"], row["level"])
            if act not in known:
                insort(known, act)
    if things:
        for row in await connection.fetch(
            "select a.what, a.thing, t.at from unnest($1::text[], $2::text[]) as a (what, thing) cross join lateral"
            " (select at from tally where what = a.what and thing = a.thing and opens order by at limit 1) as t",
            [what for what, _ in things],
            [key for _, key in things],
        ):
            record.first[row["what"], row["thing"]] = row["at"]
    return record


def _level(tally: Acting, data: Data) -> int | None:
    """Return how much there is of the thing by the report (1 where it opens it, 0 where it closes it); None: no act."""
    if isinstance(tally, Level):
        level: int | None = _value(data, tally.value)
        return level
    if not isinstance(tally.opens, Opens):
        return int(tally.opens)
    if _value(data, tally.opens.field) in tally.opens.values:
        return 1
    return 0 if tally.opens.others_close else None


def _value(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = getattr(data, name, None)
    return data
