"""Who may ask now: each sender's questions by its quota, told at the limit, and not listened to beyond it.

To answer "too many" costs a process nearly as much as to answer. So who goes on asking all the same is no longer
listened to for a moment: then the server itself answers "no responders", and the process has no work of it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from faststream.nats import NatsBroker
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter

from shared import quotas
from shared.contracts import questions
from shared.questions import ANSWERED, Desk, reply
from shared.streams import SENDERS

SHUT_OUT = Counter("crm_shut_out_total", "How often a sender was not listened to for a while.", ["service", "country"])
COSTS = {"mailbox": 25, "quota": 5}
"""What a question counts as, where it is not one: an answer of half a megabyte is not one row looked up."""
TOLD = 0.5
"""What a question counts as that is only told to wait."""
UNREAD_MAX = 2_000
"""Questions of one sender that the connection keeps until they are looked at; more are dropped, unanswered."""
SHUT_S = 1.0
"""How long, at least, a sender is not listened to."""


@dataclass(slots=True)
class Admission:
    """The questions of one sender to one process."""

    service: str
    sender: str
    per_s: int
    listen: Callable[[], Awaitable[None]]
    unlisten: Callable[[], Awaitable[None]]
    _left: float = 0.0
    _filled: float = field(default_factory=time.monotonic)
    _shut: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        """Begin with a whole second's questions."""
        self._left = float(self.per_s)

    @property
    def used(self) -> float:
        """How much of a second's questions is used up now, in questions."""
        return self.per_s - min(self.per_s, self._left + (time.monotonic() - self._filled) * self.per_s)

    def wait_s(self, cost: int) -> float:
        """Return 0 and count a question, which counts as `cost`; or return after how many seconds to ask again."""
        now = time.monotonic()
        self._left = min(self.per_s, self._left + (now - self._filled) * self.per_s)
        self._filled = now
        if self._left >= cost:
            self._left -= cost
            return 0.0
        self._left -= TOLD  # who goes on asking waits longer
        if self._left < -self.per_s and self._shut is None:
            SHUT_OUT.labels(self.service, self.sender).inc()
            self._shut = asyncio.create_task(self._shut_out())
        return (cost - self._left) / self.per_s

    async def _shut_out(self) -> None:
        with contextlib.suppress(NatsError):
            await self.unlisten()
        await asyncio.sleep(SHUT_S)
        self._left, self._filled, self._shut = 0.0, time.monotonic(), None
        with contextlib.suppress(NatsError):
            await self.listen()


def listen(broker: NatsBroker, service: str, desks: Callable[[str], Desk]) -> None:
    """Have the broker take the questions to `service`, shared among its replicas, each to the desk for its name."""
    for sender in SENDERS:
        subscriber = broker.subscriber(
            f"crm.ask.{sender}.{service}.*",
            queue=service,
            decoder=_raw,
            no_reply=True,
            pending_msgs_limit=UNREAD_MAX,
        )
        admission = Admission(service, sender, quotas.of(sender).questions_per_s, subscriber.start, subscriber.stop)
        subscriber(_taking(admission, desks))


def _taking(admission: Admission, desks: Callable[[str], Desk]) -> Callable[[Msg], Awaitable[None]]:
    async def take(message: Msg) -> None:
        name = message.subject.rpartition(".")[2]
        if wait_s := admission.wait_s(COSTS.get(name, 1)):
            ANSWERED.labels(admission.service, "any", "too_many").inc()
            await reply(message, questions.too_many(wait_s))
        else:
            await desks(name).take(message)

    return take


async def _raw(message: Any) -> Any:
    return message.raw_message
