"""Real servers for tests: one PostgreSQL for all, one NATS for each, and a whole provisioned region on both."""

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from nats.aio.client import Client

from infra import keyfiles
from infra.local.nats import Nats
from infra.local.postgres import Postgres, remove
from infra.local.process import stop
from infra.nats.config import accounts, keys, seed_file
from infra.nats.provision import provision
from infra.nats.rights import CENTRAL, PROVISIONER, inbox
from infra.postgres.provision import DATABASE, passwords
from infra.postgres.provision import provision as provision_postgres
from shared.flow.streams import RECEIVERS

TOKEN = "of-the-operator-of-tests"  # noqa: S105 - of tests
"""The operator's token of the boards that are started."""
MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made with names that nobody can guess
"""Servers sync every write; in memory that costs nothing."""
_number = itertools.count(1)


@dataclass
class Keys:
    """Everybody's keys: the folder of the secret ones, and the public ones by principal."""

    folder: Path
    public: dict[str, str]


@dataclass
class PostgresServer:
    """A running server whose database `crm` is provisioned and serves as the template of each test's own."""

    server: Postgres
    passwords: dict[str, str]
    free: list[str] = field(default_factory=list)
    """Databases that were lent and emptied: to make a new one costs twenty times as much."""

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """Lend a database as long as the context lasts."""
        name = await self.lend()
        try:
            yield name
        finally:
            await self.take_back(name)

    async def lend(self) -> str:
        """Return the name of a provisioned database that holds nothing yet."""
        if self.free:
            return self.free.pop()
        name = f"crm_{next(_number)}"
        await self._do(f"create database {name} template {DATABASE}", "postgres")
        return name

    async def take_back(self, name: str) -> None:
        """Empty a database for the next to be lent to; who is still connected is cut off."""
        await self._do(EMPTIED, name)
        self.free.append(name)

    async def _do(self, statement: str, database: str) -> None:
        connection = await asyncpg.connect(self.server.url(database=database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


EMPTIED = """
do $$
declare command text;
begin
    perform pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid();
    for command in
        select format('delete from %I.%I', schemaname, tablename) from pg_tables
            where schemaname not in ('pg_catalog', 'information_schema') and tablename not in ('migration', 'tree')
        union all
        select format('alter sequence %I.%I restart', schemaname, sequencename) from pg_sequences
    loop
        execute command;
    end loop;
end $$
"""
"""Deletes, because a truncated table gets new files, which takes far longer."""


ROOT = "root"
"""In the tests' servers only: may do all that the API offers, and read streams with consumers, as nobody else may."""


def with_root(rights: dict[str, Any]) -> dict[str, Any]:
    """Add ROOT to the accounts part of a server's configuration."""
    permissions = {"publish": ["$JS.API.>", "$JS.ACK.>"], "subscribe": [f"{inbox(ROOT)}.>"]}
    rights["accounts"][CENTRAL]["users"].append({"user": ROOT, "password": ROOT, "permissions": permissions})
    return rights


class _Client(Client):
    """Once its `flush` has ended, the server has all that it said before."""

    async def _send_ping(self, future: "asyncio.Future[Any] | None" = None) -> None:
        # nats-py (2.16) writes a ping before what waits to be written: its answer would say nothing of that.
        await self._flush_pending(force_flush=True)
        await super()._send_ping(future)


async def root(url: str) -> Client:
    """Return a connection as ROOT."""
    client = _Client()
    await client.connect(url, user=ROOT, password=ROOT, inbox_prefix=inbox(ROOT).encode())
    return client


@dataclass
class Region:
    """Fresh accounts, streams and database of one test."""

    nats: Nats
    postgres: PostgresServer
    keys: Keys
    database: str
    clients: list[Client] = field(default_factory=list)

    def accounts(self) -> dict[str, Any]:
        """Return the accounts part of the server's configuration: to start it anew with."""
        return with_root(accounts(self.keys.public))

    def seed(self, principal: str) -> Path:
        """Where the nkey seed of a service, a country ("GTM"), "operator" or "provisioner" lies."""
        return seed_file(self.keys.folder, principal)

    def database_url(self, role: str | None = None) -> str:
        """Return the address of the test's database for a service's role; without one, for the owner."""
        if role is None:
            return self.postgres.server.url(database=self.database)
        return self.postgres.server.url(role, self.postgres.passwords[role], self.database)

    async def connect_database(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection to the test's database as its owner; who asks closes it."""
        return await asyncpg.connect(self.database_url())

    async def connect(self, principal: str, **options: Any) -> Client:
        """Return a NATS connection as a principal, closed at the end of the test."""
        if principal == ROOT:
            self.clients.append(await root(self.nats.url))
            return self.clients[-1]
        private: dict[str, Any] = {} if principal in RECEIVERS else {"inbox_prefix": inbox(principal).encode()}
        client = _Client()
        self.clients.append(client)  # also one that is refused has a socket to close
        await client.connect(self.nats.url, nkeys_seed=str(self.seed(principal)), **private, **options)
        return client

    def env(self, service: str, **more: str) -> dict[str, str]:
        """Return the environment in which a service's process runs on this region (`CRM_` variables)."""
        return {
            "CRM_NATS_URL": self.nats.url,
            "CRM_NATS_SEED": str(self.seed(service)),
            **keyfiles.env(self.keys.folder, service),
            "CRM_NATS_MONITOR_URL": self.nats.monitor,
            "CRM_DATABASE_URL": self.database_url(service),
            "CRM_OPS_PORT": "0",
            "CRM_HTTP_PORT": "0",
            "CRM_OPERATOR_TOKEN": TOKEN,
            "CRM_ENVIRONMENT": "local",
            **more,
        }

    async def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            await client.close()


@dataclass
class Servers:
    """What all regions of a test session share."""

    folder: Path
    postgres: PostgresServer
    keys: Keys

    @contextmanager
    def nats(self, home: Path) -> Iterator[Nats]:
        """Run a NATS server with all accounts and rights, and no streams yet, for as long as the context lasts."""
        server = Nats(home)
        server.start(with_root(accounts(self.keys.public)))
        try:
            yield server
        finally:
            assert server.process is not None
            stop(server.process, signal.SIGKILL)  # its data go with the test

    @asynccontextmanager
    async def region(self, server: Nats) -> AsyncIterator[Region]:
        """Lend a fresh region on a NATS server that has nothing yet."""
        async with self.postgres.lent() as database:
            fresh = Region(server, self.postgres, self.keys, database)
            try:
                await provision(await fresh.connect(PROVISIONER))
                yield fresh
            finally:
                await fresh.close()


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Run PostgreSQL and make all keys, in a folder of their own that is gone at the end. Use it in the main thread."""
    fast = "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="crm-testkit-", dir=MEMORY if fast else None))
    server = Postgres(folder / "postgres")
    try:
        server.start()
        secrets = passwords(folder / "passwords")
        await provision_postgres(server.url(database="postgres"), secrets)
        creds = folder / "creds"
        yield Servers(folder, PostgresServer(server, secrets), Keys(creds, keys(creds)))
    finally:
        server.stop()
        remove(server.home)
        shutil.rmtree(folder, ignore_errors=True)
