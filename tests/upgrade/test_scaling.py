"""One replica, three, each replaced by this version, and one again: all that during traffic, with a ledger of it."""

import asyncio
import itertools
import json
import os
import statistics
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from shared import contracts
from shared.contracts import SERVICES
from tests.bench.mixed_once import CLOCK, mixture
from tests.upgrade.ledger import Ledger, Traffic, ended_well, named
from tests.upgrade.staging import NOW, Both, Version, both, older

FORMER = os.environ.get("BEFORE") or "058838c6"
"""A former version of the same generation: its processes and those of this one record side by side."""
REPLICATED = SERVICES[:4]
"""Of indicators there is one: a second would fold the same."""
REPLICAS = 3
PAUSE_S = 0.03
"""Some thirty reports a second."""
COPIES = 4
"""So much of the mixture lies ready; of it is sent what there is time for."""


@dataclass
class Timed(Ledger):
    """What was acknowledged, and when each report was begun to be sent."""

    begun: dict[tuple[str, str], float] = field(default_factory=dict)
    phase: str = ""
    phases: dict[tuple[str, str], str] = field(default_factory=dict)

    @asynccontextmanager
    async def traffic(self, system: Both, reports: Traffic):
        """Have the countries send reports, in their order; each country one when the one before it is on disk."""
        stopping = asyncio.Event()
        clients = {country: await system.region.connect(country) for country in {country for country, *_ in reports}}
        turns = {country: asyncio.Lock() for country in clients}

        async def send(country: str, subject: str, payload: bytes) -> None:
            which = named(payload)
            async with turns[country]:  # who waits longest is let in first
                self.begun.setdefault(which, time.time())
                self.phases.setdefault(which, self.phase)
                answer = json.loads((await clients[country].request(subject, payload, timeout=60)).data)
                self.sent[country, answer["seq"]] = which

        async def told() -> None:
            async with asyncio.TaskGroup() as sending:
                for report in reports:
                    if stopping.is_set():
                        return
                    sending.create_task(send(*report))
                    await asyncio.sleep(PAUSE_S)
            raise AssertionError("nothing is left to send: raise COPIES")

        task = asyncio.create_task(told())
        try:
            yield
        finally:
            stopping.set()
            await task

    @asynccontextmanager
    async def during(self, phase: str):
        """Say what goes on, and for at least how long reports are sent meanwhile."""
        self.phase, before = phase, len(self.sent)
        yield
        while len(self.sent) < before + 60:
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def former(tmp_path_factory) -> Version:
    return older(FORMER, tmp_path_factory.mktemp("former"))


@pytest.fixture(scope="module")
def reports() -> Traffic:
    contracts.registry()
    return mixture(range(COPIES))


async def scaled_and_rolled(system: Both, former: Version, ledger: Timed, env: dict[str, str]) -> None:
    """Scale to three of the former version, replace one after another by this one, scale back to one."""
    async with ledger.during("one of each, former version"):
        pass
    async with ledger.during("to three of each"):
        for number in range(2, REPLICAS + 1):
            system.begin(former, *REPLICATED, replica=f"-{number}", **env)
        await system.ready()
    async with ledger.during("each replaced"):
        system.provision(NOW)
        for number in range(1, REPLICAS + 1):
            replica = f"-{number}" if number > 1 else ""
            services = SERVICES if number == REPLICAS else REPLICATED
            for service in services:
                here = replica if service in REPLICATED else ""
                assert system.kill(f"{service}@before{here}", 15) == 0
                await system.ready(*system.begin(NOW, service, replica=here, **env))
    async with ledger.during("back to one of each"):
        for number, service in itertools.product(range(2, REPLICAS + 1), REPLICATED):
            assert system.kill(f"{service}@now-{number}", 15) == 0
    async with ledger.during("one of each, this version"):
        pass


async def test_one_three_one_and_a_rolling_upgrade_of_all_services_during_traffic(tmp_path, former, reports):
    ledger, epoch = Timed(), datetime.now(UTC)
    env = {"CRM_CLOCK_START": CLOCK, "CRM_CLOCK_EPOCH": epoch.isoformat()}
    async with both(tmp_path / "system") as system:
        system.provision(former)
        system.begin(former, *SERVICES, **env)
        await system.ready()
        async with ledger.traffic(system, reports):
            await scaled_and_rolled(system, former, ledger, env)
        await system.drained()
        await ended_well(system, ledger)
        await _printed(system, ledger, epoch)
        assert system.provision(NOW).split() == ["nothing", "to", "do"]


async def _printed(system: Both, ledger: Timed, epoch: datetime) -> None:
    """Print how long it took from sending a report until it was recorded, by what went on when it was sent."""
    start, took = datetime.fromisoformat(CLOCK), {}
    for service in SERVICES:
        for event in await system.log(service):
            if begun := ledger.begun.get((event.id, event.source)):
                at = (epoch + (event.recordedtime - start)).timestamp()
                took[event.id, event.source] = at - begun
    print(f"\n{len(ledger.begun)} reports sent, {len(took)} recorded, the others refused; published to recorded:")
    for phase in (*dict.fromkeys(ledger.phases.values()), "all"):
        times = sorted(s for one, s in took.items() if phase in {ledger.phases[one], "all"})
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        print(f"  {phase:<30} {len(times):5} reports  p50 {p50:6.3f} s  p99 {p99:6.3f} s  most {times[-1]:6.3f} s")
