"""One country that sends flat out, until it is killed: `python -m tests.bench.flooder KIND URL SEED`."""

import asyncio
import contextlib
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable

import msgspec
import nats
from nats.aio.client import Client

from tests.harness.speaking import NOW, example

FLAGGED = "report.intel.document.flagged"
BURST = 200
TELL_S = 0.5


async def _quiet(_: Exception) -> None:
    """What the server refuses is part of the flood."""


def report(name: str, data: dict[str, object]) -> bytes:
    """A report of GTM with `@` where its id goes."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": "@",
            "source": "urn:crm:country:GTM:flood",
            "type": f"crm.{name}.v1",
            "time": NOW.isoformat(),
            "datacontenttype": "application/json",
            "subject": "doc-flood",
            "data": data,
        }
    )


VALID = report("intel.document.flagged", example("intel.document.flagged"))
WAITING = report(
    "intel.document.retracted", {"supersedes": "never-comes", "reported_by": "police", "reason": "mistaken"}
)

Sent = AsyncIterator[int]


async def flat_out(nc: Client, subject: str, body: bytes, reply: str = "") -> Sent:
    while True:
        for _ in range(BURST):
            await nc.publish(subject, body.replace(b"@", uuid.uuid4().hex.encode()), reply=reply)
        await nc.flush()
        yield BURST


async def open_batches(nc: Client) -> Sent:
    while True:
        for _ in range(BURST):
            batch = {"Nats-Batch-Id": uuid.uuid4().hex, "Nats-Batch-Sequence": "1"}
            await nc.publish(FLAGGED, b"{}", headers=batch)
        await nc.flush()
        yield BURST


async def asked(nc: Client, subject: str) -> Sent:
    inbox = nc.new_inbox()
    await nc.subscribe(inbox, cb=_dropped)
    async for number in flat_out(nc, subject, b"{}", inbox):
        yield number


async def _dropped(_: object) -> None:
    """The answer is not looked at."""


async def slow_reader(nc: Client) -> Sent:
    """Ask for much and read none of it."""
    inbox = nc.new_inbox()
    await nc.subscribe(inbox, cb=_dropped)
    nc._transport._io_writer.transport.pause_reading()
    while True:
        for _ in range(BURST):
            await nc.publish("ask.intel.mailbox", b"{}", reply=inbox)
        await asyncio.sleep(0.05)
        yield BURST


async def connections(nc: Client, seed: str) -> Sent:
    """Connect as often as may be; what is refused is tried again."""
    held: list[Client] = []
    while True:
        with contextlib.suppress(nats.errors.Error, OSError, asyncio.TimeoutError):
            held.append(await connected(str(nc.connected_url.geturl()), seed))
        yield 1


async def connected(url: str, seed: str) -> Client:
    return await nats.connect(url, nkeys_seed=seed, allow_reconnect=False, error_cb=_quiet, connect_timeout=2)


KINDS: dict[str, Callable[[Client, str], Sent]] = {
    "valid": lambda nc, _: flat_out(nc, FLAGGED, VALID),
    "refused": lambda nc, _: flat_out(nc, FLAGGED, b"{}"),
    "64 KB": lambda nc, _: flat_out(nc, FLAGGED, b"x" * 65_000),
    "waiting": lambda nc, _: flat_out(nc, "report.intel.document.retracted", WAITING),
    "open batches": lambda nc, _: open_batches(nc),
    "questions": lambda nc, _: asked(nc, "ask.intel.contact"),
    "mailbox questions": lambda nc, _: asked(nc, "ask.intel.mailbox"),
    "slow reader": lambda nc, _: slow_reader(nc),
    "connections": connections,
}


async def flood(kind: str, url: str, seed: str) -> None:
    """Send until killed; print now and then how much it was."""
    total, told = 0, time.monotonic()
    while True:
        # Whoever is cut off comes again.
        with contextlib.suppress(nats.errors.Error, OSError, asyncio.TimeoutError):
            async for number in KINDS[kind](await connected(url, seed), seed):
                total += number
                if time.monotonic() > told + TELL_S:
                    told = time.monotonic()
                    print(total, flush=True)


if __name__ == "__main__":
    asyncio.run(flood(*sys.argv[1:]))
