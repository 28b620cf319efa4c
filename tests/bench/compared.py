"""The suite's measures beside other systems: Pathway for the fold, DuckDB for a figure as of a day.

They have an environment of their own (`make bench-peers`), for they are large; without it the suite says so. Both sides
get the same file of events and run in processes of their own, one thread each.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.indicators.figures.figures import EXACT, figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from shared.contracts.vocabulary import REGION
from tests.bench import fold
from tests.bench.figure import Absent, Result, of

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".tools/peers/bin/python"
SCRIPTS = Path(__file__).with_name("peers")
MISSING = "not installed: make bench-peers"
FEW = 100
"""Events by which starting up is told from folding."""
ROW, TYPE = "IE-1.2c.reports", "crm.intel.route.reported.v1"
"""A row that counts one type of event, and that type."""
DAYS = 50


def asked(python: str | Path, script: str, *words: str) -> dict[str, Any]:
    """Run a script of the peers; return what it prints."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATHWAY_THREADS": "1"}
    command = [str(python), str(SCRIPTS / script), *words]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _written(folder: str, number: int, made: list[tuple[str, bytes]]) -> Path:
    """Write so many events as NDJSON, the same ones again and again."""
    file, source = Path(folder) / f"{number}.ndjson", fold.endless(made)
    with file.open("wb") as out:
        for _ in range(number):
            out.write(next(source)[1] + b"\n")
    return file


def beside_pathway(number: int, rounds: int) -> Iterator[Result]:
    """What an event costs, read from a file: the whole plan's fold, and one count of Pathway."""
    plan = load()
    made = fold.events(fold.fed(plan), plan)
    sides: dict[str, tuple[str | Path, str]] = {"whole plan, read from a file": (sys.executable, "ours.py")}
    theirs = "Pathway, one count (type, country, month) from a file"
    if PEERS.exists():
        sides[theirs] = (PEERS, "pathway_fold.py")
    else:
        yield Absent(measure="fold", name=theirs, reason=MISSING)
    costs: dict[str, list[float]] = {name: [] for name in sides}
    memory: dict[str, list[float]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        few, many = (str(_written(folder, count, made)) for count in (FEW, number))
        for _ in range(rounds):
            for name, (python, script) in sides.items():
                start, whole = asked(python, script, few), asked(python, script, many)
                assert whole["events"] == number, (name, whole)
                costs[name].append((whole["cpu_s"] - start["cpu_s"]) / (number - FEW) * 1e6)
                memory[name].append(whole["mb"])
    where = f"{number:,} events; start-up left out"
    for name in sides:
        yield of("fold", name, "µs/event", costs[name], conditions=where, curve="fold", line=name)
    for name in sides:
        yield of("fold", f"memory: {name}", "MB", memory[name], conditions=where)


def as_of(sizes: tuple[int, ...]) -> Iterator[Result]:
    """A figure by country as of a day: from the state, and by DuckDB from all events; both must count the same.

    With it the size of the state.
    """
    plan = load()
    made = fold.events(fold.fed(plan), plan)
    chance = random.Random(2004)
    days = [date(2003, 5, 10) + timedelta(days=chance.randrange(729)) for _ in range(DAYS)]
    if not PEERS.exists():
        yield Absent(measure="as of a day", name="DuckDB", reason=MISSING)
    for number in sizes:
        state = _folded(made, number)
        size = [len(state.dump()) / 1e3]
        place = {"curve": "growth-state", "line": "the whole plan", "at": number}
        yield of("growth", f"state, {number:,} events", "KB", size, **place)
        times, counts = [], []
        for day in [days[0], *days]:
            begun = time.perf_counter()
            found = figures(plan, plan.rows[ROW], state, Span.as_of(day), closed=EXACT)
            times.append((time.perf_counter() - begun) * 1e3)
            by_country = Counter[str]()
            for cell in found.cells:
                by_country[cell.country] += int(cell.value or 0)
            counts.append({name: count for name, count in by_country.items() if name != REGION and count})
        where = f"{ROW}, {DAYS} days at random; DuckDB in memory, one thread"
        told = {"conditions": where, "curve": "as-of", "at": number}
        yield of("as of a day", f"this system, {number:,} events", "ms", times[1:], line="this system", **told)
        if PEERS.exists():
            with tempfile.TemporaryDirectory() as folder:
                file = _written(folder, number, made)
                theirs = asked(PEERS, "duck.py", str(file), TYPE, *map(str, days))
            assert theirs["counts"] == counts[1:], "DuckDB counts otherwise"
            yield of("as of a day", f"DuckDB, {number:,} events", "ms", theirs["ms"], line="DuckDB", **told)


def _folded(made: list[tuple[str, bytes]], number: int) -> Any:
    folded, source = Fold(load()), fold.endless(made)
    for sequence in range(1, number + 1):
        service, payload = next(source)
        folded.apply(service, sequence, payload)
    return folded.state
