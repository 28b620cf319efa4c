"""The suite's figures in the documents: whatever is said there of one run comes from its JSON, and nothing else.

`docs/bench/` holds the run and its pictures. The block of `docs/performance.md` has every figure, that of the README a
few; each stands between two marks, and a test compares them with the run.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.bench import curves
from tests.bench.figure import Absent, Figure, Result, number, write

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("docs/bench")
RUN = PLACE / "bench.json"
PAGES = ("docs/performance.md", "README.md")
BLOCK = re.compile(r"(<!-- bench:figures -->\n).*?(<!-- /bench -->)", re.DOTALL)
NOTHING = "No run on a quiet machine has been put here yet."
"""What a block says until then."""
CURVES = {
    "pipeline": ("From the intake to the figures", ""),
    "mixture": ("The region's mixture: processor time of a report, by process", ""),
    "latency-p50": ("From publishing a report, half of them", "reports a second"),
    "latency-p99": ("From publishing a report, 99 of 100", "reports a second"),
    "fold": ("What an event costs the fold (processor time)", ""),
    "pages": ("What a look costs (processor time)", ""),
    "as-of": ("A figure as of a day", "events"),
    "growth-append": ("Appending to a log", "events in it"),
    "growth-ready": ("Start of a service with its log", "events in it"),
    "growth-held": ("Memory of a process", "events"),
    "growth-rebuild": ("A rebuild of all figures", "events"),
    "growth-disk": ("Disk for an event, by table", "events"),
    "growth-state": ("The state of all figures, as it is stored", "events folded"),
}
"""Each picture's title, and what its axis counts."""
FEW = (
    ("pipeline", "this system: intake, judgements, log, relay, fold (2 processes)"),
    ("pipeline", "system / plain way"),
    ("mixture", "until folded"),
    ("latency", "recorded, 200 a second, p50"),
    ("latency", "in /metrics, 200 a second, p50"),
    ("latency", "in /metrics, 200 a second, p99"),
    ("pages", "scrape, 0 events since"),
    ("pages", "scrape, all worked out anew (the former way)"),
    ("fold", "whole plan, read from NATS"),
    ("start-up", "intel"),
)
"""What the README tells."""


class Run(Struct, frozen=True):
    """One run of the suite."""

    machine: str
    figures: list[Figure]
    absent: list[Absent] = []

    @property
    def results(self) -> Sequence[Result]:
        """All of it."""
        return [*self.figures, *self.absent]


def read(file: Path) -> Run:
    """Return a run from its JSON; raises msgspec.ValidationError."""
    return msgspec.json.decode(file.read_bytes(), type=Run)


def put(run: Run, root: Path = ROOT) -> None:
    """Write a run, its pictures and its figures into the documents; raises ValueError where a document has no block."""
    texts = {page: _put((root / page).read_text(), "\n".join(told)) for page, told in blocks(run).items()}
    (root / PLACE).mkdir(parents=True, exist_ok=True)
    for before in (root / PLACE).glob("*.svg"):
        before.unlink()
    for name, picture in pictures(run).items():
        (root / PLACE / f"{name}.svg").write_text(picture)
    write(run.results, run.machine, root / RUN)
    for page, text in texts.items():
        (root / page).write_text(text)


def pictures(run: Run) -> dict[str, str]:
    """Return each curve's picture."""
    found = {}
    for name, (title, axis) in CURVES.items():
        if points := [one for one in run.figures if one.curve == name]:
            found[name] = curves.drawn(title, axis, points)
    return found


def blocks(run: Run) -> dict[str, list[str]]:
    """Return the lines of each document's block."""
    few = [one for key in FEW for one in run.figures if (one.measure, one.name) == key]
    return {PAGES[0]: [*_all(run)], PAGES[1]: [*_table(few, "measured"), "", f"{run.machine}."]}


def _all(run: Run) -> Iterator[str]:
    yield f"{run.machine}. Each figure is the median of n rounds, with the least and the most of them."
    yield ""
    yield from _table(run.figures, "figure", whole=True)
    for one in run.absent:
        yield f"\nNot measured: {one.measure}, {one.name} ({one.reason})."
    for name in pictures(run):
        yield f"\n![{CURVES[name][0]}](bench/{name}.svg)"


def _table(figures: Sequence[Figure], first: str, *, whole: bool = False) -> Iterator[str]:
    more = ("least to most", "n", "conditions") if whole else ("least to most", "conditions")
    yield f"| {' | '.join((first, 'median', *more))} |"
    yield "|---" * (2 + len(more)) + "|"
    for one in figures:
        spread, conditions = f"{number(one.low)} to {number(one.high)}", one.conditions
        if one.aim:
            conditions = f"{conditions}; aim: {one.aim}" if conditions else f"aim: {one.aim}"
        cells = (spread, str(one.n), conditions) if whole else (spread, conditions)
        yield f"| {' | '.join((f'{one.measure}: {one.name}', f'{number(one.median)} {one.unit}', *cells))} |"


def _put(text: str, told: str) -> str:
    found, times = BLOCK.subn(lambda marks: f"{marks[1]}{told}\n{marks[2]}", text)
    if times != 1:
        raise ValueError(f"a document needs one block of the benchmark, not {times}")
    return found
