"""A service's process: checks what it stands on, wires log, intake, relay and deadlines, and stops in order."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import uvloop
from faststream.nats import NatsBroker
from msgspec import MsgspecError
from nats.aio.client import Client

from shared import tls
from shared.ask import admission, logs, mailbox, usage
from shared.ask.questions import Desk, Questions
from shared.contracts.questions import MailboxAsk, QuotaAsk
from shared.flow import bus, checkpoints, provisioned, quotas
from shared.flow.checkpoints import Checkpoints
from shared.flow.intake import Intake
from shared.flow.lane import lane
from shared.flow.lost import LOST
from shared.flow.meddling import Meddling
from shared.flow.pull import Turns
from shared.flow.relay import Relay
from shared.flow.retrying import Retrying
from shared.flow.sealing import Sealing, SealingError
from shared.flow.streams import INTAKE, read_by
from shared.flow.watching import Watch
from shared.record import deadlines, seats, signers, upgrading
from shared.record.engine import Judgements
from shared.record.judgement import Judgement, by_type
from shared.record.log import Log
from shared.record.note import NoteError
from shared.run import common, crash, database, garbage, ops, telemetry
from shared.run.certificates import Kept, named
from shared.run.clock import Clock
from shared.run.database import Pool
from shared.run.settings import EXIT_MISCONFIGURED, Settings, configured
from shared.run.steady import Steady
from shared.running import UNCOMPARED, Running, observe, observed

log = structlog.get_logger()

RETRY_S = 1.0
REGION = {one.VARIABLE: one.OWN for one in (quotas, seats, signers)}
"""The region's data that all processes of a service must have alike: where each lies, by what names another file."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What makes one service different from the others."""

    name: str
    folder: Path
    """Where its migrations are."""
    judgements: Sequence[Judgement] = ()
    """What follows from what it records and hears; of each report, in their order."""
    questions: Questions = field(default_factory=dict)
    """What countries may ask it, beyond what it has told them (`mailbox`)."""
    settings: type[Settings] = Settings
    data: Mapping[str, Path] = field(default_factory=dict)
    """What else, file or folder, all its processes must have alike: where it lies, by what names another."""
    faults: Callable[[], list[str]] = list
    """What else differs from what it expects, in words."""
    store: Callable[[], Awaitable[str]] | None = None
    """The name of where it keeps what stands in no database of the region; all its processes must have it alike."""
    extend: "Callable[[Running], AbstractAsyncContextManager[None]] | None" = None
    """What only this service has: begun before it starts to work, ended after it stopped."""

    def judged(self) -> Judgements:
        """Return its judgements by type of report."""
        return by_type(self.judgements)


class _WaitError(RuntimeError):
    """It is not this process's time yet; the message says why."""


def run(service: Service) -> None:
    """Run a service until SIGTERM or SIGINT.

    Exit code 0 after a stop, 70 when the connection or a task is lost, 71 when the loop is stuck, 78 when the
    surroundings are not as expected.
    """
    own = configured(service.settings)
    telemetry.configure(service.name, own.log_level)
    sys.exit(uvloop.run(_lived(service, own)))


async def _lived(service: Service, settings: Settings) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    status = ops.Status(service.name)
    ops.watch(settings.stuck_s)
    files = named(settings)
    tls.calls(files)
    certificates = Kept(files, service.name) if files else None
    async with ops.served(status, settings, certificates), AsyncExitStack() as stack:
        if certificates:
            await stack.enter_async_context(certificates.watched())
        starting = asyncio.create_task(_started(stack, service, settings, status, certificates))
        await _first(starting, asyncio.create_task(stopping.wait()))
        if not starting.done():
            starting.cancel()
            return 0
        running = starting.result()
        if running is None:
            return EXIT_MISCONFIGURED
        if service.extend:
            await stack.enter_async_context(service.extend(running))
        garbage.settle()
        return await _working(running, stopping)


