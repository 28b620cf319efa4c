"""DuckDB's part of `make bench`: a count by country as of a day, over events in NDJSON; prints JSON.

Run by the Python of `.tools/peers`: `duck.py EVENTS TYPE DAY...`. The events lie in a table in memory before it begins.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

QUERY = "select country, count(*) from events where type = ? and time < cast(? as date) + 1 group by country"


def main() -> None:
    """Load, ask once for each day, print."""
    events, wire, *days = sys.argv[1:]
    database = duckdb.connect(config={"threads": 1})
    database.execute("set timezone = 'UTC'")
    columns = "{type: 'VARCHAR', country: 'VARCHAR', time: 'TIMESTAMP'}"
    begun = time.perf_counter()
    database.execute(
        f"create table events as select * from read_json(?, format = 'newline_delimited', columns = {columns})",
        [events],
    )
    loaded, found, times = time.perf_counter() - begun, [], []
    for day in [days[0], *days]:
        begun = time.perf_counter()
        rows = database.execute(QUERY, [wire, day]).fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
        found.append(dict(rows))
    held = held_mb()
    told = {"version": duckdb.__version__, "load_s": loaded, "ms": times[1:], "counts": found[1:], "mb": held}
    print(json.dumps(told))


def held_mb() -> float:
    """Return the most memory (MB) that this process has held; what `resource` tells has that of who started it."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
