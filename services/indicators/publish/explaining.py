"""Figure to reports, and report to figures: told to each as far as it may know.

The operator sees every event, a country those that it sent or that were sent to it, the public counts by country and
month. What is about persons is counted for the public by the rule of `disclosure`: of the whole row or milestone, by
the period in which it was recorded, of those that are over.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from services.indicators.figures.behind import (
    Alone,
    Asked,
    Made,
    Moved,
    Part,
    made_of_rows,
    milestone_subjects,
    steps,
    subjects,
)
from services.indicators.figures.disclosure import period_end
from services.indicators.figures.kinds import Span
from services.indicators.figures.suppression import Counts, Guard, Key, rounded
from services.indicators.folded.state import State
from services.indicators.planned.persons import Rule, reached_by_persons, row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from services.indicators.publish.access import OPERATOR, PUBLIC
from services.indicators.publish.cursors import Cursors, plain, positions
from services.indicators.publish.recalling import Recall, busy
from services.indicators.publish.said import Act, Said, about, read
from shared.contracts.vocabulary import REGION
from shared.run.refusals import Refused

EVENTS_MAX = 200
"""Events told in one answer; the next goes on behind them."""
LIMIT_S, WHOLE_LIMIT_S = 2.0, 20.0
"""So long is read for one answer; for what is only told as a whole."""


class Number(Struct, frozen=True, omit_defaults=True):
    """A number behind a figure, or how much an event moved it."""

    part: str
    """What it is of the figure: `value`, `numerator`, `denominator`, `window`, `baseline`, `seconds` and so on."""
    country: str
    labels: dict[str, str]
    amount: Any
    """In the row's own unit, before decimals are set; of a declared level, the level."""
    level: bool = False
    """It is declared, and not added up: the latest holds."""
    sign: int = 1
    """Of a level: -1 where the declaration is taken back."""
    holds: bool = False
    """Of a level: it is the one in force."""


class EventBehind(Struct, frozen=True):
    """An event behind a figure."""

    service: str
    sequence: int
    """Its position in the service's log and stream."""
    id: str
    type: str
    source: str
    country: str
    time: datetime
    """When it happened."""
    recordedtime: datetime
    """When the region knew of it."""
    amends: str
    """The id of the report that it corrects or retracts; empty: none."""
    moved: list[Number]


class EventCount(Struct, frozen=True):
    """How many events are behind a figure, of a country and a month."""

    country: str
    month: str
    """`2004-03`, by when it happened (of rows that count by recording: when it was recorded); of reports about persons
    the last month of the period in which they were recorded."""
    type: str
    """The event type first reported; empty: all of them together, where they are about victims."""
    reported: int | None
    corrected: int | None
    retracted: int | None
    suppressed: bool = False
    """No longer used: what is not published is not listed."""


class Explained(Struct, frozen=True, kw_only=True):
    """What is behind a figure."""

    id: str
    as_of: date
    country: str
    labels: dict[str, str]
    made_of: list[str]
    """Rows, areas or the milestone that it is made of: ask for what is behind these. Empty: of events."""
    numbers: list[Number]
    """The numbers that the figure is made of; the events' add up to them. Empty: not published, or none."""
    counts: list[EventCount]
    events: list[EventBehind]
    """Those that whoever asks may see, in the order of the logs."""
    folded: dict[str, int]
    """Service -> sequence: the figure rests on the events from 1 to this one. For the operator only."""
    archived: dict[str, int]
    """Service -> sequence (0, but for the operator): up to this one the stream has none any more; they are in the
    archive, and not told here."""
    complete: bool
    """All that is behind the figure is in this answer and in those before it."""
    next: str | UnsetType = UNSET
    """What to send as `after` for what comes behind; absent: there is no more."""


class ReportMoved(Struct, frozen=True, kw_only=True):
    """The figures that one event moved."""

    service: str
    sequence: int
    id: str
    type: str
    country: str
    time: datetime
    recordedtime: datetime
    amends: str
    moved: list["RowMoved"]


class RowMoved(Struct, frozen=True):
    """How much an event moved a number of a row, or what of a milestone it reached."""

    id: str
    part: str
    cell: list[str]
    day: date | None
    amount: Any
    """What it adds (below 0: takes away); of a declared level, the level."""
    level: bool = False
    sign: int = 1
    """Of a level: -1 where the declaration is taken back."""


Counted: TypeAlias = dict[str, tuple[date | None, list[EventCount], dict[str, int]]]
"""Row or milestone -> the last closed period's end, what the public is told of it, and which services it archived."""


