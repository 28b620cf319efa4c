"""Standing pulls: what durables have to give arrives while the last batch is recorded, and senders take turns."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from shared.flow import quotas
from shared.flow.streams import ACK_WAIT_S, sender_of
from shared.flow.taken import SHORT_REPLY

log = structlog.get_logger()

EXPIRES_S = 2.0
"""How long a request stands on the server; one that a restart of the server forgot is missed no longer than this."""
RENEWED_S = 0.5
"""So long before a request ends the next one is made: a message that comes meanwhile would wait for that."""
ENDED = "408"
"""The status of a request that stood for its whole time."""
BYTES_MAX = 512 * 1024
"""What one request may bring, so that a sender's large reports fill neither memory nor a batch."""
REPORT_BYTES = 8 * 1024
"""What counts as one report; a larger message counts as several."""
PACE_S = 0.05
"""How much of a second's reports a lane with a pace gives at once, so that the others' next batch is near."""
CONTESTED_S = 2.0
"""A lane's pace holds while another lane gives all it has, and gave something within this time: its reports would wait
for a large batch. Where all have more than a batch takes, large batches serve all of them best."""
TIME_SHARE = 0.35
"""How much of the time a lane with a pace may take up while others give too, whatever its messages cost."""
PACE_MIN = 1 / PACE_S
BATCH_S = 0.03
"""What a batch takes at first whatever is in it: its round trips. From then on it is the least that one of late took.
Counted as the cost of few messages, it would make a lane give fewer still, and each of them seem to cost more."""
RISING = 1.1
"""By how much that may rise with each batch: a machine may have more to do than a moment ago."""
PENDING = 6
"""So many tokens behind the stream's name in where a message is acknowledged stands how many wait behind it."""
LEARNING = 0.2
"""How much the last batch counts in what a lane's messages cost."""
GIVEN_BACK_S = 1.0
HALTED_S = 0.2
"""How often it is asked whether recording goes on."""

Before: TypeAlias = "asyncio.Task[None] | None"
"""The batch before, as long as it is being recorded."""


@dataclass(slots=True, eq=False)
class Lane:
    """One durable on one stream: what it has given and nobody has taken."""

    client: Client
    stream: str
    durable: str
    weight: int = 1
    """Its share of a batch, beside the weights of the others that have something."""
    pace: float = 0.0
    """What it gives a second while others give too; 0: all it has."""
    arrived: deque[Msg] = field(default_factory=deque)
    _asked: int = 0
    """Messages asked for and not arrived."""
    _until: float = 0.0
    """When the last request is to be renewed."""
    _subscription: Subscription | None = None
    _budget: float = 0.0
    _filled: float = 0.0
    """When the budget was last added to."""
    given: float = -CONTESTED_S
    """When it gave something last."""
    behind: bool = False
    """Whether it had more than it gave last, here or on the server."""
    cost_s: float = 0.0
    """What one of its messages took of late, in the batches that it was in."""

    @property
    def paced(self) -> float:
        """What it gives a second while others give too; less where its messages cost much."""
        return min(self.pace, max(PACE_MIN, TIME_SHARE / self.cost_s)) if self.cost_s else self.pace

    def take(self, room: int, now: float, *, contested: bool) -> list[Msg]:
        """Return what has arrived, at most `room` messages and, where others give too, what its pace allows."""
        paced = contested and self.pace > 0
        if paced:
            most = self.paced * PACE_S
            self._budget = min(most, self._budget + (now - self._filled) * self.paced)
            self._filled = now
            if self._budget < most / 2:
                return []
        taken: list[Msg] = []
        while self.arrived and len(taken) < room and (self._budget > 0 or not paced):
            message = self.arrived.popleft()
            self._budget -= 1 + len(message.data) // REPORT_BYTES
            taken.append(message)
        if taken:
            self.given = now
            self.behind = bool(self.arrived) or _pending(taken[-1]) > 0
        return taken

    async def ask(self, share: int, wake: asyncio.Event) -> None:
        """Have a request for `share` messages stand, unless enough is on its way."""
        now = time.monotonic()
        if now >= self._until:
            self._asked = 0
        if self._asked + len(self.arrived) > share // 2:
            return
        if self._subscription is None:
            self._subscription = await self.client.subscribe(self.client.new_inbox(), cb=self._arrival(wake))
        request = {"batch": share, "max_bytes": BYTES_MAX, "expires": int(EXPIRES_S * 1e9)}
        self._asked, self._until = self._asked + share, now + EXPIRES_S - RENEWED_S
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.durable}"
        await self.client.publish(subject, json.dumps(request).encode(), self._subscription.subject)

    def _arrival(self, wake: asyncio.Event) -> Callable[[Msg], Awaitable[None]]:
        async def arrive(message: Msg) -> None:
            # Not by its status header, which a sender may have written: what is to be acknowledged is a message.
            if message.reply:
                self._asked -= 1
                self.arrived.append(message)
                wake.set()
            elif (status := message.headers or {}).get("Status") != ENDED and "Nats-Pending-Messages" in status:
                self._asked -= int(status["Nats-Pending-Messages"])  # the request has ended early

        return arrive

    def renewed_in(self, now: float) -> float:
        """Return in how many seconds the next request is to be made."""
        return max(0.0, self._until - now)

    async def give_back(self) -> None:
        """Stop asking; what has arrived goes to another replica at once, or comes again when this one asks."""
        subscription, self._subscription, self._asked = self._subscription, None, 0
        with contextlib.suppress(NatsError, TimeoutError):
            if subscription:
                await asyncio.wait_for(subscription.drain(), GIVEN_BACK_S)  # type: ignore[no-untyped-call]  # takes also what is on its way
            while self.arrived:
                await self.arrived.popleft().nak()
        self.arrived.clear()


