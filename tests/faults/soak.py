"""`make soak SECONDS=1800`: steady traffic at half of what the system can do; nothing may grow. Exit code 1: a breach.

What it can do is measured first, flat out with the same mix of reports, publishers and readers on the same machine.
"""

import asyncio
import contextlib
import shutil
import sys
import time

import typer

from infra.recovery.verify import compare
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import FOLDER, load
from shared.client import ClientError, CountryClient
from shared.contracts import SERVICES
from tests.faults.checker import SHOWN
from tests.faults.draining import drained, unsettled
from tests.faults.evidence import stopped
from tests.faults.figures import differing_pages, differing_snapshot, ends, reached, samples
from tests.faults.growth import grown, sample
from tests.faults.ledger import POISON
from tests.faults.marks import Marks
from tests.faults.run import figures_of, publishing
from tests.faults.stand import Stand, folder, names, standing
from tests.faults.traffic import SYSTEM, Publisher, publishers
from tests.harness.system import until

FLAT_OUT_S = 60.0
SAMPLES = 60
WARM = 0.25
"""So much of the run passes before anything is compared: caches fill, pools open."""
BATCH = 50
"""Reports that a country sends at a time."""
REMEMBERED = 1000
"""Of what it sent, a publisher keeps so much to repeat and to amend."""
DRAINED_S_MAX = 1800
LOOK_S = 0.5


class Pourer(Publisher):
    """A publisher that sends batches of the usual mix, `rate` reports a second or as fast as it can, and forgets."""

    rate = 0.0

    async def run(self) -> None:
        while not self.done:
            with contextlib.suppress(ClientError):
                async with self._connected() as client:
                    await self._pour(client)

    async def _pour(self, client: CountryClient) -> None:
        due = time.monotonic()
        while not self.stopping or self.unanswered:
            sent = await self._batch(client)
            del self._sent[:-REMEMBERED]
            self.received.clear()
            if self.rate:
                due = max(due + sent / self.rate, time.monotonic() - 1)
                await asyncio.sleep(due - time.monotonic())
        self.done = True

    async def _batch(self, client: CountryClient) -> int:
        """Send what found no answer, or else a batch of what comes next; return how many reports it was."""
        together, self.unanswered = self.unanswered, []
        number = 0
        while len(together) < BATCH:
            for reports in self._drawn():
                number += len(reports)
                if reports[0].kind == POISON:
                    await self._send(client, reports)
                else:
                    together += reports
        await self._send(client, together)
        return number


async def soaked(seconds: float, stand: Stand) -> list[str]:
    """Return what grew, and what else is wrong."""
    ledger = Marks()
    seen: list[dict[str, float]] = []

    async def watched() -> None:
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            seen.append(await sample(stand))

    people = publishers(1, ledger, stand, 0.0, Pourer)
    async with standing(stand):
        stand.reading = [asyncio.create_task(one.read()) for one in people]
        rate = await _capacity(stand, ledger, people, min(FLAT_OUT_S, seconds / 3)) / 2
        before, began = ledger.tried, time.monotonic()
        for one in people:
            one.stopping, one.done, one.rate = False, False, rate / len(people)
        await publishing(people, watched())
        took = time.monotonic() - began
        print(f"  half of it asked for: {rate:.0f} a second; sent: {(ledger.tried - before) / took:.0f}", flush=True)
        await drained(stand, ledger, people, DRAINED_S_MAX)
        print(f"  restarts: {sum(stand.restarts.values())}")
        found = list(grown(seen[int(SAMPLES * WARM) :]))
        found += [f"{name} ended {number} times" for name, number in stand.restarts.items() if number]
        return found + await _wrong(stand, ledger)


async def _capacity(stand: Stand, ledger: Marks, people: list[Publisher], seconds: float) -> float:
    """Return the reports a second that are recorded and folded when all send as fast as they can.

    Countries may still be reading their mailboxes then.
    """
    began = time.monotonic()
    await publishing(people, asyncio.sleep(seconds))
    sent = time.monotonic() - began

    async def folded() -> bool:
        await asyncio.sleep(LOOK_S)
        return all(one.endswith("deadlines") for one in await unsettled(stand, []))

    await until(folded, "the backlog to be recorded and folded", DRAINED_S_MAX)
    took = time.monotonic() - began
    rate = ledger.tried / took
    print(f"  flat out: {ledger.tried} reports sent in {sent:.0f} s, recorded and folded after {took:.0f} s:", end=" ")
    print(f"{rate:.0f} a second", flush=True)
    return rate


async def _wrong(stand: Stand, ledger: Marks) -> list[str]:
    """Return what is lost, doubled, not copied or miscounted; everything is read once, nothing is kept."""
    page, at = await stopped(stand)
    shown, fold, wrong = samples(page), Fold(load(FOLDER)), []
    async with stand.database("indicators") as connection:
        snapshot = bytes(await connection.fetchval("select state from snapshot"))
    lengths = {}
    for service in SERVICES:
        async with stand.operator() as nc, stand.database(service) as connection:
            compared = await compare(connection, nc, service)
        lengths[service] = compared.position
        wrong += [f"{service}: {fault}" for fault in compared.faults()]
        if compared.sequence != compared.position:
            wrong.append(f"{service}: stream ends at {compared.sequence}, log at {compared.position}")
    await _fold(stand, fold, dict.fromkeys(SERVICES, 0), reached(shown))
    wrong += differing_pages(shown, fold, at)
    await _fold(stand, fold, reached(shown), ends(snapshot))
    wrong += differing_snapshot(snapshot, fold, lengths)
    for service in SERVICES:
        async with stand.database(service) as connection, connection.transaction():
            query = "select id from log where source like $1"
            async for row in connection.cursor(query, f"urn:crm:country:%:{SYSTEM}", prefetch=1000):
                wrong += ledger.recorded(service, row["id"])
    wrong += ledger.lost()
    print(f"  ledger: {figures_of(ledger.counts())}")
    print(f"  logs: {figures_of(lengths)}", flush=True)
    return wrong


async def _fold(stand: Stand, fold: Fold, after: dict[str, int], until: dict[str, int]) -> None:
    for service in SERVICES:
        async with stand.database(service) as connection, connection.transaction():
            query = "select position, payload from log where position > $1 and position <= $2 order by position"
            async for row in connection.cursor(query, after[service], until[service], prefetch=1000):
                fold.apply(service, row["position"], row["payload"])


def main(seconds: float = 1800) -> None:
    """Measure what the system can do, have it do half of that for SECONDS, and see what grows or goes wrong."""
    at = folder()
    wrong = asyncio.run(soaked(seconds, Stand(at, names("victims"), proxied=False, small_disks=False)))
    for line in wrong[:SHOWN]:
        print(f"BREACH: {line}")
    print(f"FAILED, {len(wrong)} breaches; see {at}" if wrong else "flat; nothing lost, nothing doubled")
    if not wrong:
        shutil.rmtree(at)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
