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
OLDER = "back with older disks"
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
    if kind == OLDER:
        await kept(stand, number)
        await grown(ledger)
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
        if kind == OLDER:
            await asyncio.to_thread(stand.age, number)
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


async def kept(stand, number):
    """Switch a machine off, copy its disks, and have it back whole."""
    await asyncio.to_thread(stand.kill, number)
    await asyncio.to_thread(stand.keep, number)
    stand.boot(number)
    await stand.whole()


async def grown(ledger):
    """Return when some more reports were taken in."""
    at = ledger.counts()["acknowledged"]
    await until(lambda: ledger.counts()["acknowledged"] > at + FEW, "traffic", PATIENCE_S)


async def lost_and_back(seed, tmp_path, kinds):
    """Lose machines in these ways, one after another, during traffic; return what that cost, with a clean ledger."""
    assert not why_not()
    chance, told = random.Random(f"{seed}-machines"), []
    kinds = kinds(chance)
    with hosts(SIZE) as found, contextlib.closing(Ledger(tmp_path / "ledger.jsonl")) as ledger:
        stand = Machines(tmp_path, replicas(), proxied=False, small_disks=False, hosts=found)
        people = publishers(seed, ledger, stand, 1.0, Abroad)
        async with standing(stand):
            stand.reading = [asyncio.create_task(one.read()) for one in people]

            async def harm() -> None:
                for kind in kinds:
                    await grown(ledger)
                    told.append(await struck(stand, ledger, people[0], chance, kind))
                    print(f"  seed {seed}: {told[-1]}", flush=True)

            await publishing(people, harm())
            await drained(stand, ledger, people)
            breaches = check(Case(ledger, await gather(stand), {one.country: one.received for one in people}))
    assert breaches == []
    return told


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_a_machine_lost_loses_nothing_and_work_goes_on(seed, tmp_path):
    told = await lost_and_back(seed, tmp_path, lambda chance: chance.sample(KINDS, EACH))
    assert [one.rpo_rows for one in told] == [0] * EACH


async def test_a_machine_back_with_older_disks_takes_nothing_back(tmp_path):
    """As after a restored image of the machine: what it has forgotten, the two others know."""
    told = await lost_and_back(SEEDS, tmp_path, lambda _: [OLDER] * EACH)
    assert [one.rpo_rows for one in told] == [0] * EACH
