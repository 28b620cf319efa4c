"""The parts of a service at work, and whether they do: by looks at stream, log and clock, it records where all fit."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shared.ask import admission
from shared.flow import bus
from shared.flow.lost import LOST
from shared.flow.pull import Turns
from shared.flow.relay import Relay
from shared.record import deadlines
from shared.record.log import Log, head
from shared.run import common, ops, telemetry
from shared.run.certificates import Kept
from shared.run.clock import Clock, astray_s
from shared.run.database import Pool
from shared.run.settings import Settings
from shared.run.steady import Movement, Steady

RETRY_S = 1.0
UNCOMPARED = "log and stream are not compared yet"
HUNG_S = 3.0
"""A database or NATS that has not answered after so long is away; it may be hung."""
ASTRAY_S = 1.0
"""A process whose clock is off by more than this records nothing: its times would stand in the log for ever."""

Looked = tuple[int, int, int, int, str, float]
"""(the stream's begin, its first and last sequence, the log's position, why this process may not record, for how many
seconds the first deadline has been due)"""


@dataclass(slots=True)
class Look:
    """A look at stream and log that is under way, and which of both is asked."""

    task: "asyncio.Task[Looked] | None" = None
    asks: str = ""


@dataclass(slots=True)
class Running:
    """The parts of a service at work."""

    name: str
    settings: Settings
    clock: Clock
    log: Log
    pool: Pool
    broker: NatsBroker
    client: Client
    relay: Relay
    status: ops.Status
    steady: Steady
    common: common.Common
    certificates: Kept | None = None
    turns: Turns = field(init=False)
    """What gives it reports and other services' events."""
    listening: admission.Listening = field(default_factory=lambda: admission.Listening([]))
    tasks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    """What runs as long as the service does, by name; one that fails begins anew."""
    checks: list[Callable[[], list[str]]] = field(default_factory=list)
    """What else to ask whether the service does its work: each tells in words what stands still."""
    relaying: Movement = field(default_factory=Movement)
    look: Look = field(default_factory=Look)


async def observed(service: Running) -> None:
    """Keep readiness and positions current, and recording halted while the stream is ahead of the log."""
    while True:
        recording = await observe(service)
        await asyncio.sleep(RETRY_S if recording else RETRY_S / 5)


async def observe(service: Running) -> bool:
    """Look at stream and log; return whether to record. What does not answer in `HUNG_S` is told as hung."""
    look = service.look
    if look.task is None:
        look.task = asyncio.create_task(_look(service))
    await asyncio.wait([look.task], timeout=HUNG_S)  # left as it is: to cancel a query may hang as the query does
    faults = []
    try:
        if not look.task.done():
            raise TimeoutError
        task, look.task = look.task, None
        begun, first, last, position, may_not, late = task.result()
    except NotFoundError:
        faults.append(f"there is no stream {service.relay.stream}: run `crm restore {service.name}`")
    except LOST as error:
        hung = f"{look.asks} has not answered for {HUNG_S:g} s" if look.task else ""
        faults.append(hung or f"away: {type(error).__name__}")
        if hung or not isinstance(error, NatsError):
            service.log.halted = UNCOMPARED  # the database may come back as an older copy
    else:
        telemetry.LOG_POSITION.labels(service.name).set(position)
        telemetry.RELAY_POSITION.labels(service.name).set(last)
        telemetry.DEADLINE_LATE.labels(service.name).set(late)
        ahead = f"stream ends at {last}, log at {position}: run `crm restore`" if last > position else ""
        service.log.halted = ahead or service.relay.diverged or may_not
        if service.log.halted:
            faults.append(service.log.halted)
        elif first > begun and position:
            faults.append(f"stream {service.relay.stream} has nothing before {first}: run `crm restore {service.name}`")
        service.relaying.see("relay", last, ahead=last < position)
        faults += [f"the relay stands at {at}, the log is at {position}" for _, at in service.relaying.standing()]
    faults += [fault for check in service.checks for fault in check()]
    service.status.faults = faults
    _tell_connections(service)
    telemetry.READY.labels(service.name).set(not faults)
    return not service.log.halted


def _tell_connections(service: Running) -> None:
    """Show how many connections to PostgreSQL there are, of how many."""
    open_, idle = service.pool.get_size(), service.pool.get_idle_size()
    numbers = {"busy": open_ - idle, "idle": idle, "max": service.pool.get_max_size()}
    for state, number in numbers.items():
        telemetry.CONNECTIONS.labels(service.name, state).set(number)


async def _look(service: Running) -> Looked:
    """Ask stream and log, in this order, so that the log is never the older one."""
    service.look.asks = "NATS"
    begun, first, last = await bus.ends(service.client, service.relay.stream)
    service.look.asks = "PostgreSQL"
    position, _ = await head(service.pool)
    late = await deadlines.late_s(service.pool, service.clock)
    may_not = _clock(await astray_s(service.pool)) or await common.parted(service.pool, service.common)
    return begun, first, last, position, may_not, late


def _clock(by_s: float) -> str:
    """Say that nothing may be recorded as this machine's clock is wrong, or the database's; empty: both agree."""
    if abs(by_s) <= ASTRAY_S:
        return ""
    how = "ahead of" if by_s > 0 else "behind"
    return f"this machine's clock is {abs(by_s):.1f} s {how} the database's: synchronise both (chronyc makestep)"
