"""`make bench-witnessed`: what it costs to sign a log, beside recording without it, on one log and in one run.

Pairs of rounds, with and without the service's key, on a log that has so many rows already; then how large proofs are.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from infra.witnessing import log_file
from shared.flow.checkpoints import Checkpoints
from shared.record import growing, note, tree
from shared.run import database
from shared.run.database import GENERATION
from shared.run.settings import Settings
from tests.bench.reports import fill
from tests.bench.servers import servers
from tests.harness.system import System

SERVICE = "intel"
KEY = "CRM_LOG_KEY"
MANY = """
insert into intel.log (position, source, id, type, country, entity, payload, hash)
select n, 'urn:crm:country:GTM:bench', 'before-' || n, 'crm.intel.document.flagged.v1', 'GTM', 'd-' || n, $3::bytea,
    $4::bytea
from generate_series($1::bigint, $2::bigint) as n
"""
STEP = 100_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=0, help="that the log has before")
    options.add_argument("--reports", type=int, default=20_000, help="per round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--folder", type=Path, default=None)
    options.add_argument("--out", type=Path, default=Path("bench-witnessed.json"))
    given = options.parse_args()
    result = asyncio.run(measured(given.rows, given.reports, given.rounds, given.folder))
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


async def measured(rows: int, reports: int, rounds: int, folder: Path | None) -> dict:
    rates = {"with": [], "without": []}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with servers(Path(place)) as fresh_region, fresh_region() as region:
            owner = await asyncpg.connect(region.database_url())
            await filled(owner, rows)
            settings = Settings(database_url=region.database_url(SERVICE))
            async with await database.connect(settings, SERVICE) as pool:
                key = note.signer_in(log_file(region.keys.folder, SERVICE))
                signing = Checkpoints(SERVICE, pool, await region.connect(SERVICE), key, pace_s=0)
                caught_up_s = await caught_up(signing)
                for number in range(rounds):
                    for way in ("with", "without") if number % 2 else ("without", "with"):
                        await signing.look()  # what the round before left
                        rates[way].append(round(await rate(region, owner, reports, way), 1))
                        print(f"round {number + 1}: {way:8} {rates[way][-1]:8.0f} reports/s", file=sys.stderr)
                await signing.look()
                proofs = await proven(pool, signing.last.size)
            await owner.close()
    pairs = [one / other for one, other in zip(rates["with"], rates["without"], strict=True)]
    return {
        "rows": rows,
        "reports_per_round": reports,
        "reports_per_s": rates,
        "with_over_without": round(statistics.median(pairs), 3),
        "pairs": [round(one, 3) for one in pairs],
        "tree_made_rows_per_s": round(rows / caught_up_s) if rows else None,
        **proofs,
    }


async def filled(owner: asyncpg.Connection, rows: int) -> None:
    payload = json.dumps({"data": "x" * 100}).encode()
    # These rows are about nothing: a service need not take them over from an older version.
    await owner.execute("insert into intel.generation (number) values ($1) on conflict do nothing", GENERATION)
    for first in range(1, rows + 1, STEP):
        last = min(first + STEP - 1, rows)
        await owner.execute("select intel.make_partitions($1, 1000000)", last + 1_000_000)
        await owner.execute(MANY, first, last, payload, secrets.token_bytes(32), timeout=600)
        print(f"{last} rows", file=sys.stderr, end="\r")


async def caught_up(signing: Checkpoints) -> float:
    begun = time.perf_counter()
    await signing.look()
    return time.perf_counter() - begun


async def rate(region, owner, reports: int, way: str) -> float:
    """Reports recorded a second, from the first to the last."""
    before = await owner.fetchval("select coalesce(max(position), 0) from intel.log")
    # The intake keeps what other rounds took; a durable goes on behind it.
    await fill(region, reports, before)
    with tempfile.TemporaryDirectory() as folder:
        system = System(region, Path(folder))
        env = region.env(SERVICE)
        if way == "without":
            env.pop(KEY)
        try:
            region.env = lambda _service, **more: env | more
            system.start(SERVICE)
            first = await reached(owner, before + 1)
            begun = time.perf_counter()
            await reached(owner, before + reports)
            return (before + reports - first) / (time.perf_counter() - begun)
        finally:
            del region.env
            system.kill(SERVICE)


async def reached(owner, position: int) -> int:
    while True:
        found = await owner.fetchval("select max(position) from intel.log") or 0
        if found >= position:
            return found
        await asyncio.sleep(0.05)


async def proven(pool, size: int) -> dict:
    """How large proofs are, and how long it takes to make them."""
    took, inclusion, consistency = [], 0, 0
    for number in range(100):
        index = size * number // 100
        begun = time.perf_counter()
        proof = await growing.roots(pool, tree.inclusion(index, size), size)
        took.append(time.perf_counter() - begun)
        inclusion = max(inclusion, len(proof))
        consistency = max(consistency, len(tree.consistency(max(index, 1), size)))
    return {
        "proof_ms": round(statistics.median(took) * 1000, 2),
        "inclusion_hashes_most": inclusion,
        "consistency_hashes_most": consistency,
    }


if __name__ == "__main__":
    main()
