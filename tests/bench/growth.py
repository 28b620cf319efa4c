"""`make bench-growth`: what ten thousand, a hundred thousand, a million (and, with --large, ten million) events cost.

Of a log of each size: the rate of appending through the service's own way, bytes of disk an event by table, how soon a
service's process is ready with it, and what it holds. Of an archive of each size: a rebuild in processes of their own,
what they hold, and one process beside them, with the same bytes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from infra.local.ports import free_port
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery.restore import remade
from services.indicators.folded.apart import PROGRAM, Apart
from services.indicators.folded.fold import Fold
from services.indicators.folded.reading import from_archive
from services.indicators.planned.plan import load
from services.training.__main__ import SERVICE
from shared.contracts import SERVICES
from shared.record.archive import Archived, Writing, end
from shared.record.chain import chained
from shared.record.log import Log, make_room
from shared.run import database
from shared.run.settings import Settings
from tests.bench.fold import events, fed
from tests.bench.servers import servers
from tests.harness.desk import Desk, Hand
from tests.harness.servers import Region
from tests.harness.system import resident_mb

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
BATCH = 500
BATCHES = 20
FILLED = 20_000
"""Rows that are put into a log at once."""
MONTH = datetime(2003, 5, 9, tzinfo=UTC)
PAYLOAD = b'{"specversion":"1.0","filler":"%s"}' % (b"0123456789abcdef" * 36)
"""Of rows that stand behind: as long as an event is."""


def archived(folder: Path, number: int, made: list[tuple[str, bytes]]) -> dict[str, int]:
    """Write so many events to an archive, a file for each million of a service; return how many each service has."""
    queues = {service: [payload for one, payload in made if one == service] for service in SERVICES}
    shares = {service: number * len(queue) // len(made) for service, queue in queues.items()}
    for service, rows in shares.items():
        position, before = 0, end(folder, service)[1]
        while position < rows:
            writing = Writing(folder, service, f"{2003 + position // 10**6}-05", (position, before))
            for position in range(position + 1, min(rows, position + 10**6) + 1):  # noqa: B020 - goes on
                payload = queues[service][position % len(queues[service])]
                before = chained(before, payload)
                writing.add(Archived(position, payload, before, None, None), MONTH)
            writing.done()
    return {service: rows for service, rows in shares.items() if rows}


async def rebuilt(folder: Path, region: Region, streams: dict[str, int]) -> dict[str, Any]:
    """Have an archive folded apart, and beside it in one process; return seconds, memory, whether it is the same."""
    plan = load()
    peak: dict[str, float] = {}
    watching = asyncio.create_task(_watched(peak))
    before = _cpu(resource.RUSAGE_CHILDREN)
    begun, apart = time.perf_counter(), Apart(plan, region.env("indicators"), folder, processes=2)
    state = await apart.folded(streams, lambda _: None)
    found = {"rebuild_s": time.perf_counter() - begun, "process_mb": max(peak.values(), default=0)}
    found["cpu_s"] = _cpu(resource.RUSAGE_CHILDREN) - before
    watching.cancel()
    own = _cpu(resource.RUSAGE_SELF)
    begun, fold = time.perf_counter(), Fold(plan)
    for service in streams:
        await from_archive(fold, folder, service)
    found["one_process_cpu_s"] = _cpu(resource.RUSAGE_SELF) - own
    return found | {"one_process_s": time.perf_counter() - begun, "same": fold.state.dump() == state.dump()}


def _cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


async def _watched(peak: dict[str, float]) -> None:
    """Note the most memory that each folding process has held (MB)."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    while True:
        for pid in children.read_text().split():
            with contextlib.suppress(OSError):
                if PROGRAM.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    peak[pid] = max(resident_mb(int(pid)), peak.get(pid, 0))
        await asyncio.sleep(0.2)


async def filled(owner: "asyncpg.Connection[asyncpg.Record]", after: int, rows: int) -> None:
    """Put rows into training's log, as the service would leave them: with ids, and indexed by one thing each."""
    await make_room(owner, rows)
    columns = ["position", "source", "id", "type", "country", "entity", "payload", "hash", "said"]
    for first in range(after + 1, rows + 1, FILLED):
        names = [os.urandom(16).hex() for _ in range(first, min(first + FILLED, rows + 1))]
        records = [
            (first + n, "urn:crm:country:GTM:bench", name, "x", "GTM", name, PAYLOAD, bytes(32), name.encode())
            for n, name in enumerate(names)
        ]
        await owner.copy_records_to_table("log", columns=columns, records=records)
        things = [(f"officer/GTM/{name}", MONTH, "", first + n) for n, name in enumerate(names)]
        await owner.copy_records_to_table("about", columns=["thing", "at", "stream", "position"], records=things)
    await owner.execute("insert into generation (number) values (1) on conflict do nothing")
    await owner.execute("checkpoint")


