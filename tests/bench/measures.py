"""The suite's measures that other benchmarks make: each of these runs alone too, by its own command."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nats.aio.msg import Msg

from infra.local.ports import free_port
from services.indicators.planned.plan import Plan, load
from shared.contracts import SERVICES
from tests.bench import fold, growth, mixed, questions, reading, run
from tests.bench.figure import Result, of
from tests.bench.servers import servers
from tests.harness.servers import Region

AIM_OVER_PLAIN = 6


def pipeline(reports: int, rounds: int) -> Iterator[Result]:
    """A single type: this system between the bare floor and the plain way."""
    rates = asyncio.run(run.measured(reports, rounds))
    where = f"one type, {reports:,} reports a round (plain: a tenth), every write synced"
    for way, values in rates.items():
        told = {"conditions": where, "curve": "pipeline", "line": run.TITLES[way].partition(":")[0]}
        yield of("pipeline", run.TITLES[way], "reports/s", values, **told)
    pairs = [own / plain for own, plain in zip(rates["system"], rates["plain"], strict=True)]
    yield of("pipeline", "system / plain way", "times", pairs, aim=f"at least {AIM_OVER_PLAIN}")
    pairs = [own / floor for own, floor in zip(rates["system"], rates["floor"], strict=True)]
    yield of("pipeline", "system / floor", "times", pairs)


def mixture(reports: int, rounds: int) -> Iterator[Result]:
    """The region's own mixture."""
    found = [mixed.measured(mixed.ROOT, 1, 1, reports) for _ in range(rounds)]
    where = f"all types, {reports:,} reports, one in eleven refused, all services"
    rates = [one["reports_per_s"] for one in found]
    told = {"conditions": where, "curve": "pipeline", "line": "the region's mixture, all five services"}
    yield of("mixture", "until folded", "reports/s", rates, **told)
    for process in found[0]["cpu_us_per_report"]:
        spent = [one["cpu_us_per_report"][process] for one in found]
        told = {"conditions": where, "curve": "mixture", "line": process}
        yield of("mixture", f"processor time of {process}", "µs/report", spent, **told)
    for share in ("p50", "p99"):
        times = [one[f"{share}_ms"] for one in found]
        yield of("mixture", f"recorded, 200 a second, {share}", "ms", times, conditions=where)


def asking(rows: int, rounds: int) -> Iterator[Result]:
    """Questions of officers, over so many listed documents and as many phone hashes."""
    given = argparse.Namespace(rows=rows, askers=50, questions=5000)
    found = [asyncio.run(questions.measured(given))["questions"] for _ in range(rounds)]
    where = f"{rows:,} documents, {rows:,} phone hashes, 50 askers, 2 replicas"
    for kind in found[0]:
        for name, unit, said in (
            ("p50_ms", "ms", "p50"),
            ("p99_ms", "ms", "p99"),
            ("per_s", "questions/s", "answered"),
        ):
            values = [one[kind][name] for one in found]
            yield of("questions", f"{kind}, {said}", unit, values, conditions=where)


