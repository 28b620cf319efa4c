"""PostgreSQL: the pool, the check that all migrations are applied, and the locks that make one of many active."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.run.settings import Settings

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Queried: TypeAlias = "Connection | Pool"
Row: TypeAlias = asyncpg.Record

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    TimeoutError,
)
"""What a database that is away, or has no room for one more, raises: wait and try again."""

GENERATION = 1
"""Versions that can record side by side; the first process of a newer one takes over (shared/record/upgrading.py)."""

# The second key of this schema's advisory locks (the first is the schema): one meaning each. They are taken by
# functions of the schema (migration 0014_turns), which no other role may call.
APPEND, RELAY, SWEEP, ANNOUNCE, RECEIPTS = 1, 2, 3, 4, 5


CALLED, CALLED_BEFORE = "crm/", "crm-"
"""How the sessions of a service's processes are called, now and while they took their locks by hand."""


def of_a_value(error: Exception) -> bool:
    """Say whether a value is beyond what Python or the database holds; an argument of the wrong kind is our mistake."""
    if isinstance(error, asyncpg.DataError):
        return not isinstance(error.__cause__, TypeError)
    return isinstance(error, OverflowError | UnicodeError)


def session(service: str) -> dict[str, str]:
    """Return the settings of a session that works for a service: it sees the service's own schema only."""
    return {"search_path": service, "timezone": "UTC", "crm.generation": str(GENERATION)}


GONE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
    "idle_in_transaction_session_timeout": "30s",
}
"""After 20 seconds without a sign of a process's machine the server ends its sessions, and with them their locks.

A machine that loses its power or its network says nothing. As the server comes, it would wait for two hours: whoever
had the turn to record, or copied the log, would have it all that time. A process that hangs amid a transaction has 30.
"""
CONNECT_S = 3.0
"""A host that has not let in after so long is passed over for the next: a machine that is gone refuses nothing."""


def each_host(url: str) -> list[str]:
    """Return the address for each of its hosts alone.

    >>> each_host("postgresql://intel@one:5432,two:5433/crm?passfile=x")
    ['postgresql://intel@one:5432/crm?passfile=x', 'postgresql://intel@two:5433/crm?passfile=x']
    """
    found = urlsplit(url)
    user, at, hosts = found.netloc.rpartition("@")
    return [urlunsplit(found._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")]


async def connected(dsn: str | None = None, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect to the first of several hosts that takes writes; ConnectionError where none does.

    asyncpg goes from host to host as well, but waits for the first as long as for all, and takes a standby's word that
    there is no such database or role: it may not have come there yet.
    """
    hosts = each_host(dsn or "")
    if len(hosts) == 1:
        return await asyncpg.connect(dsn, **options)
    refused: Exception = ConnectionError("none of the hosts takes writes")
    for host in hosts:
        try:
            return await asyncpg.connect(host, **({"timeout": CONNECT_S} | options))
        except (*LOST, asyncpg.TargetServerAttributeNotMatched):
            continue
        except asyncpg.PostgresError as error:
            refused = error
    raise refused


async def connect(settings: Settings, service: str) -> Pool:
    """Return a pool whose connections see only the service's own schema.

    The statement timeout ends what hangs; synchronous_commit is set here so that no server default weakens it.
    """
    return await asyncpg.create_pool(
        settings.database_url,
        connect=connected,
        min_size=1,
        max_size=settings.database_connections_max,
        command_timeout=30,
        reset=_as_it_is,
        server_settings={
            **session(service),
            "application_name": f"{CALLED}{service}/{secrets.token_hex(4)}",  # one for each process
            "synchronous_commit": "on",
            **GONE,
            # Every query of ours is a look-up by an index; a plan made while a table was young and small, and
            # kept, would read all of it for ever after.
            "enable_seqscan": "off",
            "plan_cache_mode": "force_custom_plan",
        },
    )


async def _as_it_is(_: object) -> None:
    """Give a connection back without a statement: a batch acquires several; `elected` itself clears what it leaves."""


def migration_files(service_folder: Path) -> list[Path]:
    """Return the SQL files that make up a service's schema, in the order of applying them."""
    shared_folder = Path(__file__).parents[1] / "migrations"
    return [*sorted(shared_folder.glob("*.sql")), *sorted((service_folder / "migrations").glob("*.sql"))]


async def missing_migrations(pool: Pool, service_folder: Path) -> list[str]:
    """Return what differs between the applied migrations and the files, in words; empty: nothing."""
    applied = {row["name"]: row["sha256"] for row in await pool.fetch("select name, sha256 from migration")}
    faults = []
    for file in migration_files(service_folder):
        name = f"{file.parent.parent.name}/{file.name}"
        if name not in applied:
            faults.append(f"migration {name} is not applied: run `crm provision`")
        elif applied[name] != hashlib.sha256(file.read_bytes()).hexdigest():
            faults.append(f"migration {name} was changed after it was applied")
    return faults


@asynccontextmanager
async def elected(pool: Pool, service: str, role: int, poll_s: float = 1.0) -> AsyncIterator[Connection]:
    """Wait until this process is the one that holds `role` in the service; yield the connection that holds it.

    The lock belongs to the session: it goes when the connection or the process goes. What else the caller leaves in the
    session, listeners say, goes with it.
    """
    async with pool.acquire() as connection:
        while not await connection.fetchval(f"select {service}.try_lead($1)", role):  # noqa: ASYNC110 - the lock is in the server
            await asyncio.sleep(poll_s)
        try:
            yield connection
        finally:
            await _cleared(connection)


async def _cleared(connection: Connection) -> None:
    """Give up locks and listening, or the connection: in the pool it would hold them for ever."""
    try:
        if not connection.is_closed():
            await connection.reset()
    except BaseException:
        connection.terminate()
        raise


async def turn(connection: Connection, service: str) -> None:
    """Wait until no other transaction of the service judges and appends; from then until it ends, this one does.

    So positions are consecutive and the chain is whole; what one batch has decided, the next one sees; and two batches
    that touch the same things in different orders never wait for each other.
    """
    await connection.execute(f"select {service}.take_turn()")
