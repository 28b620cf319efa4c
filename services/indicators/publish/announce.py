"""What the fold shows becomes events of its own: milestones, silence, targets crossed, and the quarterly report.

One replica announces at a time. Each event's id follows from what it tells, so that it is recorded once.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import structlog

from services.indicators.figures import thresholds
from services.indicators.figures.disclosure import last_closed
from services.indicators.figures.kept import Kept
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import Announcement, Told, announcements
from services.indicators.figures.silence import Past, Turn, turns
from services.indicators.folded.feed import Feed, Rebuilt
from services.indicators.judgements import SERVICE
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import quarter_end
from services.indicators.publish import reports, store, telling
from services.indicators.publish.reports import Report
from services.indicators.publish.signed import Signed, covering
from services.indicators.publish.store import Published
from shared.contracts import Data, Event, of
from shared.contracts.indicators import (
    CountryResumed,
    CountrySilent,
    IntakePurged,
    MilestoneDue,
    MilestoneMissed,
    MilestoneReached,
    ProjectionRebuilt,
    ReportMissed,
    ReportPublished,
    ThresholdCrossed,
)
from shared.record.asking import holders
from shared.record.judgement import derived_id, source
from shared.record.log import Draft, Log
from shared.run import database
from shared.run.database import Connection
from shared.run.steady import Steady

log = structlog.get_logger()

POLL_S = 0.5
SETTLED_S = 2.0
"""Real seconds that reports get to arrive before a date counts as missed; it matters when plan time runs fast."""
LOOK_S = 2.0
"""Real seconds between two looks at all figures."""
REVISED_AFTER = timedelta(days=1)
"""Plan time that a report stands at least before the next revision."""


async def announce(  # noqa: PLR0913, PLR0917 - what it looks at, and how it tells
    own: Log, feed: Feed, plan: Plan, kept: Kept, steady: Steady, signed: Signed
) -> None:
    """Record what the fold shows, for ever."""
    while True:
        try:
            async with database.elected(own.pool, own.service, database.ANNOUNCE):
                announcer = await Announcer.begun(own, feed, plan, kept)
                announcer.signed = signed
                while True:
                    await asyncio.sleep(POLL_S)
                    if feed.caught_up:
                        for what, error in await announcer.look():
                            steady.failed(f"announcements of {what}", error)
        except database.LOST as error:
            log.warning("announcements wait", error=type(error).__name__)
            await asyncio.sleep(POLL_S)


@dataclass(slots=True)
class Announcer:
    """What was told so far, and what there is to tell."""

    own: Log
    feed: Feed
    plan: Plan
    kept: Kept
    """The figures that are published, as of now."""
    milestones: dict[str, list[Told]]
    silence: dict[str, str]
    crossings: dict[str, float]
    published: dict[str, Published]
    signed: Signed | None = None
    """Gives the newest checkpoint of a service's log; None: nobody is asked."""
    past: Past = field(default_factory=lambda: Past(set()))
    _looked: float = 0.0
    _failed: list[tuple[str, Exception]] = field(default_factory=list)
    _checked: dict[str, dict[str, int]] = field(default_factory=dict)
    """Quarter -> the sequences at which its report was last compared; that of longest ago comes first."""

    @classmethod
    async def begun(cls, own: Log, feed: Feed, plan: Plan, kept: Kept | None = None) -> "Announcer":
        """Return one that knows what the log has; `kept`: the figures that others look at, too."""
        pool = own.pool
        return cls(
            own,
            feed,
            plan,
            kept or _kept(own, feed, plan),
            await store.load_announced(pool),
            await store.load_silence(pool),
            await store.load_crossings(pool),
            await store.load_reports(pool),
            past=Past(await store.load_silences(pool)),
        )

    async def look(self) -> list[tuple[str, Exception]]:
        """Tell what is new; return what failed of what. Raises one of `database.LOST`.

        An announcement that fails holds up no other, and is tried again at the next look.
        """
        now = self.own.clock.now()
        settled = now - timedelta(seconds=SETTLED_S * self.own.clock.speed)
        self._failed = []
        if await self._tried("reports", self._close(now, settled)):
            return self._failed  # a report reaches a milestone: that is judged when it is folded
        await self._tried("milestones", self._reach(now, settled))
        await self._tried("silence", self._turn(now, settled))
        moment = asyncio.get_running_loop().time()
        if moment - self._looked >= LOOK_S:
            self._looked = moment
            await self._tried("targets", self._cross(now))
            await self._tried("revisions", self._revise(now))
        return self._failed

    async def _tried(self, what: str, step: Coroutine[Any, Any, bool]) -> bool:
        """Return what the step does; False where it fails."""
        try:
            return await step
        except database.LOST:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            self._failed.append((what, error))
            return False

    async def _record(self, make: Callable[[], Event[Any]]) -> bool:
        event = make()
        seated = await holders(self.own.pool, event.recordedtime)
        async with self.own.pool.acquire() as connection, connection.transaction():
            await self._record_within(connection, [event, *telling.notices(self.plan, event, seated)])
        return True

    async def _record_within(self, connection: Connection, events: Sequence[Event[Any]]) -> None:
        for outcome in await self.own.record_within(connection, [Draft(event) for event in events]):
            if outcome is not None:
                raise outcome

    async def _reach(self, now: datetime, settled: datetime) -> bool:
        for one in announcements(self.plan, self.feed.state, settled, self.milestones):
            if await self._tried("milestones", self._record(partial(_milestone, one, now))):
                self.milestones.setdefault(one.one.key, []).append((one.verb, one.one.due))
        return True

    async def _turn(self, now: datetime, settled: datetime) -> bool:
        for one in turns(self.plan, self.feed.state, settled, self.silence):
            if await self._tried("silence", self._record(partial(_turn, one, now))):
                self.silence[one.country] = one.verb
                if one.verb == "silent":
                    self.past.told.add((one.country, one.last.astimezone(UTC).date()))
        for begun, ended in self.past.untold(self.plan, self.feed.state, settled):
            async with self.own.pool.acquire() as connection, connection.transaction():
                await self._record_within(connection, [_turn(begun, now), _turn(ended, now)])
            self.past.told.add((begun.country, begun.last.date()))
        return True

    async def _cross(self, now: datetime) -> bool:
        found = (await self.kept.fresh()).values()
        for one in thresholds.crossings(found, self.crossings):
            if await self._tried("targets", self._record(partial(_crossing, one, now))):
                self.crossings[one.row.id] = one.new
        return True

    async def _close(self, now: datetime, settled: datetime) -> bool:
        """Publish the report of every quarter that is over; return whether there was any."""
        new = [quarter for quarter in reports.closed(self.feed.state, settled) if quarter not in self.published]
        for quarter in new:
            await self._publish(*await self._report(quarter, 1), now, settled)
        return bool(new)

    async def _revise(self, now: datetime) -> bool:
        """Publish the next revision of a report whose figures have changed: one at a look, for it takes a while.

        Each has its turn, so that what changes all the time holds up none.
        """
        state = self.feed.state
        for quarter in [*(one for one in self.published if one not in self._checked), *self._checked]:
            standing = self.published[quarter]
            waits = now - standing.published < REVISED_AFTER
            if waits or self._checked.get(quarter) == state.sequences:
                continue
            self._checked.pop(quarter, None)
            self._checked[quarter] = dict(state.sequences)
            one, folded = await self._report(quarter, standing.revision + 1)
            if reports.fingerprint(one) != standing.figures:
                await self._publish(one, folded, now, now)
            return True
        return False

    async def _report(self, quarter: str, revision: int) -> tuple[Report, dict[str, int]]:
        """Return a quarter's report, worked out in slices, and the sequences as of which all of it is."""
        span = Span.as_of(quarter_end(quarter))
        kept = Kept(self.plan, lambda: self.feed.state, lambda: span, lambda: span.day)
        found = [*(await kept.fresh()).values()]
        state = self.feed.state
        return reports.report(self.plan, state, quarter, revision, found), dict(sorted(state.sequences.items()))

    async def _publish(self, one: Report, folded: dict[str, int], now: datetime, at: datetime) -> None:
        """Store the report and record that it is published, both or neither.

        One that could not be published in time counts as missed first: not one that a fast clock ran past between two
        looks.
        """
        if self.signed:
            one = msgspec.structs.replace(one, checkpoints=await covering(self.signed, folded))
        content, due = reports.content(one), reports.due(one.quarter)
        data = ReportPublished(
            quarter=one.quarter,
            as_of=one.as_of,
            checksum=hashlib.sha256(content).hexdigest(),
            coverage=one.coverage,
            revision=one.revision,
            suppressed=one.suppressed,
            events=sum(folded.values()),
        )
        late = at - timedelta(seconds=LOOK_S * self.own.clock.speed) > due
        first = one.revision == 1
        time = min(at, due) if first and not late else at
        events = [event_of(data, time, now, one.quarter, str(one.revision))]
        if first and late:
            events.insert(0, event_of(ReportMissed(quarter=one.quarter, due=due), due, now, one.quarter))
        published = Published(one.quarter, one.revision, now, reports.fingerprint(one))
        seated = await holders(self.own.pool, now)
        events += telling.notices(self.plan, events[-1], seated)
        async with self.own.pool.acquire() as connection, connection.transaction():
            await self._record_within(connection, events)
            await store.save_report(connection, published, content, folded)
        self.published[one.quarter] = published


