"""How soon a report is recorded, told to its sender's mailbox, and counted in /metrics.

All five services run, a replica each, with every write synced; eleven countries report, each its share. A report is
`recorded` when its row of the log is committed, `told` when its sender's client reads it, and `counted` when a scrape
that has it has been read; one scrape follows the other with a short pause.
"""

import asyncio
import contextlib
import itertools
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from shared import contracts
from shared.client import CountryClient
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from tests.bench.figure import Result, of, percentile
from tests.bench.servers import servers
from tests.harness.scraping import scraped
from tests.harness.servers import Region
from tests.harness.system import System, free_port, resident_mb, until

RATES = (10, 200, 1000)
NAME = "intel.document.flagged"
PAUSE_S = 0.005
"""Between two scrapes."""
LEFT_S = 60
SHARES = {"p50": 0.5, "p99": 0.99}
WHERES = {"recorded": "recorded", "told": "in the mailbox", "counted": "in /metrics"}


@dataclass
class Seen:
    """When what was seen of each report, in seconds of one clock."""

    sent: dict[str, float] = field(default_factory=dict)
    recorded: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    scrapes: list[tuple[int, float]] = field(default_factory=list)
    """(last event that it counts, when it was read)"""

    def whole(self) -> bool:
        """Say whether everything was seen of all that was sent; by then the scrapes are laid to the reports."""
        left = sorted((position, name) for name, position in self.positions.items() if name not in self.counted)
        scrapes = iter(self.scrapes)
        at, when = next(scrapes, (0, 0.0))
        for position, name in left:
            while at < position:
                at, when = next(scrapes, (2**63, 0.0))
            if at == 2**63:
                break
            self.counted[name] = when
        return all(self.sent.keys() <= getattr(self, where).keys() for where in WHERES)

    def ms(self, where: str) -> list[float]:
        """Return the milliseconds from sending to there."""
        then = getattr(self, where)
        return [(then[name] - at) * 1e3 for name, at in self.sent.items()]


async def living(rounds: int, seconds: float) -> list[Result]:
    """Measure latencies and memory, in some rounds of so many seconds for each rate."""
    memory: dict[str, list[float]] = {}
    times: dict[tuple[int, str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region:
            system, port = System(region, Path(folder)), free_port()
            try:
                system.start(*SERVICES, CRM_HTTP_PORT=str(port))
                await system.ready()
                watched = Watched(region, port, [await system.country(member) for member in MEMBERS])
                for number, rate in itertools.product(range(rounds), RATES):
                    seen = await watched.observed(rate, seconds, f"r{number}-{rate}")
                    for where, (share, part) in itertools.product(WHERES, SHARES.items()):
                        times.setdefault((rate, where, share), []).append(percentile(seen.ms(where), part))
                    for name, process in system.processes.items():
                        memory.setdefault(name, []).append(resident_mb(process.pid))
            finally:
                for context in system.clients:
                    await context.__aexit__(None, None, None)
                for name in list(system.processes):
                    system.kill(name)
    found = []
    for (rate, where, share), values in times.items():
        name = f"{WHERES[where]}, {rate:,} a second, {share}"
        every = f"all services, every write synced, {seconds:g} s a round"
        place = {"curve": f"latency-{share}", "line": WHERES[where], "at": rate}
        found.append(of("latency", name, "ms", values, conditions=every, **place))
    found += [of("memory", name, "MB", values, conditions="after each round") for name, values in memory.items()]
    return found


@dataclass
class Watched:
    """A running region, whose reports are watched from outside."""

    region: Region
    port: int
    clients: list[CountryClient]

    async def observed(self, rate: int, seconds: float, mark: str) -> Seen:
        """Send at a rate for some seconds; return when what was seen of it."""
        seen, clients = Seen(), self.clients
        watching = [
            asyncio.create_task(_recorded(self.region, seen)),
            asyncio.create_task(_scraped(self.port, seen)),
            *(asyncio.create_task(_told(client, seen)) for client in clients),
        ]
        try:
            await asyncio.sleep(0.5)
            good, begun = dict(contracts.registry()[f"crm.{NAME}.v1"].good), time.perf_counter()
            sending: set[asyncio.Task[None]] = set()
            for number in range(max(1, int(rate * seconds))):
                if (ahead := begun + number / rate - time.perf_counter()) > 0:
                    await asyncio.sleep(ahead)
                name, client = f"{mark}-{number}", clients[number % len(clients)]
                body = client.report(NAME, good, id=name, subject=f"d-{name}")
                seen.sent[name] = time.perf_counter()
                sending.add(asyncio.create_task(_sent(client, body)))
            await asyncio.gather(*sending)
            await until(seen.whole, "all that was sent to be seen", LEFT_S)
        finally:
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        return seen


async def _sent(client: CountryClient, body: dict) -> None:
    await client.publish(body)


async def _recorded(region: Region, seen: Seen) -> None:
    connection = await asyncpg.connect(region.database_url(), server_settings={"search_path": "intel"})
    try:
        woken = asyncio.Event()
        await connection.add_listener("intel", lambda *_: woken.set())
        last = await connection.fetchval("select coalesce(max(position), 0) from log")
        while True:
            await woken.wait()
            woken.clear()
            rows = await connection.fetch("select position, id from log where position > $1 order by position", last)
            now = time.perf_counter()
            for row in rows:
                last = row["position"]
                if row["id"] in seen.sent:
                    seen.recorded[row["id"]], seen.positions[row["id"]] = now, last
    finally:
        await connection.close()


async def _told(client: CountryClient, seen: Seen) -> None:
    async for event in client.mailbox():
        if event.id in seen.sent:
            seen.told[event.id] = time.perf_counter()


async def _scraped(port: int, seen: Seen) -> None:
    while True:
        with contextlib.suppress(OSError):
            at = await asyncio.to_thread(_folded, port)
            seen.scrapes.append((at, time.perf_counter()))
        await asyncio.sleep(PAUSE_S)


def _folded(port: int) -> int:
    found = re.search(r'crm_fold_sequence\{stream="INTEL"\} (\S+)', scraped(port))
    return int(float(found[1])) if found else 0
