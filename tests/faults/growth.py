"""What a running system holds (memory, files, connections, consumers), looked at again and again: does it grow?"""

import asyncio
import json
import os
import statistics
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from infra.nats.asking import ask
from shared.flow.streams import durables
from tests.faults.stand import Stand
from tests.harness.system import resident_mb

GROWTH_MAX = 1.25
"""The last third's median of a figure may be so many times the first third's."""
ROOM = {"memory_mb": 20, "files": 5, "connections": 3, "subscriptions": 5, "consumers": 2}
"""And so much more besides, for what is small."""
BY_NATURE = "by nature"
"""What grows because more is kept, or until a setting is reached: shown, not judged."""


async def sample(stand: Stand) -> dict[str, float]:
    """Return figures by name; the last word of a name is its unit."""
    found: dict[str, float] = {}
    for name in (*stand.replicas, "nats"):
        pid = stand.pid(name)
        found[f"{name} memory_mb"], found[f"{name} files"] = resident_mb(pid), _files(pid)
    family = stand.family("postgres")
    found["postgres memory_mb"] = sum(_own_mb(pid) for pid in family)
    found["postgres files"] = sum(_files(pid) for pid in family)
    found["publishers memory_mb"] = resident_mb(os.getpid())
    served = await asyncio.to_thread(_nats, stand)
    found |= {f"nats {what}": served[what] for what in ("connections", "subscriptions")}
    async with stand.operator() as nc, stand.database("intel") as connection:
        states = [(await ask(nc, f"STREAM.INFO.{stream}"))["state"] for stream in durables()]
        found["all consumers"] = sum(state["consumer_count"] for state in states)
        found["postgres connections"] = await connection.fetchval("select count(*) from pg_stat_activity")
        found[f"streams, {BY_NATURE} stored_mb"] = sum(state["bytes"] for state in states) / 1e6
        stored = await connection.fetchval("select pg_database_size('crm')")
        found[f"database, {BY_NATURE} stored_mb"] = stored / 1e6
    return found


def grown(samples: list[dict[str, float]]) -> Iterator[str]:
    """Print each figure as it was in the first and in the last third; yield those that grew and should not."""
    third = max(1, len(samples) // 3)
    for name in samples[0]:
        first = statistics.median(one[name] for one in samples[:third])
        last = statistics.median(one[name] for one in samples[-third:])
        print(f"    {name:<32} {first:9.1f} {last:9.1f}")
        if BY_NATURE not in name and last > first * GROWTH_MAX + ROOM[name.split()[-1]]:
            yield f"{name} grows: {first:.1f} -> {last:.1f}"


def _files(pid: int) -> int:
    return _of(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())))


def _own_mb(pid: int) -> float:
    """Return the memory of one of PostgreSQL's processes without what all share, whose size is a setting."""
    lines = _of(lambda: Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()) or []
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) / 1024


def _of(look):
    """Return 0 for a process that has just ended."""
    try:
        return look()
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _nats(stand: Stand) -> dict[str, float]:
    with urllib.request.urlopen(f"{stand.nats.monitor}/varz", timeout=10) as answer:
        return json.load(answer)