def growing(sizes: list[int], folder: Path | None) -> Iterator[Result]:
    """What an event costs by how many there are."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found = asyncio.run(growth.measured(sizes, {"log", "rebuild"}, Path(place)))
    for one in found:
        events = one["events"]
        values = {
            ("append", "reports/s", "this system"): one["append_per_s"],
            ("ready", "s", "a service"): one["ready_s"],
            ("held", "MB", "a service"): one["ready_mb"],
            ("held", "MB", "a rebuild's process"): one["process_mb"],
            ("rebuild", "s", "two processes"): one["rebuild_s"],
            ("rebuild", "s", "one process"): one["one_process_s"],
            ("disk", "bytes/event", "archive"): one["archive_bytes"],
        } | {("disk", "bytes/event", name): size for name, size in one["disk"].items()}
        assert one["same"], "the rebuilt state differs"
        for (curve, unit, line), value in values.items():
            place_ = {"curve": f"growth-{curve}", "line": line, "at": events}
            yield of("growth", f"{curve}, {line}, {events:,} events", unit, [value], **place_)


def starting(rounds: int) -> Iterator[Result]:
    """Start-up of each service: from the start of its process until it is ready."""
    for name, times in asyncio.run(_starting(rounds)).items():
        yield of("start-up", name, "s to ready", times, conditions="a new process, an empty log")


async def _starting(rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region:
            for number in range(rounds + 1):
                for name in SERVICES:
                    took = await asyncio.to_thread(_start, region, name)
                    if number:  # the first one makes its tables
                        found.setdefault(name, []).append(took)
    return found


def _start(region: Region, name: str) -> float:
    port, quiet = free_port(), subprocess.DEVNULL
    env = region.env(name, CRM_OPS_PORT=str(port))
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", f"services.{name}"], env=env, stdout=quiet, stderr=quiet) as process:
        try:
            while not growth._ready(port):
                assert process.poll() is None, name
                time.sleep(0.01)
            return time.perf_counter() - begun
        finally:
            process.terminate()


def folding(rounds: int) -> Iterator[Result]:
    """What an event costs the fold, read from NATS, beside a consumer that only reads it."""
    plan = load()
    made = fold.events(fold.fed(fold.core(plan)), plan)
    costs, stored = asyncio.run(_folding(plan, made, rounds))
    where = f"{len(made):,} events of the core types (as bench-fold), five streams; CPU of the reader alone"
    for name, values in costs.items():
        yield of("fold", name, "µs/event", values, conditions=where, curve="fold", line=name)
    pairs = [own / raw for own, raw in zip(*costs.values(), strict=True)]
    yield of("fold", "fold / raw consumer", "times", pairs)
    yield of("growth", "disk, streams of all services", "bytes/event", [stored], conditions="before any limit")


async def _folding(plan: Plan, made: list[tuple[str, bytes]], rounds: int) -> tuple[dict[str, list[float]], float]:
    """Return microseconds an event of both, and how many bytes of a stream one takes."""
    found: dict[str, list[float]] = {"whole plan, read from NATS": [], "raw ordered consumer": []}
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region:
            await fold.published(region, [*made, *made])
            reader = (await region.connect("indicators")).jetstream()
            states = [(await reader.stream_info(service.upper())).state for service in SERVICES]
            stored = sum(one.bytes for one in states) / sum(one.messages for one in states)
            for _ in range(rounds):
                found["whole plan, read from NATS"].append(await fold.fed_once(region, plan, len(made)))
                found["raw ordered consumer"].append(await _raw(region, 2 * len(made)))
    return found, stored


async def _raw(region: Region, number: int) -> float:
    """Return microseconds of CPU an event for reading what the streams have by the client's own ordered consumers."""
    client, read = await region.connect("indicators"), 0

    async def take(_message: Msg) -> None:
        nonlocal read
        read += 1

    begun = time.process_time()
    for name in SERVICES:
        stream = client.jetstream()
        await stream.subscribe(f"crm.evt.{name}.>", stream=name.upper(), ordered_consumer=True, cb=take)
    while read < number:
        await asyncio.sleep(0.005)
    spent = (time.process_time() - begun) / read * 1e6
    await client.close()
    return spent


def watching(seconds: float) -> Iterator[Result]:
    """Scrapes and open boards while 200 events a second come, in this process; the fold's pauses with it."""
    rows, where = reading.played(), f"200 events a second for {seconds:g} s, the played region's two years"
    found = asyncio.run(reading.living(rows, seconds))
    units = {name: "% of a core" if "%" in name else "ms" for name in found}
    for name, value in found.items():
        yield of("watching", f"scrapes: {name}", units[name], [value], conditions=where)
    for number in (0, reading.BOARDS):
        used = asyncio.run(reading.watched(rows, seconds, number))
        yield of("watching", f"{number} open boards", "% of a core", [used], conditions=where)
