"""The one clock: real time, or plan time that starts at a given instant and runs at a given speed."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Clock:
    """Plan time = `start` + (real time - `epoch`) x `speed`; the same for all processes given the same three."""

    start: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    epoch: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    speed: float = 1.0
    _epoch_s: float = field(init=False, repr=False, default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_epoch_s", self.epoch.timestamp())

    @classmethod
    def of(cls, settings: Settings) -> "Clock":
        """Return the clock that the settings describe; `clock_epoch` without `clock_start` is ignored."""
        if settings.clock_start is None:
            return cls()
        return cls(settings.clock_start, settings.clock_epoch or datetime.now(UTC), settings.speed)

    def now(self) -> datetime:
        """Return plan time, aware, UTC, to the microsecond."""
        return self.start + timedelta(seconds=(time.time() - self._epoch_s) * self.speed)

    def real_s(self, plan: timedelta) -> float:
        """Return how many real seconds a span of plan time takes."""
        return plan.total_seconds() / self.speed