async def _started(
    stack: AsyncExitStack, service: Service, settings: Settings, status: ops.Status, certificates: Kept | None
) -> Running | None:
    """Connect, in any order of starting, and check; return None when something is not as expected."""
    name = service.name
    pool = await _patiently(lambda: database.connect(settings, name), "PostgreSQL", status)
    stack.push_async_callback(_closed, pool)
    closing = bus.Closing()
    broker = bus.broker(settings, name, closing, certificates.client if certificates else None)
    client = await _patiently(broker.connect, "NATS", status)
    bus.guard(client)
    if certificates:
        certificates.whenever(lambda: bus.again(client, settings.nats_seed))
    stack.push_async_callback(_disconnected, broker, closing)
    faults = await _faults(client, pool, service, settings)
    if faults:
        log.critical("not as expected; stopping", faults=faults)
        return None
    await _patiently(
        lambda: upgrading.take_over(pool, name, service.judged(), service.folder), "an older version's end", status
    )
    store = await _patiently(service.store, "its other store", status) if service.store else ""
    alike = common.Common.of(settings, {**REGION, **service.data}, store)
    try:
        await _patiently(lambda: _joined(pool, name, alike), "others like this one", status)
    except common.MixedError as error:
        log.critical("not as expected; stopping", faults=[str(error)])
        return None
    clock = Clock.of(settings)
    telemetry.CLOCK.labels(name).set_function(lambda: clock.now().timestamp())
    own = Log(name, pool, clock, service.judged(), halted=UNCOMPARED)
    relay, steady = Relay(name, pool, client), Steady(name)
    running = Running(name, settings, clock, own, pool, broker, client, relay, status, steady, alike, certificates)
    running.tasks |= {"deadline": lambda: deadlines.sweep(own), "observing": lambda: observed(running)}
    _subscribe(running, await provisioned.retired(client, name))
    _listen(running, service.questions)
    return running


async def _joined(pool: Pool, name: str, own: common.Common) -> None:
    if differs := await common.joined(pool, name, own):
        raise _WaitError(differs)


async def _patiently(connect: Callable[[], Awaitable[Any]], what: str, status: ops.Status) -> Any:
    while True:
        try:
            return await connect()
        except (*LOST, ConnectionError, _WaitError) as error:
            why = str(error) if isinstance(error, _WaitError) else f"waiting for {what}"
            if [why] != status.faults or not isinstance(error, _WaitError):
                log.info("waiting", server=what, error=type(error).__name__, reason=why)
            status.faults = [why]
            await asyncio.sleep(RETRY_S)


async def _faults(client: Client, pool: Pool, service: Service, settings: Settings) -> list[str]:
    """Return in words what differs from what this service expects of its surroundings."""
    faults = await database.missing_migrations(pool, service.folder)
    try:
        quotas.region()
        signers.policies()
    except (quotas.QuotasError, signers.SignersError) as error:
        faults.append(str(error))
    try:
        seats.region()
    except (OSError, ValueError, MsgspecError) as error:
        faults.append(f"{seats.VARIABLE}: the file of seats cannot be used ({type(error).__name__})")
    try:
        Sealing.of(settings)
        checkpoints.signer(settings, service.name)
        logs.verifiers(settings.witnesses)
    except (SealingError, NoteError) as error:
        faults.append(str(error))
    faults += service.faults()
    faults += await provisioned.differences(client, service.name)
    if crash.asked() and settings.environment == "production":
        faults.append("CRM_CRASH_AT is for tests: production does not run with it")
    synced = await bus.syncs_every_write(settings.nats_monitor_url)
    if synced is False or (synced is None and settings.environment == "production"):
        faults.append(
            "NATS must run with jetstream sync_interval: always, and CRM_NATS_MONITOR_URL must show it;"
            f" it says: {'not always' if synced is False else 'nothing'}"
        )
    return faults


