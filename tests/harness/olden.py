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
from shared.flow.streams import stream_of
from shared.record.log import Log, head, insert
from shared.record.upgrading import take_over
from shared.run.database import Pool, migration_files
from shared.service import Service
from tests.harness.desk import Desk, Hand
from tests.harness.servers import PostgresServer


@dataclass
class Olden:
    """The database, and what may be done before it is brought up to date."""

    pool: Pool
    desk: Desk
    service: Service
    newer: Sequence[Path]

    async def recorded(self, *events: Event[Any], by: str = "") -> list[int]:
        """Put events into the log, or another service's, as they stood there, and return their positions."""
        service = by or self.desk.log.service
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"set local search_path = {service}")
            after = await head(connection)
            rows = [msgspec.structs.replace(event, sequence=n) for n, event in enumerate(events, after[0] + 1)]
            await insert(connection, service, after, [(one, msgspec.json.encode(one)) for one in rows])
        return [one.sequence for one in rows]

    async def heard(self, service: str, *events: Event[Any]) -> None:
        """Put events into another service's log, and note that they were heard."""
        for sequence in await self.recorded(*events, by=service):
            await self.put("heard", stream=stream_of(service), sequence=sequence)

    async def put(self, table: str, **columns: Any) -> None:
        """Insert a row as the older version did."""
        numbers = ", ".join(f"${number}" for number, _ in enumerate(columns, start=1))
        await self.pool.execute(f"insert into {table} ({', '.join(columns)}) values ({numbers})", *columns.values())

    async def upgrade(self) -> Desk:
        """Apply the migrations that the older version did not have, and take over; return the desk at work."""
        for file in self.newer:
            await self.pool.execute(file.read_text())
        await take_over(self.pool, self.service.name, self.desk.log.judgements, self.service.folder)
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
        yield Olden(pool, Desk(log, clock), service, newer)  # type: ignore[arg-type]