async def appended(region: Region) -> float:
    """Return reports a second that the service's own way records, the median of some batches."""
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool:
        desk = Desk(Log("training", pool, Hand(), SERVICE.judged()), Hand())  # type: ignore[arg-type]
        times = []
        for _ in range(BATCHES):
            names = [os.urandom(8).hex() for _ in range(BATCH)]
            batch = [desk.event("training.official.enrolled", officer_pid=f"of-{name}") for name in names]
            batch = [type(one)(**{**_fields(one), "id": name}) for one, name in zip(batch, names, strict=True)]
            begun = time.perf_counter()
            assert await desk.record(*batch) == [None] * BATCH
            times.append(time.perf_counter() - begun)
    return BATCH / statistics.median(times[2:])


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


async def disk(owner: "asyncpg.Connection[asyncpg.Record]") -> dict[str, float]:
    """Return bytes an event, of the log, of what is recorded under which id, and of the index of things."""
    rows = await owner.fetchval("select max(position) from log")
    log = await owner.fetchval(
        "select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'log'::regclass"
    )
    others = {
        name: await owner.fetchval("select pg_total_relation_size($1::regclass)", name)
        for name in ("recorded", "about")
    }
    return {name: float(size) / rows for name, size in {"log": log, **others}.items()}


async def restarted(region: Region, owner: "asyncpg.Connection[asyncpg.Record]") -> dict[str, float]:
    """Return seconds from the start of a service's process until it is ready, and what it holds then (MB).

    Its stream has the last row only: what stands before is archived, as after years.
    """
    nc = await region.connect(PROVISIONER)
    await remade(nc, "training", await owner.fetchval("select max(position) from log"))
    await provision(nc)
    port, found = free_port(), []
    for _ in range(3):
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.training"),
            env=region.env("training", CRM_OPS_PORT=str(port)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not await asyncio.to_thread(_ready, port):
                await asyncio.sleep(0.02)
            found.append((time.perf_counter() - begun, resident_mb(process.pid)))
        finally:
            process.terminate()
            await process.wait()
    return {"ready_s": min(seconds for seconds, _ in found[1:]), "ready_mb": max(size for _, size in found)}


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
            return True
    except OSError:
        return False


async def grown(region: Region, owner: "asyncpg.Connection[asyncpg.Record]", rows: int) -> dict[str, Any]:
    """Grow training's log to so many rows, and return what that costs."""
    at = await owner.fetchval("select coalesce(max(position), 0) from log")
    await filled(owner, at, rows)
    rates = [await appended(region) for _ in range(3)]
    return {
        "append_per_s": statistics.median(rates),
        "disk": await disk(owner),
        **await restarted(region, owner),
    }


async def measured(sizes: list[int], parts: set[str], folder: Path) -> list[dict[str, Any]]:
    """Return what was measured, one for each size."""
    found: list[dict[str, Any]] = [{"events": size} for size in sizes]
    async with AsyncExitStack() as stack:
        fresh = await stack.enter_async_context(servers(folder))
        region = await stack.enter_async_context(fresh())
        if "log" in parts:
            owner = await asyncpg.connect(region.database_url(), server_settings={"search_path": "training"})
            for one in found:
                one.update(await grown(region, owner, one["events"]))
                print(json.dumps(one), flush=True)
            await owner.close()
        if "rebuild" in parts:
            plan = load()
            made = events(fed(plan), plan)
            for one in found:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    streams = archived(Path(place), one["events"], made)
                    size = int(subprocess.check_output(["du", "-sb", place]).split()[0])
                    one["archive_bytes"] = size / one["events"]
                    one.update(await rebuilt(Path(place), region, streams))
                print(json.dumps(one), flush=True)
    return found


def shown(found: list[dict[str, Any]]) -> None:
    """Print a table."""
    table = Table(
        "events",
        "append/s",
        "disk: log, ids, things",
        "ready",
        "archive",
        "rebuild, 2 processes",
        "one process",
        "same bytes",
        "MB",
    )
    for one in found:
        sizes = one.get("disk", {})
        table.add_row(
            f"{one['events']:,}",
            f"{one.get('append_per_s', 0):,.0f}",
            ", ".join(f"{size:,.0f}" for size in sizes.values()),
            f"{one.get('ready_s', 0):,.1f} s, {one.get('ready_mb', 0):,.0f} MB",
            f"{one.get('archive_bytes', 0):,.0f}",
            f"{one.get('rebuild_s', 0):,.1f} s, {one.get('cpu_s', 0):,.1f} s CPU",
            f"{one.get('one_process_s', 0):,.1f} s, {one.get('one_process_cpu_s', 0):,.1f} s CPU",
            str(one.get("same", "-")),
            f"{one.get('process_mb', 0):,.0f}",
        )
    Console(width=140).print(table)


def main() -> None:
    """Measure, print, and write JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true", help="ten million as well")
    options.add_argument("--only", choices=["log", "rebuild"], help="one part")
    options.add_argument("--sizes", type=int, nargs="*", help="other sizes")
    options.add_argument("--folder", type=Path, help="where there is room: 2 GB a million")
    options.add_argument("--out", type=Path, default=Path("bench-growth.json"))
    given = options.parse_args()
    sizes = given.sizes or [*SIZES, *([LARGE] if given.large else [])]
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = asyncio.run(measured(sizes, {given.only} if given.only else {"log", "rebuild"}, Path(folder)))
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    shown(found)
    if not all(one.get("same", True) for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