@dataclass(frozen=True)
class Explaining:
    """Answers what is behind figures, by reading again only what can be."""

    plan: Plan
    state: Callable[[], State]
    recall: Recall
    closed: Callable[[], date | None]
    """The end of the last period of which the public has figures about persons."""
    cursors: Cursors
    """With which the public goes on."""
    counted: Counted
    """What the public was told of the last closed period.

    It is read once: how long it takes to read moves with each report about a person.
    """

    async def figure(self, asked: Asked, who: str, after: str = "") -> Explained:
        """Return what is behind a figure of a row; `after`: what an answer before gave as `next`."""
        row, state = asked.row, self.state()
        guarded = who != OPERATOR and about_persons(row)
        whole_row = not (asked.labels or asked.country != REGION or asked.span != Span.now(asked.span.day))
        if guarded and who == PUBLIC and not whole_row:
            raise Refused(403, "whole_row_only")
        made = Made(self.plan, state, asked)
        telling = _Telling(self.plan, who, _moving(row, made, state), "recordedtime" if guarded else row.clock)
        return await self._explained(
            {} if made_of_rows(row) else subjects(row, asked.country),
            telling,
            after,
            guarded=guarded,
            id=row.id,
            as_of=asked.span.day,
            country=asked.country,
            labels=dict(asked.labels),
            made_of=made_of_rows(row),
            numbers=[] if guarded else _numbers(row, made),
        )

    async def milestone(self, identity: str, who: str, today: date, after: str = "") -> Explained:
        """Return the events that reached a milestone, or parts of it."""
        guarded = who != OPERATOR and reached_by_persons(self.plan.milestones[identity])
        return await self._explained(
            milestone_subjects(self.plan.milestones[identity]),
            _Telling(self.plan, who, _reaching(identity), "recordedtime" if guarded else "time"),
            after,
            guarded=guarded,
            id=identity,
            as_of=today,
            country=REGION,
            labels={},
            made_of=[],
            numbers=[],
        )

    async def _explained(
        self,
        wanted: Mapping[str, list[str]],
        telling: "_Telling",
        after: str,
        *,
        guarded: bool,
        as_of: date,
        **said: Any,
    ) -> Explained:
        """Read again what is wanted, and return it as far as whoever asks may know; `guarded`: it is about persons."""
        whole = guarded and telling.who == PUBLIC
        if whole and after:
            raise Refused(403, "whole_row_only")
        closed, kept = self.closed(), self.counted.get(said["id"])
        if whole and kept and kept[0] == closed:
            _, counts, archived = kept
            return Explained(as_of=as_of, counts=counts, events=[], folded={}, archived=archived, complete=True, **said)
        folded, limit_s = dict(self.state().sequences), WHOLE_LIMIT_S if whole else LIMIT_S
        public = telling.who == PUBLIC
        begin = (self.cursors.opened(after) if public else positions(after)) if after else {}
        found = await self.recall.read(wanted, begin, folded, telling.take, limit_s)
        if whole and not found.complete:
            raise busy("too_much_behind")
        counts = guarded_counts(telling.counts, self.plan.disclosure, closed) if whole else []
        if whole:
            self.counted[said["id"]] = closed, counts, dict.fromkeys(found.archived, 0)
        everything = telling.who == OPERATOR  # a sequence grows by one with each report, whoever it is about
        return Explained(
            as_of=as_of,
            counts=counts if guarded else _counts(telling.counts),
            events=telling.events,
            folded=folded if everything else {},
            archived=found.archived if everything else dict.fromkeys(found.archived, 0),
            complete=found.complete,
            next=UNSET if found.complete else self.cursors.sealed(found.reached) if public else plain(found.reached),
            **said,
        )

    async def report(self, service: str, sequence: int, who: str) -> ReportMoved:
        """Return the figures that the event at a sequence of a service's stream moved; 404 for whom may not see it."""
        payload = None if who == PUBLIC else await self.recall.one(service, sequence)
        if payload is None or not read(payload).seen_by(who):
            raise Refused(404, "no_event")
        return moved_by(self.plan, service, sequence, payload)


