"""How long it takes to be at work again after the four faults that the design names; a table, no assertion."""

import asyncio
import signal
import statistics
import time

from nats.errors import Error as NatsError

from infra.local.child import STEADY_S
from infra.testkit import proxy
from shared.client import ClientError, CountryClient
from tests.faults.ledger import GOOD, Ledger, Report
from tests.faults.stand import PATIENCE_S, Stand
from tests.faults.traffic import SYSTEM, Publisher, wire
from tests.harness.system import until

ROUNDS = 3
QUEUED = 1000
RETRY_S = 1.0
VICTIMS = {"service killed": "training", "NATS restarted": "nats", "PostgreSQL restarted": "postgres"}
BACK = "1,000 queued, country back"
LIMITS_S = {"service killed": 5, "NATS restarted": 10, "PostgreSQL restarted": 15, BACK: 60}


async def measured(stand: Stand, ledger: Ledger, publisher: Publisher, cut_s: float) -> dict[str, list[float]]:
    """Measure and print: from the fault (the return of the link) until what was reported then is in the stream."""
    took: dict[str, list[float]] = {what: [] for what in LIMITS_S}
    for _ in range(ROUNDS):
        for what, victim in VICTIMS.items():
            # One that dies soon after its start is started again the later for it: these had run for long.
            await until(lambda: _steady(stand), "all services to have run for a while", PATIENCE_S)
            took[what].append(await _after_kill(stand, ledger, publisher, victim))
    took[BACK].append(await _after_cut(stand, ledger, publisher, cut_s))
    print(f"  recovery                           min  median     max   limit   (the country was away for {cut_s:g} s)")
    for what, times in took.items():
        figures = " ".join(f"{of(times):5.1f} s" for of in (min, statistics.median, max))
        verdict = "" if max(times) <= LIMITS_S[what] else "  SLOWER"
        print(f"    {what:<27} {figures} {LIMITS_S[what]:5d} s{verdict}", flush=True)
    return took


async def _steady(stand: Stand) -> bool:
    """Tell whether all services are ready, and have run so long that a restart comes without delay."""
    children = stand.children.values()
    if any(time.monotonic() - child.started < STEADY_S for child in children):
        return False
    return all([await asyncio.to_thread(child.ready) for child in children])


async def _after_kill(stand: Stand, ledger: Ledger, publisher: Publisher, victim: str) -> float:
    """Return the seconds from the kill of a server, or of all replicas of a service."""
    reports = _reports(publisher, 1)
    async with publisher._connected() as client:
        began = time.monotonic()
        for name in [name for name in stand.replicas if name.partition("-")[0] == victim] or [victim]:
            stand.send(name, signal.SIGKILL)
        await _sent(ledger, client, reports)
        await _streamed(stand, reports)
    return time.monotonic() - began


async def _after_cut(stand: Stand, ledger: Ledger, publisher: Publisher, cut_s: float) -> float:
    """Return the seconds from the return of a country that was away for `cut_s` and tried all the while."""
    reports = _reports(publisher, QUEUED)
    link = stand.proxies[publisher.country]
    async with publisher._connected() as client:
        link.become(proxy.CUT)
        sending = asyncio.create_task(_sent(ledger, client, reports))
        await asyncio.sleep(cut_s)
        link.become(proxy.OPEN)
        began = time.monotonic()
        await sending
        await _streamed(stand, reports)
    return time.monotonic() - began


async def _sent(ledger: Ledger, client: CountryClient, reports: list[Report]) -> None:
    """Publish as a client does that does not give up; its connection finds the way back by itself."""
    while True:
        ledger.attempt(reports)
        try:
            sequence = await client.publish_all([wire(client, one) for one in reports])
        except (ClientError, NatsError, OSError) as error:
            ledger.unknown(reports, error)
            await asyncio.sleep(RETRY_S)
        else:
            ledger.acknowledge(reports, sequence)
            return


def _reports(publisher: Publisher, number: int) -> list[Report]:
    name = "training.official.enrolled"
    return [publisher._report(name, GOOD, publisher._plain(name).data) for _ in range(number)]


async def _streamed(stand: Stand, reports: list[Report]) -> None:
    """Wait until all the reports are in their stream."""
    ids = [one.id for one in reports]

    async def there() -> bool:
        try:
            async with stand.operator() as nc, stand.database("training") as connection:
                rows, position = await connection.fetchrow(
                    "select count(*), max(position) from log where id = any($1::text[]) and source like $2",
                    ids,
                    f"%:{SYSTEM}",
                )
                info = await nc.jetstream().stream_info("TRAINING")
                return rows == len(ids) and info.state.last_seq >= position
        except Exception:  # noqa: BLE001 - away; it will come back, or this times out
            return False

    await until(there, "the reports to be in their stream", PATIENCE_S)
