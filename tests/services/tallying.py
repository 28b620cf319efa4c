"""A service's log with its judgements on real tables, histories in random order, and what the figures make of them."""

import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span, view
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from shared import contracts
from shared.contracts import Event
from shared.record.log import Draft, Log
from shared.run.clock import Clock

PLAN = load()
START = datetime(2004, 1, 1, 12, tzinfo=UTC)
NOW = START + timedelta(days=1000)
numbers = itertools.count(1)


def report(name, time, country="GTM", **data):
    """A report as intake hands it on."""
    agreed = contracts.registry()[f"crm.{name}.v1"]
    told = msgspec.convert(dict(agreed.good) | data, agreed.data)
    return Event(
        specversion="1.0",
        id=f"e-{next(numbers)}",
        source=f"urn:crm:country:{country}:test",
        type=agreed.type,
        time=time,
        country=country,
        data=told,
        recordedtime=time,
    )


@dataclass
class Desk:
    """A service's log with the service's own judgements."""

    log: Log
    service: object
    held: dict = field(default_factory=dict)
    """What holds of each report by id: (time, data), or nothing once retracted."""
    gone: set = field(default_factory=set)

    async def record(self, *events):
        refused = [one for one in await self.log.record([Draft(event) for event in events]) if one]
        assert refused == [], refused
        for event in events:
            agreed = contracts.registry()[event.type]
            if agreed.verb == "corrected":
                self.held[event.data.supersedes] = (self.held[event.data.supersedes][0], event.data.data)
            elif agreed.verb == "retracted":
                del self.held[event.data.supersedes]
                self.gone.add(event.data.supersedes)
            elif event.id not in self.held and event.id not in self.gone:
                self.held[event.id] = (event.time, msgspec.to_builtins(event.data))

    async def recorded(self):
        rows = await self.log.pool.fetch("select payload from log order by position")
        return [bytes(row["payload"]) for row in rows]

    async def fold(self):
        folded = Fold(PLAN)
        for sequence, payload in enumerate(await self.recorded(), 1):
            folded.apply(self.service.name, sequence, payload)
        return folded


@asynccontextmanager
async def desk(postgres_server, service):
    async with postgres_server.lent() as database, replica(postgres_server, service, database) as table:
        yield table


@asynccontextmanager
async def replica(postgres_server, service, database):
    url = postgres_server.server.url(service.name, postgres_server.passwords[service.name], database)
    async with asyncpg.create_pool(url, min_size=1, max_size=4, server_settings={"search_path": service.name}) as pool:
        yield Desk(Log(service.name, pool, Clock(NOW, datetime.now(UTC)), service.judged()), service)


def on(fold, row, day):
    """The row's figure over the whole region at the end of a day."""
    found = figures(PLAN, PLAN.rows[row], fold.state, Span.as_of(day), closed=None)
    return found.headline.value if found.headline else 0


async def shuffled_history(table, rng, making, amended):
    """Record reports at random times in random order, correcting and retracting some, in batches of random sizes."""
    batch = []
    alive = {}
    for _ in range(60):
        kind = rng.random()
        if kind < 0.7 or not alive:
            event = making(rng)
            batch.append(event)
            if rng.random() < 0.2:  # sent twice: in the same batch, or long after
                batch.append(rng.choice([event, alive[rng.choice(sorted(alive))]]) if alive else event)
            alive[event.id] = event
        else:
            await table.record(*batch)
            batch = []
            root = alive[rng.choice(sorted(alive))]
            verb = "corrected" if kind < 0.88 else "retracted"
            service, entity, _ = root.name.split(".")
            more = {"data": amended(rng, root)} if verb == "corrected" else {"reason": "mistaken"}
            change = report(f"{service}.{entity}.{verb}", NOW, root.country, supersedes=root.id, **more)
            if verb == "retracted":
                del alive[root.id]
            await table.record(change)
        if len(batch) > rng.randrange(1, 12):
            await table.record(*batch)
            batch = []
    await table.record(*batch)


def moment(rng):
    return START + timedelta(hours=rng.randrange(0, 24 * 500))


def on_numerator(fold, time):
    return sum(n for _, n in view(PLAN, "IE-3.2b", "numerator", fold.state).upto(time.date().toordinal()))