def _kept(own: Log, feed: Feed, plan: Plan) -> Kept:
    today = own.clock.now
    return Kept(
        plan,
        lambda: feed.state,
        lambda: Span.now(today().date()),
        lambda: last_closed(plan.disclosure, today().date()),
    )


async def rebuilt(own: Log, feed: Feed) -> Rebuilt:
    """Fold anew from the first event, and record that it was done, if it was."""
    done = await feed.rebuild()
    if done.fault:
        return done
    now = own.clock.now()
    data = ProjectionRebuilt(checksum=done.checksum, events=done.events)
    await own.record([Draft(event_of(data, now, now, done.checksum, now.isoformat()))])
    return done


async def purged(own: Log, told: IntakePurged) -> None:
    """Record, for the country to read, that operators empty its intake."""
    now = own.clock.now()
    (outcome,) = await own.record([Draft(event_of(told, now, now, told.country, now.isoformat(), to=told.country))])
    if outcome is not None:
        raise outcome


def _milestone(told: Announcement, now: datetime) -> Event[Any]:
    one, again = told.one, [str(told.nth)] if told.nth else []
    data: MilestoneReached | MilestoneMissed
    if told.verb == "reached":
        assert one.reached is not None
        data = MilestoneReached(milestone=one.key, reached=one.reached, late_s=one.late_s, due=one.due)
        time = one.reached
    else:
        assert one.due is not None
        kind = MilestoneDue if told.verb == "due" else MilestoneMissed
        countries: Any = one.missing if one.milestone.countries else ()
        data = kind(milestone=one.key, due=one.due, done=one.done, needed=one.needed, missing=countries)
        time = now if told.verb == "due" else one.due
    return event_of(data, time, now, one.key, event_id=derived_id("milestone", told.verb, one.key, *again))


