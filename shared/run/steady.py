"""What goes on whatever happens: a fault of ours in a task is seen, and ends neither the task nor the process.

And who stands still: has something before it, and does not move.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import structlog

from shared.run.telemetry import RECEIVED

log = structlog.get_logger()

PAUSE_S, PAUSE_S_MAX = 1.0, 30.0
"""A task that failed begins anew after this, each time twice as long; if it ran well for longer, after the shortest."""
SHOWN_S = 2 * PAUSE_S_MAX
"""How long a failure is told: what goes on failing never looks well between two tries."""
STANDS_S = 60.0


@dataclass(slots=True)
class Steady:
    """What failed in a process, by a fault of ours."""

    service: str
    _failed: dict[str, tuple[str, float]] = field(default_factory=dict)

    async def keep(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, and again whenever it fails, until it returns by itself or is cancelled."""
        RECEIVED.labels(self.service, what, "failed")  # from the start, so that the first failure is a rise
        pause_s = PAUSE_S
        while True:
            begun = time.monotonic()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do
                self.failed(what, error)
            else:
                return
            pause_s = PAUSE_S if time.monotonic() - begun > PAUSE_S_MAX else min(2 * pause_s, PAUSE_S_MAX)
            await asyncio.sleep(pause_s)

    def failed(self, what: str, error: Exception) -> None:
        """Tell of a failure: in the log with its place, as a metric, and for a while in readiness."""
        log.error("failed, and is tried again", what=what, error=type(error).__name__, exc_info=error)
        RECEIVED.labels(self.service, what, "failed").inc()
        self._failed[what] = type(error).__name__, time.monotonic()

    def faults(self) -> list[str]:
        """Return in words what has failed just now."""
        end = time.monotonic() - SHOWN_S
        return [f"{what} fails ({error}): see the log" for what, (error, at) in self._failed.items() if at > end]


@dataclass(slots=True)
class Movement:
    """Sees whether things that have a way before them move."""

    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def see(self, what: str, at: int, *, ahead: bool) -> None:
        """Note where it is, and whether there is anything before it."""
        if not ahead or self._seen.get(what, (-1, 0.0))[0] != at:
            self._seen[what] = at, time.monotonic()

    def standing(self, stands_s: float = STANDS_S) -> Iterator[tuple[str, int]]:
        """Yield what has not moved for so long though something is before it, and where it stands."""
        end = time.monotonic() - stands_s
        yield from ((what, at) for what, (at, since) in self._seen.items() if since < end)
