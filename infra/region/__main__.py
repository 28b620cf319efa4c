"""Start the synthetic region: `python -m infra.region`."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import structlog
import uvloop
from nats.errors import Error as NatsError

from infra import signing
from infra.region import ledger as ledgers
from infra.region import sealing
from infra.region.play import Clients, play_history, play_traffic, read_mailbox
from infra.region.script import script
from infra.region.sending import RETRY_S
from infra.region.settings import RegionSettings
from infra.region.traffic import Traffic
from shared.client import CountryClient, Unreachable, connect
from shared.contracts.vocabulary import MEMBERS, Country
from shared.run import telemetry
from shared.run.clock import Clock
from shared.run.settings import configured
from shared.service import ended

log = structlog.get_logger()

SYSTEM = "synthetic"
"""Names the reporting system in every source, so that nobody takes its reports for a country's own."""
PATIENCE_S = 120.0
"""A story ends within so many real seconds, at whatever speed the clock runs."""
CLOSE_S = 1.0
END_S = 20.0
"""So long what is under way is cancelled again and again, if once was not enough."""


async def lived(settings: RegionSettings) -> None:
    """Play until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    clock = Clock.of(settings)
    ledger = ledgers.load(settings.state_file(), clock.now())
    patience = timedelta(seconds=PATIENCE_S * clock.speed)
    traffic = Traffic(ledger, settings.region_seed, patience)
    stack = AsyncExitStack()
    try:
        await _until(stopping, _played(stack, settings, clock, traffic))
    finally:
        ledgers.save(ledger, settings.state_file())
        with contextlib.suppress(TimeoutError, NatsError, OSError):
            await asyncio.wait_for(stack.aclose(), CLOSE_S)
    log.info("stopped")


async def _played(stack: AsyncExitStack, settings: RegionSettings, clock: Clock, traffic: Traffic) -> None:
    clients = await _connected(stack, settings, clock)
    found = {name: sealing.persons(one, settings.creds_dir, settings.state_file()) for name, one in clients.items()}
    books = {name: book for name, book in found.items() if book}
    log.info("ready", plan_time=clock.now().isoformat(), rate=settings.rate)
    async with asyncio.TaskGroup() as tasks:
        for part, steps in script().items():
            tasks.create_task(play_history(part, steps, clients, clock))
        if settings.rate > 0:
            tasks.create_task(
                play_traffic(traffic, clients, clock, rate=settings.rate, file=settings.state_file(), books=books)
            )
            sealing.in_clear(traffic.ledger, books)
            for country, book in books.items():
                tasks.create_task(sealing.tell(traffic.ledger, clients[country], book))
            for country, client in clients.items():
                tasks.create_task(read_mailbox(country, client, books.get(country), traffic, clock))


async def _connected(stack: AsyncExitStack, settings: RegionSettings, clock: Clock) -> Clients:
    """Return a connection for every country, each with its own key."""

    async def patiently(country: Country) -> CountryClient:
        while True:
            creds = settings.creds_dir / f"{country}.nk"
            try:
                own = connect(settings.nats_url, creds, country, SYSTEM, now=clock.now)
                client = await stack.enter_async_context(own)
                await signing.tell(client, settings.creds_dir)
            except Unreachable:
                log.info("waiting", server="NATS", country=country)
                await asyncio.sleep(RETRY_S)
            else:
                return client

    return dict(zip(MEMBERS, await asyncio.gather(*map(patiently, MEMBERS)), strict=True))


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until told to stop; what ends it otherwise is raised. Work that is done waits to be told, too."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
        await stop
    await ended({task}, CLOSE_S)
    if not task.done():  # a part swallowed it (see `ended`), and a group cancels its parts once only
        await ended(asyncio.all_tasks() - {asyncio.current_task()}, END_S)


if __name__ == "__main__":
    own = configured(RegionSettings)
    telemetry.configure("region", own.log_level)
    try:
        uvloop.run(lived(own))
    except Exception as error:
        log.critical("ended", error=type(error).__name__, exc_info=error)
        sys.exit(1)
