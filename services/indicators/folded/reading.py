"""One stream into the fold, in order: what cannot be folded and what is lost is set aside, and the rest goes on."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from services.indicators.folded.fold import Fold
from shared.flow.bus import LOST, ends, last_sequence
from shared.record import archive
from shared.record.archive import ArchiveError
from shared.run import tracing

log = structlog.get_logger()

HEARTBEAT_S = 2.0
SILENCE_S_MAX = 3 * HEARTBEAT_S
"""No message and no heartbeat for so long: the consumer is gone, make another."""
RETRY_S = 0.5
YIELD_EVERY = 256
"""Messages folded before others get their turn: a full buffer must not hold up a scrape."""
SHORT_REPLY = 9
"""Tokens of `$JS.ACK.<stream>.<consumer>.<n>.<sequence>...`; the long form has domain and account before them."""
MISSING = "missing"
"""Why an event is set aside that the stream does not have, though it has later ones, or counts it among its own."""
GAP_MAX = 1000
"""Messages missing in a row beyond which they are not damaged but taken away: then only a restored stream helps."""
TAIL_LOOKS = 3
"""How often the end of a stream must be found missing: a replica that answers may lie a little behind."""


Delayed = Callable[[str, bytes], None]
"""Hears of each event that was just folded: its stream, and its payload."""


def _nobody(_stream: str, _payload: bytes) -> None:
    pass


class Reader:
    """One stream into one fold. It asks again from where it is whenever a message is not the very next one."""

    def __init__(
        self, client: Client, service: str, fold: Fold, folder: Path | None = None, delayed: Delayed = _nobody
    ) -> None:
        self._client = client
        self._service = service
        self._fold = fold
        self._folder = folder
        self._delayed = delayed
        self._there: int | None = None
        """Where the stream ended when this began to read it: what was there before was not late."""
        self._broken = asyncio.Event()
        self._heard = 0.0
        self._folded = 0
        self._looks = 0
        self.trouble = ""
        """Why it stands where it is; empty: it does not, as far as it knows."""

    @property
    def _stream(self) -> str:
        return self._service.upper()

    @property
    def _next(self) -> int:
        return self._fold.state.sequences.get(self._service, 0) + 1

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        while True:
            try:
                await self._archived()
                await self._follow()
                await self._pass_over()
            except ArchiveError as error:
                self.trouble = str(error)
                log.error("the archive is not whole, trying again", stream=self._service, reason=self.trouble)  # noqa: TRY400
            except LOST as error:
                self.trouble = f"not readable ({type(error).__name__})"
                log.warning("stream not readable, trying again", stream=self._service, error=type(error).__name__)
            except Exception as error:
                self.trouble = f"reading fails ({type(error).__name__})"
                log.exception("reading fails, trying again", stream=self._service, error=type(error).__name__)
            await asyncio.sleep(RETRY_S)

    async def _archived(self) -> None:
        """Fold what the stream no longer has out of the archive; raises ArchiveError where that has no more of it."""
        begun, first, last = await ends(self._client, self._stream)
        if self._there is None:
            self._there = last
        if self._folder and self._next < first:
            await from_archive(self._fold, self._folder, self._service)
        if self._next < begun:
            raise ArchiveError(f"what is before {begun} is archived: name the archive's folder (CRM_ARCHIVE)")

    async def _follow(self) -> None:
        """Read with one consumer until it falls silent, or a message is missing."""
        self._broken.clear()
        self._heard = time.monotonic()
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=self._take)
        try:
            await self._client.jetstream().add_consumer(self._stream, _ordered(inbox, self._next))
            while not self._broken.is_set() and time.monotonic() - self._heard < SILENCE_S_MAX:
                before = self._next
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._broken.wait(), HEARTBEAT_S)
                if self._next == before and not self._broken.is_set():
                    await self._pass_over()
        finally:
            with contextlib.suppress(*LOST):
                await subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        """Fold a message; answer the server's flow control only when all before it is folded: that is back-pressure."""
        self._heard = time.monotonic()
        if message.headers and message.headers.get("Status") == "100":
            answer = message.reply or message.headers.get("Nats-Consumer-Stalled")
            if answer:
                await self._client.publish(answer)
            return
        if self._broken.is_set():
            return
        sequence = _sequence(message.reply)
        if sequence != self._next:
            # An earlier one came twice, or one is missing: ask from where we are.
            log.warning("not the next message", stream=self._service, expected=self._next, got=sequence)
            self._broken.set()
            return
        self._fold_in(sequence, message.data)
        self._folded += 1
        if self._folded % YIELD_EVERY == 0:
            await asyncio.sleep(0)

    def _fold_in(self, sequence: int, payload: bytes) -> None:
        since = time.time_ns()
        error = self._fold.take(self._service, sequence, payload)
        tracing.stepped(payload, "fold", since)
        self.trouble = ""
        if self._there is not None and sequence > self._there:
            self._delayed(self._stream, payload)
        if error is not None:
            log.error("event set aside", stream=self._service, sequence=sequence, error=type(error).__name__)

    async def _pass_over(self) -> None:
        """Set aside what the stream has lost of what comes next: the others' figures need not wait for it.

        Of that the stream itself must be asked, as a message that was lost on the way only comes again.
        """
        last = await last_sequence(self._client, self._stream)
        if last < self._next:
            self._looks = 0
            return
        first = self._next
        there = await self._first_from(first)
        if there == first or self._next != first:  # or it came while the stream was asked
            self._looks = 0
            return
        self._looks += 1
        if there is None and self._looks < TAIL_LOOKS:
            return
        behind = there or last + 1
        if behind - first > GAP_MAX:
            self.trouble = f"has no messages from {first} to {behind - 1}: run `crm restore {self._service}`"
            return
        log.error("messages missing, set aside", stream=self._service, first=first, last=behind - 1)
        for sequence in range(first, behind):
            self._fold.set_aside(self._service, sequence, MISSING)

    async def _first_from(self, sequence: int) -> int | None:
        """Return the sequence of the first message that the stream has from `sequence` on; None: there is none."""
        jetstream = self._client.jetstream()
        try:
            found = await jetstream.get_msg(self._stream, sequence, subject=">", direct=True, next=True)
        except NotFoundError:
            return None
        return int(found.seq or 0)


async def from_archive(fold: Fold, folder: Path, service: str) -> None:
    """Fold what is archived of a service and not folded yet; raises ArchiveError."""
    at = fold.state.sequences.get(service, 0)
    for one in archive.manifests(folder, service):
        if one.last <= at:
            continue
        for position, payload in archive.payloads(folder, one):
            if position > at:
                fold.take(service, position, payload)
            if position % YIELD_EVERY == 0:
                await asyncio.sleep(0)


async def stored(client: Client, service: str, sequence: int) -> bytes | None:
    """Return what a service's stream has at a sequence; None: nothing. Raises one of `LOST`."""
    try:
        return (await client.jetstream().get_msg(service.upper(), sequence, direct=True)).data or b""
    except NotFoundError:
        return None


def _ordered(inbox: str, start: int) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
        ack_policy=AckPolicy.NONE,
        max_deliver=1,
        mem_storage=True,
        num_replicas=1,
        flow_control=True,
        idle_heartbeat=HEARTBEAT_S,
    )


def _sequence(reply: str) -> int:
    tokens = reply.split(".")
    return int(tokens[5] if len(tokens) == SHORT_REPLY else tokens[7])
