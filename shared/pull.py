"""A pull consumer that always has a request standing, so that messages arrive while the last batch is recorded.

FastStream fetches through nats-py, whose `fetch` waits for every message in a task of its own, and (2.16) tells
"nothing in time" in two ways, at one of which FastStream (0.7) throws away the part of a batch that it already has.
"""

import asyncio
import json
import time
from typing import Any, cast

from nats import errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

EXPIRES_S = 2.0
"""How long a request stands on the server; one that a restart of the server forgot is missed no longer than this."""


class StandingPull(JetStreamContext.PullSubscription):
    """Takes the place of nats-py's subscription under FastStream's subscriber."""

    _asked = 0
    """Messages asked for and not arrived."""
    _until = 0.0

    async def fetch(  # nats-py's signature
        self,
        batch: int = 1,
        timeout: float | None = None,  # noqa: ASYNC109
        heartbeat: float | None = None,  # noqa: ARG002
    ) -> list[Msg]:
        """Return one to `batch` messages; raises nats.errors.TimeoutError when none arrives in time."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            await self._ask(batch)
            messages = self._arrived(batch)
            if messages:
                return messages
            await self._wait(None if end is None else end - time.monotonic())

    async def release(self) -> None:
        """Stop asking, and give back what has arrived, so that another replica gets it at once."""
        self._until = float("inf")
        self._asked = 1 << 30
        try:
            await self.unsubscribe()
        except errors.Error:
            return
        for message in self._arrived(1 << 30):
            await message.nak()

    async def _ask(self, batch: int) -> None:
        if self._asked > batch // 2 and time.monotonic() < self._until:
            return
        request = {"batch": batch, "expires": int(EXPIRES_S * 1e9)}
        await self._nc.publish(self._nms, json.dumps(request).encode(), self._deliver)
        self._asked = max(0, self._asked) + batch if time.monotonic() < self._until else batch
        self._until = time.monotonic() + EXPIRES_S

    def _arrived(self, batch: int) -> list[Msg]:
        """Take out of the client's queue what is there."""
        queue = self._sub._pending_queue  # noqa: SLF001 - where nats-py itself takes them from
        messages: list[Msg] = []
        while len(messages) < batch and not queue.empty():
            message = queue.get_nowait()
            queue.task_done()
            self._sub._pending_size -= len(message.data)  # noqa: SLF001
            if JetStreamContext.is_status_msg(message):
                self._until = 0.0  # the request has ended: the next one is due
            else:
                self._asked -= 1
                messages.append(message)
        return messages

    async def _wait(self, wait_s: float | None) -> None:
        """Wait until something is in the queue, without taking it out."""
        queue = self._sub._pending_queue  # noqa: SLF001
        try:
            message = await asyncio.wait_for(queue.get(), wait_s)
        except TimeoutError as error:
            raise errors.TimeoutError from error
        queue._queue.appendleft(message)  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no peek


def stand(jetstream: JetStreamContext) -> list[StandingPull]:
    """Make `jetstream` give standing pulls; return the list that they will be in."""
    standing: list[StandingPull] = []
    bind = jetstream.pull_subscribe

    async def pull_subscribe(*args: Any, **options: Any) -> StandingPull:
        subscription = cast("StandingPull", await bind(*args, **options))
        subscription.__class__ = StandingPull
        standing.append(subscription)
        return subscription

    jetstream.pull_subscribe = pull_subscribe  # type: ignore[method-assign]
    return standing
