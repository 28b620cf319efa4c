"""Waiting until everything that was said has had all its consequences; what is still missing is told."""

import asyncio
from collections import Counter

from infra.nats.asking import ask
from infra.testkit.servers import TOKEN
from shared.flow.streams import durables
from tests.faults.ledger import Ledger
from tests.faults.stand import PATIENCE_S, Stand
from tests.faults.traffic import Publisher
from tests.harness.scraping import scraped
from tests.harness.system import until

LADDER_S = 12
"""Real seconds in which the last urgent referral becomes overdue, once it is recorded."""


async def drained(stand: Stand, ledger: Ledger, people: list[Publisher], patience_s: float = PATIENCE_S) -> None:
    """Return when nothing is left to do; TimeoutError says what is."""
    await _settled(stand, ledger, people, patience_s)
    await asyncio.sleep(LADDER_S)
    await _settled(stand, ledger, people, patience_s)


async def _settled(stand: Stand, ledger: Ledger, people: list[Publisher], patience_s: float) -> None:
    left: list[str] = []

    async def settled() -> bool:
        try:
            left[:] = await unsettled(stand, people)
        except Exception as error:  # noqa: BLE001 - whatever is away will come back, or this times out and says so
            left[:] = [repr(error)]
        if left:
            await asyncio.sleep(0.5)
        return not left

    try:
        await until(settled, "everything to settle", patience_s)
    except TimeoutError:
        ledger.fault("does not settle", left=left)
        raise TimeoutError(f"after {patience_s} s: {'; '.join(left[:10])}") from None


async def unsettled(stand: Stand, people: list[Publisher]) -> list[str]:
    left = [f"{name} is not ready" for name, child in stand.children.items() if not await _ready(child)]
    heads = {}
    for service in stand.services:
        async with stand.database(service) as connection:
            heads[service] = await connection.fetchval("select coalesce(max(position), 0) from log")
            left += await _left(connection, service, stand.now())
    addressed = 0
    awaited = stand.services | {one.country for one in people}
    async with stand.operator() as nc:
        for stream, readers in durables().items():
            for reader in {*readers} & awaited:
                info = await ask(nc, f"CONSUMER.INFO.{stream}.{reader}")
                waiting = info["num_pending"] + info["num_ack_pending"]
                if waiting:
                    left.append(f"{waiting} messages of {stream} for {reader}")
        for service, head in heads.items():
            info = await ask(nc, f"STREAM.INFO.{service.upper()}")
            if info["state"]["last_seq"] != head:
                left.append(f"{service}: log {head}, stream {info['state']['last_seq']}")
            addressed += info["state"]["messages"]
        mailbox = (await ask(nc, "STREAM.INFO.MAILBOX"))["state"]["messages"]
        if mailbox < addressed:
            left.append(f"MAILBOX has {mailbox} of {addressed}")
    if "indicators" not in stand.services:
        return left
    done = await asyncio.to_thread(folded, stand.board)
    return left + [f"{name}: folded {done[name]} of {head}" for name, head in heads.items() if done.get(name) != head]


async def _left(connection, service, now) -> list[str]:
    due = await connection.fetchval("select count(*) from deadline where due <= $1", now)
    aside = await connection.fetchval("select count(*) from aside")
    return [f"{service}: {number} {what}" for number, what in ((due, "deadlines"), (aside, "set aside")) if number]


async def _ready(child) -> bool:
    return await asyncio.to_thread(child.ready)


def folded(board: str | int, token: str = TOKEN) -> Counter[str]:
    """Return up to which position of each service's log the figures go."""
    found = [line for line in scraped(board, token=token).splitlines() if line.startswith("crm_fold_sequence{")]
    return Counter({line.split('"')[1].lower(): int(float(line.rpartition(" ")[2])) for line in found})
