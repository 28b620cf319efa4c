"""A desk on a database as an older version left it: its tables are made by the migrations of then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from shared import contracts
from shared.contracts import Event
from shared.record.log import Log, head, insert
from shared.run.database import Pool, migration_files
from shared.service import Service
from tests.harness.desk import Desk, Hand
from tests.harness.servers import PostgresServer


@dataclass
class Olden:
    """The database, and what may be done before it is brought up to date."""

    pool: Pool
    desk: Desk
    newer: Sequence[Path]

    async def recorded(self, *events: Event[Any]) -> list[int]:
        """Put events into the log as they stood there, and return their positions."""
        async with self.pool.acquire() as connection, connection.transaction():
            after = await head(connection)
            rows = [msgspec.structs.replace(event, sequence=n) for n, event in enumerate(events, after[0] + 1)]
            await insert(connection, self.desk.log.service, after, [(one, msgspec.json.encode(one)) for one in rows])
        return [one.sequence for one in rows]

    async def put(self, table: str, **columns: Any) -> None:
        """Insert a row as the older version did."""
        numbers = ", ".join(f"${number}" for number, _ in enumerate(columns, start=1))
        await self.pool.execute(f"insert into {table} ({', '.join(columns)}) values ({numbers})", *columns.values())

    async def upgrade(self) -> Desk:
        """Apply the migrations that the older version did not have; return the desk at work."""
        for file in self.newer:
            await self.pool.execute(file.read_text())
        return self.desk


@asynccontextmanager
async def olden(postgres: PostgresServer, service: Service, newest: str) -> AsyncIterator[Olden]:
    """A database whose last migration is the one before `newest` (a file's name) of the service's own."""
    contracts.registry()
    url = postgres.server.url(database=await postgres.lend())  # not given back: its tables are others
    files = [file for file in migration_files(service.folder) if "shared" in file.parts or file.name < newest]
    owner = await asyncpg.connect(url)
    await owner.execute(f"drop schema {service.name} cascade; create schema {service.name}")
    await owner.execute(f"set search_path = {service.name}")
    for file in files:
        await owner.execute(file.read_text())
    await owner.close()
    settings = {"search_path": service.name, "timezone": "UTC"}
    async with asyncpg.create_pool(url, min_size=1, max_size=2, server_settings=settings) as pool:
        clock = Hand()
        log = Log(service.name, pool, clock, service.judged())  # type: ignore[arg-type]
        newer = [file for file in migration_files(service.folder) if file not in files]
        yield Olden(pool, Desk(log, clock), newer)  # type: ignore[arg-type]
