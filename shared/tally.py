"""Counting exactly: fills in what an event changes of a number, judged by the acts on record about the same thing.

Each act is a row, and which of them hold is told by their times, never by the order in which they came. What one event
changes is a step at its own time and, where a later act stands, a step back at that one's time; putting an act in and
taking it out again are therefore exact opposites, and adding up all changes gives, for every day, how many things held.

Runs under the lock that gives an event its position, so that no two replicas count the same thing at once.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import COUNT_MAX, Contract, Data, Event, identity
from shared.contracts.tallies import Age, Opens, Since, Tallied, Tally
from shared.database import Connection

AMENDING = ("corrected", "retracted")
Thing: TypeAlias = tuple[str, str]
"""(what, key)"""
Act: TypeAlias = tuple[datetime, int, bool]
"""(time, position of its event, whether it opens)"""


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

    def things(self, tally: Tally | Since) -> list[Thing]:
        """Return what the report is about: nothing where a part of the key is absent, several where it is a list."""
        parts = [str(self.time.astimezone(UTC).year)] if isinstance(tally, Tally) and tally.period else []
        keys = ["|".join(parts if tally.regional else [self.country, *parts])]
        for path in tally.key:
            value = _value(self.data, path)
            values = value if isinstance(value, tuple | list) else [] if value is None else [value]
            keys = [f"{key}|{self._named(tally, path, one)}" for key in keys for one in values]
        return [(tally.what, key) for key in keys]

    def _named(self, tally: Tally | Since, path: str, value: Any) -> str:
        """Return a part of the key, in a regional one with the owner of what it names."""
        scope = self.agreed.ids.get(path, "")
        grouped = "." in path  # what stands in a group (an article of a treaty) is no country's own
        if not tally.regional or grouped or not isinstance(value, str) or scope.removeprefix(identity.OF) in tally.key:
            return str(value)
        return identity.told_apart(scope, self.data, path, self.country)

    def acts(self) -> list[tuple[Tally, Thing, Act]]:
        """Return the acts that the report is."""
        found = []
        for tally in self.agreed.tallies:
            opens = _opens(tally, self.data) if isinstance(tally, Tally) else None
            if isinstance(tally, Tally) and opens is not None:
                at = min(self.time, self.known) if tally.known else self.time
                found += [(tally, thing, (at, self.position, opens)) for thing in self.things(tally)]
        return found


@dataclass(slots=True)
class _Record:
    """The acts about some things: of those on record, the neighbours of what is asked for and the first that opens."""

    acts: dict[Thing, list[Act]] = field(default_factory=dict)
    first: dict[Thing, datetime] = field(default_factory=dict)

    def change(self, thing: Thing, act: Act) -> Tallied | None:
        """Return what the act changes among the others."""
        known = self.acts.get(thing, [])
        place = bisect_left(known, act)
        before = place > 0 and known[place - 1][2]
        if before == act[2]:
            return None
        return Tallied(by=1 if act[2] else -1, until=known[place][0] if place < len(known) else None)

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
    acts = told.acts()
    if not acts:
        return told.data
    removed = await connection.fetch(
        "delete from tally using unnest($1::text[], $2::text[], $3::timestamptz[]) as gone (what, thing, at)"
        " where tally.what = gone.what and tally.thing = gone.thing and tally.at = gone.at and position = $4"
        " returning tally.what",
        [what for _, (what, _), _ in acts],
        [key for _, (_, key), _ in acts],
        [at for _, _, (at, _, _) in acts],
        told.position,
    )
    record = await _recorded(connection, [(thing, act) for _, thing, act in acts], [])
    return msgspec.structs.replace(told.data, **_changed(acts, record if removed else None))


async def _put(connection: Connection, tolds: Sequence[_Told]) -> list[Data]:
    """Put reports on record, in this order; return their data with all that they count."""
    if not tolds:
        return []
    each = [told.acts() for told in tolds]
    acts = [(thing, act) for own in each for _, thing, act in own]
    since = [
        thing for told in tolds for one in told.agreed.tallies if isinstance(one, Since) for thing in told.things(one)
    ]
    record = await _recorded(connection, acts, since)
    filled = []
    for told, own in zip(tolds, each, strict=True):
        filled.append(msgspec.structs.replace(told.data, **_changed(own, record), **_lasted(told, own, record)))
        for _, thing, act in own:
            record.add(thing, act)
    await connection.execute(
        "insert into tally (what, thing, at, position, opens)"
        " select what, thing, at, position, opens from"
        " unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::boolean[])"
        " as a (what, thing, at, position, opens) on conflict do nothing",
        [what for (what, _), _ in acts],
        [key for (_, key), _ in acts],
        [at for _, (at, _, _) in acts],
        [position for _, (_, position, _) in acts],
        [opens for _, (_, _, opens) in acts],
    )
    return filled


def _changed(acts: Sequence[tuple[Tally, Thing, Act]], record: _Record | None) -> dict[str, Any]:
    """Return the fields that tell what a report's acts change; without a record, nothing."""
    found: dict[str, Any] = {}
    for tally, thing, act in acts:
        change = _change(tally, thing, act, record) if record else None
        if tally.field:
            found[tally.field] = change
        if tally.flag:
            found[tally.flag] = change is not None
    return found


