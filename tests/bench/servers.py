"""The servers of a benchmark: one PostgreSQL, and for each round fresh streams and a fresh database."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from infra.local.nats import Nats
from infra.local.postgres import Postgres, remove
from infra.local.process import stop
from infra.nats.config import accounts, keys
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.postgres.provision import passwords
from infra.postgres.provision import provision as provision_postgres
from tests.harness.servers import Keys, PostgresServer, Region

FreshRegion = Callable[[], AbstractAsyncContextManager[Region]]


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[FreshRegion]:
    """Yield a function that gives a fresh provisioned region (an async context manager) on one PostgreSQL."""
    server = Postgres(folder / "postgres")
    server.start()
    secrets = passwords(folder / "postgres-creds")
    public = Keys(folder / "creds", keys(folder / "creds"))
    await provision_postgres(server.url(database="postgres"), secrets)
    postgres = PostgresServer(server, secrets)
    rounds = 0

    @asynccontextmanager
    async def fresh() -> AsyncIterator[Region]:
        nonlocal rounds
        rounds += 1
        nats = Nats(folder / f"nats-{rounds}")
        nats.start(accounts(public.public))
        region = Region(nats, postgres, public, await postgres.lend())
        try:
            await provision(await region.connect(PROVISIONER))
            yield region
        finally:
            for client in region.clients:
                await client.close()
            stop(nats.process, signal.SIGKILL)  # and the next round gets another database, without this one's dead rows

    try:
        yield fresh
    finally:
        server.stop()
        remove(folder / "postgres")
