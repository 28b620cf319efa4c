"""`make bench-questions`: how soon officers are answered, with a million listed documents and a million phone hashes.

Fifty askers over the connections of all countries, two replicas of intel. `at work`: each asks four times a second, at
moments of its own; `flat out`: each has its next question when the last one is answered, so that the processes are
saturated and what is measured is how many questions they take. Times are the askers' own, from question to answer.
Printed and written to bench-questions.json.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from shared.contracts.vocabulary import MEMBERS
from tests.bench.servers import servers
from tests.harness.servers import Region
from tests.harness.system import System, resident_mb

AIM_P99_MS = 10.0
BOOK = 500
"""Numbers in one address book."""
PACES = {"at work": 0.25, "flat out": 0.0}
"""Seconds between an answer and the next question, on average."""
START = datetime(2004, 3, 1, tzinfo=UTC)
SOURCE = "urn:crm:country:GTM:bench"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000, help="listed documents, and as many phone hashes")
    options.add_argument("--askers", type=int, default=50)
    options.add_argument("--questions", type=int, default=20_000, help="of each kind")
    options.add_argument("--out", type=Path, default=Path("bench-questions.json"))
    given = options.parse_args()
    result = asyncio.run(measured(given))
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


async def measured(given: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region, fresh_region() as region:
            await filled(region, given.rows)
            system = System(region, Path(folder))
            try:
                system.start("intel", "intel-2")
                await system.ready()
                kinds = {
                    f"{kind}, {pace}": await asked(system, kind, pause_s, given)
                    for kind in QUESTIONS
                    for pace, pause_s in PACES.items()
                }
                memory = {name: resident_mb(process.pid) for name, process in system.processes.items()}
                plans = await planned(region)
            finally:
                for context in system.clients:
                    await context.__aexit__(None, None, None)
                for name in list(system.processes):
                    system.kill(name)
    return {"rows": given.rows, "askers": given.askers, "questions": kinds, "resident_mb": memory, "plans": plans}


def document(number: int) -> str:
    return f"doc-{number:09d}"


def phone(number: int) -> str:
    return f"{number:064x}"


QUESTIONS = {
    "document": lambda pick: {"issuing": "HND", "doc_ref": document(pick)},
    "phone": lambda pick: {"hash": phone(pick)},
}


async def filled(region: Region, rows: int) -> None:
    connection = await asyncpg.connect(region.database_url(), server_settings={"search_path": "intel"})
    try:
        await connection.copy_records_to_table(
            "listing",
            columns=["event_id", "source", "issuing", "doc_ref", "status", "acted", "recorded"],
            records=((f"l-{n}", SOURCE, "HND", document(n), "stolen", START, START) for n in range(rows)),
        )
        await connection.copy_records_to_table(
            "dissemination",
            columns=["event_id", "source", "country", "seizure_id", "recipients"],
            records=((f"b-{n}", SOURCE, "GTM", f"sz-{n}", list(MEMBERS)) for n in range(rows // BOOK + 1)),
        )
        await connection.copy_records_to_table(
            "phone_hash",
            columns=["hash", "event_id", "source"],
            records=((phone(n), f"b-{n // BOOK}", SOURCE) for n in range(rows)),
        )
        await connection.execute("analyze")
    finally:
        await connection.close()


async def asked(system: System, kind: str, pause_s: float, given: argparse.Namespace) -> dict[str, float]:
    """Ask `questions` (with pauses, a tenth), half about what is there; return ms and questions a second."""
    number = given.questions // 10 if pause_s else given.questions
    rows, askers = given.rows, given.askers
    clients = [await system.country(MEMBERS[n % len(MEMBERS)]) for n in range(askers)]
    times: list[float] = []

    async def ask(asker: int) -> None:
        chance = random.Random(asker)
        for _ in range(number // askers):
            await asyncio.sleep(chance.uniform(0, 2 * pause_s))
            begun = time.perf_counter()
            await clients[asker].ask("intel", kind, QUESTIONS[kind](chance.randrange(2 * rows)))
            times.append((time.perf_counter() - begun) * 1000)

    if not pause_s:
        await asyncio.gather(*(ask(asker) for asker in range(askers)))
        times.clear()
    begun = time.perf_counter()
    await asyncio.gather(*(ask(asker) for asker in range(askers)))
    took_s = time.perf_counter() - begun
    times.sort()
    share = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99}
    found = {name: round(times[int(len(times) * part)], 2) for name, part in share.items()}
    return {**found, "max_ms": round(times[-1], 2), "per_s": round(len(times) / took_s)}


async def planned(region: Region) -> dict[str, list[str]]:
    """How the server looks a batch of fifty up: the indexes that it uses, and any table that it reads through."""
    from services.intel import answers  # noqa: PLC0415 - only here

    connection = await asyncpg.connect(
        region.database_url("intel"), server_settings={"search_path": "intel", "enable_seqscan": "off"}
    )
    found = {}

    class Explained:
        async def fetch(self, query, *values):
            rows = await connection.fetch(f"explain {query}", *values)
            lines = [row[0].strip(" ->") for row in rows]
            return [line.partition("  (")[0] for line in lines if "Index" in line.partition("  (")[0] or "Seq" in line]

    looked_up = [document(n) for n in range(50)]
    found["document"] = await answers.listings(Explained(), [(one, "HND") for one in looked_up])
    found["phone"] = await answers.openings(Explained(), [phone(n) for n in range(50)])
    await connection.close()
    return found


def show(result: dict[str, object]) -> None:
    console = Console(highlight=False)
    columns = ("p50_ms", "p90_ms", "p99_ms", "max_ms", "per_s")
    table = Table("question", *columns, title=f"{result['rows']:,} rows, {result['askers']} askers, two replicas")
    for kind, figures in result["questions"].items():
        table.add_row(kind, *(f"{figures[name]:,}" for name in columns))
    console.print(table)
    console.print(f"aim: p99 under {AIM_P99_MS:.0f} ms   memory (MB): {result['resident_mb']}")
    for kind, lines in result["plans"].items():
        console.print(f"{kind}: {'; '.join(lines)}", markup=False)


if __name__ == "__main__":
    main()