def _turn(one: Turn, now: datetime) -> Event[Any]:
    kind = CountrySilent if one.verb == "silent" else CountryResumed
    country: Any = one.country
    return event_of(kind(country=country, last=one.last), one.at, now, one.country, one.last.isoformat(), to=country)


def _crossing(one: thresholds.Crossing, now: datetime) -> Event[Any]:
    assert one.row.target is not None
    data = ThresholdCrossed(
        indicator=one.row.id,
        old=float(one.old),
        new=float(one.new),  # a count is an int, and the log's bytes are those of the contract's types
        target=one.row.target,
        country="REG",
    )
    return event_of(data, now, now, one.row.id, now.isoformat())


def event_of(  # noqa: PLR0913 - the facts of an event
    data: Data, time: datetime, now: datetime, subject: str, *key: str, to: Any = "REG", event_id: str = ""
) -> Event[Any]:
    """Return an event of the service's own, about `subject`; its id is made of that and `key`, unless one is given."""
    agreed = of(type(data), SERVICE)
    identity = event_id or derived_id(agreed.type, subject, *key)
    return Event(
        specversion="1.0",
        id=identity,
        source=source(SERVICE),
        type=agreed.type,
        time=time,
        country=to,
        data=data,
        recordedtime=now,
        subject=subject,
        datacontenttype="application/json",
        correlationid=identity,
    )
