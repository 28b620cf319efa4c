"""Trying again what is set aside: at once when what it waits for is recorded, else after a growing delay.

Of each country a piece is tried at a time, and what is tried again takes at most half of the time: the fresh has the
other.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from shared.flow import aside
from shared.flow.intake import Intake
from shared.flow.lost import LOST
from shared.flow.taken import Key, Taken
from shared.record.log import head
from shared.run.telemetry import ASIDE

log = structlog.get_logger()

POLL_S, COUNTED_S, LOST_S = 0.2, 2.0, 1.0
PIECE = 8
"""Messages of each country that are tried again together: they hold the fresh up while they are tried."""


@dataclass(slots=True)
class Retrying:
    """What one process tries again; replicas share the work."""

    intake: Intake
    _seen: int | None = None
    """Position in the log of the last event that had what waits for it tried again; None: before the start."""
    _counted: float = 0.0
    _labels: set[tuple[str, aside.Kind]] = field(default_factory=set)

    async def run(self) -> None:
        """Try again, for ever."""
        while True:
            begun = time.monotonic()
            try:
                tried = await self._round()
                if time.monotonic() > self._counted + COUNTED_S:
                    await self._count()
            except LOST as error:
                log.warning("what is set aside waits", error=type(error).__name__)
                await asyncio.sleep(LOST_S)
            else:
                await asyncio.sleep(max(time.monotonic() - begun, 0 if tried else POLL_S))

    async def _round(self) -> bool:
        """Try what is due, a piece of each country; return whether there was any."""
        pool = self.intake.log.pool
        if self._seen is None:
            self._seen, _ = await head(pool)
            await aside.resume(pool, self.intake.settings.reference_wait_s)
        seen = await aside.look(pool)
        woken = seen.waits and seen.last != self._seen
        self._seen = await aside.waken(pool, self._seen, self.intake.sealing) if woken else seen.last
        found = await aside.claim(pool, PIECE, self.intake.sealing) if woken or seen.due else []
        if found:
            await self._try([one for one, _ in found], frozenset(one.key for one, late in found if late))
        return bool(found)

    async def _try(self, batch: Sequence[Taken], over: frozenset[Key]) -> None:
        """Try messages together; where that fails, each country's, and then one by one: whose it is shows there."""
        try:
            await self.intake.settle(batch, over, again=True)
        except LOST:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one message's: it stays aside
            if len(batch) == 1:
                await self.intake.set_aside(batch[0], error)
                return
            countries = sorted({one.country for one in batch})
            parts = [[one for one in batch if one.country == country] for country in countries]
            for part in parts if len(parts) > 1 else [[one] for one in batch]:
                await self._try(part, over)

    async def _count(self) -> None:
        """Show in the metrics how much is set aside."""
        self._counted = time.monotonic()
        found = {(stream, kind): number for stream, kind, number, _ in await aside.counts(self.intake.log.pool)}
        self._labels |= found.keys()
        for stream, kind in self._labels:
            ASIDE.labels(self.intake.log.service, stream, kind).set(found.get((stream, kind), 0))
