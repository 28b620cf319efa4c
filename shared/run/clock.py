"""The one clock: real time, or plan time that starts at a given instant and runs at a given speed."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.run.database import Queried
from shared.run.settings import Settings

LOOK_S = 0.02
"""How often it is looked whether a clock was set forward, by who waits for it."""

PLAYED = timedelta(days=1)
"""A clock that is so far from real time tells a time that is played."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Plan time = `start` + (real time - `epoch`) x `speed`; the same for all processes given the same three."""

    start: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    epoch: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    speed: float = 1.0
    ahead_file: Path | None = None
    """Holds the plan seconds by which the clock is set forward, read at each look; put a new file in its place."""
    _epoch_s: float = field(init=False, repr=False, default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_epoch_s", self.epoch.timestamp())

    @classmethod
    def of(cls, settings: Settings) -> "Clock":
        """Return the clock that the settings describe; `clock_epoch` without `clock_start` is ignored."""
        if settings.clock_start is None:
            return cls()
        epoch = settings.clock_epoch or datetime.now(UTC)
        return cls(settings.clock_start, epoch, settings.speed, settings.clock_ahead_file)

    @property
    def played(self) -> bool:
        """Whether it runs at another speed than real time, or from another day on: what it tells is played."""
        return self.speed != 1 or abs(self.start - self.epoch) > PLAYED

    def now(self) -> datetime:
        """Return plan time, aware, UTC, to the microsecond."""
        return self.start + timedelta(seconds=(time.time() - self._epoch_s) * self.speed + self._ahead_s())

    def _ahead_s(self) -> float:
        return float(self.ahead_file.read_text()) if self.ahead_file else 0.0

    async def pause(self, real_s: float) -> None:
        """Wait so long (real seconds); where the clock can be set forward, only until it is."""
        if self.ahead_file is None:
            await asyncio.sleep(real_s)
            return
        end, before = time.monotonic() + real_s, self._ahead_s()
        while time.monotonic() < end and self._ahead_s() == before:  # noqa: ASYNC110 - a file tells no event
            await asyncio.sleep(LOOK_S)

    def real_s(self, plan: timedelta) -> float:
        """Return how many real seconds a span of plan time takes."""
        return plan.total_seconds() / self.speed


async def astray_s(queried: Queried) -> float:
    """Return by how many seconds this machine's clock is surely ahead of the database's (below 0: behind).

    What the answer took is taken off: it may all have passed on one way. 0: no difference can be told.
    """
    asked = time.time()
    theirs: datetime = await queried.fetchval("select clock_timestamp()")
    took = time.time() - asked
    off = asked + took / 2 - theirs.timestamp()
    return off - took / 2 if off > took / 2 else off + took / 2 if off < -took / 2 else 0.0
