"""Pathway's part of `make bench`: counts of recorded events by type, country and month; prints JSON.

Run by the Python of `.tools/peers`: `pathway_fold.py EVENTS`. It reads the events from NDJSON and does less than the
fold: no labels, no corrections, no entities, no plan.
"""

import json
import sys
import time
from pathlib import Path

import pathway as pw


class Event(pw.Schema):
    """As much of a recorded event as is counted by."""

    type: str
    country: str
    time: str


def main() -> None:
    """Fold all there is, print."""
    counts: dict[tuple[str, str, str], int] = {}

    def changed(key: object, row: dict, time: int, is_addition: bool) -> None:
        if is_addition:
            counts[row["type"], row["country"], row["month"]] = row["number"]

    imported = time.process_time()
    events = pw.io.jsonlines.read(sys.argv[1], schema=Event, mode="static")
    monthly = events.select(pw.this.type, pw.this.country, month=pw.this.time.str.slice(0, 7))
    folded = monthly.groupby(pw.this.type, pw.this.country, pw.this.month).reduce(
        pw.this.type, pw.this.country, pw.this.month, number=pw.reducers.count()
    )
    pw.io.subscribe(folded, on_change=changed)
    begun = time.perf_counter()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    told = {
        "version": pw.__version__,
        "cpu_s": time.process_time() - imported,
        "s": time.perf_counter() - begun,
        "events": sum(counts.values()),
        "mb": held_mb(),
    }
    print(json.dumps(told))


def held_mb() -> float:
    """Return the most memory (MB) that this process has held; what `resource` tells has that of who started it."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