def moved_by(plan: Plan, service: str, sequence: int, payload: bytes) -> ReportMoved:
    """Return the figures that an event moved; none, where the fold has set it aside."""
    event, moved = read(payload), list[RowMoved]()
    with contextlib.suppress(Exception):  # whatever it is
        moved = [
            RowMoved(one.row, one.part, [*one.cell], one.day, one.amount, one.level, one.sign)
            for one in steps(plan, Alone(plan).moved(payload))
        ]
    return ReportMoved(
        service=service,
        sequence=sequence,
        id=event.id,
        type=event.type,
        country=event.country,
        time=event.time,
        recordedtime=event.recordedtime,
        amends=about(event).amends,
        moved=moved,
    )


def about_persons(row: Row) -> bool:
    """Say whether the public is told of the events behind a row by the rule about persons; any report may be."""
    return row_about_persons(row) or any(term.event == ANY_REPORT for term in row.term)


class _Telling:
    """Looks at events one by one: which moved what is asked about, and what is told of them."""

    def __init__(self, plan: Plan, who: str, numbers: Callable[[Moved], list[Number]], clock: str = "time") -> None:
        self.who = who
        self._alone, self._numbers, self._clock = Alone(plan), numbers, clock
        self.counts: Counter[tuple[str, str, str, Act]] = Counter()
        self.events: list[EventBehind] = []

    def take(self, service: str, sequence: int, payload: bytes) -> bool:
        try:
            moved = self._alone.moved(payload)
        except Exception:  # noqa: BLE001 - the fold has set it aside as well: it is in no figure
            return True
        numbers = self._numbers(moved)
        if numbers:
            event = read(payload)
            what = about(event)
            month = f"{what.recordedtime if self._clock == 'recordedtime' else what.time:%Y-%m}"
            self.counts[event.country, month, what.type, event.act] += 1
            if event.seen_by(self.who):
                self.events.append(_told(service, sequence, event, what.amends, numbers))
        return len(self.events) < EVENTS_MAX


def _moving(row: Row, made: Made, state: State) -> Callable[[Moved], list[Number]]:
    """Return what an event moved of a figure."""
    in_force = made.in_force(state)

    def numbers(moved: Moved) -> list[Number]:
        found = [_number(row, *one) for one in sorted(made.of(moved.state).items())]
        for role, key, entry, sign in made.declared(moved):
            labels = dict(zip(row.labels, key[1:], strict=False))
            holds = sign > 0 and in_force.get((role, key)) == entry
            found.append(Number(role, key[0], labels, entry[-1], level=True, sign=sign, holds=holds))
        return found

    return numbers


def _reaching(milestone: str) -> Callable[[Moved], list[Number]]:
    """Return what an event reached of a milestone."""
    return lambda moved: [
        Number("reached", group, {}, sign) for name, group, sign in moved.reached if name == milestone
    ]


def _told(service: str, sequence: int, event: Said, amends: str, moved: list[Number]) -> EventBehind:
    facts = (event.id, event.type, event.source, event.country, event.time, event.recordedtime)
    return EventBehind(service, sequence, *facts, amends, moved)


def _numbers(row: Row, made: Made) -> list[Number]:
    return [_number(row, *one) for one in sorted(made.parts.items())]


def _number(row: Row, what: Part, amount: int) -> Number:
    part, key = what
    return Number(part, key[0], dict(zip(row.labels, key[1:], strict=False)), amount)


def _counts(counts: Mapping[tuple[str, str, str, Act], int]) -> list[EventCount]:
    def number(place: tuple[str, str, str], act: Act) -> int:
        return counts.get((*place, act), 0)

    return [
        EventCount(*one, number(one, "reported"), number(one, "corrected"), number(one, "retracted"))
        for one in sorted({key[:3] for key in counts})
    ]


def guarded_counts(
    counts: Mapping[tuple[str, str, str, Act], int], rule: Rule, closed: date | None
) -> list[EventCount]:
    """Return how many reports about persons were recorded, by country and period that is over, as far as published.

    A period is named by its last month. What is not listed is not published: there may be none, or few.
    """
    last, found = closed or date.min, dict[date, Counter[Key]]()
    for (country, month, _, act), n in counts.items():
        end = period_end(rule, date.fromisoformat(f"{month}-01"))
        if act == "reported" and end <= last:
            found.setdefault(end, Counter())[country,] += n
    told = []
    for end, numbers in found.items():
        cells: dict[Key, Counts] = {key: (n,) for key, n in numbers.items()}
        guard = Guard(cells, rule)
        shown = {key[0]: rounded(n, rule)[0] for key, n in cells.items() if not guard.hides(key)}
        told += [EventCount(country, f"{end:%Y-%m}", "", n, None, None) for country, n in shown.items()]
    return sorted(told, key=lambda one: (one.country, one.month))
