"""Where the keys of what countries seal about persons are kept: in a file of one machine, or in a database of its own.

Neither is the region's database, its WAL or its archive: a key that comes back from there would open what was erased.
Another store, a key management service say, takes its place behind `Keys`.
"""

import asyncio
import json
import math
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import asyncpg
import structlog

from shared.run import database
from shared.run.database import LOST, Pool

log = structlog.get_logger()

R = TypeVar("R")
WAIT_S = 30.0
"""So long a process waits for another that writes."""
CONNECTIONS = 4
OVERWRITE_S = 60.0
"""Not more often than this a database's table is written anew, without what was deleted."""
TABLES = """
create table if not exists key (id text primary key, owner text not null, readers text not null, consent text not null,
    head text not null) without rowid;
create index if not exists of_consent on key (owner, consent);
create table if not exists store (name text not null);
"""
DATABASE_TABLES = """
create table if not exists key (id text primary key, owner text not null, readers text[] not null,
    consent text not null, head text not null);
create index if not exists of_consent on key (owner, consent);
create table if not exists store (one boolean primary key default true check (one), name text not null);
"""

REWRITE = "alter table key alter column head type text using head || ''"
"""Writes table and indexes into new files. Unlike `vacuum full` it leaves out what older snapshots may still see: the
server's own analysing of a table is enough to have such a snapshot."""


class Key(NamedTuple):
    """A key, and what it is known by."""

    id: str
    owner: str
    """The country that had it kept."""
    readers: frozenset[str]
    """Who is given it, the owner too."""
    consent: str
    """The identifier of the consent with which it ends; empty: it ends when the owner says so."""
    head: str


class Keys(Protocol):
    """Where keys are kept. Each method holds all that it did, or nothing, when it returns."""

    async def name(self) -> str:
        """Return what tells this store from any other; made with it."""

    async def put(self, keys: Sequence[Key]) -> None:
        """Keep those that are not there yet."""

    async def get(self, ids: Collection[str]) -> Mapping[str, Key]:
        """Return those that are there."""

    async def count(self, owner: str) -> int:
        """Return how many an owner has."""

    async def delete(self, owner: str, ids: Collection[str] = (), consents: Collection[str] = ()) -> int:
        """Forget an owner's keys of these names, and those that end with these consents; return how many."""


