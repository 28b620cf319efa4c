"""The feed: the five streams into the fold, in order, without a hole; and the snapshot that a restart goes on from."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping

import msgspec
import structlog
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from services.indicators import store
from services.indicators.fold import Fold
from services.indicators.plan import Plan
from services.indicators.state import State, StateError
from shared import telemetry
from shared.bus import LOST, last_sequence
from shared.contracts import SERVICES
from shared.database import LOST as DATABASE_LOST
from shared.database import Pool
from shared.service import ended

log = structlog.get_logger()

HEARTBEAT_S = 2.0
SILENCE_S_MAX = 3 * HEARTBEAT_S
"""No message and no heartbeat for so long: the consumer is gone, make another."""
RETRY_S = 0.5
CANCEL_S = 5.0
COMPARE_TRIES = 400
POLL_S = 1.0
SNAPSHOT_S = 5.0
YIELD_EVERY = 256
"""Messages folded before others get their turn: a full buffer must not hold up a scrape."""
SHORT_REPLY = 9
"""Tokens of `$JS.ACK.<stream>.<consumer>.<n>.<sequence>...`; the long form has domain and account before them."""


class _Reader:
    """One stream into one fold. It asks again from where it is whenever a message is not the very next one."""

    def __init__(self, client: Client, service: str, fold: Fold) -> None:
        self._client = client
        self._service = service
        self._fold = fold
        self._broken = asyncio.Event()
        self._heard = 0.0
        self._folded = 0

    @property
    def _next(self) -> int:
        return self._fold.state.sequences.get(self._service, 0) + 1

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        while True:
            try:
                await self._follow()
            except LOST as error:
                log.warning("stream not readable, trying again", stream=self._service, error=type(error).__name__)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        """Read with one consumer until it falls silent or a message is missing."""
        self._broken.clear()
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=self._take)
        try:
            await self._client.jetstream().add_consumer(self._service.upper(), _ordered(inbox, self._next))
            while not self._broken.is_set() and loop.time() - self._heard < SILENCE_S_MAX:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._broken.wait(), HEARTBEAT_S)
        finally:
            with contextlib.suppress(*LOST):
                await subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        """Fold a message; answer the server's flow control only when all before it is folded: that is back-pressure."""
        self._heard = asyncio.get_running_loop().time()
        if message.headers and message.headers.get("Status") == "100":
            answer = message.reply or message.headers.get("Nats-Consumer-Stalled")
            if answer:
                await self._client.publish(answer)
            return
        if self._broken.is_set():
            return
        sequence = _sequence(message.reply)
        if sequence != self._next:
            # An earlier one came twice, or one is missing: ask from where we are. A hole stays visible as a
            # fold that does not reach its stream; folding on would make every figure silently wrong.
            log.warning("not the next message", stream=self._service, expected=self._next, got=sequence)
            self._broken.set()
            return
        try:
            with telemetry.span_of(message.data, "fold"):
                self._fold.apply(self._service, sequence, message.data)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            log.exception("event cannot be folded", stream=self._service, sequence=sequence, error=type(error).__name__)
            self._broken.set()
            return
        self._folded += 1
        if self._folded % YIELD_EVERY == 0:
            await asyncio.sleep(0)


class Rebuilt(Struct, frozen=True):
    """The state folded anew."""

    checksum: str
    """SHA-256 of its bytes."""
    events: int
    """How many events it rests on."""
    same: bool | None
    """It has the bytes of the one before; None: the streams never rested long enough to compare."""


class Feed:
    """Keeps a fold up to date with the five streams."""

    def __init__(self, client: Client, pool: Pool, plan: Plan) -> None:
        self._client = client
        self._pool = pool
        self._plan = plan
        self._fold = Fold(plan)
        self._tasks: list[asyncio.Task[None]] = []
        self._readers: list[asyncio.Task[None]] = []
        self._stored: dict[str, int] = {}
        self.streams: dict[str, int] = dict.fromkeys(SERVICES, 0)
        """Service -> last sequence known of its stream."""

    @property
    def state(self) -> State:
        """The state as folded so far."""
        return self._fold.state

    @property
    def caught_up(self) -> bool:
        """Whether everything known to be in the streams is folded."""
        return _reached(self.state, self.streams)

    async def start(self) -> None:
        """Go on from the snapshot, or from the beginning where there is none for this plan."""
        stored = await store.load_snapshot(self._pool)
        if stored is not None:
            try:
                self._fold = Fold(self._plan, State.load(stored, self._plan.digest))
            except StateError as error:
                log.warning("folding from the start", reason=str(error))
        self._stored = dict(self.state.sequences)
        await self._ask_streams()
        self._readers = self._read_into(self._fold)
        self._tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._keep())]

    async def stop(self) -> None:
        """Stop reading and store where the fold is."""
        await _cancel([*self._readers, *self._tasks])
        await self._store()

    async def snapshot(self) -> None:
        """Store state and sequences, in one row, if they changed."""
        sequences = dict(self.state.sequences)
        if sequences != self._stored:
            await store.save_snapshot(self._pool, self.state.dump())
            self._stored = sequences

    async def rebuild(self) -> Rebuilt:
        """Fold everything from sequence 1 while the present state goes on serving, then take its place.

        While both read on, they are compared at the first moment at which both are at the same sequences.
        """
        fresh = Fold(self._plan)
        readers = self._read_into(fresh)
        same = None
        try:
            while not _reached(fresh.state, self.streams | self.state.sequences):  # noqa: ASYNC110 - no event per message
                await asyncio.sleep(RETRY_S / 10)
            for _ in range(COMPARE_TRIES):
                if fresh.state.sequences == self.state.sequences:
                    same = fresh.state.dump() == self.state.dump()
                    break
                await asyncio.sleep(RETRY_S / 100)
        except asyncio.CancelledError:
            await _cancel(readers)
            raise
        before, self._readers, self._fold = self._readers, readers, fresh
        await _cancel(before)
        self._stored = {}
        await self.snapshot()
        checksum = hashlib.sha256(fresh.state.dump()).hexdigest()
        return Rebuilt(checksum, sum(fresh.state.sequences.values()), same)

    def _read_into(self, fold: Fold) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(_Reader(self._client, service, fold).run()) for service in SERVICES]

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            await self._ask_streams()

    async def _ask_streams(self) -> None:
        for service in SERVICES:
            with contextlib.suppress(*LOST):
                self.streams[service] = await last_sequence(self._client, service.upper())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_S)
            await self._store()

    async def _store(self) -> None:
        try:
            await self.snapshot()
        except DATABASE_LOST as error:
            # Nothing is lost: a restart folds again from the snapshot before.
            log.warning("snapshot not stored", error=type(error).__name__)


def _reached(state: State, sequences: Mapping[str, int]) -> bool:
    return all(state.sequences.get(service, 0) >= sequence for service, sequence in sequences.items())


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


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    await ended(tasks, CANCEL_S)
