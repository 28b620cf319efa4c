"""One measure of `make bench-mixed`, in the version whose folder is the working directory; prints it as JSON.

Only what every version has is used: its servers for benchmarks, its processes, its streams.
"""

import asyncio
import json
import lzma
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import asyncpg
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared import contracts
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from tests.bench.servers import servers
from tests.harness.servers import ROOT, Region
from tests.harness.system import System, free_port, until

try:
    from tests.harness.scraping import scraped
except ModuleNotFoundError:  # of a version whose metrics told everybody where the fold is

    def scraped(board: str | int, **_: Any) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{board}/metrics", timeout=60) as answer:
            return str(answer.read().decode())


try:
    from shared.flow.streams import durables, stream_of
except ModuleNotFoundError:  # of the version before `shared` was divided
    from shared.streams import durables, stream_of

GOLDEN = Path(__file__).parents[1] / "golden"
ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "expirytime", "causationid", "correlationid")
CODE = re.compile(r"\b(" + "|".join(MEMBERS) + r")\b")
RUBBISH = 10
"""Of so many reports one is followed by one that is refused: cut short, or with a field that does not exist."""
CLOCK = "2005-07-01T00:00:00+00:00"
"""Plan time at the start: after all that is reported."""
PATIENCE_S = 900
LOOK_S = 0.2
"""How often it is looked whether all is done: looking costs those who are asked."""


def mixture(copies: "range") -> list[tuple[str, str, bytes]]:
    """What the region sends (country, subject, payload), as often as told, each time with other countries' names."""
    found = []
    for service in ("intel", "legal", "training", "victims"):
        with lzma.open(GOLDEN / f"{service}.jsonl.xz", "rt") as batches:
            for line in map(json.loads, batches):
                own = [one for one in line["drafts"] if not one["heard"] and ":country:" in one["event"]]
                found += [(line["now"], one["event"]) for one in own if not line["fired"]]
    found.sort(key=lambda one: one[0])
    reports = []
    for copy in copies:
        for number, (_, text) in enumerate(found):
            event = json.loads(_renamed(text, copy))
            if not event["source"].startswith("urn:crm:country:"):
                continue
            agreed = contracts.registry()[event["type"]]
            data = {name: value for name, value in event["data"].items() if name not in agreed.derived}
            body = {name: event[name] for name in ATTRIBUTES if event.get(name)} | {"data": _present(data)}
            body["id"] = f"{body['id'][:60]}-{copy}"
            if "supersedes" in data:
                body["data"]["supersedes"] = f"{data['supersedes'][:60]}-{copy}"
            country = event["source"].split(":")[3]
            subject = f"report.{agreed.name}"
            payload = json.dumps(body).encode()
            reports.append((country, subject, payload))
            if number % RUBBISH == 0:
                bad = body | {"id": f"{body['id']}-bad", "data": body["data"] | {"no_such_field": 1}}
                reports.append((country, subject, json.dumps(bad).encode() if number % 20 else payload[:-9]))
    return reports


def _renamed(text: str, copy: int) -> str:
    return CODE.sub(lambda found: MEMBERS[(MEMBERS.index(found[0]) + copy) % len(MEMBERS)], text)  # type: ignore[arg-type]


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}


async def fill(region: Region, reports: list[tuple[str, str, bytes]]) -> None:
    """Store the reports in their countries' intakes, in this order for each."""
    clients = {country: await region.connect(country) for country in MEMBERS}
    for start in range(0, len(reports), 500):
        await asyncio.gather(
            *(
                clients[country].request(subject, payload, timeout=60)
                for country, subject, payload in reports[start : start + 500]
            )
        )


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time of processes and of those that they had waited for."""
    ticks = 0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # it ended: its time is its parent's now
            continue
        ticks += sum(map(int, parts[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process with those that it started: a database server has one for each connection."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # it has ended meanwhile
        children = []
    return [pid, *(one for child in children for one in family(int(child)))]


async def measured(replicas: int, copies: int, most: int | None = None) -> dict[str, Any]:
    """How fast a backlog of the mixture is taken in and folded, and how soon a report is recorded at 200 a second."""
    reports = mixture(range(copies))[:most]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region:
            region.nats.reload(region.accounts())
            root = await until(lambda: _admitted(region), "the one who may pause to be let in")
            await fill(region, reports)
            with tempfile.TemporaryDirectory() as logs:
                system = System(region, Path(logs))
                try:
                    return await _run(region, root, system, reports, replicas)
                finally:
                    for name in list(system.processes):
                        system.kill(name)


async def _run(region: Region, root: Client, system: System, reports: list[Any], replicas: int) -> dict[str, Any]:
    port = free_port()
    epoch = datetime.now().astimezone().isoformat()
    env = {"CRM_CLOCK_START": CLOCK, "CRM_CLOCK_EPOCH": epoch, "CRM_HTTP_PORT": str(port), "CRM_LOG_LEVEL": "info"}
    waiting = [(stream, name) for stream, names in durables().items() for name in names if name in SERVICES[:4]]
    await _pause(root, waiting, datetime.now(UTC) + timedelta(hours=1))
    names = ["indicators", *SERVICES[:4], *(f"intel-{number}" for number in range(2, replicas + 1))]
    for name in names:
        system.start(name, **env)
        await system.ready(name)
    postgres = await asyncpg.connect(region.database_url())
    processes = {"nats": [region.nats.process.pid]}
    for name, one in system.processes.items():
        processes.setdefault(name.partition("-")[0], []).append(one.pid)
    before, commits = _spent(region, processes), await postgres.fetchval(COMMITS)
    begun = time.perf_counter()
    await _pause(root, waiting, datetime.now(UTC))
    ended = await _drained(root.jetstream(), waiting, begun)
    await until(lambda: _folded(root.jetstream(), port), "the fold", PATIENCE_S)
    took = time.perf_counter() - begun
    after = _spent(region, processes)
    lasts = {name: (await root.jetstream().stream_info(stream_of(name))).state.last_seq for name in SERVICES}
    cpu = {name: round((after[name] - before[name]) / len(reports) * 1e6) for name in after}
    await asyncio.sleep(1)  # PostgreSQL counts what a connection did when that is idle
    found = {
        "reports": len(reports),
        "events": sum(lasts.values()),
        "took_s": round(took, 1),
        "reports_per_s": round(len(reports) / took),
        "cpu_us_per_report": cpu,
        "cpu_us_all": sum(cpu.values()),
        "cores_busy": round(sum(cpu.values()) * len(reports) / 1e6 / took, 2),
        "taken_in_s": ended,
        "commits": await postgres.fetchval(COMMITS) - commits,
    }
    await postgres.close()
    return {**found, **await _soon(region)}


async def _admitted(region: Region) -> Client | None:
    try:
        return await region.connect(ROOT)
    except NatsError:  # the server has not read its rights anew yet
        return None


COMMITS = "select xact_commit from pg_stat_database where datname = current_database()"


def _spent(region: Region, processes: dict[str, list[int]]) -> dict[str, float]:
    """Processor time by process until now; PostgreSQL's is that of all its processes."""
    whole = processes | {"postgres": family(region.postgres.server.process.pid)}
    return {name: cpu_s(pids) for name, pids in whole.items()}


