"""A lane: a durable's standing requests, and what it has given and nobody has taken."""

import asyncio
import contextlib
import json
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from shared.flow import quotas
from shared.flow.streams import sender_of
from shared.flow.taken import SHORT_REPLY

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
"""A lane's pace holds while another lane gives all it has, and that is little, and gave so short a time ago or in the
last batch: its next report would wait for a large batch. Who reports more seldom waits for one batch at most; where all
have more than a batch takes, large batches serve all of them best."""
BACKLOG = 2
"""So often in a row it must have had more than it gave: of a few reports at once one part may come behind the other."""
TIME_SHARE = 0.35
"""How much of the time a lane with a pace may take up while others give too, whatever its messages cost."""
PACE_MIN = 8 / PACE_S
"""What it may always give: of fewer small reports, a batch's own round trips cost more than they do."""
PENDING = 6
"""So many tokens behind the stream's name in where a message is acknowledged stands how many wait behind it."""
GIVEN_BACK_S = 1.0


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
    given: float = -math.inf
    """When it gave something last."""
    behind: int = 0
    """How often in a row it had more than it gave, here or on the server."""
    little: float = -math.inf
    """When it gave all it had last, and that was little: no more than its pace gives at once, and no backlog's end."""
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
            more, before = bool(self.arrived) or _pending(taken[-1]) > 0, self.behind
            self.behind = before + 1 if more else 0
            if not more and before < BACKLOG and len(taken) <= self.pace * PACE_S:
                self.little = now
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
