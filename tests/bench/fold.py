"""`make bench-fold`: what one event costs the fold, from the core slice to the whole plan and from few events to many.

The same recorded events, over two years and eleven countries, go through one fold, and then through the streams of a
real NATS into the feed of the running service; memory is that of the process, and the bytes of the state.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from services.indicators.folded.accounts import accounts_of
from services.indicators.folded.feed import Feed
from services.indicators.folded.fold import Fold
from services.indicators.planned import fields
from services.indicators.planned.plan import Plan, load
from shared.contracts import SERVICES, Contract, registry
from shared.contracts.vocabulary import MEMBERS
from shared.run import database
from shared.run.settings import Settings
from tests.bench.servers import servers
from tests.harness.servers import Region
from tests.services.indicators.making import event

CORE = (
    *("IE-1.2c.reports", "IE-1.2d", "IE-1.2.2", "IE-1.2.3", "IE-2.1", "IE-3.1i", "IE-3.1ii", "IE-3.1iii", "IE-3.2b"),
    *("IE-3.2.1", "IE-3.2.2", "VA-2.1", "VA-4.1", "VA-5.1b", "VA-6.1", "LE-1.R3", "LE-2.1", "PC-1a", "PC-1c"),
    *("IP-2.1", "IP-3.1", "IP-a", "IP-e", "IP-f", "XC-2", "XC-6"),
)
"""The rows of the first build."""
START = datetime(2003, 5, 9, tzinfo=UTC)
DAYS = 730
DISTINCT = 20_000
"""Different events, gone through again and again."""
AT_ONCE = 500
"""Events published before their acknowledgements are waited for."""


def core(plan: Plan) -> Plan:
    """Return the plan with the rows of the first build only."""
    return msgspec.structs.replace(plan, rows={name: row for name, row in plan.rows.items() if name in CORE})


def events(types: list[str], plan: Plan) -> list[tuple[str, bytes]]:
    """Return (service, recorded event) of these types, spread evenly over types, countries, days and what is said."""
    chance = random.Random(2003)
    made = []
    varied = {wire: told_apart(plan, registry()[wire]) for wire in types}
    for number in range(DISTINCT):
        wire = types[number % len(types)]
        agreed = registry()[wire]
        when = (START + timedelta(seconds=chance.randrange(DAYS * 86_400))).isoformat()
        said = {name: chance.choice(values) for name, values in varied[wire].items()}
        made.append((agreed.service, event(agreed.name, chance.choice(MEMBERS), when, **said)))
    chance.shuffle(made)
    return made


def told_apart(plan: Plan, agreed: Contract) -> dict[str, tuple]:
    """Return the fields by which the plan tells events apart, with what they may say."""
    read = {
        path
        for several in accounts_of(plan).by_event.get(agreed.name, {}).values()
        for one in several
        for path in one.paths
    }
    values = {path: fields.closed_values(fields.type_at(agreed, path)) for path in sorted(read) if "." not in path}
    return {path: closed for path, closed in values.items() if closed and path != "country"}


def fed(plan: Plan) -> list[str]:
    """Return the wire types that feed the plan's rows."""
    names = {term.event for row in plan.rows.values() for term in row.term}
    return sorted(wire for wire, agreed in registry().items() if agreed.name in names)


def numbers(plan: Plan, wire: str) -> int:
    """Return how many numbers the plan adds up of events of a type."""
    name = registry()[wire].name
    held = [term for row in plan.rows.values() for term in row.term if term.event == name and term.last]
    return len(held) + sum(map(len, accounts_of(plan).by_event.get(name, {}).values()))


