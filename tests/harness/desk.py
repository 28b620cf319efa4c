"""A service's judgements on real tables, without NATS: reports are told, other services' events heard, days pass."""

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from shared import contracts
from shared.contracts import Event
from shared.contracts.notice import Alert
from shared.record import deadlines
from shared.record.engine import Input, decide
from shared.record.judgement import source
from shared.record.log import Draft, Log, head, insert
from shared.service import Service
from tests.harness.servers import PostgresServer

START = datetime(2004, 3, 1, 12, tzinfo=UTC)
HOUR = 1 / 24
"""In days, as all time at a desk is."""


@dataclass
class Hand:
    """A clock that stands until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Desk:
    """A service's log with its judgements."""

    log: Log
    clock: Hand
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def event(self, name: str, days: float = 0, by: str = "GTM", **changes: Any) -> Event[Any]:
        """The contract's example, changed (`...`: left out), as it happened in a country so many days after the start.

        Where no field names the entity, the sender's subject is "thing".
        """
        agreed = contracts.registry()[f"crm.{name}.v1"]
        data = {key: value for key, value in (dict(agreed.good) | changes).items() if value is not ...}
        time = START + timedelta(days=days)
        return Event(
            specversion="1.0",
            id=f"e-{next(self.numbers)}",
            source=f"urn:crm:country:{by}:test",
            type=agreed.type,
            time=time,
            country=by,  # type: ignore[arg-type]
            subject=data.get(agreed.entity or "", "thing"),
            data=msgspec.convert(data, agreed.data),
            recordedtime=time,
        )

    def corrected(self, event: Event[Any], **changes: Any) -> Event[Any]:
        """The correction of an event, as its owner records it or (own) as its country sends it."""
        return self._amendment(event, "corrected", data=msgspec.to_builtins(event.data) | changes)

    def retracted(self, event: Event[Any]) -> Event[Any]:
        return self._amendment(event, "retracted", reason="mistaken")

    def _amendment(self, event: Event[Any], verb: str, **more: Any) -> Event[Any]:
        service, entity, _ = event.name.split(".")
        said = {"supersedes": event.id, "reported_by": "court", **more}
        if service != self.log.service:
            said |= {
                "original": event.type,
                "original_id": event.id,
                "original_source": event.source,
                "original_time": event.time.isoformat(),
                "original_recordedtime": event.recordedtime.isoformat(),
                "previous": msgspec.to_builtins(event.data),
            }
        agreed = contracts.registry()[f"crm.{service}.{entity}.{verb}.v1"]
        return msgspec.structs.replace(
            event, id=f"e-{next(self.numbers)}", type=agreed.type, data=msgspec.convert(said, agreed.data)
        )

    async def record(self, *events: Event[Any]) -> list[Exception | None]:
        """Record own reports and act on heard events, in one transaction; return what became of each."""
        return await self.log.record([self._draft(event) for event in events])

    async def tell_again(self, *events: Event[Any]) -> None:
        """Judge events that were recorded before, as `crm restore` does; each must be taken."""
        assert self.log.judgements is not None
        for event in events:
            async with self.log.pool.acquire() as connection, connection.transaction():
                after, given = await head(connection), [Input(event)]
                decided = await decide(
                    connection, self.log.service, self.log.judgements, given, head=after[0], again=True
                )
                assert decided.outcomes == [None], decided.outcomes
                await insert(connection, self.log.service, after, decided.recorded)
                await decided.write(connection)

    def _draft(self, event: Event[Any]) -> Draft:
        service = event.name.partition(".")[0]
        return Draft(event, None if service == self.log.service else (service.upper(), next(self.numbers)))

    async def tell(self, *events: Event[Any]) -> None:
        """Record, one after the other; each must be taken."""
        for event in events:
            await self.tell_at_once(event)

    async def tell_at_once(self, *events: Event[Any]) -> None:
        """Record in one transaction; all must be taken."""
        outcomes = await self.record(*events)
        assert outcomes == [None] * len(events), outcomes

    async def pass_days(self, days: float) -> None:
        """Let so many days pass; what is due by then happens."""
        self.clock.at += timedelta(days=days)
        fired = 1
        while fired:
            async with self.log.pool.acquire() as connection, connection.transaction():
                fired = await deadlines.fire(self.log, connection)

    async def recorded(self, *names: str) -> list[Event[Any]]:
        """What stands in the log, of these types."""
        rows = await self.log.pool.fetch("select payload from log order by position")
        events = [contracts.decode(row["payload"]) for row in rows]
        return [event for event in events if not names or event.name in names]

    async def one(self, name: str) -> Event[Any]:
        (event,) = await self.recorded(name)
        return event

    async def mailboxes(self) -> Mapping[str, Sequence[Event[Any]]]:
        """By country, what it was told, without its own reports."""
        boxes = defaultdict(list)
        for event in await self.recorded():
            if event.source == source(self.log.service):
                boxes[event.country].append(event)
        return boxes

    async def told(self, country: str) -> list[str]:
        """What a country was told, in words, sorted."""
        return sorted(says(event) for event in (await self.mailboxes())[country])


def says(event: Event[Any]) -> str:
    """An event in words: its name, or an alert's kind, the thing and the country it is about."""
    if isinstance(event.data, Alert):
        return " ".join(filter(None, (event.data.kind, event.data.entity, event.data.country)))
    return event.name


@asynccontextmanager
async def desk(postgres: PostgresServer, service: Service) -> AsyncIterator[Desk]:
    """A desk on a fresh database."""
    clock = Hand()
    settings = {"search_path": service.name, "timezone": "UTC", "enable_seqscan": "off"}
    async with postgres.lent() as database:
        address = postgres.server.url(service.name, postgres.passwords[service.name], database)
        async with asyncpg.create_pool(address, min_size=1, max_size=3, server_settings=settings) as pool:
            yield Desk(Log(service.name, pool, clock, service.judged()), clock)  # type: ignore[arg-type]
