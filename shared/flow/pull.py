"""Standing pulls: what durables have to give arrives while the last batch is recorded, and senders take turns."""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.flow.lane import CONTESTED_S, PACE_S, Lane
from shared.flow.streams import ACK_WAIT_S

log = structlog.get_logger()

BATCH_S = 0.03
"""What a batch takes at first whatever is in it: its round trips. From then on it is the least that one of late took.
Counted as the cost of few messages, it would make a lane give fewer still, and each of them seem to cost more."""
RISING = 1.1
"""By how much that may rise with each batch: a machine may have more to do than a moment ago."""
LEARNING = 0.2
"""How much the last batch counts in what a lane's messages cost."""
HALTED_S = 0.2
"""How often it is asked whether recording goes on."""

Before: TypeAlias = "asyncio.Task[None] | None"
"""The batch before, as long as it is being recorded."""


@dataclass(slots=True, eq=False)
class Turns:
    """Hands on batches in which each lane that has something has its share, each lane's messages in their order.

    What is heard of other services has lanes beside those of the senders: a batch holds both, and is one transaction.
    """

    lanes: Sequence[Lane]
    batch_max: int
    handle: Callable[[list[Msg], Before], Awaitable[None]]
    """Settles a batch: it may be read while the one before is recorded, and is recorded when that one has ended."""
    halted: Callable[[], object]
    """Whether nothing can be recorded now: then nothing is asked for, lest it is given out and comes back for ever."""
    _held: list[list[Msg]] = field(default_factory=list)
    """The batches at hand: one is recorded, and where there is plenty the next one is read meanwhile."""
    _last: Before = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _taken_at: float = 0.0
    """When the last batch was made up."""
    _since: float = -math.inf
    """Who has given something since then gives now: `CONTESTED_S` before the batch before the last was made up."""
    _batch_s: float = BATCH_S
    """What a batch takes whatever is in it."""
    _ended_at: float = 0.0
    """When the last batch ended."""

    async def run(self) -> None:
        """Ask, wait, hand on, until `stop`."""
        keeping = asyncio.create_task(self._keep())
        before: Before = None
        try:
            while not self._stopping:
                if self.halted():
                    await _ended(self._last)
                    await self._give_back()
                    await asyncio.sleep(HALTED_S)
                    continue
                self._wake.clear()
                batch = self._taken()
                with contextlib.suppress(NatsError):
                    for lane in self.lanes:
                        await lane.ask(self._share(lane), self._wake)
                if batch:
                    before, self._last = self._last, asyncio.create_task(self.hand_on(batch, self._last))
                    await _ended(before)
                    if not self._plenty():
                        await _ended(self._last)
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._pause())
            await _ended(self._last)
        finally:
            keeping.cancel()
            for task in (self._last, before):  # the last one first, lest it is recorded because the other has ended
                if task and not task.done():
                    task.cancel()
                    await _ended(task)
            await self._give_back()

    def stop(self) -> None:
        """Have `run` end after the batch at hand, and give back the rest."""
        self._stopping = True
        self._wake.set()

    def _taken(self) -> list[Msg]:
        """Return a batch: of each lane its share, then what room is left to whoever has more."""
        self.lanes = [*self.lanes[1:], *self.lanes[:1]]  # whose turn is first moves on
        self._since = self._taken_at - CONTESTED_S
        now = self._taken_at = time.monotonic()
        ready = [lane for lane in self.lanes if lane.arrived]
        weights = sum(lane.weight for lane in ready)
        batch: list[Msg] = []
        for lane in ready:
            share = max(1, self.batch_max * lane.weight // weights)
            batch += lane.take(share, now, contested=self._contested(lane))
        for lane in ready:
            batch += lane.take(self.batch_max - len(batch), now, contested=self._contested(lane))
        return batch

    def _contested(self, lane: Lane) -> bool:
        """Say whether another sender that gives has little."""
        return any(
            other.pace and not other.behind and other.little > self._since for other in self.lanes if other is not lane
        )

    def _plenty(self) -> bool:
        """Say whether a whole batch has arrived that holds up nobody who has little."""
        waiting = [lane for lane in self.lanes if lane.arrived]
        enough = sum(len(lane.arrived) for lane in waiting) >= self.batch_max
        return enough and not any(lane.pace and self._contested(lane) for lane in waiting)

    def _share(self, lane: Lane) -> int:
        """Return for how many messages a lane is asked: its part of a batch; one that gives, what two batches take.

        Where it has a pace, what that gives in half a second. More would lie here, and the server be told of each
        every second that it is worked on.
        """
        if lane.pace and self._contested(lane):
            return min(self.batch_max, int(lane.paced / 2) + 1)
        if lane.given <= self._since:
            return self.batch_max // len(self.lanes) + 1
        giving = sum(other.given > self._since for other in self.lanes if other is not lane)
        return min(self.batch_max, 2 * self.batch_max // (giving + 1) + 1)

    def _pause(self) -> float:
        """Return how long (s) to wait for something new: a paced lane gives soon, and no request may lapse."""
        if any(lane.arrived for lane in self.lanes):
            return PACE_S / 4
        now = time.monotonic()
        return max(PACE_S / 4, min(lane.renewed_in(now) for lane in self.lanes))

    async def hand_on(self, batch: list[Msg], before: Before = None) -> None:
        """Have a batch settled, and learn what its lanes' messages cost."""
        begun, lanes = time.monotonic(), [lane for lane in self.lanes if lane.given == self._taken_at]
        self._held.append(batch)
        try:
            await self.handle(batch, before)
        except Exception as error:
            # Not acknowledged, so it all comes again after the acknowledgement wait.
            log.exception("batch failed", lane=self.lanes[0].stream, size=len(batch), error=type(error).__name__)
        finally:
            self._held.remove(batch)
        now = time.monotonic()
        took_s, self._ended_at = now - max(begun, self._ended_at), now
        self._batch_s = min(took_s, self._batch_s * RISING)
        for lane in lanes:
            lane.cost_s += LEARNING * ((took_s - self._batch_s) / len(batch) - lane.cost_s)

    async def _keep(self) -> None:
        """Tell the server of what is held long, behind another replica's batch say, that it is being worked on."""
        told: dict[int, float] = {}
        while True:
            await asyncio.sleep(ACK_WAIT_S / 6)
            now, held = time.monotonic(), [*self._held, *(lane.arrived for lane in self.lanes)]
            messages = {id(message): message for some in held for message in some}
            told = {one: told.get(one, now) for one in messages}  # what was not here before counts as told now
            with contextlib.suppress(NatsError):
                for one, message in messages.items():
                    if told[one] <= now - ACK_WAIT_S / 2 and not message.is_acked:
                        told[one] = now
                        await message.in_progress()

    async def _give_back(self) -> None:
        await asyncio.gather(*(lane.give_back() for lane in self.lanes))


async def _ended(batch: Before) -> None:
    """Wait until a batch has ended, however."""
    if batch:
        await asyncio.wait([batch])
