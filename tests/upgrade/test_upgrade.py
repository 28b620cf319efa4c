"""From the version before judgements to this one, under the region's traffic, with real processes of both.

What came of it is held against what this version alone makes of the same reports in the same order: `crm restore`'s
replay of the logs, into an empty database.
"""

import importlib
import os
from datetime import UTC, datetime

import asyncpg
import pytest

from infra.nats.rights import PROVISIONER
from infra.recovery.history import History
from infra.recovery.replay import Replay
from shared import contracts
from shared.contracts import SERVICES
from tests.bench.mixed_once import CLOCK, mixture
from tests.harness.servers import PostgresServer
from tests.upgrade.ledger import Ledger, Traffic, ended_well
from tests.upgrade.staging import NOW, Both, Version, both, older

BEFORE = os.environ.get("BEFORE") or "e1029eb"
"""The last commit whose services react by rules."""
REPORTS = int(os.environ.get("REPORTS") or 1200)
JUDGING = SERVICES[:4]
HEARD_LATER = "crm.training.certification.staled.v1"
"""A replay does not know when another service's event was heard, from which the grace of a certificate counts."""


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Version:
    return older(BEFORE, tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def traffic() -> list[Traffic]:
    """What the region sends, in six parts."""
    contracts.registry()
    reports = mixture(range(1))[:REPORTS]
    size = len(reports) // 6 + 1
    return [reports[start : start + size] for start in range(0, len(reports), size)]


async def upgraded(system: Both, before: Version, traffic: list[Traffic]) -> Ledger:
    """Upgrade, as docs/operations.md says, while reports come."""
    ledger = Ledger()
    system.provision(before)
    env = {"CRM_CLOCK_START": CLOCK, "CRM_CLOCK_EPOCH": datetime.now(UTC).isoformat()}
    olds = system.begin(before, *SERVICES, **env)
    await system.ready()
    await ledger.send(system, traffic[0])
    await system.drained()
    await ledger.send(system, traffic[1])  # what is on its way when the tables change
    system.provision(NOW)
    await ledger.send(system, traffic[2])
    for name in olds:
        system.kill(name, 15)
        system.begin(before, name.partition("@")[0], **env)  # an older process starts on the newer tables, too
    await system.ready()
    await ledger.send(system, traffic[3])
    await system.drained()
    for service in SERVICES:
        system.begin(NOW, service, **env)
    await ledger.send(system, traffic[4])
    await system.ready()
    for number, name in enumerate(olds):
        await ledger.send(system, traffic[5][number::6])
        assert system.kill(name, 15) == 0
    await ledger.send(system, traffic[5][5::6])
    await system.drained()
    assert system.provision(NOW).split() == ["nothing", "to", "do"]
    return ledger


async def test_an_upgrade_under_traffic(tmp_path, postgres_server, before, traffic):
    async with both(tmp_path / "system") as system:
        ledger = await upgraded(system, before, traffic)
        await ended_well(system, ledger)
        for service in JUDGING:
            rows = taken_over(system, service)
            assert [one for one in await differences(system, postgres_server, service) if one[0] > rows] == []


def taken_over(system: Both, service: str) -> int:
    """How many rows stood in the log when this version took over; what came after it alone has told."""
    return next((line["rows"] for line in system.output(f"{service}@now") if line["event"] == "took over"), 0)


async def differences(system: Both, empty: PostgresServer, service: str) -> list[tuple[int, str]]:
    """What this version makes otherwise of the same reports: the position of the event, and the difference in words."""
    process = importlib.import_module(f"services.{service}.__main__").SERVICE
    positions = {event.id: event.sequence for event in await system.log(service)}
    async with empty.lent() as database:
        connection = await asyncpg.connect(
            empty.server.url(database=database), server_settings={"search_path": service, "timezone": "UTC"}
        )
        try:
            history = History(await system.region.connect(PROVISIONER))
            replay = Replay(history, connection, service, process.judged())
            await replay.run()
        finally:
            await connection.close()
    told = [one for one in replay.differences if not one.startswith(HEARD_LATER)]
    return [(positions.get(one.split()[1].rstrip(":"), 0), one) for one in told]
