"""`make bench-verify`: what `crm verify` costs a row, beside another version's, by turns on the same log.

The log of training gets events of all its types that feed the Plan; the relay copies it, MAILBOX reads that, and the
tree is made and signed. Each run is a process of its own, of the version that is in its folder; processor time is by
process, that of its start included.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from infra.nats.asking import ask
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.witnessing import log_file
from services.indicators.planned.plan import load
from shared.contracts import decode
from shared.flow.checkpoints import Checkpoints
from shared.flow.relay import Relay
from shared.flow.streams import MAILBOX
from shared.record import note
from shared.record.chain import GENESIS, chained
from shared.record.log import make_room
from shared.run import database
from shared.run.settings import Settings
from tests.bench.fold import events, fed
from tests.bench.servers import servers
from tests.harness.servers import Region

ROOT = Path(__file__).resolve().parents[2]
ONCE = Path(__file__).with_name("verifying_once.py")
SERVICE = "training"
COLUMNS = ["position", "source", "id", "type", "country", "entity", "payload", "hash"]
AT_ONCE = 10_000


async def filled(owner: "asyncpg.Connection[asyncpg.Record]", rows: int) -> None:
    """Write a log of so many rows, its chain whole."""
    plan = load()
    made = [decode(payload) for service, payload in events(fed(plan), plan) if service == SERVICE]
    encode = msgspec.json.Encoder().encode
    before, records = GENESIS, []
    await make_room(owner, rows)
    for position, event in enumerate(islice(cycle(made), rows), 1):
        one = msgspec.structs.replace(event, id=f"{os.urandom(8).hex()}", sequence=position, subject=f"of-{position}")
        payload = encode(one)
        before = chained(before, payload)
        records.append((position, one.source, one.id, one.type, one.country, one.subject, payload, before))
        if len(records) == AT_ONCE or position == rows:
            await owner.copy_records_to_table("log", columns=COLUMNS, records=records)
            records = []
    await owner.execute("insert into generation (number) values (1) on conflict do nothing")
    await owner.execute("analyze")


async def copied(region: Region, rows: int) -> None:
    """Have the relay copy the log, MAILBOX read it, and the service sign it."""
    settings = Settings(database_url=region.database_url(SERVICE))
    async with await database.connect(settings, SERVICE) as pool, pool.acquire() as connection:
        client = await region.connect(SERVICE)
        relay = Relay(SERVICE, pool, client)
        relay.position = await relay.compared(connection)
        while await relay.copy(connection):
            pass
        key = note.signer_in(log_file(region.keys.folder, SERVICE))
        await Checkpoints(SERVICE, pool, client, key, pace_s=0).look()
    nc = await region.connect(PROVISIONER)
    await provision(nc)
    while (await ask(nc, f"STREAM.INFO.{MAILBOX}"))["state"]["messages"] < rows:
        await asyncio.sleep(0.2)


def once(version: Path, given: dict[str, Any]) -> dict[str, float]:
    """Verify once with the version in a folder; return what it cost."""
    env = {**os.environ, "PYTHONPATH": str(version)}
    done = subprocess.run(
        [sys.executable, ONCE, json.dumps(given)], cwd=version, env=env, stdout=subprocess.PIPE, check=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def about(region: Region) -> dict[str, Any]:
    """Return what a run needs to know."""
    return {
        "nats": [region.nats.url, str(region.seed("operator")), "operator"],
        "database": region.database_url(),
        "keys": str(region.keys.folder),
        "pids": {"nats": region.nats.process.pid, "postgres": region.postgres.server.process.pid},  # type: ignore[union-attr]
    }


async def measured(given: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """Return what each round of each way cost."""
    found: dict[str, list[dict[str, float]]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
        fresh = await stack.enter_async_context(servers(folder))
        region = await stack.enter_async_context(fresh())
        owner = await asyncpg.connect(region.database_url(), server_settings={"search_path": SERVICE})
        await filled(owner, given.rows)
        await owner.close()
        await copied(region, given.rows)
        ways = [("now", ROOT)]
        if given.before:
            before = folder / "before"
            _git("worktree", "add", "--detach", str(before), given.before)
            stack.callback(_git, "worktree", "remove", "--force", str(before))
            ways.insert(0, (given.before, before))
        for _ in range(given.rounds):
            for name, version in ways:
                one = await asyncio.to_thread(once, version, about(region))
                found.setdefault(name, []).append(one)
                print(name, one, file=sys.stderr, flush=True)
    return found


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True)


def shown(found: dict[str, list[dict[str, float]]]) -> None:
    """Print a table of medians."""
    table = Table("version", "rows/s", "CPU µs/row", "of it verify", "postgres", "nats", "MB")
    for name, rounds in found.items():
        median = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        parts = [median[key] for key in ("verify_us", "postgres_us", "nats_us")]
        table.add_row(
            name,
            f"{median['rows_per_s']:,.0f}",
            *(f"{cell:.1f}" for cell in (sum(parts), *parts, median["mb"])),
        )
    Console(width=120).print(table)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--before", default="", help="a commit to compare with")
    options.add_argument("--folder", type=Path, default=None)
    options.add_argument("--out", type=Path, default=Path("bench-verify.json"))
    given = options.parse_args()
    found = asyncio.run(measured(given))
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    shown(found)


if __name__ == "__main__":
    main()
