"""The stage: two replicas of every service on one region, and a clock that scenes set forward.

Raised once per session, because ten processes take seconds to start; the tests that use it run in one worker.
"""

import asyncio
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local.nats import Nats
from infra.local.process import stop
from infra.nats.config import accounts
from infra.nats.provision import provision
from infra.nats.rights import CENTRAL, PROVISIONER, inbox
from infra.testkit.clock import SetClock
from shared.contracts import SERVICES
from tests.harness.servers import Region, with_root
from tests.harness.speaking import NOW
from tests.harness.system import System, free_port

CALLER = "caller"
"""Publishes for all countries, a batch to each one's intake, so that all of an act arrives at once."""


@dataclass
class Stage:
    """What stays from scene to scene."""

    region: Region
    system: System
    clock: SetClock
    ops: dict[str, int]
    """Ports of the processes' /metrics by name (`intel`, `intel-2`)."""

    def scene_region(self) -> Region:
        """The same servers, for clients that belong to one scene."""
        return Region(self.region.nats, self.region.postgres, self.region.keys, self.region.database)

    def measured(self, process: str, metric: str) -> float:
        """The sum of a metric's samples in one process."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops[process]}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return sum(sample.value for family in families for sample in family.samples if sample.name == metric)


def with_caller(rights: dict[str, Any]) -> dict[str, Any]:
    permissions = {"publish": ["crm.in.>"], "subscribe": [f"{inbox(CALLER)}.>"]}
    rights["accounts"][CENTRAL]["users"].append({"user": CALLER, "password": CALLER, "permissions": permissions})
    return rights


@pytest.fixture(scope="session")
def stage(tmp_path_factory, postgres_server, nats_keys) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    server = Nats(folder / "nats")
    server.start(with_caller(with_root(accounts(nats_keys.public))))
    region = Region(server, postgres_server, nats_keys, asyncio.run(postgres_server.lend()))
    system = System(region, folder)
    clock = SetClock(folder / "ahead_s", NOW)
    try:
        asyncio.run(_provisioned(region))
        ops = {name: free_port() for service in SERVICES for name in (service, f"{service}-2")}
        for name, port in ops.items():
            system.start(name, CRM_REFERENCE_WAIT_S="5", CRM_OPS_PORT=str(port), **clock.env())
        asyncio.run(system.ready(patience_s=120))  # ten processes at once
        yield Stage(region, system, clock, ops)
    finally:
        for process in system.processes.values():
            process.kill()
            process.wait()
        stop(server.process, 9)
        asyncio.run(postgres_server.take_back(region.database))


async def _provisioned(region: Region) -> None:
    client = await region.connect(PROVISIONER)
    await provision(client)
    await client.close()
    region.clients.clear()
