"""`make soak SECONDS=1800 RATE=100`: steady traffic without faults; nothing may grow. Exit code 1: something does."""

import asyncio
import contextlib
import shutil
import statistics
import sys
from pathlib import Path

import typer

from infra.nats.asking import ask
from shared.contracts.vocabulary import MEMBERS
from shared.streams import durables
from tests.faults.draining import drained
from tests.faults.ledger import Ledger
from tests.faults.run import publishing
from tests.faults.stand import Stand, folder, names, standing
from tests.faults.traffic import BATCHED, publishers
from tests.harness.system import resident_mb

SAMPLES = 60
WARM = 0.25
"""So much of the run passes before anything is compared: caches fill, pools open."""
GROWTH_MAX = 1.25
"""The last third's median of a figure may be so many times the first third's."""
ROOM = {"memory_mb": 20, "files": 5, "connections": 3, "consumers": 2}
"""And so much more besides, for what is small."""
SIZE_MEAN = 1 + BATCHED * 10
"""Reports in one round of a publisher."""


def _process(pid: int) -> tuple[float, int]:
    """Return resident memory (MB) and open files."""
    return resident_mb(pid), len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def _sample(stand: Stand) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in (*stand.replicas, "nats"):
        found[f"{name} memory_mb"], found[f"{name} files"] = _process(stand.pid(name))
    async with stand.operator() as nc, stand.database("intel") as connection:
        states = [(await ask(nc, f"STREAM.INFO.{stream}"))["state"] for stream in durables()]
        found["all consumers"] = sum(state["consumer_count"] for state in states)
        found["postgres connections"] = await connection.fetchval("select count(*) from pg_stat_activity")
    return found


async def soaked(seconds: float, rate: float, at: Path) -> list[str]:
    """Return what grew."""
    stand = Stand(at, names("victims"), proxied=False)
    samples: list[dict[str, float]] = []

    async def watched() -> None:
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            samples.append(await _sample(stand))

    with contextlib.closing(Ledger(at / "ledger.jsonl")) as ledger:
        people = publishers(1, ledger, stand, len(MEMBERS) * SIZE_MEAN / rate)
        async with standing(stand):
            stand.reading = [asyncio.create_task(one.read()) for one in people]
            await publishing(people, watched())
            await drained(stand, ledger, people)
            print(f"  {len(ledger.reports) / seconds:.0f} reports a second; restarts: {sum(stand.restarts.values())}")
    return _grown(samples[int(SAMPLES * WARM) :])


def _grown(samples: list[dict[str, float]]) -> list[str]:
    third = len(samples) // 3
    grown = []
    for name in samples[0]:
        first = statistics.median(sample[name] for sample in samples[:third])
        last = statistics.median(sample[name] for sample in samples[-third:])
        print(f"    {name:<28} {first:8.1f} {last:8.1f}")
        if last > first * GROWTH_MAX + ROOM[name.split()[-1]]:
            grown.append(f"{name}: {first:.1f} -> {last:.1f}")
    return grown


def main(seconds: float = 1800, rate: float = 100) -> None:
    """Publish RATE reports a second for SECONDS; memory, files, connections and consumers must stay flat."""
    at = folder()
    grown = asyncio.run(soaked(seconds, rate, at))
    print("\n".join(f"GROWS: {line}" for line in grown) or "flat")
    shutil.rmtree(at)
    sys.exit(bool(grown))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
