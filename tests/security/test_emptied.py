"""What is delivered to EMPTY, which every intake reads, fills none of them."""

import asyncio
import time

from infra.nats.provision import ask
from infra.nats.rights import OPERATOR
from shared.flow import quotas
from shared.flow.streams import EMPTY, intake_of, stream_configs

(EMPTIED,) = stream_configs()[EMPTY]["subjects"]
EVENTS = 200
WEEK_S = 7 * 24 * 3600
"""How long an intake keeps what it has."""


async def test_what_a_consumer_delivers_to_all_intakes_is_next_to_nothing(region):
    """Who may make a consumer says where it delivers. Of one byte, a second one is refused while the first is there."""
    operator, board = await region.connect(OPERATOR), await region.connect("indicators")
    for number in range(EVENTS):
        said = b"x" if number % 2 else b"more than a byte"
        await board.request("crm.evt.indicators.alert.issued.GTM", said, timeout=10)
    config = {"deliver_subject": EMPTIED, "deliver_policy": "all", "ack_policy": "none"}
    begun = time.monotonic()
    made = await ask(board, "CONSUMER.CREATE.INDICATORS", {"stream_name": "INDICATORS", "config": config})
    while (await ask(operator, f"CONSUMER.INFO.INDICATORS.{made['name']}"))["delivered"]["stream_seq"] < EVENTS:
        await asyncio.sleep(0.1)
    while not (held := (await ask(operator, f"STREAM.INFO.{intake_of('GTM')}"))["state"])["messages"]:
        await asyncio.sleep(0.1)
    assert held["messages"] <= time.monotonic() - begun + 1
    assert quotas.of("GTM").intake_messages > 4 * WEEK_S
