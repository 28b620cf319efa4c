"""Standing pulls: what durables have to give arrives while the last batch is recorded, and senders take turns."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from shared.flow import quotas
from shared.flow.streams import ACK_WAIT_S, sender_of

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
"""A lane's pace holds while another lane has given something within this time; alone it has all there is."""
TIME_SHARE = 0.35
"""How much of the time a lane with a pace may take up while others give too, whatever its messages cost."""
PACE_MIN = 1 / PACE_S
BATCH_S = 0.03
"""What a batch takes whatever is in it: its round trips. Counted as the cost of few messages, it would make a lane give
fewer still, and each of them seem to cost more."""
LEARNING = 0.2
"""How much the last batch counts in what a lane's messages cost."""
GIVEN_BACK_S = 1.0
HALTED_S = 0.2
"""How often it is asked whether recording goes on."""


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


def lane(client: Client, stream: str, durable: str) -> Lane:
    """Return the lane of a durable; that of a sender's intake by its quota."""
    sender = sender_of(stream)
    if not sender:
        return Lane(client, stream, durable)
    quota = quotas.of(sender)
    return Lane(client, stream, durable, quota.weight, quota.reports_per_s)


@dataclass(slots=True, eq=False)
class Turns:
    """Hands on batches in which each lane that has something has its share, each lane's messages in their order."""

    lanes: Sequence[Lane]
    batch_max: int
    handle: Callable[[list[Msg]], Awaitable[None]]
    halted: Callable[[], object]
    """Whether nothing can be recorded now: then nothing is asked for, lest it is given out and comes back for ever."""
    _batch: list[Msg] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _taken_at: float = 0.0
    """When the last batch was made up."""

    async def run(self) -> None:
        """Ask, wait, hand on, until `stop`."""
        keeping = asyncio.create_task(self._keep())
        try:
            while not self._stopping:
                if self.halted():
                    await self._give_back()
                    await asyncio.sleep(HALTED_S)
                    continue
                self._wake.clear()
                self._batch = self._taken()
                with contextlib.suppress(NatsError):
                    for lane in self.lanes:
                        await lane.ask(self._share(lane), self._wake)
                if self._batch:
                    await self._handed_on()
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._pause())
        finally:
            keeping.cancel()
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
        return any(other.given > now - CONTESTED_S for other in self.lanes if other is not lane)

    def _share(self, lane: Lane) -> int:
        """Return for how many messages a lane is asked: what it gives in half a second, where it has a pace."""
        paced = lane.pace and self._contested(lane, time.monotonic())
        return min(self.batch_max, int(lane.paced / 2) + 1) if paced else self.batch_max

    def _pause(self) -> float:
        """Return how long (s) to wait for something new: a paced lane gives soon, and no request may lapse."""
        if any(lane.arrived for lane in self.lanes):
            return PACE_S / 4
        now = time.monotonic()
        return max(PACE_S / 4, min(lane.renewed_in(now) for lane in self.lanes))

    async def _handed_on(self) -> None:
        begun = time.monotonic()
        try:
            await self.handle(self._batch)
        except Exception as error:
            # Not acknowledged, so it all comes again after the acknowledgement wait.
            log.exception("batch failed", lane=self.lanes[0].stream, size=len(self._batch), error=type(error).__name__)
        each_s = max(0.0, time.monotonic() - begun - BATCH_S) / len(self._batch)
        for lane in self.lanes:
            if lane.given >= self._taken_at:
                lane.cost_s += LEARNING * (each_s - lane.cost_s)
        self._batch = []

    async def _keep(self) -> None:
        """Tell the server of what is held long, behind another replica's batch say, that it is being worked on."""
        held: set[int] = set()
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            now = [*self._batch, *(message for lane in self.lanes for message in lane.arrived)]
            with contextlib.suppress(NatsError):
                for message in now:
                    if id(message) in held and not message.is_acked:
                        await message.in_progress()
            held = {id(message) for message in now}

    async def _give_back(self) -> None:
        await asyncio.gather(*(lane.give_back() for lane in self.lanes))
