"""The intel service's rules at work on a real database: reports in, mailboxes out, without processes or NATS."""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from services.intel.__main__ import SERVICE
from shared import contracts, deadlines
from shared.clock import Clock
from shared.contracts import Event
from shared.contracts.notice import Alert
from shared.contracts.report import accepted
from shared.log import Draft, Log

NOW = datetime(2004, 3, 1, 12, tzinfo=UTC)


@dataclass
class Desk:
    pool: asyncpg.Pool
    log: Log
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def at(self, now):
        """Stop the clock at this time."""
        self.log.clock = Clock(start=now, epoch=NOW, speed=0)

    def report(self, country, name, /, time=NOW, named=None, causationid=None, **changes):
        """A report, as accepted or (another service's) as heard: the contract's good example, changed."""
        agreed = contracts.registry()[f"crm.{name}.v1"]
        data = {key: value for key, value in (dict(agreed.good) | changes).items() if value is not ...}
        number = next(self.numbers)
        sent = {
            "specversion": "1.0",
            "id": named or f"r-{number}",
            "source": f"urn:crm:country:{country}:test",
            "type": agreed.type,
            "time": time.isoformat(),
            "data": data,
        }
        sent |= {"causationid": causationid} if causationid else {}
        sent |= {} if agreed.entity else {"subject": "thing"}
        event = accepted(f"crm.in.{country}.{name}", None, msgspec.json.encode(sent), self.log.clock.now())
        heard = (agreed.service.upper(), number) if agreed.service != "intel" else None
        return Draft(event, heard)

    def amended(self, draft, reason="mistaken", **changes):
        """What retracts a report, or (with changes) corrects it."""
        country, name = draft.event.country, draft.event.name.rpartition(".")[0]
        verb, more = "retracted", {"reason": reason}
        if changes:
            data = msgspec.to_builtins(draft.event.data) | changes
            verb, more = "corrected", {"data": data, "reason": ...}
        told = self.report(country, f"{name}.{verb}", supersedes=draft.event.id, **({"data": ...} | more))
        return told if draft.heard is None else self._heard(told, draft.event)

    def _heard(self, told, original):
        """An amendment as the other service recorded it."""
        filled = {
            "original": original.type,
            "original_id": original.id,
            "original_source": original.source,
            "original_time": original.time,
            "original_recordedtime": original.time,
            "previous": msgspec.to_builtins(original.data),
        }
        event = msgspec.structs.replace(told.event, data=msgspec.structs.replace(told.event.data, **filled))
        return Draft(event, told.heard)

    async def record(self, *drafts):
        """Record in one batch; all must be well."""
        outcomes = await self.log.record(drafts)
        assert outcomes == [None] * len(drafts), outcomes

    async def tell(self, *args, **changes):
        draft = self.report(*args, **changes)
        await self.record(draft)
        return draft

    async def pass_time(self, **delta):
        """Let time pass, and what falls due happen."""
        self.at(self.log.clock.now() + timedelta(**delta))
        async with self.pool.acquire() as connection, connection.transaction():
            while await deadlines.fire(self.log, connection):
                pass

    async def events(self) -> list[Event]:
        rows = await self.pool.fetch("select payload from log order by position")
        return [contracts.decode(row["payload"]) for row in rows]

    async def mailboxes(self):
        """By country, what it was told (kind of alert, or type): without its own reports."""
        boxes = defaultdict(list)
        for event in await self.events():
            if event.source.startswith("urn:crm:service:"):
                boxes[event.country].append(event)
        return boxes

    async def told(self, country):
        return sorted(says(event) for event in (await self.mailboxes())[country])


def says(event):
    if isinstance(event.data, Alert):
        return " ".join(filter(None, (event.data.kind, event.data.entity, event.data.country)))
    return event.name


@pytest.fixture
async def desk(postgres_server):
    name = await postgres_server.clone()
    pool = await asyncpg.create_pool(
        postgres_server.server.url(database=name), min_size=1, max_size=4, server_settings={"search_path": "intel"}
    )
    log = Log("intel", pool, Clock(), SERVICE.all_rules())
    one = Desk(pool, log)
    one.at(NOW)
    yield one
    await pool.close()
    await postgres_server.drop(name)