class KeysFile:
    """Keys in a file, which the processes of one machine share."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(file, timeout=WAIT_S, check_same_thread=False)
        self._file.executescript(f"pragma secure_delete = on; pragma synchronous = extra; {TABLES}")

    async def name(self) -> str:
        """Return what tells this store from any other."""
        first = "insert into store select ? where not exists (select * from store)"
        asked = "select name from store"
        await self._do(lambda file: file.execute(first, (_made_up(),)).rowcount)
        return await self._do(lambda file: str(file.execute(asked).fetchone()[0]))

    async def put(self, keys: Sequence[Key]) -> None:
        """Keep those that are not there yet."""
        rows = [(one.id, one.owner, json.dumps(sorted(one.readers)), one.consent, one.head) for one in keys]
        await self._do(lambda file: file.executemany("insert or ignore into key values (?, ?, ?, ?, ?)", rows).rowcount)

    async def get(self, ids: Collection[str]) -> Mapping[str, Key]:
        """Return those that are there."""
        asked = "select * from key where id in (select value from json_each(?))"
        rows = await self._do(lambda file: file.execute(asked, (json.dumps([*ids]),)).fetchall())
        keys = [Key(name, owner, frozenset(json.loads(readers)), *rest) for name, owner, readers, *rest in rows]
        return {one.id: one for one in keys}

    async def count(self, owner: str) -> int:
        """Return how many an owner has."""
        asked = "select count(*) from key where owner = ?"
        return await self._do(lambda file: int(file.execute(asked, (owner,)).fetchone()[0]))

    async def delete(self, owner: str, ids: Collection[str] = (), consents: Collection[str] = ()) -> int:
        """Forget an owner's keys of these names, and those that end with these consents; return how many."""
        asked = (
            "delete from key where owner = ? and (id in (select value from json_each(?))"
            " or consent <> '' and consent in (select value from json_each(?)))"
        )
        named = owner, json.dumps([*ids]), json.dumps([*consents])
        return await self._do(lambda file: file.execute(asked, named).rowcount)

    async def _do(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Do it in one transaction, in a thread: it waits for the disk. No cursor may outlive the lock."""

        def done() -> R:
            with self._lock, self._file:
                return work(self._file)

        return await asyncio.to_thread(done)


@dataclass
class KeysDatabase:
    """Keys in a PostgreSQL of its own, which the processes of several machines share.

    What was deleted is gone from the table's files within a minute: the table is written anew. How long the server's
    own WAL has it still, its settings say (docs/keys.md).
    """

    url: str
    """Of a database whose server has no other and archives no WAL; the role owns a schema there."""
    _pool: "Pool | None" = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _deleted: bool = True
    """Whether anything may be deleted that is not overwritten yet: at first by a process that was killed."""
    _overwriting: "asyncio.Task[None] | None" = None
    _overwritten: float = -math.inf
    """When it was, by the clock of this process."""
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def name(self) -> str:
        """Return what tells this store from any other."""
        pool = await self._connected()
        await pool.execute("insert into store (name) values ($1) on conflict do nothing", _made_up())
        return str(await pool.fetchval("select name from store"))

    async def put(self, keys: Sequence[Key]) -> None:
        """Keep those that are not there yet."""
        rows = [(one.id, one.owner, sorted(one.readers), one.consent, one.head) for one in keys]
        pool = await self._connected()
        # One statement, one transaction: asyncpg makes both of it.
        await pool.executemany("insert into key values ($1, $2, $3, $4, $5) on conflict do nothing", rows)

    async def get(self, ids: Collection[str]) -> Mapping[str, Key]:
        """Return those that are there."""
        rows = await (await self._connected()).fetch("select * from key where id = any($1::text[])", [*ids])
        keys = [Key(row["id"], row["owner"], frozenset(row["readers"]), row["consent"], row["head"]) for row in rows]
        return {one.id: one for one in keys}

    async def count(self, owner: str) -> int:
        """Return how many an owner has."""
        return int(await (await self._connected()).fetchval("select count(*) from key where owner = $1", owner))

    async def delete(self, owner: str, ids: Collection[str] = (), consents: Collection[str] = ()) -> int:
        """Forget an owner's keys of these names, and those that end with these consents; return how many."""
        told = await (await self._connected()).execute(
            "delete from key where owner = $1"
            " and (id = any($2::text[]) or consent <> '' and consent = any($3::text[]))",
            *(owner, [*ids], [*consents]),
        )
        number = int(told.rpartition(" ")[2])
        self._deleted = self._deleted or number > 0
        self._have_overwritten()
        return number

    async def close(self) -> None:
        """Overwrite what is still to be, now, and end the connections."""
        self._closing.set()
        if self._overwriting:
            await self._overwriting
        if self._pool:
            await self._pool.close()

    async def _connected(self) -> Pool:
        async with self._connecting:
            if self._pool is None:
                pool = await asyncpg.create_pool(
                    self.url,
                    connect=database.connected,
                    min_size=0,
                    max_size=CONNECTIONS,
                    command_timeout=WAIT_S,
                    server_settings={"synchronous_commit": "on", **database.GONE},
                )
                # Two processes that begin at once: one of them makes the tables.
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute("select pg_advisory_xact_lock(1)")
                    await connection.execute(DATABASE_TABLES)
                self._pool = pool
                self._have_overwritten()
            return self._pool

    def _have_overwritten(self) -> None:
        if self._deleted and (self._overwriting is None or self._overwriting.done()):
            self._overwriting = asyncio.create_task(self._overwrite())

    async def _overwrite(self) -> None:
        """Write the table anew, without what was deleted: until then its bytes stand in the file."""
        while self._deleted:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._overwritten + OVERWRITE_S - time.monotonic())
            self._deleted, self._overwritten = False, time.monotonic()
            try:
                await (await self._connected()).execute(REWRITE)
            except (*LOST, asyncpg.PostgresError) as error:
                self._deleted = True
                log.warning("deleted keys wait to be overwritten", error=type(error).__name__)
                if self._closing.is_set():
                    return  # whoever starts next does it


def _made_up() -> str:
    return secrets.token_hex(8)
