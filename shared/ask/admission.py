"""Who is heard now: each sender's questions by its allowance, told at the limit, and beyond it not delivered at all.

To read and refuse a question costs a process nearly as much as to answer it. So the server delivers only as many of a
sender's questions as may be answered or refused until the process looks again: each subscription ends by itself after
so many. Beyond them the server answers "no responders", and the process has no work of it.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from prometheus_client import Counter

from shared.ask.allowance import Allowance
from shared.ask.questions import ANSWERED, Desk, reply
from shared.contracts import questions
from shared.flow import quotas
from shared.flow.streams import BOARD, SENDERS

SHUT_OUT = Counter("crm_shut_out_total", "How often a sender was not listened to for a while.", ["service", "country"])
COSTS = {"mailbox": 1, "quota": 5, "numbers": 25}
"""Questions with a desk of their own, as they take long, and what one counts as before its answer is known."""
LOOK_S = 0.1
STOP_S = 2.0
BOARD_PER_S = 500
"""Questions of the board, which serves the logs' trees over HTTP."""


@dataclass(slots=True)
class Admission:
    """The questions of one sender to one process."""

    service: str
    sender: str
    client: Client
    allowance: Allowance
    desk: Desk
    apart: Desk
    """Where questions go that take long."""
    _shut: bool = False
    _open: list[tuple[Subscription, int]] = field(default_factory=list)
    """What the server may still deliver: subscriptions, and after how many questions each ends."""
    _heard: "asyncio.Queue[Msg]" = field(default_factory=asyncio.Queue)
    """No longer than what the subscriptions may deliver."""

    async def look(self) -> None:
        """Have the server deliver as many questions as are expected; after a shut-out began, none."""
        before, self._open = self._open, [(one, most) for one, most in self._open if one.delivered < most]
        if before and not self._open:
            self.allowance.shut_out()  # more was asked than could be answered and told
        expected = self.allowance.expected(LOOK_S)
        if not expected:
            if not self._shut:
                SHUT_OUT.labels(self.service, self.sender).inc()
            self._shut = True
            await self.close()
            return
        self._shut = False
        # What was delivered and is not taken yet is not off the allowance: it would be heard for twice.
        count = sum(most - one.delivered for one, most in self._open) + self._heard.qsize()
        if count < expected:
            # Half as many more, so that a sender that asks now and then does not cost a subscription each time.
            most = expected + expected // 2 - count
            subject = f"crm.ask.{self.sender}.{self.service}.*"
            one = await self.client.subscribe(subject, queue=self.service, cb=self._hear)
            await one.unsubscribe(limit=most)
            self._open.append((one, most))

    async def close(self) -> None:
        """Have the server deliver no more; what it has delivered is answered."""
        closing, self._open = self._open, []
        for one, _ in closing:
            with contextlib.suppress(NatsError):
                await one.drain()  # type: ignore[no-untyped-call]  # the library gives no types

    async def _hear(self, message: Msg) -> None:
        # It must not wait for anything: nats-py (2.16) cancels it when the last message has come, others unheard.
        message.data = message.data[: questions.ASK_BYTES_MAX + 1]  # enough to see that it is too large
        message.headers = None
        self._heard.put_nowait(message)

    async def take(self) -> None:
        """Take what is heard, for ever."""
        while True:
            message = await self._heard.get()
            name = message.subject.rpartition(".")[2]
            if wait_s := self.allowance.wait_s(COSTS.get(name, 1)):
                ANSWERED.labels(self.service, "any", "too_many").inc()
                await reply(message, questions.too_many(wait_s))
            else:
                await (self.apart if name in COSTS else self.desk).take(message)
            await asyncio.sleep(0)  # whoever else is heard has its turn after each


@dataclass(slots=True)
class Listening:
    """All senders' questions to one process."""

    all: list[Admission]
    _stopped: bool = False

    async def run(self) -> None:
        """Listen until stopped."""
        async with asyncio.TaskGroup() as group:
            for one in self.all:
                group.create_task(one.take())
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Listen to each sender as far as it may ask now."""
        if not self._stopped:
            with contextlib.suppress(NatsError):  # away: once more, soon
                await asyncio.gather(*(one.look() for one in self.all))

    async def stop(self) -> None:
        """Hear no more questions, within `STOP_S` seconds."""
        self._stopped = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(one.close() for one in self.all)), STOP_S)


def allowances() -> dict[str, Allowance]:
    """Return what each sender may ask, by its quota."""
    return {sender: Allowance(quotas.of(sender).questions_per_s) for sender in SENDERS} | {
        BOARD: Allowance(BOARD_PER_S)
    }
