"""`make bench`: everything that is promised of speed and size, in one run, beside its peers.

Each measure runs some rounds, by turns with what it is compared with. Printed is one table of medians, each with the
least and the most of its rounds; the same goes to bench.json. With --docs the figures and a picture of each curve go
into the documents: nothing else writes them there. A measure that fails is named with its reason, and the suite fails.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import compared, documented, latency, measures, pages
from tests.bench.figure import Absent, Figure, Result, show, write

SIZES = (10_000, 100_000)
LARGE = (1_000_000, 10_000_000)
GIB = 2**30
FAILED = "failed"
Measure = Callable[[argparse.Namespace], Iterable[Result]]
MEASURES: dict[str, Measure] = {
    "pipeline": lambda given: measures.pipeline(given.reports, given.rounds),
    "mixture": lambda given: measures.mixture(given.reports // 10, 1 if given.rounds < 3 else 2),
    "latency": lambda given: asyncio.run(latency.living(given.rounds, given.seconds)),
    "fold": lambda given: (*measures.folding(3 * given.rounds), *compared.beside_pathway(given.events, given.rounds)),
    "as of a day": lambda given: compared.as_of((given.events // 10, given.events)),
    "pages": lambda given: pages.pages(5 * given.rounds),
    "times": lambda _given: pages.times(100),
    "questions": lambda given: measures.asking(given.rows, 1),
    "start-up": lambda given: measures.starting(given.rounds),
    "growth": lambda given: measures.growing(given.sizes or [*SIZES, *LARGE[: given.large]], given.folder),
    "watching": lambda given: measures.watching(2 * given.seconds),
}


def main() -> None:
    """Measure, print, and write JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", nargs="*", choices=MEASURES, default=[*MEASURES])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=5.0, help="of a round of latencies, for each rate")
    options.add_argument("--reports", type=int, default=30_000, help="of a round of the pipeline")
    options.add_argument(
        "--events", type=int, default=200_000, help="that are folded beside Pathway, asked beside DuckDB"
    )
    options.add_argument("--rows", type=int, default=100_000, help="that questions are asked of")
    options.add_argument("--large", type=int, choices=[0, 1, 2], default=0, help="growth to 1 (2: to 10) million, too")
    options.add_argument("--sizes", type=int, nargs="*", help="of growth: others")
    options.add_argument("--folder", type=Path, help="for growth: where there is room, 2 GB a million")
    options.add_argument("--out", type=Path, default=Path("bench.json"))
    options.add_argument("--docs", action="store_true", help="put figures and pictures into the documents, too")
    options.add_argument("--read", type=Path, help="measure nothing: take the figures of an earlier run's JSON")
    given = options.parse_args()
    run = documented.read(given.read) if given.read else measured(given)
    if not given.read:
        write(run.results, run.machine, given.out)
    show(run.results)
    print(run.machine)
    failed = any(one.reason.startswith(FAILED) for one in run.absent)
    if given.docs and not failed:
        documented.put(run)
    sys.exit(failed)


def measured(given: argparse.Namespace) -> documented.Run:
    """Measure what is asked for."""
    results: list[Result] = []
    for name in given.only:
        begun = time.perf_counter()
        try:
            results += MEASURES[name](given)
        except Exception as error:  # noqa: BLE001 - the others go on
            traceback.print_exc()
            results.append(Absent(measure=name, name="all", reason=f"{FAILED}: {type(error).__name__}"))
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    absent = [one for one in results if isinstance(one, Absent)]
    return documented.Run(machine(), [one for one in results if isinstance(one, Figure)], absent)


def machine() -> str:
    """Return on what and when it was measured."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, load at the end (1, 5, 15 minutes) {load}"
    )


if __name__ == "__main__":
    main()
