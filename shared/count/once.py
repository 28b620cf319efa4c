"""Counting once what several tell: fills in what a report changes for each country that took part and for the region.

All reports of one thing are looked at together, with and without the one in question: what a report changes is the
difference. So the figures are right whatever the order of arrival, and a correction or retraction by anybody takes out
what was put in, and puts in what holds without it. Of each act on a thing the first `KEPT` reports by time count.

Runs under the lock that gives an event its position, as `shared/count/tally.py` does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import Contract, Data, identity
from shared.contracts.tallies import Once, Part, Parts
from shared.contracts.vocabulary import REGION
from shared.run.database import Connection

KEPT = 64
"""So many reports of one act on one thing are looked at: nobody's flood makes others wait."""
Group: TypeAlias = tuple[str, str, str]
"""(what, thing, act)"""
Place: TypeAlias = tuple[Group, datetime, int]
"""Where a report stands: (group, time, position)."""


class Said(NamedTuple):
    """A report that is counted: its contract and data, whose it is, when it happened and was recorded, its place."""

    agreed: Contract
    data: Data
    country: str
    time: datetime
    known: datetime
    position: int


class Report(NamedTuple):
    """What one report says of a thing; they are in order of time, then of arrival."""

    at: datetime
    position: int
    country: str
    parts: tuple[str, ...]
    holder: str
    opens: bool
    of: str
    """Its event type."""
    said: bytes


@dataclass(slots=True)
class Record:
    """What is on record of some things, and what a batch changes of it."""

    told: dict[Group, list[Report]] = field(default_factory=dict)
    """In order of time; the first `KEPT` of a group count, and those behind them are read only to be taken off."""
    _added: dict[Place, Report] = field(default_factory=dict)
    _gone: set[Place] = field(default_factory=set)

    async def load(self, connection: Connection, come: Iterable[Said], gone: Iterable[Said]) -> None:
        """Read all that putting and taking these reports needs, in one statement."""
        come, gone = list(come), list(gone)
        taken = Counter(group[:2] for said in gone for _, group, _ in reports(said))
        things = {group[:2] for said in come for _, group, _ in reports(said)} | set(taken)
        groups = [(what, thing, act) for what, thing in sorted(things) for act in acts(what)]
        if not groups:
            return
        places = [(*group, one.at, one.position) for said in gone for _, group, one in reports(said)]
        rows = await connection.fetch(
            "select g.what, g.thing, g.act, t.at, t.position, t.country, t.parts, t.holder, t.opens, t.of, t.said"
            " from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as g (what, thing, act, most)"
            " cross join lateral"
            " (select * from several where what = g.what and thing = g.thing and act = g.act"
            " order by at, position limit g.most) as t"
            " union"  # what is taken off stands behind those that count, too
            " select t.what, t.thing, t.act, t.at, t.position, t.country, t.parts, t.holder, t.opens, t.of, t.said"
            " from unnest($5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::bigint[])"
            " as g (what, thing, act, at, position) join several as t using (what, thing, act, at, position)"
            " order by at, position",
            *map(list, zip(*groups, strict=True)),
            [KEPT + taken[what, thing] for what, thing, _ in groups],
            *(map(list, zip(*places, strict=True)) if places else [[]] * 5),
        )
        for what, thing, act, *report in rows:
            one = Report(*report)
            self.told.setdefault((what, thing, act), []).append(one._replace(parts=tuple(one.parts)))

    def put(self, said: Said) -> dict[str, Parts | None]:
        """Put a report on record; return the fields that tell what it changes."""
        fields: dict[str, Parts | None] = {one.field: () for one in said.agreed.tallies if isinstance(one, Once)}
        for one, group, report in reports(said):
            # What nobody began on this record may have begun before there was one.
            known = report.opens or any(other.opens for other in self.told.get(group, []))
            changes = self._changes(group, report)
            fields[one.field] = changes if known else None
            self.told[group] = sorted([*self.told.get(group, []), report])
            self._added[group, report.at, report.position] = report
        return fields

    def take(self, said: Said) -> dict[str, Parts | None]:
        """Take a report off the record; return the fields that tell what it counted, where it stood there."""
        fields: dict[str, Parts | None] = {}
        for one, group, report in reports(said):
            left = [other for other in self.told.get(group, []) if other[:2] != report[:2]]
            if len(left) == len(self.told.get(group, [])):
                continue
            self.told[group] = left
            fields[one.field] = self._changes(group, report)
            if self._added.pop((group, report.at, report.position), None) is None:
                self._gone.add((group, report.at, report.position))
        return fields

    async def save(self, connection: Connection) -> None:
        """Write what changed, in two statements at most."""
        if self._gone:
            await connection.execute(
                "delete from several using unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])"
                " as gone (what, thing, act, at, position) where several.what = gone.what"
                " and several.thing = gone.thing and several.act = gone.act and several.at = gone.at"
                " and several.position = gone.position",
                *map(list, zip(*((*group, at, position) for group, at, position in self._gone), strict=True)),
            )
        if self._added:
            await connection.copy_records_to_table(
                "several",
                columns=["what", "thing", "act", *Report._fields],
                records=[(*group, *report) for (group, _, _), report in self._added.items()],
            )

    def _changes(self, group: Group, report: Report) -> Parts:
        """Return what a report counts beside the others on record."""
        before = Counter(self._counts(*group[:2]))
        kept = self.told.get(group, [])
        self.told[group] = sorted([*kept, report])
        after = Counter(self._counts(*group[:2]))
        self.told[group] = kept
        after.subtract(before)
        return tuple(_part(key, by, report.of) for key, by in sorted(after.items()) if by)

    def _counts(self, what: str, thing: str) -> dict["Counts", int]:
        found: Counter[Counts] = Counter()
        for act, one in acts(what).items():
            alike = self.told.get((what, thing, one.like or act), [])[:KEPT]
            shared = len({country for report in alike for country in report.parts}) > 1
            for counts, by in _held(one, self.told.get((what, thing, act), [])[:KEPT], shared=shared):
                found[counts] += by
        return found


