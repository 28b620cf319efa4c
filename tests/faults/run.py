"""`make faults SEED=1 SECONDS=60`: the whole system under seeded faults, then the invariants. Exit code 1: a breach."""

import asyncio
import contextlib
import random
import shutil
import sys
import time
from pathlib import Path

import typer

from tests.faults.breaking import FAULTS, ON_DISKS, Breaker
from tests.faults.checker import Breach, Case, check
from tests.faults.draining import drained
from tests.faults.evidence import gather
from tests.faults.ledger import Ledger
from tests.faults.recovery import measured
from tests.faults.stand import Stand, folder, names, standing
from tests.faults.traffic import Publisher, publishers

REPLICATED = ("intel", "victims", "legal", "training")
OVERLAPPING = 2
"""So many faults may be going on at once."""
QUIET = 0.2
"""Chance of a quiet spell before a fault."""


async def struck(breaker: Breaker, kinds: list[str], seconds: float) -> None:
    """Strike at seeded times, overlapping, with quiet spells: every kind once, however long that takes, then any.

    Return when the time is over and all that was harmed is whole again.
    """
    end, chance = time.monotonic() + seconds, breaker.random
    to_come = chance.sample(kinds, len(kinds))
    going: set[asyncio.Task[None]] = set()
    pause_s = seconds / (len(kinds) * 1.5)
    while to_come or time.monotonic() < end:
        quiet = chance.random() < QUIET
        await asyncio.sleep(chance.uniform(2, 4) if quiet else chance.uniform(0, 2 * pause_s))
        possible = breaker.possible(to_come or kinds)
        while len(going) >= OVERLAPPING or not possible:
            finished, going = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
            _raised(finished)
            possible = breaker.possible(to_come or kinds)
        name = possible[0] if to_come else chance.choice(possible)
        if to_come:
            to_come.remove(name)
        going.add(asyncio.create_task(breaker.strike(name)))
    if going:
        _raised((await asyncio.wait(going))[0])


def _raised(finished: "set[asyncio.Task[None]]") -> None:
    for task in finished:
        task.result()


async def publishing(people: list[Publisher], harm) -> None:
    """Let all publish and read while `harm` lasts, and publish on until all that is owed is acknowledged."""
    sending = [asyncio.create_task(one.run()) for one in people]
    try:
        await harm
        for one in people:
            one.stopping = True
        _raised((await asyncio.wait(sending, timeout=240))[0])
        if late := [one.country for one in people if not one.done]:
            raise TimeoutError(f"still publishing: {late}")
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def faulted(seed: int, seconds: float, at: Path, pause_s: float, cut_s: float | None) -> list[Breach]:
    """Run one seed; return what was breached. `cut_s`: measure recovery too, with a country away for so long."""
    chance = random.Random(f"{seed}-faults")
    twice = chance.sample(REPLICATED, 2)
    print(f"seed {seed}: {seconds:g} s of faults; two replicas of {', '.join(twice)}; {at}", flush=True)
    stand = Stand(at, names(*twice))
    with contextlib.closing(Ledger(at / "ledger.jsonl")) as ledger:
        breaker = Breaker(stand, ledger, chance, set(), {})
        people = publishers(seed, ledger, stand, pause_s)
        async with standing(stand):
            await struggled(breaker, people, seconds)
            if cut_s is not None:
                await measured(stand, ledger, people[0], cut_s)
                await drained(stand, ledger, people)
            evidence = await gather(stand)
        print(f"  faults done: {figures_of(breaker.done)}")
        print(f"  ledger: {figures_of(ledger.counts())}")
        print(f"  logs: {figures_of({name: len(rows) for name, rows in evidence.logs.items()})}", flush=True)
        return check(Case(ledger, evidence, {one.country: one.received for one in people}))


async def struggled(breaker: Breaker, people: list[Publisher], seconds: float) -> None:
    """Let the faults strike while all publish and read; return when everything has had its consequences."""
    stand = breaker.stand
    kinds = [name for name in FAULTS if stand.disks or name not in ON_DISKS]
    if stand.no_disk:
        print(f"  NOT DONE on this machine: {', '.join(ON_DISKS)}: {stand.no_disk}", flush=True)
    stand.reading = [asyncio.create_task(one.read()) for one in people]
    await publishing(people, struck(breaker, kinds, seconds))
    await drained(stand, breaker.ledger, people)


def figures_of(counts: dict[str, int]) -> str:
    return " ".join(f"{name}={number}" for name, number in sorted(counts.items()))


def main(  # noqa: PLR0913 - each is a flag
    seed: int = 1,
    seconds: float = 60,
    *,
    pause_s: float = 0.2,
    cut_s: float = 60,
    recovery: bool = True,
    keep: bool = False,
) -> None:
    """Strike the system for SECONDS with the faults that SEED gives; check that nothing is lost or doubled."""
    at = folder()
    breaches = asyncio.run(faulted(seed, seconds, at, pause_s, cut_s if recovery else None))
    for breach in breaches:
        print(f"BREACH, seed {seed}: {breach}")
    print(f"seed {seed}: {'FAILED; see ' + str(at) if breaches else 'nothing lost, nothing doubled'}", flush=True)
    if not breaches and not keep:
        shutil.rmtree(at)
    sys.exit(bool(breaches))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
