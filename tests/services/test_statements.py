"""What a batch costs: as many SQL statements for 500 reports as for 50, of the mixture that the region sends.

And each report is decided about twice: again where what it had taken for absent is there, and once more with all.

The mixture is that of the golden logs: all types of its stories, corrections, retractions, merges, what is heard of
other services, refused and repeated reports.
"""

import importlib
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from shared import contracts
from shared.record.deciding import Deciding
from shared.record.log import Draft, Log
from tests.harness.desk import Hand
from tests.harness.golden import lines

GOLDEN = Path(__file__).parents[1] / "golden"
SIZES = (1, 50, 500)
MOST = 40
DECIDED_MOST = 2.75
"""How often a report of a large batch is decided, on average."""
SERVICES = ("intel", "legal", "training", "victims")


class Counting(asyncpg.Connection):
    """A connection that counts what is asked of it."""

    statements = 0


def _counted(name):
    asked = getattr(asyncpg.Connection, name)

    async def count(self, *values, **more):
        Counting.statements += 1
        return await asked(self, *values, **more)

    return count


for one in ("execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"):
    setattr(Counting, one, _counted(one))


def drafts(service):
    found = []
    for line in lines(GOLDEN / f"{service}.jsonl.xz"):
        now = datetime.fromisoformat(line["now"])
        for one in [] if line["fired"] else line["drafts"]:
            event, heard = contracts.decode(one["event"].encode()), one["heard"]
            found.append((now, Draft(event, tuple(heard) if heard else None, bytes.fromhex(one["said"]))))
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_statements_do_not_grow_with_the_batch(postgres_server, service, monkeypatch):
    process = importlib.import_module(f"services.{service}.__main__").SERVICE
    mixture = drafts(service)
    settings = {"search_path": service, "timezone": "UTC", "enable_seqscan": "off"}
    most, decided = dict.fromkeys(SIZES, 0), 0
    decide = Deciding.decide

    def counting(*values, **more):
        nonlocal decided
        decided += 1
        return decide(*values, **more)

    monkeypatch.setattr(Deciding, "decide", counting)
    async with postgres_server.lent() as database:
        address = postgres_server.server.url(service, postgres_server.passwords[service], database)
        async with asyncpg.create_pool(
            address, min_size=1, max_size=1, server_settings=settings, connection_class=Counting
        ) as pool:
            clock = Hand()
            log = Log(service, pool, clock, process.judged())
            kinds = set()
            # Many small batches, so that they have met as many kinds of reports together as one large one has.
            sizes = [size for size in SIZES for _ in range({1: 40, 50: 16, 500: 1}[size])]
            rest = mixture
            for size in (500, *sizes):
                batch, rest = rest[:size], rest[size:]
                if len(batch) < size:
                    break
                clock.at = batch[-1][0]
                Counting.statements = decided = 0
                await log.record([draft for _, draft in batch])
                most[size] = max(most[size], Counting.statements)
                kinds |= {draft.event.name for _, draft in batch}
                if size == SIZES[-1]:
                    times = decided / size
                    assert times <= DECIDED_MOST, times
    print(f"{service}: statements at most {most}, of {len(kinds)} types, decided {times:.2f} times")
    assert max(most.values()) <= MOST, most
    assert most[500] <= most[50] + 2, most  # a statement or two, where no small batch met a kind that the large one has