async def _pause(root: Any, durables: Iterable[tuple[str, str]], until: datetime) -> None:
    """Have the durables give nothing until then: all processes are ready before the first report is taken in."""
    question = json.dumps({"pause_until": until.isoformat()}).encode()
    for stream, name in durables:
        answer = json.loads((await root.request(f"$JS.API.CONSUMER.PAUSE.{stream}.{name}", question, timeout=60)).data)
        assert "error" not in answer, answer


async def _drained(reader: Any, waiting: list[tuple[str, str]], begun: float) -> dict[str, float]:
    """Return when each service's durables had given all they have, in seconds."""
    found: dict[str, float] = {}
    # Twice: what one service records another hears. Of each service one durable is asked at a time, the last first.
    for _ in range(2):
        left = {name: [stream for stream, own in waiting if own == name] for _, name in waiting}
        while left:
            for name, streams in list(left.items()):
                while streams and await _empty(reader, streams[-1], name):
                    streams.pop()
                if not streams:
                    del left[name]
                    found.setdefault(name, round(time.perf_counter() - begun, 1))
            await asyncio.sleep(LOOK_S)
    return found


async def _empty(reader: Any, stream: str, name: str) -> bool:
    one = await reader.consumer_info(stream, name)
    return not one.num_pending and not one.num_ack_pending


async def _folded(reader: Any, port: int) -> bool:
    await asyncio.sleep(LOOK_S)
    done = await asyncio.to_thread(_sequences, port)
    lasts = {name: (await reader.stream_info(stream_of(name))).state.last_seq for name in SERVICES}
    return all(done.get(name.upper(), 0) >= last for name, last in lasts.items())


def _sequences(port: int) -> dict[str, float]:
    found = re.findall(r'crm_fold_sequence\{stream="([A-Z]+)"\} (\S+)', scraped(port))
    return {name: float(value) for name, value in found}


async def _soon(region: Region) -> dict[str, Any]:
    """From publishing to the commit of the log, at 200 reports a second of the mixture, for five seconds."""
    fresh = mixture(range(10, 11))[:1000]
    clients = {country: await region.connect(country) for country in MEMBERS}
    sent: dict[str, float] = {}
    took: list[float] = []
    watching = [asyncio.create_task(_watched(region, service, sent, took)) for service in SERVICES[:4]]
    await asyncio.sleep(1)
    begun = time.perf_counter()
    for number, (country, subject, payload) in enumerate(fresh):
        await asyncio.sleep(max(0, begun + number / 200 - time.perf_counter()))
        if name := re.search(rb'"id": "([^"]+)"', payload):
            sent[name[1].decode()] = time.perf_counter()
        await clients[country].publish(subject, payload)
    await asyncio.sleep(5)
    for task in watching:
        task.cancel()
    found = sorted(took)
    return {
        "seen": len(found),
        "p50_ms": round(statistics.median(found) * 1000, 1),
        "p99_ms": round(found[int(len(found) * 0.99)] * 1000, 1),
    }


async def _watched(region: Region, service: str, sent: dict[str, float], took: list[float]) -> None:
    """Take the time at which each report is in a service's log: what is appended wakes who listens."""
    connection = await asyncpg.connect(region.database_url(), server_settings={"search_path": service})
    woken = asyncio.Event()
    await connection.add_listener(service, lambda *_: woken.set())
    last = await connection.fetchval("select coalesce(max(position), 0) from log")
    while True:
        await woken.wait()
        woken.clear()
        rows = await connection.fetch("select position, id from log where position > $1 order by position", last)
        now = time.perf_counter()
        for row in rows:
            last = row["position"]
            if begun := sent.pop(row["id"], None):
                took.append(now - begun)


if __name__ == "__main__":
    contracts.registry()
    print(json.dumps(asyncio.run(measured(*map(int, sys.argv[1:])))))
