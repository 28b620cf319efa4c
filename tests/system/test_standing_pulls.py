"""A report never waits for a request to be made: at every moment one stands on the server, also where nothing comes."""

import asyncio
import json
import time

from infra.nats.asking import ask
from shared.flow.lane import EXPIRES_S
from shared.flow.streams import intake_of

WATCHED_S = 4 * EXPIRES_S
"""Several requests end in it, each at its own time."""
DELAYED = 0.02
"""So small a part of the looks may find none: where a busy machine stops the process for longer than a request is
renewed ahead. Renewed half a second late, it is a fifth of them."""


async def test_a_request_stands_at_every_moment(system):
    system.start("intel")
    await system.ready()
    operator = await system.region.connect("operator")

    async def waiting(sender):
        return (await ask(operator, f"CONSUMER.INFO.{intake_of(sender)}.intel"))["num_waiting"]

    seen: list[int] = []
    end = time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        seen += await asyncio.gather(*map(waiting, ("MEX", "GTM", "OPERATOR")))
    without = seen.count(0) / len(seen)
    assert without <= DELAYED, json.dumps({number: seen.count(number) for number in set(seen)})
    assert max(seen) <= 3
