"""What goes on at once: the parts of the history on their dates, the traffic at its rate, and eleven mailboxes."""

import asyncio
import itertools
import operator
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import structlog
from nats.errors import Error as NatsError

from infra.region import ledger as ledgers
from infra.region import sealing
from infra.region.scene import Step
from infra.region.sending import RETRY_S, send
from infra.region.traffic import Traffic
from shared.client import CountryClient
from shared.client.persons import Persons
from shared.contracts.vocabulary import Country
from shared.run.clock import Clock

log = structlog.get_logger()

Clients = Mapping[Country, CountryClient]
Books = Mapping[Country, Persons]
"""Of the countries whose keys are here: with what each seals and opens."""
TICK_S = 0.05
SAVE_S = 1.0
TOLD_EVERY_S = 10.0
WAIT_S_MAX = 60.0
by_country = operator.attrgetter("country")


async def play_history(part: str, script: Sequence[Step], clients: Clients, clock: Clock) -> None:
    """Publish each step of a part of the history when the clock reaches it, in order.

    It begins at the beginning each time: ids make repeats harmless.
    """
    position = 0
    while position < len(script):
        now = clock.now()
        due = list(itertools.takewhile(lambda step: step.due <= now, script[position:]))  # noqa: B023 - used at once
        for country, steps in itertools.groupby(due, by_country):
            await send(clients[country], list(steps))
        position += len(due)
        if due:
            log.info("history played", part=part, until=due[-1].due.date().isoformat(), steps=position, of=len(script))
        else:
            await asyncio.sleep(min(max(clock.real_s(script[position].due - now), 0.001), WAIT_S_MAX))


async def play_traffic(  # noqa: PLR0913 - each is a part of its own
    traffic: Traffic, clients: Clients, clock: Clock, *, rate: float, file: Path, books: Books
) -> None:
    """Publish `rate` reports a real second, or fewer where the region takes them more slowly.

    What is told sealed is put aside for `sealing.tell`.
    """
    allowed, sent, last, saved, told = 0.0, 0, time.monotonic(), 0.0, time.monotonic()
    while True:
        await asyncio.sleep(TICK_S)
        now = time.monotonic()
        # What a slow region did not take is not made up for: a second's worth at most.
        allowed = min(allowed + rate * (now - last), max(rate, 1.0))
        last = now
        steps = traffic.take(clock.now(), int(allowed))
        allowed -= len(steps)
        closed = [step for step in steps if step.country in books and sealing.sealed(step)]
        traffic.ledger.sealing += closed
        await _send_all(clients, [step for step in steps if step not in closed])
        sent += len(steps)
        if now - saved > SAVE_S:
            traffic.ledger.forget(clock.now())
            ledgers.save(traffic.ledger, file)
            saved = now
        if now - told > TOLD_EVERY_S:
            log.info("traffic", sent=sent, stories=traffic.ledger.number, to_come=len(traffic.ledger.pending))
            told = now


async def _send_all(clients: Clients, steps: Sequence[Step]) -> None:
    """Publish the steps, countries side by side, each country's own in order."""
    grouped = itertools.groupby(sorted(steps, key=by_country), by_country)
    await asyncio.gather(*[send(clients[country], list(own)) for country, own in grouped])


async def read_mailbox(
    country: Country, client: CountryClient, book: Persons | None, traffic: Traffic, clock: Clock
) -> None:
    """Let the country hear what concerns it, for as long as the process runs."""
    while True:
        try:
            async with aclosing(client.mailbox()) as mailbox:  # type: ignore[type-var]  # it is an async generator
                async for event in mailbox:
                    traffic.hear(country, await sealing.opened(event, book), clock.now())
        except (NatsError, OSError) as error:
            log.warning("mailbox away; waiting", country=country, error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
