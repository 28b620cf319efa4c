"""Events read again out of the streams: only those under some subjects, a slice at a time, one reading at a time."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from services.indicators.folded.reading import SHORT_REPLY, stored
from shared.flow.bus import LOST, ends
from shared.flow.streams import stream_of
from shared.run.refusals import Refused

SLICE_S = 0.002
"""So long events are looked at before others get their turn: the fold and a scrape go on meanwhile."""
PATIENCE_S = 5.0
"""So long a reading waits for the one before it."""
SILENCE_S = 5.0
HEARTBEAT_S = 1.0
RETRY_AFTER_S = 5

Take = Callable[[str, int, bytes], bool]
"""(service, sequence, payload) -> whether to read on."""


@dataclass(slots=True)
class Recalled:
    """How far a reading came."""

    reached: dict[str, int] = field(default_factory=dict)
    """Service -> the sequence up to which all was read that was wanted."""
    complete: bool = True
    archived: dict[str, int] = field(default_factory=dict)
    """Service -> the last sequence that was wanted and that its stream has no more: it is in the archive."""


class Recall:
    """Reads events again; whoever asks while somebody else does waits, or is refused (503)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._turn = asyncio.Lock()

    async def one(self, service: str, sequence: int) -> bytes | None:
        """Return the event at a sequence of a service's stream; None: it has none. Refuses (503) where none answers."""
        try:
            return await stored(self._client, service, sequence)
        except LOST as error:
            raise busy("streams_away") from error

    async def read(
        self,
        wanted: Mapping[str, Sequence[str]],
        after: Mapping[str, int],
        until: Mapping[str, int],
        take: Take,
        limit_s: float,
    ) -> Recalled:
        """Read what stands under the `wanted` subjects of each service behind `after` and up to `until`.

        Services come one after another. It ends where `take` says so, or after `limit_s` seconds of reading.
        Refuses (503) while another reading goes on for too long, or where the streams do not answer.
        """
        try:
            await asyncio.wait_for(self._turn.acquire(), PATIENCE_S)
        except TimeoutError:
            raise busy("busy") from None
        try:
            found = Recalled(dict(after))
            deadline = perf_counter() + limit_s
            for service, subjects in wanted.items():
                first, last = after.get(service, 0), until.get(service, 0)
                if first < last:
                    begins = (await ends(self._client, stream_of(service))).first
                    if begins > first + 1:
                        found.archived[service] = min(begins - 1, last)
                    one = _Reading(self._client, service, last, take, deadline)
                    found.reached[service] = await one.run(subjects, max(first + 1, begins))
                    found.complete = found.complete and one.whole
                    if not one.whole:
                        break
        except (*LOST, TimeoutError) as error:
            raise busy("streams_away") from error
        finally:
            self._turn.release()
        return found


def busy(reason: str) -> Refused:
    """Return a refusal (503) that says when to ask again."""
    refused = Refused(503, reason)
    refused.headers = {"Retry-After": str(RETRY_AFTER_S)}
    return refused


class _Reading:
    """One stream's part of a reading."""

    def __init__(self, client: Client, service: str, last: int, take: Take, deadline: float) -> None:
        self._client, self._service, self._last = client, service, last
        self._take, self._deadline = take, deadline
        self._done = asyncio.Event()
        self._heard = self._slice = perf_counter()
        self._reached = 0
        self._next = 1
        self._lost = False
        self.whole = False

    async def run(self, subjects: Sequence[str], first: int) -> int:
        """Read, and return up to which sequence all was read. Raises one of `LOST`, or TimeoutError."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=self._hear)
        try:
            config = _consumer(inbox, subjects, first)
            made = await self._client.jetstream().add_consumer(stream_of(self._service), config)
            if not made.num_pending:
                self._end(self._last)
            while not self._done.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._done.wait(), HEARTBEAT_S)
                if not self._done.is_set() and perf_counter() - self._heard > SILENCE_S:
                    raise TimeoutError
            if self._lost:
                raise TimeoutError  # a message was lost on the way: whoever asks again gets it
        finally:
            with contextlib.suppress(*LOST):
                await subscription.unsubscribe()
        return self._reached

    async def _hear(self, message: Msg) -> None:
        self._heard = perf_counter()
        if message.headers and message.headers.get("Status") == "100":
            answer = message.reply or message.headers.get("Nats-Consumer-Stalled")
            if answer:
                await self._client.publish(answer)
            return
        if self._done.is_set():
            return
        sequence, nth, pending = _place(message.reply)
        if nth != self._next:
            self._lost = True
            self._done.set()
            return
        self._next += 1
        if sequence > self._last:
            self._end(self._last)
            return
        on = self._take(self._service, sequence, message.data)
        self._reached = sequence
        now = perf_counter()
        if not pending or sequence == self._last:
            self._end(self._last)
        elif not on or now > self._deadline:
            self._done.set()
        elif now - self._slice > SLICE_S:
            await asyncio.sleep(0)
            self._slice = perf_counter()

    def _end(self, reached: int) -> None:
        self._reached, self.whole = reached, True
        self._done.set()


def _consumer(inbox: str, subjects: Sequence[str], first: int) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=first,
        filter_subjects=[*subjects],
        ack_policy=AckPolicy.NONE,
        max_deliver=1,
        mem_storage=True,
        num_replicas=1,
        flow_control=True,
        idle_heartbeat=HEARTBEAT_S,
    )


def _place(reply: str) -> tuple[int, int, int]:
    """Return the sequence in the stream, the number of the delivery, and how many are pending behind it."""
    tokens = reply.split(".")
    at = 5 if len(tokens) == SHORT_REPLY else 7
    return int(tokens[at]), int(tokens[at + 1]), int(tokens[at + 3])