def _subscribe(service: Running, retired: list[str]) -> None:
    """Have the service take its reports and the other services' events that it acts on, by turns from each."""
    intake = Intake(service.log, service.client, service.settings, Sealing.of(service.settings))
    service.tasks["aside"] = Retrying(intake).run
    read = read_by(service.name)
    telemetry.counts(service.name, [INTAKE, *dict(read)])
    durables = [*((name, service.name) for name in (*provisioned.intakes(), *retired)), *read]
    lanes = [lane(service.client, *durable) for durable in durables]
    service.turns = Turns(lanes, service.settings.batch_size_max, intake.take, lambda: service.log.halted)
    watch = Watch(service.client, service.name, [one for one in durables if one[0] not in retired])
    service.tasks["watching"] = watch.run
    meddling = Meddling(service.client, service.name)
    service.tasks["meddling"] = meddling.run
    service.checks += [watch.faults, meddling.faults, service.steady.faults]
    if signer := checkpoints.signer(service.settings, service.name):
        signing = Checkpoints(service.name, service.pool, service.client, signer)
        service.tasks["checkpoints"] = signing.run
        service.checks.append(signing.faults)


def _listen(service: Running, questions: Questions) -> None:
    """Take the questions to this service; those that take long have a desk of their own, lest the others wait."""
    usual: Questions = {MailboxAsk: mailbox.answered, QuotaAsk: usage.answering(service.client, service.name)}
    long: Questions = {**questions, **usual}
    key = service.settings.audit_key()
    allowances = admission.allowances()
    quick = {**questions, **logs.answering(service.settings.witnesses)}
    desk = Desk(service.name, service.pool, service.clock, quick, key, allowances)
    apart = Desk(service.name, service.pool, service.clock, long, key, allowances, batch_max=1)
    service.listening.all += [
        admission.Admission(service.name, sender, service.client, allowance, desk, apart)
        for sender, allowance in allowances.items()
    ]
    service.tasks |= {"questions": desk.run, "long questions": apart.run, "listening": service.listening.run}


async def _working(service: Running, stopping: asyncio.Event) -> int:
    """Do the service's work until it is told to stop (0) or one of its tasks ends by itself (70)."""
    await observe(service)
    await service.listening.look()
    keep = service.steady.keep
    relaying = asyncio.create_task(keep("relay", service.relay.run))
    tasks = [asyncio.create_task(keep(what, task)) for what, task in service.tasks.items()]
    taking = asyncio.create_task(keep("intake", service.turns.run))
    stop = asyncio.create_task(stopping.wait())
    log.info("ready")
    await _first(stop, relaying, *tasks, taking)
    service.status.faults = ["stopping"]
    log.info("stopping")
    code = 0 if stopping.is_set() else bus.EXIT_DISCONNECTED
    for task in (relaying, *tasks, taking):
        if task.done() and not task.cancelled() and (error := task.exception()):
            log.critical("a task ended", error=type(error).__name__, exc_info=error)
    await service.listening.stop()
    grace_s = service.settings.stop_grace_s / 2
    service.turns.stop()
    await asyncio.wait([taking], timeout=grace_s)
    await ended([*tasks, taking], grace_s)
    if code == 0 and not service.log.halted:
        await _copied(service.relay, grace_s)
    await ended([relaying], grace_s)
    log.info("stopped", code=code)
    return code


async def _copied(relay: Relay, wait_s: float) -> None:
    """Let the relay, here or in another replica, copy what was recorded last; what is left waits for the next start."""
    with contextlib.suppress(TimeoutError, *LOST):
        await asyncio.wait_for(relay.caught_up(), wait_s)


async def ended(tasks: Iterable["asyncio.Future[Any]"], grace_s: float) -> None:
    """Cancel `tasks` and wait until they have ended, at most `grace_s`.

    Once is not always enough: a `wait_for` whose time and whose answer come together with the cancellation (Python
    3.11, and so nats-py's requests) swallows it, and a loop around it would go on for ever.
    """
    pending = set(tasks)
    end = time.monotonic() + grace_s
    while pending and time.monotonic() < end:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)


async def _first(*futures: "asyncio.Future[Any]") -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _closed(pool: Pool) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), 5)


async def _disconnected(broker: NatsBroker, closing: bus.Closing) -> None:
    closing.expected = True
    with contextlib.suppress(*bus.LOST):
        await broker.stop()
