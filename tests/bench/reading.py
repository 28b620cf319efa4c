"""What reading the figures costs: scrapes, pages and watchers, of the catalogue after the played region's two years.

The plain way works all figures out at each scrape and has prometheus_client write them. All the while events come, the
region's once more: `python -m tests.bench.reading`.
"""

import argparse
import asyncio
import json
import lzma
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from rich.console import Console
from rich.table import Table

from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from services.indicators.publish.app import app
from services.indicators.publish.metrics import Indicators
from services.indicators.publish.view import View
from shared.contracts import SERVICES
from shared.run import garbage, web
from tests.bench.fold import events, fed

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime.fromisoformat("2005-05-01T00:00:00+00:00")
BOARDS = 500


def played() -> list[tuple[str, bytes]]:
    """(service, event as recorded) of the played region, in the order of recording."""
    rows = []
    for service in SERVICES:
        with lzma.open(GOLDEN / f"{service}.jsonl.xz", "rt") as batches:
            rows += [(service, row.encode()) for line in batches for row in json.loads(line)["rows"]]
    return sorted(rows, key=lambda row: msgspec.json.decode(row[1])["recordedtime"])


class Folding:
    """A fold that takes events, again and again from the first one on."""

    def __init__(self, rows: list[tuple[str, bytes]]) -> None:
        self.fold, self.rows, self.at = Fold(load()), rows, 0

    def take(self, number: int) -> None:
        for _ in range(number):
            service, payload = self.rows[self.at % len(self.rows)]
            self.fold.take(service, self.fold.state.sequences.get(service, 0) + 1, payload)
            self.at += 1

    def view(self) -> View:
        async def nothing(*_asked):
            return None

        return View(
            plan=self.fold.plan,
            state=lambda: self.fold.state,
            streams=lambda: self.fold.state.sequences,
            now=lambda: NOW,
            ready=lambda: True,
            **dict.fromkeys(("report", "rebuild", "purged"), nothing),
        )


def cpu_ms(work: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> float:
    """The median of some rounds."""
    found = []
    for _ in range(rounds):
        before()
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) * 1e3)
    return statistics.median(found)


def scrapes(rows: list[tuple[str, bytes]], rounds: int) -> dict[str, float]:
    """Milliseconds of processor time of a scrape, by how many events came since the one before."""
    folding = Folding(rows)
    folding.take(len(rows))
    view = folding.view()
    plain = CollectorRegistry(auto_describe=False)
    plain.register(Indicators(view.plan, view.state, view.streams, view.now, view.closed[False]))
    loop = asyncio.new_event_loop()
    scrape = lambda: loop.run_until_complete(view.expositions[False].text(""))  # noqa: E731
    scrape()
    found = {"plain": cpu_ms(lambda: generate_latest(plain), max(3, rounds // 3))}
    for number in (0, 1, 10, 50, 200):
        found[f"{number} events"] = cpu_ms(scrape, rounds, lambda number=number: folding.take(number))
    found["lines"] = float(scrape().body.count(b"\n"))
    loop.close()
    return found


async def living(rows: list[tuple[str, bytes]], seconds: float, rate: int = 200) -> dict[str, float]:
    """Scrape over and over while events come: milliseconds until the text is there, and the loop's longest pauses."""
    folding = Folding(rows)
    folding.take(len(rows))
    view = folding.view()
    await view.expositions[False].text("")
    garbage.settle()
    pauses: list[float] = []
    took: list[float] = []

    async def feed():
        begun, fed_so_far = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - begun) * rate)
            folding.take(due - fed_so_far)
            fed_so_far = due
            await asyncio.sleep(1 / rate)

    async def probe():
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            pauses.append((time.thread_time() - before) * 1e3)
            await asyncio.sleep(0.0005)

    tasks = [asyncio.create_task(one) for one in (feed(), probe(), view.keep())]
    ends = time.perf_counter() + seconds
    used = time.process_time()
    while time.perf_counter() < ends:
        begun = time.perf_counter()
        await view.expositions[False].text("")
        took.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(0.2)
    used = time.process_time() - used
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    cuts = statistics.quantiles(took, n=100)
    return {
        "p50": cuts[49],
        "p99": cuts[98],
        "pause p99.9": statistics.quantiles(pauses, n=1000)[998],
        "pause max": max(pauses),
        "core %": used / seconds * 100,
    }


async def _boards(port: int, number: int, seconds: float, started) -> None:
    """So many boards: each reads its events, and says nothing."""

    async def board():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /events?lang=es HTTP/1.1\r\nHost: here\r\nAccept-Encoding: gzip\r\n\r\n")
        while await reader.read(65_536):
            pass

    tasks = [asyncio.create_task(board()) for _ in range(number)]
    await asyncio.sleep(3)
    started.set()
    await asyncio.sleep(seconds + 5)
    for task in tasks:
        task.cancel()


def _child(port: int, number: int, seconds: float, started) -> None:
    asyncio.run(_boards(port, number, seconds, started))


async def watched(rows: list[tuple[str, bytes]], seconds: float, number: int, rate: int = 200) -> float:
    """Return the share of a core, in per cent, with so many boards open, while events come."""
    folding = Folding(rows)
    folding.take(len(rows))
    view = folding.view()
    garbage.settle()
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    port = 20_000 + os.getpid() % 20_000

    async def feed():
        begun, fed_so_far = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - begun) * rate)
            folding.take(due - fed_so_far)
            fed_so_far = due
            await asyncio.sleep(0.02)

    async with web.served(app(view), "127.0.0.1", port):
        tasks = [asyncio.create_task(one) for one in (feed(), view.keep(), view.live.turns())]
        child = context.Process(target=_child, args=(port, number, seconds, started))
        child.start()
        while not started.is_set():
            await asyncio.sleep(0.1)
        while view.live.watchers < number:
            await asyncio.sleep(0.1)
        before, made = time.process_time(), view.live.encodings
        await asyncio.sleep(seconds)
        used = (time.process_time() - before) / seconds * 100
        told = f"{view.live.watchers} watch, {view.live.encodings - made} events made, {used:.1f} % of a core"
        print(f"{number} boards: {told}")
        child.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return used


def spread(rows: list[tuple[str, bytes]], years: int) -> list[tuple[str, bytes]]:
    """The benchmark's own events over some years before now, instead of two."""
    first = NOW - timedelta(days=365 * years)
    found = []
    for service, payload in rows:
        told = msgspec.json.decode(payload)
        share = (datetime.fromisoformat(told["time"]).date() - date(2003, 5, 9)) / timedelta(days=730)
        when = (first + share * (NOW - first)).isoformat()
        found.append((service, msgspec.json.encode(told | {"time": when, "recordedtime": when})))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--out", type=Path, default=Path("bench-reading.json"))
    given = options.parse_args()
    rows, plan = played(), load()
    made = events(fed(plan), plan)
    result: dict[str, dict[str, float]] = {"the played region": scrapes(rows, given.rounds)}
    for years in (1, 10):
        result[f"20,000 events in {years} years"] = scrapes(spread(made, years), given.rounds)
    table = Table("a scrape, ms of processor time", *next(iter(result.values())))
    for name, found in result.items():
        table.add_row(name, *(f"{number:,.1f}" for number in found.values()))
    Console().print(table)
    result["200 a second"] = asyncio.run(living(rows, given.seconds))
    print(result["200 a second"])
    none = asyncio.run(watched(rows, given.seconds, 0))
    result["boards"] = {"without": none, f"{BOARDS}": asyncio.run(watched(rows, given.seconds, BOARDS))}
    given.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
