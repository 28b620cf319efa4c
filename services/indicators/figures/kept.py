"""The figures of one span, kept: a row is worked out again only when something that it rests on has changed.

They are worked out in slices: between two of them others on the same loop get their turn, the fold first of all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date

import msgspec

from services.indicators.figures.disclosure import guarded
from services.indicators.figures.figures import Figures, composed, plain
from services.indicators.figures.kinds import Span
from services.indicators.figures.resting import rests
from services.indicators.figures.verdicts import Heard, Hearing, hearing
from services.indicators.folded.state import State
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT

SLICE_S = 0.001
"""So long rows are worked out before others get their turn: with the longest of them less than 5 ms."""
PAUSE_S = 0.1
"""So long nothing is worked out that nobody asks for."""
PASSES = 2
"""So often others get their turn while rows are worked out. What events touched meanwhile is ever less: the last of it
is done in one go, or events that keep coming would never let it end."""


Closed = Callable[[], date | None]
"""The end of the last period that is over, or `EXACT`."""


class Kept:
    """Every row's figures; as the public has them, unless `closed` gives `EXACT`."""

    def __init__(self, plan: Plan, state: Callable[[], State], span: Callable[[], Span], closed: Closed) -> None:
        self._plan = plan
        self._current = state
        self._span = span
        self._closed = closed
        self._last = closed()
        self._still = guarded(plan) if self._last is not None else frozenset[str]()
        """Rows whose figures change only when a period is over."""
        self._rests = rests(plan)
        self._order = sorted(plan.rows, key=lambda name: plan.rows[name].kind in COMPOSED)
        """Rows that are made of others come behind all others."""
        self._state: State | None = None
        self._at = span()
        self._heard = Heard(set(), set())
        self._hearing: Hearing = lambda _span: self._heard
        self._sequences: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        """Event type -> how many had come or were amended when last looked."""
        self._stale: set[str] = set()
        self._figures: dict[str, Figures] = {}
        self.worked = 0
        """How often a row was worked out."""
        self.version = 0
        """How often a row's figures were found changed."""
        self.changed: dict[str, int] = {}
        """Row -> the version with which its figures last changed; the day alone is no change."""

    async def fresh(self) -> Mapping[str, Figures]:
        """Return each row's figures as the state has them now, all at the same sequences."""
        turn, passes = time.perf_counter(), 0
        while stale := self._look():
            passes += 1
            for name in stale:
                if name in self._stale:
                    self._work(name)
                if time.perf_counter() - turn > SLICE_S and passes <= PASSES:
                    await asyncio.sleep(0)
                    turn = time.perf_counter()
        return {name: self._figures[name] for name in self._plan.rows}

    async def one(self, name: str) -> Figures:
        """Return one row's figures as the state has them now; if it is made of no others, it alone is worked out."""
        if self._plan.rows[name].kind in COMPOSED:
            return (await self.fresh())[name]
        self._look()
        return self._find(name)

    async def keep(self, then: Callable[[], Awaitable[None]]) -> None:
        """Work out what has changed and do something then, for ever, in a tenth of the time at most."""
        while True:
            begun = time.perf_counter()
            await self.fresh()
            await then()
            await asyncio.sleep(max(PAUSE_S, 9 * (time.perf_counter() - begun)))

    def now(self) -> Mapping[str, Figures]:
        """Return the same without giving others their turn."""
        while stale := self._look():
            for name in stale:
                self._work(name)
        return {name: self._figures[name] for name in self._plan.rows}

    def _look(self) -> list[str]:
        """Return the rows to be worked out, in this order."""
        state, at, last = self._current(), self._span(), self._closed()
        if state is not self._state:
            self._state, self._at, self._sequences, self.counts = state, at, {}, {}
            self._hearing = hearing(self._plan, state, public=last is not None)
            self._heard = self._hearing(at)
            self._stale, self._last = {*self._plan.rows}, last
        if last != self._last:
            self._last = last
            self._stale |= self._still
        if at != self._at or state.sequences != self._sequences:
            self._sequences = dict(state.sequences)
            self._stale |= self._touched(state) - self._still
            if at != self._at:
                self._at = at
                self._stale |= self._rests.by_day - self._still
                self._figures = {
                    name: one if name in self._still else msgspec.structs.replace(one, day=at.day)
                    for name, one in self._figures.items()
                }
            self._hearing = hearing(self._plan, state, public=last is not None)
            heard = self._hearing(at)
            if heard != self._heard:
                self._heard = heard
                self._stale |= self._plan.rows.keys() - self._still
        return [name for name in self._order if name in self._stale] if self._stale else []

    def _touched(self, state: State) -> set[str]:
        """Return the rows that events feed which have come, or were amended, since the last look."""
        counts = {".".join(name): sum(n.values()) for name, n in state.events.items()}
        for name, n in state.amended.items():
            counts[name] = counts.get(name, 0) + n
        came = [name for name, n in counts.items() if n != self.counts.get(name)]
        self.counts = counts
        return {row for name in [*came, ANY_REPORT] for row in self._rests.by_event.get(name, ())} if came else set()

    def _work(self, name: str) -> None:
        self._stale.discard(name)
        self.worked += 1
        assert self._state is not None
        row = self._plan.rows[name]
        if row.kind in COMPOSED:
            found = composed(self._plan, row, self._at, self._find)
        else:
            found = plain(self._plan, row, self._state, self._at, self._hearing, closed=self._last)
        if found != self._figures.get(name):
            self._figures[name] = found
            self.version += 1
            self.changed[name] = self.version
            self._stale |= self._rests.made_of.get(name, frozenset())

    def _find(self, name: str) -> Figures:
        if name in self._stale:
            self._work(name)
        return self._figures[name]
