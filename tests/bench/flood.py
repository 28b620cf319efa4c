"""`make bench-flood`: how one country's flood, one kind after another, delays another country's reports and questions.

MEX reports and asks ten times a second; how long each takes, to the commit in the log and to the answer, is
measured from outside: quiet; while GTM's flood goes to a second NATS server, to which no service listens (the
control: the same processor time is burnt by flooder and server, and nothing of it concerns the services); and while
the same flood goes to the region. The figure that counts is flood over control.
After each flood the operator empties GTM's intake. Printed and written to bench-flood.json, with each process's memory.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from infra.nats.asking import ask
from shared.client import CountryClient
from tests.bench.flooder import KINDS
from tests.bench.servers import servers
from tests.harness.servers import Region
from tests.harness.speaking import example, of_own
from tests.harness.system import System, free_port, resident_mb

AIM = 2.0
EVERY_S = 0.1
PATIENCE_S = 60.0
NAME = "intel.document.flagged"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    options.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    options.add_argument("--out", type=Path, default=Path("bench-flood.json"))
    given = options.parse_args()
    result = asyncio.run(measured(given.seconds, given.kinds))
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


async def measured(seconds: float, kinds: list[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region, fresh_region() as elsewhere:
            system = System(region, Path(folder))
            try:
                return await _measured(system, elsewhere, seconds, kinds)
            finally:
                for context in system.clients:
                    await context.__aexit__(None, None, None)
                for name in list(system.processes):
                    system.kill(name)


async def _measured(system: System, elsewhere: Region, seconds: float, kinds: list[str]) -> dict[str, object]:
    system.start("intel")
    system.start("indicators", CRM_HTTP_PORT=str(free_port()))
    await system.ready()
    mex = await system.country("MEX")
    meter = Meter(mex, await asyncpg.connect(system.region.database_url()))
    await meter.during(seconds / 2)  # warm
    result: dict[str, object] = {"quiet": (await meter.during(seconds)), "memory_mb": {"before": memory(system)}}
    floods = {}
    for kind in kinds:
        control, _ = await beside(meter, kind, elsewhere, seconds)
        during, sent = await beside(meter, kind, system.region, seconds)
        floods[kind] = {"sent": sent, "control": control, "flood": during, "memory_mb": memory(system)}
        ratios = {name: round(during[name] / control[name], 2) for name in control if name.endswith("ms")}
        floods[kind]["flood_over_control"] = ratios
        print(f"{kind}: {sent} sent, {ratios}", file=sys.stderr)
        await emptied(system.region)
        await emptied(elsewhere)
    return {**result, "floods": floods}


async def beside(meter: "Meter", kind: str, region: Region, seconds: float) -> tuple[dict[str, float], int]:
    """Measure while a flood goes to `region`; return what was measured, and how much was sent."""
    flooder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.flooder", kind, region.nats.url, str(region.seed("GTM"))),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert flooder.stdout
        await asyncio.wait_for(flooder.stdout.readline(), PATIENCE_S)  # it has begun
        found = await meter.during(seconds)
    finally:
        flooder.kill()
    output, _ = await flooder.communicate()
    return found, int((output.split() or [b"0"])[-1])


class Meter:
    """A country that reports and asks at its leisure, and looks at its watch."""

    def __init__(self, country: CountryClient, database: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.country, self.database, self.number = country, database, 0

    async def during(self, seconds: float) -> dict[str, float]:
        """Return how long reports and questions took (ms) that were sent within so many seconds."""
        recorded: list[float] = []
        answered: list[float] = []
        end, waiting = time.monotonic() + seconds, []
        while time.monotonic() < end:
            waiting += [
                asyncio.create_task(timed(self.recorded, recorded)),
                asyncio.create_task(timed(self.answered, answered)),
            ]
            await asyncio.sleep(EVERY_S)
        await asyncio.gather(*waiting)
        return {**figures("recorded", recorded), **figures("answered", answered), "n": len(recorded)}

    async def recorded(self) -> None:
        self.number += 1
        name = f"meter-{self.number}"
        data = of_own(example(NAME), self.country.country)
        await self.country.publish(self.country.report(NAME, data, id=name, subject=name))
        while not await self.database_has(name):
            await asyncio.sleep(0.002)

    async def database_has(self, name: str) -> bool:
        async with self.lock:
            found = await self.database.fetchval("select 1 from intel.log where id = $1 limit 1", name)
        return found is not None

    async def answered(self) -> None:
        await self.country.ask("intel", "contact", {"country": "HND"})

    @property
    def lock(self) -> asyncio.Lock:
        self._lock: asyncio.Lock = getattr(self, "_lock", None) or asyncio.Lock()
        return self._lock


async def timed(do: Callable[[], Awaitable[None]], into: list[float]) -> None:
    begun = time.perf_counter()
    await asyncio.wait_for(do(), PATIENCE_S)
    into.append((time.perf_counter() - begun) * 1000)


def figures(what: str, times_ms: list[float]) -> dict[str, float]:
    ordered = sorted(times_ms)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {f"{what}_p50_ms": round(statistics.median(ordered), 1), f"{what}_p99_ms": round(p99, 1)}


def memory(system: System) -> dict[str, float]:
    nats = system.region.nats.process
    assert nats
    own = {name: resident_mb(process.pid) for name, process in system.processes.items()}
    return {"nats-server": resident_mb(nats.pid), **own}


async def emptied(region: Region) -> None:
    """Empty the flooder's intake, as an operator may, and wait until nothing of it is on its way."""
    operator = await region.connect("operator")
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        await ask(operator, "STREAM.PURGE.INTAKE_GTM")
        await asyncio.sleep(1)
        info = await ask(operator, "CONSUMER.INFO.INTAKE_GTM.intel")
        if not info["num_pending"] and not info["num_ack_pending"]:
            break
    await operator.close()


def show(result: dict[str, object]) -> None:
    console = Console(highlight=False, width=160)
    columns = ("recorded_p50_ms", "recorded_p99_ms", "answered_p50_ms", "answered_p99_ms")
    table = Table("flood", "sent", *columns, "memory (MB)", title="MEX: control > flood (times)")
    quiet, floods = result["quiet"], result["floods"]
    assert isinstance(quiet, dict)
    assert isinstance(floods, dict)
    table.add_row("none", "", *(f"{quiet[name]:,}" for name in columns), str(result["memory_mb"]))
    for kind, found in floods.items():
        cells = (
            f"{found['control'][name]:,} > {found['flood'][name]:,} ({found['flood_over_control'][name]})"
            for name in columns
        )
        table.add_row(kind, f"{found['sent']:,}", *cells, str(found["memory_mb"]))
    console.print(table)
    console.print(f"aim: every flood within {AIM:g} times of its control")


if __name__ == "__main__":
    main()