class Counts(NamedTuple):
    """Where and when a thing counts, under what."""

    at: datetime
    country: str
    of: str
    said: bytes


@cache
def acts(what: str) -> dict[str, Once]:
    """Return the acts on a kind of thing, each as the first of its event types has it."""
    found: dict[str, Once] = {}
    for agreed in contracts.registry().values():
        for one in agreed.tallies:
            if isinstance(one, Once) and one.what == what:
                found.setdefault(_act(one, agreed), one)
    return found


def reports(said: Said) -> list[tuple[Once, Group, Report]]:
    """Return what a report says of things that count once; nothing where a part of the key is absent."""
    return [
        (one, (one.what, thing, _act(one, said.agreed)), _report(one, said))
        for one in said.agreed.tallies
        if isinstance(one, Once) and (thing := _thing(one, said)) is not None
    ]


def _held(one: Once, told: Sequence[Report], *, shared: bool) -> Iterator[tuple[Counts, int]]:
    """Yield when the thing begins and ceases to count, for each country that took part and for the region."""
    more: dict[str, Any] = {one.several: shared} if one.several else {}
    if one.gathered:
        more |= {name: _gathered([_read(report.said)[name] for report in told]) for name in one.gathered if told}
    for place in [*sorted({country for report in told for country in report.parts}), REGION]:
        mine = [report for report in told if report.country == place and place != REGION] or told
        holders: set[tuple[str, str]] = set()
        began: Counts | None = None
        for report in mine:
            (holders.add if report.opens else holders.discard)((report.country, report.holder))
            if holders and began is None:
                said = _written(_read(report.said) | more) if more else report.said
                began = Counts(report.at, place, report.of, said)
                yield began, 1
            elif not holders and began is not None:
                yield began._replace(at=report.at), -1
                began = None


def _gathered(values: Sequence[Any]) -> Any:
    """Return what all reports together say: true if one does, every member of their lists."""
    if isinstance(values[0], list):
        return sorted({member for value in values for member in value})
    return any(values)


def _part(counts: Counts, by: int, name: str) -> Part:
    country: Any = counts.country
    of = "" if counts.of == name else counts.of
    said = {name: tuple(one) if isinstance(one, list) else one for name, one in _read(counts.said).items()}
    return Part(country=country, at=counts.at, by=by, of=of, said=said)


def _act(one: Once, agreed: Contract) -> str:
    return one.act or agreed.verb


def _thing(one: Once, said: Said) -> str | None:
    """Return what tells the thing from others; None where a part of the key is absent."""
    own = not one.regional or (one.local is not None and getattr(said.data, one.local[0]) not in one.local[1])
    parts = [said.country] if own else []
    for name in one.key:
        value = getattr(said.data, name)
        if value is None:
            return None
        scope = said.agreed.ids.get(name)
        named = scope and not own and isinstance(value, str)
        parts.append(identity.told_apart(scope or "", said.data, name, said.country) if named else str(value))
    return "|".join(parts)


def _report(one: Once, said: Said) -> Report:
    named = [getattr(said.data, name) for name in one.parts]
    parts = {country for value in named for country in (value if isinstance(value, tuple) else (value,)) if country}
    if one.reporter or not parts:
        parts |= {said.country} - {REGION}
    fields = {name: getattr(said.data, name) for name in one.said}
    return Report(
        at=said.known if one.recorded else said.time,
        position=said.position,
        country=said.country,
        parts=tuple(sorted(parts)),
        holder=str(getattr(said.data, one.holder)) if one.holder else "",
        opens=one.opens,
        of=said.agreed.name,
        said=_written({name: value for name, value in fields.items() if value is not None}),
    )


def _written(said: dict[str, Any]) -> bytes:
    return msgspec.json.encode(said, order="sorted")


def _read(said: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(said)
    return found
