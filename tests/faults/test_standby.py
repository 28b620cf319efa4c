"""The leading PostgreSQL's machine is lost during traffic: the services go on with the other, and nothing is lost."""

import asyncio
import contextlib
import signal
import time
from typing import cast

from infra.local.postgres import Postgres
from tests.faults.checker import Case, check
from tests.faults.draining import drained
from tests.faults.evidence import gather
from tests.faults.ledger import Ledger
from tests.faults.recovery import _reports, _sent, _streamed
from tests.faults.run import publishing
from tests.faults.stand import PATIENCE_S, Stand, names, standing
from tests.faults.standby import Pair
from tests.faults.traffic import Publisher, publishers
from tests.harness.system import until

FEW = 100


class Paired(Stand):
    """A stand whose PostgreSQL is two machines."""

    def _postgres(self) -> Postgres:
        self.pair = Pair(self._home("postgres"))
        return cast("Postgres", self.pair)


async def recorded(stand: Stand, service: str) -> int:
    async with stand.database(service) as connection:
        return int(await connection.fetchval("select coalesce(max(position), 0) from log"))


async def lost(stand: Paired, ledger: Ledger, publisher: Publisher, how: signal.Signals) -> tuple[float, int]:
    """Lose the leader's machine; return the seconds until a report is recorded, and how many rows are gone."""
    leader = await asyncio.to_thread(stand.pair.leader)
    heads = {service: await recorded(stand, service) for service in stand.services}
    reports = _reports(publisher, 1)
    ledger.fault(f"{leader.name} is lost", how=how.name)
    began = time.monotonic()
    await asyncio.to_thread(leader.signal, how)
    async with publisher._connected() as client:
        await _sent(ledger, client, reports)
        await _streamed(stand, reports)
    took = time.monotonic() - began
    gone = sum([max(0, head - await recorded(stand, service)) for service, head in heads.items()])
    assert (await asyncio.to_thread(stand.pair.leader)).name != leader.name
    return took, gone


async def lose_each(stand: Paired, ledger: Ledger, publisher: Publisher) -> list[tuple[str, float, int]]:
    """Kill the leader's machine and bring it back; freeze that of the next, and let it go on with what it had."""
    told = []
    for what, how, back in (("killed", signal.SIGKILL, 0), ("frozen", signal.SIGSTOP, signal.SIGCONT)):
        before = ledger.counts()["acknowledged"]
        await until(lambda at=before: ledger.counts()["acknowledged"] > at + FEW, "traffic", PATIENCE_S)
        leader = await asyncio.to_thread(stand.pair.leader)
        told.append((what, *await lost(stand, ledger, publisher, how)))
        print(f"  leader's machine {what}: RTO {told[-1][1]:5.1f} s, RPO {told[-1][2]} rows", flush=True)
        leader.signal(signal.Signals(back)) if back else leader.launch()
        await until(stand.pair.paired, "the lost machine to follow the other", PATIENCE_S)
    return told


async def test_a_leader_s_machine_lost_loses_nothing_and_the_services_go_on(tmp_path):
    stand = Paired(tmp_path, names("intel"), proxied=False, small_disks=False)
    with contextlib.closing(Ledger(tmp_path / "ledger.jsonl")) as ledger:
        people = publishers(1, ledger, stand, 1.0)
        async with standing(stand):
            stand.held.add("postgres")
            stand.reading = [asyncio.create_task(one.read()) for one in people]
            told = []

            async def harm() -> None:
                told.extend(await lose_each(stand, ledger, people[0]))

            await publishing(people, harm())
            await drained(stand, ledger, people)
            found = check(Case(ledger, await gather(stand), {one.country: one.received for one in people}))
    assert found == []
    assert [gone for _, _, gone in told] == [0, 0]