def endless(made: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    while True:
        yield from made


def costs_us(sides: dict[str, tuple[Plan, list[tuple[str, bytes]]]], rounds: int = 15) -> dict[str, float]:
    """Return microseconds of CPU an event: of each side the best of some rounds, taken in turn."""
    folds = {name: Fold(plan) for name, (plan, _) in sides.items()}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, (_, made) in sides.items():
            apply, begun = folds[name].apply, time.process_time()
            for sequence, (service, payload) in enumerate(made, 1):
                apply(service, sequence, payload)
            found[name].append((time.process_time() - begun) / len(made) * 1e6)
    return {name: min(rounds[1:]) for name, rounds in found.items()}  # in the first one every cell is new


async def fed_us(plans: dict[str, Plan], made: list[tuple[str, bytes]], rounds: int = 15) -> dict[str, float]:
    """Return microseconds of the indicators' CPU an event, read from NATS: of each plan the best of some rounds."""
    found: dict[str, list[float]] = {name: [] for name in plans}
    async with AsyncExitStack() as stack:
        fresh = await stack.enter_async_context(servers(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        region = await stack.enter_async_context(fresh())
        await published(region, [*made, *made])  # what is said for the first time takes longer: that is not measured
        for _ in range(rounds):
            for name, plan in plans.items():
                found[name].append(await fed_once(region, plan, len(made)))
    return {name: min(times) for name, times in found.items()}


async def published(region: Region, made: list[tuple[str, bytes]]) -> None:
    """Put events into the streams of their services."""
    clients = {name: (await region.connect(name)).jetstream() for name in SERVICES}
    for begun in range(0, len(made), AT_ONCE):
        some = [(clients[name], f"crm.evt.{name}.thing.told.GTM", body) for name, body in made[begun : begun + AT_ONCE]]
        await asyncio.gather(*(client.publish(subject, body) for client, subject, body in some))


async def fed_once(region: Region, plan: Plan, half: int) -> float:
    """Return microseconds of CPU an event of the second half of what the streams have, into a fold of its own."""
    settings = Settings(database_url=region.database_url("indicators"))
    async with await database.connect(settings, "indicators") as pool:
        await pool.execute("delete from snapshot")  # so that everything is read
        client = await region.connect("indicators")
        feed = Feed(client, pool, plan)
        await feed.start()
        begun_s, first = await _read(feed, half)
        ended_s, last = await _read(feed, 2 * half)
        await feed.stop()
        await client.close()
    return (ended_s - begun_s) / (last - first) * 1e6


async def _read(feed: Feed, number: int) -> tuple[float, int]:
    """Wait until so many events are folded; return the CPU seconds used by then, and how many are."""
    while (folded := sum(feed.state.sequences.values())) < number:
        await asyncio.sleep(0.005)
    return time.process_time(), folded


def growth(plan: Plan, made: list[tuple[str, bytes]], marks: list[int]) -> list[dict[str, float]]:
    """Return microseconds of CPU an event between the marks, and at each the memory that is held."""
    fold, source, done, told = Fold(plan), endless(made), 0, []
    for service, payload in made:  # every cell there will be
        fold.apply(service, 1, payload)
    for mark in marks:
        begun = time.process_time()
        for sequence in range(done, mark):
            service, payload = next(source)
            fold.apply(service, sequence + 1, payload)
        took = (time.process_time() - begun) / (mark - done) * 1e6
        told.append({"events": mark, "us_per_event": took, "memory": memory(), "state_bytes": len(fold.state.dump())})
        done = mark
    return told


def memory() -> int:
    """Return the bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=5_000_000, help="the last mark")
    options.add_argument("--out", type=Path, default=Path("bench-fold.json"))
    given = options.parse_args()
    whole = load()
    slice_ = core(whole)
    common, every = events(fed(slice_), whole), events(fed(whole), whole)
    same = events([one for one in fed(slice_) if numbers(slice_, one) == numbers(whole, one)], whole)
    result = {
        "rows": {"core": len(slice_.rows), "whole": len(whole.rows)},
        "numbers_per_event": {
            name: sum(numbers(plan, one) for one in fed(slice_)) / len(fed(slice_))
            for name, plan in (("core", slice_), ("whole", whole))
        },
        "us_per_event": costs_us(
            {
                "core plan, core types": (slice_, common),
                "whole plan, core types": (whole, common),
                "core plan, types of which the whole adds up no more": (slice_, same),
                "whole plan, types of which the whole adds up no more": (whole, same),
                "whole plan, all types": (whole, every),
            }
        ),
        "growth": growth(whole, every, [m for m in (100_000, 1_000_000, 5_000_000) if m <= given.events]),
        "us_per_event_fed": asyncio.run(fed_us({"core plan": slice_, "whole plan": whole}, common)),
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


def show(result: dict) -> None:
    console = Console()
    told = ", ".join(f"{name} plan {number:.1f}" for name, number in result["numbers_per_event"].items())
    console.print(f"numbers that are added up of an event of a core type: {told}")
    cost = Table("plan and events", "µs an event")
    for name, number in result["us_per_event"].items():
        cost.add_row(name, f"{number:.2f}")
    for name, number in result["us_per_event_fed"].items():
        cost.add_row(f"{name}, core types, read from NATS", f"{number:.2f}")
    console.print(cost)
    growing = Table("events folded", "µs an event", "process, MB", "state, KB")
    for mark in result["growth"]:
        growing.add_row(
            f"{mark['events']:,}",
            f"{mark['us_per_event']:.2f}",
            f"{mark['memory'] / 1e6:,.0f}",
            f"{mark['state_bytes'] / 1e3:,.0f}",
        )
    console.print(growing)


if __name__ == "__main__":
    sys.exit(main())
