"""A service's connection hears on, however late the server answers."""

import contextlib

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from shared.flow import bus
from shared.flow.streams import stream_of


@pytest.mark.parametrize("times", [1, 3])
async def test_answers_that_come_after_their_time_make_nobody_deaf(region, times):
    """A hung server answers at last all that it was asked; a service had given these up (`Lane.give_back`)."""
    client = await region.connect("intel")
    bus.guard(client)
    before = await bus.last_sequence(client, stream_of("intel"))
    for _ in range(times):
        with contextlib.suppress(NatsTimeoutError):
            await client.flush(timeout=1e-9)
    assert await bus.last_sequence(client, stream_of("intel")) == before
    await client.flush(timeout=30)
    assert client.stats["reconnects"] == 0
