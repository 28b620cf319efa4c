"""The feed: the five streams into the fold, in order, and the snapshot that a restart goes on from."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from msgspec import Struct
from nats.aio.client import Client

from services.indicators.folded import snapshot
from services.indicators.folded.apart import EVENTS_MIN, Apart
from services.indicators.folded.delay import delayed
from services.indicators.folded.fold import Fold
from services.indicators.folded.reading import MISSING, RETRY_S, Delayed, Reader, stored
from services.indicators.folded.state import Aside, State, StateError
from services.indicators.planned.plan import Plan
from shared.contracts import SERVICES
from shared.flow.bus import LOST, last_sequence
from shared.run import telemetry
from shared.run.clock import Clock
from shared.run.database import Pool
from shared.run.steady import Movement
from shared.service import ended

log = structlog.get_logger()

CANCEL_S = 5.0
COMPARE_TRIES = 400
POLL_S = 1.0
SNAPSHOT_S = 5.0
SLICE_S = 0.002
"""So long the fold waits at a time while the snapshot is written, in seconds."""
MEND_S = 10.0
"""How often the streams are asked for what was missing in them."""
FAILED_S = 600.0
"""How long it waits to fold all anew again when that did not do."""
STANDS_S = 20.0
"""A fold that has not moved for so long, with something before it, stands still."""


class Rebuilt(Struct, frozen=True):
    """The state folded anew."""

    checksum: str
    """SHA-256 of its bytes."""
    events: int
    """How many events it rests on."""
    same: bool | None
    """It has the bytes of the one before; None: it took more in, or the streams never rested long enough to compare."""
    aside: int = 0
    """How many events are not counted: they could not be folded, or are missing in their stream."""
    taken_in: int = 0
    """How many are counted now that had been set aside."""
    fault: str = ""
    """Why it did not take the place of the one before; empty: it did."""


class Feed:
    """Keeps a fold up to date with the five streams."""

    def __init__(
        self, client: Client, pool: Pool, plan: Plan, apart: Apart | None = None, clock: Clock | None = None
    ) -> None:
        """`clock`: by which it is told how long after their record events are folded; None: it is not told."""
        self._delayed = delayed(clock) if clock else None
        self._client = client
        self._pool = pool
        self._plan = plan
        self._apart = apart
        self._fold = Fold(plan)
        self._tasks: list[asyncio.Task[None]] = []
        self._readers = self._reading(self._fold)
        self._stored: dict[str, int] = {}
        self._rebuilding = asyncio.Lock()
        self._movement = Movement()
        self.streams: dict[str, int] = dict.fromkeys(SERVICES, 0)
        """Service -> last sequence known of its stream."""

    @property
    def state(self) -> State:
        """The state as folded so far."""
        return self._fold.state

    @property
    def caught_up(self) -> bool:
        """Whether everything known to be in the streams is folded, or set aside."""
        return _reached(self.state, self.streams)

    def faults(self) -> list[str]:
        """Return in words which streams' folds stand still."""
        found = []
        for service, at in self._movement.standing(STANDS_S):
            trouble = self._readers.trouble(service)
            stands = f"the fold of {service.upper()} stands at {at} of {self.streams[service]}"
            found.append(f"{stands}: {service.upper()} {trouble}" if trouble else stands)
        return found

    async def start(self) -> None:
        """Go on from the snapshot, or from the beginning where there is none for this plan."""
        found = await snapshot.load_snapshot(self._pool)
        if found is not None:
            try:
                self._fold = Fold(self._plan, State.load(found, self._plan.digest))
            except StateError as error:
                log.warning("folding from the start", reason=str(error))
            except Exception as error:
                log.exception("the snapshot cannot be read; folding from the start", error=type(error).__name__)
        self._stored = dict(self.state.sequences)
        await self._ask_streams()
        self._readers = self._reading(self._fold)
        if self.state.sequences or self._apart is None or sum(self.streams.values()) < EVENTS_MIN:
            self._readers.start()
        else:
            self._tasks.append(asyncio.create_task(self._begin()))
        self._tasks += [
            asyncio.create_task(_again(self._ask_streams, POLL_S)),
            asyncio.create_task(_again(self.snapshot, SNAPSHOT_S)),
            asyncio.create_task(self._mend()),
        ]

    def _reading(self, fold: Fold) -> "_Readers":
        return _Readers(self._client, fold, self._apart.archive if self._apart else None, self._delayed)

    async def _begin(self) -> None:
        """Have all that there is folded apart; go on from there."""
        async with self._rebuilding:
            self._fold = await self._folded_apart()
            self._readers = self._reading(self._fold)
            self._readers.start()

    async def _folded_apart(self) -> Fold:
        """Fold the streams anew, in processes of their own where there is much; what these cannot do comes behind."""
        streams = dict(self.streams)
        total = sum(streams.values())
        if self._apart is None or total < EVENTS_MIN:
            return Fold(self._plan)
        telemetry.REBUILDING.labels("total").set(total)
        try:
            state = await self._apart.folded(streams, telemetry.REBUILDING.labels("folded").set)
        except Exception as error:
            log.exception("folding one after the other", error=type(error).__name__)
            return Fold(self._plan)
        finally:
            telemetry.REBUILDING.clear()
        return Fold(self._plan, state)

    async def stop(self) -> None:
        """Stop reading and store where the fold is."""
        await self._readers.stop()
        await ended(self._tasks, CANCEL_S)
        # Nothing is lost without it: the next start folds again from the snapshot before.
        with contextlib.suppress(Exception):
            await self.snapshot()

    async def snapshot(self) -> None:
        """Store state and sequences, in one row, if they changed; the fold waits for slices of it only."""
        if self.state.sequences != self._stored:
            began = time.perf_counter()
            for _ in self.state.write():
                if time.perf_counter() - began > SLICE_S:
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            sequences, state = dict(self.state.sequences), self.state.dump()
            await snapshot.save_snapshot(self._pool, state)
            self._stored = sequences

    async def rebuild(self) -> Rebuilt:
        """Fold everything from sequence 1 while the present state goes on serving, then take its place.

        While both read on, they are compared at the first moment at which both are at the same sequences. It does not
        take the place (and says why) if it stands still before the end, or cannot count what is counted now.
        """
        async with self._rebuilding:
            fresh = await self._folded_apart()
            readers = self._reading(fresh)
            readers.start()
            try:
                fault = await self._reach(fresh.state, readers)
                same = None if fault else await self._compare(fresh.state)
                before = self.state
                fault = fault or _worse(fresh.state, before)
            except BaseException:
                await readers.stop()
                raise
            if fault:
                await readers.stop()
            else:
                old, self._readers, self._fold = self._readers, readers, fresh
                self._stored = {}
                await old.stop()
                await self.snapshot()
            return Rebuilt(
                checksum=hashlib.sha256(fresh.state.dump()).hexdigest(),
                events=sum(fresh.state.sequences.values()) - fresh.state.uncounted,
                same=same,
                aside=fresh.state.uncounted,
                taken_in=max(0, before.uncounted - fresh.state.uncounted),
                fault=fault,
            )

    async def _reach(self, state: State, readers: "_Readers") -> str:
        """Wait until all is folded into the state; return where it stands if it moves no more before that."""
        at, moved = 0, time.monotonic()
        while not _reached(state, self.streams | self.state.sequences):
            await asyncio.sleep(RETRY_S / 10)
            if (now_at := sum(state.sequences.values())) != at:
                at, moved = now_at, time.monotonic()
            elif time.monotonic() - moved > STANDS_S:
                return _stands(state, self.streams | self.state.sequences, readers)
        return ""

    async def _compare(self, fresh: State) -> bool | None:
        for _ in range(COMPARE_TRIES):
            if fresh.sequences == self.state.sequences:
                return None if fresh.aside != self.state.aside else fresh.dump() == self.state.dump()
            await asyncio.sleep(RETRY_S / 100)
        return None

    async def _mend(self) -> None:
        """Fold anew as soon as something can be counted that was set aside.

        At the start all of it is tried, for this may be the version that can; later what was missing in a stream.
        """
        first = True
        while True:
            pause_s = MEND_S
            try:
                if await self._digestible(missing_only=not first):
                    done = await self.rebuild()
                    log.info("folded anew", taken_in=done.taken_in, aside=done.aside, fault=done.fault)
                    pause_s = MEND_S if not done.fault else FAILED_S
                first = False
            except LOST as error:
                log.warning("what was set aside is tried later", error=type(error).__name__)
            except Exception as error:
                log.exception("what was set aside is tried later", error=type(error).__name__)
            await asyncio.sleep(pause_s)

    async def _digestible(self, *, missing_only: bool) -> bool:
        """Return whether anything that was set aside can be folded now."""
        trial = Fold(self._plan)
        for service, aside in list(self.state.aside.items()):
            for sequence, reason in list(aside.kept.items()):
                if missing_only and reason != MISSING:
                    continue
                payload = await stored(self._client, service, sequence)
                if payload is not None and (reason == MISSING or trial.take(service, sequence, payload) is None):
                    return True
        return False

    async def _ask_streams(self) -> None:
        for service in SERVICES:
            with contextlib.suppress(*LOST):
                self.streams[service] = await last_sequence(self._client, service.upper())
            at = self.state.sequences.get(service, 0)
            self._movement.see(service, at, ahead=at < self.streams[service])