async def _ended(batch: Before) -> None:
    """Wait until a batch has ended, however."""
    if batch:
        await asyncio.wait([batch])


def _pending(message: Msg) -> int:
    """Return how many messages waited behind this one when the server gave it out."""
    tokens = message.reply.split(".")
    return int(tokens[(2 if len(tokens) == SHORT_REPLY else 4) + PENDING])


def lane(client: Client, stream: str, durable: str) -> Lane:
    """Return the lane of a durable; that of a sender's intake by its quota."""
    sender = sender_of(stream)
    if not sender:
        return Lane(client, stream, durable)
    quota = quotas.of(sender)
    return Lane(client, stream, durable, quota.weight, quota.reports_per_s)


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
    _batch_s: float = BATCH_S
    """What a batch takes whatever is in it."""
    _ended_at: float = 0.0
    """When the last batch ended."""

    async def run(self) -> None:
        """Ask, wait, hand on, until `stop`."""
        keeping = asyncio.create_task(self._keep())
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
            if self._last and not self._last.done():
                self._last.cancel()
                await _ended(self._last)
            await self._give_back()

    def stop(self) -> None:
        """Have `run` end after the batch at hand, and give back the rest."""
        self._stopping = True
        self._wake.set()

    def _taken(self) -> list[Msg]:
        """Return a batch: of each lane its share, then what room is left to whoever has more."""
        self.lanes = [*self.lanes[1:], *self.lanes[:1]]  # whose turn is first moves on
        now = self._taken_at = time.monotonic()
        ready = [lane for lane in self.lanes if lane.arrived]
        weights = sum(lane.weight for lane in ready)
        batch: list[Msg] = []
        for lane in ready:
            share = max(1, self.batch_max * lane.weight // weights)
            batch += lane.take(share, now, contested=self._contested(lane, now))
        for lane in ready:
            batch += lane.take(self.batch_max - len(batch), now, contested=self._contested(lane, now))
        return batch

    def _contested(self, lane: Lane, now: float) -> bool:
        return any(
            other.pace and not other.behind and other.given > now - CONTESTED_S
            for other in self.lanes
            if other is not lane
        )

    def _plenty(self) -> bool:
        """Say whether a whole batch has arrived that holds up nobody who has little."""
        now = time.monotonic()
        waiting = [lane for lane in self.lanes if lane.arrived]
        enough = sum(len(lane.arrived) for lane in waiting) >= self.batch_max
        return enough and not any(lane.pace and self._contested(lane, now) for lane in waiting)

    def _share(self, lane: Lane) -> int:
        """Return for how many messages a lane is asked: its part of a batch; one that gives, what two batches take.

        Where it has a pace, what that gives in half a second. More would lie here, and the server be told of each
        every second that it is worked on.
        """
        now = time.monotonic()
        if lane.pace and self._contested(lane, now):
            return min(self.batch_max, int(lane.paced / 2) + 1)
        if lane.given < now - CONTESTED_S:
            return self.batch_max // len(self.lanes) + 1
        giving = sum(other.given > now - CONTESTED_S for other in self.lanes if other is not lane)
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
        held: set[int] = set()
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            waiting = [*self._held, *(lane.arrived for lane in self.lanes)]
            now = [message for some in waiting for message in some]
            with contextlib.suppress(NatsError):
                for message in now:
                    if id(message) in held and not message.is_acked:
                        await message.in_progress()
            held = {id(message) for message in now}

    async def _give_back(self) -> None:
        await asyncio.gather(*(lane.give_back() for lane in self.lanes))
