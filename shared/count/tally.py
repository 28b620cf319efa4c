"""Counting exactly: fills in what an event changes of a number, judged by the acts on record about the same thing.

Each act is a row, and which of them hold is told by their times, never by the order in which they came. What one event
changes is a step at its own time and, where a later act stands, a step back at that one's time; putting an act in and
taking it out again are therefore exact opposites, and adding up all changes gives, for every day, how many things held.

Runs under the lock that gives an event its position, so that no two replicas count the same thing at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Contract, Data, Event
from shared.contracts.tallies import Level, Tally, filled
from shared.count.acts import Told
from shared.count.record import Record, by_label
from shared.run.database import Connection

AMENDING = ("corrected", "retracted")


@dataclass(frozen=True, slots=True)
class _Step:
    """What one event of a batch does: it takes a report's acts off the record, puts one's on, or both."""

    index: int
    gone: Told | None = None
    come: Told | None = None


@dataclass(slots=True)
class Counted:
    """What a batch counts: the events with what they count filled in, and what is to be written."""

    events: list[Event[Any]]
    record: Record
    failed: dict[int, Exception] = field(default_factory=dict)
    """By the number of the event, why it could not be counted."""
    latest: dict[int, Data] = field(default_factory=dict)
    """By the position of a report that this batch counts, its data as counted: that is taken out next time."""


async def counted(connection: Connection, events: Sequence[Event[Any]]) -> Counted:
    """Return what the events, which have their positions, count; nothing is written yet.

    The caller holds the lock of the log. The number of statements does not grow with the events.
    """
    steps = _steps(events, await _roots(connection, events))
    found = Counted(list(events), Record())
    await found.record.load(connection, _all(one.come for one in steps), _all(one.gone for one in steps))
    for step in steps:
        try:
            _count(found, step)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's
            found.failed[step.index] = error
    return found


def _count(found: Counted, step: _Step) -> None:
    event = found.events[step.index]
    gone = _as_counted(found, step.gone) if step.gone else None
    before = found.record.take(gone) if gone else None
    unlabelled = gone is not None and found.record.unlabelled(gone)
    after = found.record.put(step.come) if step.come else None
    if gone and before and step.come and after and _alike(gone, step.come) and unlabelled:
        # What it counted stays its own, under what it says now: the others' labels are not known.
        share = _share(gone)
        before, after = msgspec.structs.replace(before, **share), msgspec.structs.replace(after, **share)
    if step.come and after is not None:
        found.latest[step.come.position] = after
    if before is None:
        found.events[step.index] = msgspec.structs.replace(event, data=after)
        return
    more = {"previous": msgspec.to_builtins(before)}
    if step.come:
        more["data"] = msgspec.to_builtins(after)
    found.events[step.index] = msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, **more))


def _alike(one: Told, other: Told) -> bool:
    """Say whether two versions of a report are the same acts, whatever their labels."""
    return [(thing, act[:3]) for _, thing, act in one.acts()] == [(thing, act[:3]) for _, thing, act in other.acts()]


def _share(told: Told) -> dict[str, Any]:
    """Return the fields that tell what a report was counted as, where they do."""
    tallies = [one for one in told.agreed.tallies if isinstance(one, Tally | Level)]
    names = {name for one in tallies for name in (getattr(one, "field", ""), one.shifts) if name}
    shares = {name: share for name in sorted(names) if (share := getattr(told.data, name)) is not None}
    return shares | by_label(told, {})


def _as_counted(found: Counted, told: Told) -> Told:
    """Return a report that is taken out with what was counted of it in this batch: that stands in no table yet."""
    latest = found.latest.get(told.position)
    if latest is None:
        return told
    fields = {name: getattr(latest, name) for name in filled(told.agreed.tallies)}
    return replace(told, data=msgspec.structs.replace(told.data, **fields))


def _steps(events: Sequence[Event[Any]], roots: Mapping[tuple[str, str], int]) -> list[_Step]:
    """Return what the events do, in order."""
    steps = []
    for index, event in enumerate(events):
        agreed = contracts.registry().get(event.type)
        if agreed is None:
            continue
        if agreed.verb not in AMENDING:
            if agreed.tallies:
                told = Told(agreed, event.data, event.country, event.time, event.recordedtime, event.sequence)
                steps.append(_Step(index, come=told))
            continue
        amended = contracts.registry().get(event.data.original or "")
        if amended is None or not amended.tallies or event.data.previous is None:
            continue
        version = partial(_as_amended, amended, event, roots.get(_root(event), 0))
        corrects = agreed.verb != "retracted" and getattr(event.data, "data", None) is not None
        steps.append(_Step(index, version(event.data.previous), version(event.data.data) if corrects else None))
    return steps


def _as_amended(agreed: Contract, event: Event[Any], position: int, data: dict[str, Any]) -> Told:
    time = event.data.original_time
    known = event.data.original_recordedtime or time
    return Told(agreed, msgspec.convert(data, agreed.data), event.country, time, known, position)


def _root(event: Event[Any]) -> tuple[str, str]:
    """Return id and source of the report that an amendment is of."""
    named = getattr(event.data, "original_id", None) or event.data.supersedes
    return named, getattr(event.data, "original_source", None) or event.source


async def _roots(connection: Connection, events: Sequence[Event[Any]]) -> dict[tuple[str, str], int]:
    """Return the positions of the reports that are amended: of this batch, or on record."""
    found = {(one.id, one.source): one.sequence for one in events}
    for one in events:
        if (at := getattr(one.data, "original_sequence", None)) is not None:
            found[_root(one)] = at
    wanted = [
        _root(event)
        for event in events
        if (agreed := contracts.registry().get(event.type))
        and agreed.verb in AMENDING
        and event.data.previous is not None
    ]
    if missing := sorted({*wanted} - found.keys()):
        rows = await connection.fetch(
            "select w.id, w.source, r.position from unnest($1::text[], $2::text[]) as w (id, source)"
            " join recorded as r on r.id = w.id and r.source = w.source",
            [one for one, _ in missing],
            [source for _, source in missing],
        )
        found |= {(row["id"], row["source"]): row["position"] for row in rows}
    return found


def _all(tolds: Iterable[Told | None]) -> list[Told]:
    return [one for one in tolds if one is not None]
