"""One of three machines, or all, are lost, frozen or parted during traffic: what was told stays, and work goes on.

SEEDS (1) runs, each of which draws what is lost, which, and for how long.
"""

import asyncio
import contextlib
import os
import random
import time
from dataclasses import dataclass

import pytest
from nats.errors import Error as NatsError

from shared.client import ClientError
from tests.faults.checker import Case, check
from tests.faults.draining import drained
from tests.faults.evidence import gather
from tests.faults.hosts import hosts, why_not
from tests.faults.ledger import Ledger
from tests.faults.machines import SIZE, Abroad, Machines, replicas
from tests.faults.recovery import _reports, _sent, _streamed
from tests.faults.run import publishing
from tests.faults.stand import PATIENCE_S, standing
from tests.faults.traffic import publishers
from tests.harness.system import until

SEEDS = int(os.environ.get("SEEDS") or 1)
FEW = 50
AWAY_S = (5.0, 25.0)
"""How long a machine stays away after work went on without it."""
KINDS = ("killed", "frozen", "parted", "all killed")
EACH = 3
"""So many of them a seed draws."""


@dataclass(frozen=True)
class Told:
    """What a loss cost."""

    kind: str
    leads: bool
    """Whether PostgreSQL's leader ran there."""
    rto_s: float
    rpo_rows: int
    whole_s: float
    """From its return until every copy was one again."""


async def heads(stand):
    """Return how far each log is."""
    found = {}
    for service in stand.services:
        async with stand.database(service) as connection:
            found[service] = await connection.fetchval("select coalesce(max(position), 0) from log")
    return found


async def struck(stand, ledger, publisher, chance, kind):
    """Lose a machine (or all), have a report recorded, and get it back; return what that cost."""
    number = chance.randrange(SIZE)
    leader = await asyncio.to_thread(stand.pair.leader)
    leads = stand.pair.machines.index(leader) == number
    before, reports = await heads(stand), _reports(publisher, 1)
    what = f"{'all machines' if kind == 'all killed' else f'machine {number + 1}'} {kind}"
    ledger.fault(what)
    print(f"  {what}", flush=True)
    everywhere = range(SIZE) if kind == "all killed" else [number]
    ways = {"frozen": (stand.freeze, stand.thaw), "parted": (stand.part, stand.join)}
    took_away, brings_back = ways.get(kind, (stand.kill, stand.boot))
    began = time.monotonic()
    for one in everywhere:
        took_away(one)
    if kind == "all killed":
        began = time.monotonic()
        for one in everywhere:
            brings_back(one)
    await recorded(stand, ledger, publisher, reports)
    rto_s = time.monotonic() - began
    after = await heads(stand)
    if kind != "all killed":
        await asyncio.sleep(chance.uniform(*AWAY_S))
        began = time.monotonic()
        for one in everywhere:
            brings_back(one)
    await stand.whole()
    rpo_rows = sum(max(0, head - after[service]) for service, head in before.items())
    return Told(kind, leads, rto_s, rpo_rows, time.monotonic() - began)


async def recorded(stand, ledger, publisher, reports):
    """Have reports recorded and streamed, by a client that tries again until a server takes them."""
    while True:
        with contextlib.suppress(ClientError, NatsError, OSError):
            async with publisher._connected() as client:
                await _sent(ledger, client, reports)
                break
        await asyncio.sleep(0.2)
    await _streamed(stand, reports)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_a_machine_lost_loses_nothing_and_work_goes_on(seed, tmp_path):
    assert not why_not()
    chance = random.Random(f"{seed}-machines")
    told = []
    with hosts(SIZE) as found, contextlib.closing(Ledger(tmp_path / "ledger.jsonl")) as ledger:
        stand = Machines(tmp_path, replicas(), proxied=False, small_disks=False, hosts=found)
        people = publishers(seed, ledger, stand, 1.0, Abroad)
        async with standing(stand):
            stand.reading = [asyncio.create_task(one.read()) for one in people]

            async def harm() -> None:
                for kind in chance.sample(KINDS, EACH):
                    at = ledger.counts()["acknowledged"]
                    await until(lambda at=at: ledger.counts()["acknowledged"] > at + FEW, "traffic", PATIENCE_S)
                    told.append(await struck(stand, ledger, people[0], chance, kind))
                    print(f"  seed {seed}: {told[-1]}", flush=True)

            await publishing(people, harm())
            await drained(stand, ledger, people)
            breaches = check(Case(ledger, await gather(stand), {one.country: one.received for one in people}))
    assert breaches == []
    assert [one.rpo_rows for one in told] == [0] * EACH
