"""kill -9 in mid-traffic: whatever dies, nothing is lost, nothing is counted twice, log and stream stay copies."""

import asyncio
import contextlib
import itertools
import random
import signal

from shared.contracts import SERVICES
from tests.faults.checker import Case, check
from tests.faults.draining import drained
from tests.faults.evidence import gather
from tests.faults.ledger import Ledger
from tests.faults.run import publishing
from tests.faults.stand import PATIENCE_S, Stand, names, standing
from tests.faults.traffic import publishers
from tests.harness.system import until

KILLS, ENOUGH = 10, 100


async def kill_each(stand: Stand, ledger: Ledger) -> None:
    """Kill one service after the other, twice over, each while it runs; return when much was said meanwhile."""
    order = random.Random("kills")
    for victim in itertools.islice(itertools.cycle(SERVICES), KILLS):
        await asyncio.sleep(order.uniform(0.2, 0.6))
        await until(stand.children[victim].runs, f"{victim} to run", PATIENCE_S)
        stand.send(victim, signal.SIGKILL)
    await until(lambda: ledger.counts()["acknowledged"] > ENOUGH, "reports to be acknowledged", PATIENCE_S)


async def test_killing_any_service_in_mid_traffic_loses_and_doubles_nothing(tmp_path):
    stand = Stand(tmp_path, names(), proxied=False)
    with contextlib.closing(Ledger(tmp_path / "ledger.jsonl")) as ledger:
        people = publishers(1, ledger, stand, 0.1)
        async with standing(stand):
            stand.reading = [asyncio.create_task(one.read()) for one in people]
            await publishing(people, kill_each(stand, ledger))
            await until(lambda: sum(stand.restarts.values()) >= KILLS, "every kill to be noticed", PATIENCE_S)
            await drained(stand, ledger, people)
            assert check(Case(ledger, await gather(stand), {one.country: one.received for one in people})) == []
