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
import re
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery.restore import remade
from services.intel.judgements import documents as things
from services.intel.judgements.phones import number
from shared import contracts
from shared.client import CountryClient
from shared.contracts import Event
from shared.contracts.vocabulary import MEMBERS
from shared.record.asking import about
from shared.record.log import make_room
from shared.run.database import GENERATION
from tests.bench.servers import servers
from tests.harness.servers import Region
from tests.harness.system import System, resident_mb

AIM_P99_MS = 10.0
BOOK = 500
"""Numbers in one address book."""
FILLED = 20_000
"""Rows that are put into the log at once."""
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
                clients = [await system.country(member) for member in MEMBERS]
                kinds = {
                    f"{kind}, {pace}": await asked(clients, kind, pause_s, given)
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

TELLS = {"document": "listed", "phone": "known"}
"""What of an answer says whether it is there."""


async def filled(region: Region, rows: int) -> None:
    """Put listings and address books into intel's log, and index them, as the service would leave them."""
    owner = await asyncpg.connect(region.database_url(), server_settings={"search_path": "intel"})
    books = [[phone(n) for n in range(first, min(first + BOOK, rows))] for first in range(0, rows, BOOK)]
    try:
        await make_room(owner, rows + len(books))
        for first in range(0, rows, FILLED):
            some = range(first, min(first + FILLED, rows))
            listings = [recorded("intel.document.listed", n + 1, issuing="HND", doc_ref=document(n)) for n in some]
            await stored(owner, first + 1, listings)
            await indexed(owner, [(things.document("HND", document(n)), n + 1) for n in some])
        for at, hashes in enumerate(books, rows + 1):
            book = recorded("intel.phonebook.disseminated", at, recipients=MEMBERS, hashes=hashes)
            await stored(owner, at, [book])
            await indexed(owner, [(number(one), at) for one in hashes])
        await owner.execute("insert into generation (number) values ($1)", GENERATION)
        await owner.execute("analyze")
    finally:
        await owner.close()
    provisioner = await region.connect(PROVISIONER)
    await remade(provisioner, "intel", rows + len(books))  # what stands before is archived, as after years
    await provision(provisioner)


def recorded(name: str, at: int, **said: object) -> Event[Any]:
    """Return an event of GTM as it is recorded at a position."""
    agreed = contracts.registry()[f"crm.{name}.v1"]
    return Event(
        specversion="1.0",
        id=f"e-{at}",
        source=SOURCE,
        type=agreed.type,
        time=START,
        country="GTM",
        subject=f"s-{at}",
        data=msgspec.convert(dict(agreed.good) | said, agreed.data),
        recordedtime=START,
    )


async def stored(owner: "asyncpg.Connection[asyncpg.Record]", first: int, each: Sequence[Event[Any]]) -> None:
    """Put events into the log, from a position on; nobody reads the chain of hashes here."""
    await owner.copy_records_to_table(
        "log",
        columns=["position", "source", "id", "type", "country", "entity", "payload", "hash"],
        records=[
            (at, one.source, one.id, one.type, one.country, one.subject, msgspec.json.encode(one), bytes(32))
            for at, one in enumerate(each, first)
        ],
    )


async def indexed(owner: "asyncpg.Connection[asyncpg.Record]", each: Sequence[tuple[str, int]]) -> None:
    """Note which thing the report at a position is about."""
    await owner.copy_records_to_table(
        "about",
        columns=["thing", "at", "stream", "position"],
        records=[(thing, START, "", position) for thing, position in each],
    )


async def asked(clients: list[CountryClient], kind: str, pause_s: float, given: argparse.Namespace) -> dict[str, float]:
    """Ask `questions` (with pauses, a tenth), half about what is there; return ms and questions a second."""
    total = given.questions // 10 if pause_s else given.questions
    rows, askers = given.rows, given.askers
    times: list[float] = []

    async def ask(asker: int) -> None:
        chance = random.Random(asker)
        for _ in range(max(1, total // askers)):
            await asyncio.sleep(chance.uniform(0, 2 * pause_s))
            begun = time.perf_counter()
            answer = await clients[asker % len(clients)].ask(
                "intel", kind, QUESTIONS[kind](pick := chance.randrange(2 * rows))
            )
            times.append((time.perf_counter() - begun) * 1000)
            assert getattr(answer, TELLS[kind]) == (pick < rows), answer

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
    connection = await asyncpg.connect(
        region.database_url("intel"), server_settings={"search_path": "intel", "enable_seqscan": "off"}
    )
    lines: list[str] = []

    class Explained:
        async def fetch(self, query: str, *values: object) -> list[object]:
            rows = [row[0].strip(" ->") for row in await connection.fetch(f"explain {query}", *values)]
            lines.extend(row.partition("  (")[0] for row in rows)
            return []

    looked_up = {
        "document": [things.document("HND", document(n)) for n in range(50)],
        "phone": [number(phone(n)) for n in range(50)],
    }
    found = {}
    for kind, each in looked_up.items():
        lines.clear()
        await about(Explained(), each)  # type: ignore[arg-type]
        found[kind] = [line for line in lines if re.match(r"Index.* Scan|Seq", line)]
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
