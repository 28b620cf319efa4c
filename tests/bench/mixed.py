"""`make bench-mixed`: the mixture that the region sends, through the version before judgements and this one, by turns.

The mixture is that of the golden logs: all types of the region's stories, corrections, merges, what is refused. Each
measure has servers of its own, with every write synced. All is measured from the moment at which every process is ready
and the reports lie in the intakes until the last one is folded: reports a second, and processor time by process, that
of nats-server and PostgreSQL apart. `p50` and `p99` are from publishing to the commit of the log, at 200 reports a
second.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
ONCE = Path(__file__).with_name("mixed_once.py")
BEFORE = "e1029eb"
"""The last commit whose services react by rules."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--copies", type=int, default=1, help="how often the mixture is sent, each time by others")
    options.add_argument("--reports", type=int, default=1_000_000, help="only the first so many of it")
    options.add_argument("--replicas", type=int, nargs="*", default=[1], help="of intel, in this version")
    options.add_argument("--before", default=BEFORE, help="the commit to compare with")
    options.add_argument("--out", type=Path, default=Path("bench-mixed.json"))
    given = options.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        _git("worktree", "add", "--detach", str(before), given.before)
        try:
            for _ in range(given.rounds):
                found.setdefault("before", []).append(measured(before, 1, given.copies, given.reports))
                for replicas in given.replicas:
                    found.setdefault(f"now, {replicas} of intel", []).append(
                        measured(ROOT, replicas, given.copies, given.reports)
                    )
        finally:
            _git("worktree", "remove", "--force", str(before))
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    show(found)


def measured(version: Path, replicas: int, copies: int, most: int) -> dict[str, Any]:
    """One measure of the version in a folder."""
    command = [sys.executable, ONCE, *map(str, (replicas, copies, most))]
    env = {**os.environ, "PYTHONPATH": str(version)}
    done = subprocess.run(command, cwd=version, env=env, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    print(version.name, result, file=sys.stderr)
    return result


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True)


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    """Print the medians, and what each round's speed was."""
    table = Table("version", "reports/s", "CPU µs/report", "services", "nats", "postgres", "p50 ms", "p99 ms", "rounds")
    by_process = Table("version", *(names := [*found["before"][0]["cpu_us_per_report"]]), "cores", "commits")
    for version, rounds in found.items():
        cpu = {name: statistics.median(one["cpu_us_per_report"][name] for one in rounds) for name in names}
        whole = {
            name: statistics.median(one[name] for one in rounds)
            for name in ("reports_per_s", "cpu_us_all", "p50_ms", "p99_ms", "cores_busy", "commits")
        }
        services = whole["cpu_us_all"] - cpu["nats"] - cpu["postgres"]
        cells = (whole["reports_per_s"], whole["cpu_us_all"], services, cpu["nats"], cpu["postgres"])
        each = " ".join(str(one["reports_per_s"]) for one in rounds)
        table.add_row(version, *(f"{cell:g}" for cell in (*cells, whole["p50_ms"], whole["p99_ms"])), each)
        by_process.add_row(version, *(f"{cell:g}" for cell in (*cpu.values(), whole["cores_busy"], whole["commits"])))
    console = Console(width=120)
    console.print(table)
    console.print(by_process)


if __name__ == "__main__":
    main()
