"""A stream read from end to end without a consumer: nothing is made on the server, nothing is acknowledged."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.contracts.signing import HEADER

BATCH = 1000
WAIT_S = 5.0
NO_MESSAGE, END_OF_BATCH = "404", "204"


class Message(NamedTuple):
    """What a stream holds at one sequence."""

    sequence: int
    subject: str
    payload: bytes
    source: str = ""
    """Where the stream reads others: its header that says from where it is."""
    signature: str = ""
    """What its sender signed it with, where it did."""


class UnreadableError(NatsError):
    """The server does not answer in time, or refuses."""


async def messages(nc: Client, stream: str, first: int = 1, subject: str = ">") -> AsyncIterator[Message]:
    """Yield what is in `stream` from sequence `first` on, of these subjects; what is not there is left out."""
    while True:
        batch = await _batch(nc, stream, {"seq": first, "batch": BATCH, "next_by_subj": subject})
        for message in batch:
            yield message
        if not batch:
            return
        first = batch[-1].sequence + 1


async def _batch(nc: Client, stream: str, wanted: dict[str, Any]) -> list[Message]:
    inbox = nc.new_inbox()
    answers = await nc.subscribe(inbox)
    try:
        await nc.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(wanted).encode(), reply=inbox)
        batch: list[Message] = []
        while True:
            try:
                answer = await answers.next_msg(timeout=WAIT_S)
            except TimeoutError:
                raise UnreadableError(f"{stream} does not answer") from None
            head = answer.headers or {}
            status = head.get("Status")
            if status in (NO_MESSAGE, END_OF_BATCH):
                return batch
            if status:
                raise UnreadableError(f"{stream}: {status} {head.get('Description', '')}".strip())
            source, signature = head.get("Nats-Stream-Source", ""), head.get(HEADER, "")
            batch.append(Message(int(head["Nats-Sequence"]), head["Nats-Subject"], answer.data, source, signature))
    finally:
        await answers.unsubscribe()
