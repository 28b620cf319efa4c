"""Figures for a period: under which report each stands, and how a later report for the same period is taken in.

The figure stands under the report that was recorded first, and counts from its time; what a later one says is a
correction of that, and the later one itself is withdrawn as its duplicate, or it would count again. So whoever adds up
reports and follows corrections has it right. Either id names the figure from then on, in corrections and retractions.
Example: a second count of a year's returns, sent as a report of its own, corrects the first.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared import contracts
from shared.contracts import Contract, Corrected, Data, Event, Problem, Refused, Retracted
from shared.contracts.aggregates import Cell, cell
from shared.contracts.vocabulary import REGION
from shared.record import amending
from shared.record.judgement import derived_id, source
from shared.record.tables import Period

if TYPE_CHECKING:
    from shared.record.amending import Root
    from shared.record.deciding import Deciding


def claim(deciding: "Deciding", agreed: Contract, event: Event[Any]) -> None:
    """Put a report on record as its figure's, or as the one told last. Refused: `overlapping_period`."""
    one = cell(agreed, event.country, event.time, event.data)
    if one is None:
        return
    stands = _stands(deciding, one)
    if stands:
        _replace(deciding, one, stands, stands._replace(told=max(stands.told, event.time)))
        return
    _apart(deciding, agreed, one, "/data")
    _put(deciding, one, event, event.time)


def move(  # noqa: PLR0913, PLR0917 - the facts of an amendment
    deciding: "Deciding", agreed: Contract, root: Event[Any], data: Data | None, told: datetime | None, at: str
) -> None:
    """Have the figure of `root` stand for what its data now say; None: it was withdrawn, and its period is free.

    `told` is the time of the statement that now holds, None: it is as it was; `at`: where the sender says the data.
    Refused: `overlapping_period`.
    """
    if agreed.aggregate is None:
        return
    figure = deciding.tables.period_of.get((root.id, root.source))
    before = None
    if figure is not None:
        rows = deciding.tables.periods.get(figure)
        before = next((one for one in rows if (one.id, one.source) == (root.id, root.source)), None)
        deciding.tables.periods.put(figure, tuple(one for one in rows if one is not before))
        deciding.tables.period_of.put((root.id, root.source), None)
    one = cell(agreed, root.country, root.time, data) if data is not None else None
    if one is None:
        return
    _apart(deciding, agreed, one, at)
    since = before.told if before else root.time
    _put(deciding, one, root, max(since, told or since))


def told(deciding: "Deciding", root: Event[Any]) -> datetime:
    """Return the time of the statement that holds under a report."""
    figure = deciding.tables.period_of.get((root.id, root.source))
    rows = deciding.tables.periods.get(figure) if figure else ()
    return next((one.told for one in rows if (one.id, one.source) == (root.id, root.source)), root.time)


def late(deciding: "Deciding", event: Event[Any]) -> list[Event[Any]]:
    """Return what takes a recorded report into the figure that stood before it."""
    agreed = contracts.registry()[event.type]
    if agreed.aggregate is None or contracts.sender_of(event.source) == REGION:
        return []
    root = amending.first_reported(deciding, event.country, event.id, event.source)
    if root is None or root.retracted:
        return []
    return taken_in(deciding, event, root, event.data, event.time)


def taken_in(deciding: "Deciding", cause: Event[Any], root: "Root", data: Data, when: datetime) -> list[Event[Any]]:
    """Return what takes a report, told at a time, into the figure that its data are of; nothing: it is that itself."""
    agreed = contracts.registry()[root.event.type]
    one = cell(agreed, root.event.country, root.event.time, data)
    row = _stands(deciding, one) if one else None
    if row is None or (row.id, row.source) == (root.event.id, root.event.source):
        return []
    stands = amending.first_reported(deciding, root.event.country, row.id, row.source)
    if stands is None or stands.position == root.position:
        return []
    events = []
    if when >= row.told and msgspec.to_builtins(data) != msgspec.to_builtins(stands.latest):
        events.append(corrected(cause, stands, data))
    duplicate = {"reason": "duplicate", "replaced_by_sequence": stands.position}
    events.append(_amendment(cause, root, Retracted, root.latest, **duplicate))
    return events


def corrected(cause: Event[Any], root: "Root", data: Data) -> Event[Any]:
    """Return the correction by which a report says `data`."""
    agreed = contracts.registry()[root.event.type]
    plain = msgspec.structs.replace(data, **dict.fromkeys(agreed.derived))
    return _amendment(cause, root, Corrected, data, data=msgspec.to_builtins(plain))


def _amendment(
    cause: Event[Any], root: "Root", kind: type[Corrected | Retracted], about: Any, **said: Any
) -> Event[Any]:
    """Return an amendment of a country's report that the service itself makes."""
    agreed = contracts.registry()[root.event.type]
    wire = f"crm.{agreed.service}.{agreed.entity_name}.{kind.__name__.lower()}.v1"
    named: Mapping[str, Any] = {"original_source": root.event.source, "reported_by": about.reported_by}
    return Event(
        specversion="1.0",
        id=derived_id(cause.source, cause.id, wire, root.event.id),
        source=source(agreed.service),
        type=wire,
        time=cause.recordedtime,
        country=root.event.country,
        data=kind(supersedes=root.event.id, **named, **said),
        recordedtime=cause.recordedtime,
        subject=(getattr(about, agreed.entity) if agreed.entity else "") or root.event.subject,
        datacontenttype="application/json",
        causationid=cause.id,
        correlationid=cause.correlationid or cause.id,
        traceparent=cause.traceparent,
    )


def _rows(deciding: "Deciding", one: Cell) -> Sequence[Period]:
    return deciding.tables.periods.get(one[:3])


def _stands(deciding: "Deciding", one: Cell) -> Period | None:
    """Return under which report a figure stands."""
    return next((row for row in _rows(deciding, one) if (row.first, row.last) == (one.first, one.last)), None)


def _apart(deciding: "Deciding", agreed: Contract, one: Cell, at: str) -> None:
    """Refuse a period that overlaps with another one under the same key."""
    other = next((row for row in _rows(deciding, one) if row.first <= one.last and row.last >= one.first), None)
    if other is None:
        return
    assert agreed.aggregate is not None
    kept = agreed.aggregate
    name = kept.as_of or kept.period[0 if other.first < one.first else 1] or kept.key[0]
    why = "a report under the same key has a period that overlaps with this one: correct or withdraw that one first"
    raise Refused(Problem(f"{at}/{name}", "overlapping_period", why))


def _put(deciding: "Deciding", one: Cell, root: Event[Any], when: datetime) -> None:
    row = Period(one.first, one.last, root.id, root.source, when)
    deciding.tables.periods.put(one[:3], tuple(sorted((*_rows(deciding, one), row))))
    deciding.tables.period_of.put((root.id, root.source), one[:3])


def _replace(deciding: "Deciding", one: Cell, old: Period, new: Period) -> None:
    rows: Iterable[Period] = (new if row is old else row for row in _rows(deciding, one))
    deciding.tables.periods.put(one[:3], tuple(rows))
