"""How long it takes to be at work again after the four faults that the design names; a table, no assertion."""

import signal
import time

from tests.faults import proxy
from tests.faults.ledger import GOOD, Ledger, Report
from tests.faults.stand import Stand
from tests.faults.traffic import SYSTEM, Publisher
from tests.harness.system import until

QUEUED = 1000
LIMITS = {"service killed": 5, "NATS restarted": 10, "PostgreSQL restarted": 15, "1,000 queued, country back": 60}


async def measured(stand: Stand, ledger: Ledger, publisher: Publisher) -> dict[str, float]:
    """Measure and print: from the fault (the return of the link) until what was reported then is in the stream."""
    took = {}
    for what, victim in (
        ("service killed", "training"),
        ("NATS restarted", "nats"),
        ("PostgreSQL restarted", "postgres"),
    ):
        began = time.monotonic()
        for name in stand.replicas if victim == "training" else [victim]:
            if name.startswith(victim):
                stand.send(name, signal.SIGKILL)
        await _recorded(stand, ledger, publisher, 1)
        took[what] = time.monotonic() - began
    link = stand.proxies[publisher.country]
    link.become(proxy.CUT)
    reports = _reports(publisher, QUEUED)
    link.become(proxy.OPEN)
    began = time.monotonic()
    await _recorded(stand, ledger, publisher, QUEUED, reports)
    took["1,000 queued, country back"] = time.monotonic() - began
    print("  recovery                       took    limit")
    for what, seconds in took.items():
        verdict = "" if seconds <= LIMITS[what] else "  SLOWER"
        print(f"    {what:<27} {seconds:5.1f} s {LIMITS[what]:5d} s{verdict}", flush=True)
    return took


def _reports(publisher: Publisher, number: int) -> list[Report]:
    return [publisher._report("training.official.enrolled", GOOD, _enrolled(publisher)) for _ in range(number)]


def _enrolled(publisher: Publisher) -> dict[str, object]:
    return publisher._plain("training.official.enrolled").data


async def _recorded(
    stand: Stand, ledger: Ledger, publisher: Publisher, number: int, reports: list[Report] | None = None
) -> None:
    """Publish, as a client does that does not give up, and wait until the stream has it."""
    reports = reports or _reports(publisher, number)
    publisher.unanswered = list(reports)
    while publisher.unanswered:
        again, publisher.unanswered = publisher.unanswered[:1000], publisher.unanswered[1000:]
        async with publisher._connected() as client:
            await publisher._send(client, again)
    last = reports[-1].id

    async def there() -> bool:
        try:
            async with stand.operator() as nc, stand.database("training") as connection:
                position = await connection.fetchval(
                    "select position from log where id = $1 and source like $2", last, f"%:{SYSTEM}"
                )
                info = await nc.jetstream().stream_info("TRAINING")
                return position is not None and info.state.last_seq >= position
        except Exception:  # noqa: BLE001 - away; it will come back, or this times out
            return False

    await until(there, "the report to be in its stream", 240)