def _change(tally: Tally, thing: Thing, act: Act, record: _Record) -> Tallied | None:
    return Tallied(by=1 if act[2] else -1) if tally.by_turns else record.change(thing, act)


def _lasted(told: _Told, acts: Sequence[tuple[Tally, Thing, Act]], record: _Record) -> dict[str, int | None]:
    """Return the fields that tell how long something took."""
    found: dict[str, int | None] = {
        tally.lapse: record.lapse_s(thing, act) for tally, thing, act in acts if tally.lapse
    }
    for one in told.agreed.tallies:
        if isinstance(one, Since):
            firsts = [record.first[thing] for thing in told.things(one) if thing in record.first]
            took = [told.time - first for first in firsts if first <= told.time]
            found[one.field] = _whole_s(max(took)) if took else None
        if isinstance(one, Age) and (day := _value(told.data, one.since)) is not None:
            end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            found[one.field] = _whole_s(max(timedelta(0), told.time - end))
    return found


def _whole_s(took: timedelta) -> int | None:
    """Return whole seconds; None where that is beyond what any contract takes: some 31 years are an error's."""
    seconds = int(took.total_seconds())
    return seconds if seconds <= COUNT_MAX else None


async def _recorded(connection: Connection, acts: Sequence[tuple[Thing, Act]], things: Sequence[Thing]) -> _Record:
    """Return what is on record around the acts, and since when the things are open."""
    record = _Record()
    if acts:
        for row in await connection.fetch(
            "select a.what, a.thing, t.at, t.position, t.opens"
            " from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[]) as a (what, thing, at, position)"
            " cross join lateral ("
            " (select at, position, opens from tally where what = a.what and thing = a.thing"
            " and (at, position) < (a.at, a.position) order by at desc, position desc limit 1)"
            " union all"
            " (select at, position, opens from tally where what = a.what and thing = a.thing"
            " and (at, position) > (a.at, a.position) order by at, position limit 1)) as t",
            [what for (what, _), _ in acts],
            [key for (_, key), _ in acts],
            [at for _, (at, _, _) in acts],
            [position for _, (_, position, _) in acts],
        ):
            known = record.acts.setdefault((row["what"], row["thing"]), [])
            act = (row["at"], row["position"], row["opens"])
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


def _opens(tally: Tally, data: Data) -> bool | None:
    """Return whether the report opens (True) or closes (False) the thing, or is no act on it (None)."""
    if not isinstance(tally.opens, Opens):
        return tally.opens
    if _value(data, tally.opens.field) in tally.opens.values:
        return True
    return False if tally.opens.others_close else None


def _value(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = getattr(data, name, None)
    return data