class _Readers:
    """The five streams' readers into one fold."""

    def __init__(self, client: Client, fold: Fold, archive: Path | None, late: Delayed | None) -> None:
        more = (late,) if late else ()
        self._each = {service: Reader(client, service, fold, archive, *more) for service in SERVICES}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(reader.run()) for reader in self._each.values()]

    async def stop(self) -> None:
        await ended(self._tasks, CANCEL_S)

    def trouble(self, service: str) -> str:
        return self._each[service].trouble


def _reached(state: State, sequences: Mapping[str, int]) -> bool:
    return all(state.sequences.get(service, 0) >= sequence for service, sequence in sequences.items())


def _stands(state: State, sequences: Mapping[str, int], readers: _Readers) -> str:
    """Tell in words which streams' folds have not reached their ends."""
    found = []
    for service, last in sequences.items():
        if (at := state.sequences.get(service, 0)) < last:
            trouble = readers.trouble(service)
            found.append(f"{service.upper()} stands at {at} of {last}" + (f" ({trouble})" if trouble else ""))
    return "; ".join(found)


def _worse(fresh: State, present: State) -> str:
    """Tell how much that the present state counts the fresh one has set aside; empty: nothing."""
    lost = 0
    for service, aside in fresh.aside.items():
        before = present.aside.get(service, Aside())
        folded = present.sequences.get(service, 0)
        lost += sum(1 for sequence in aside.kept if sequence <= folded and sequence not in before.kept)
        lost += max(0, aside.more - before.more)
    return f"{lost} events that are counted could not be folded anew: the figures stay as they are" if lost else ""


async def _again(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Do something for ever; what fails is done again, whatever the reason."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a lost server, or a fault of ours; both are seen, and no end
            log.warning("failed, and is done again", what=work.__name__, error=type(error).__name__)
