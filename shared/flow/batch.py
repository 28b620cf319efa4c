"""Atomic batches: many messages stored in one synced write, all or none (NATS 2.12 and newer)."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from nats.aio.client import Client
from nats.js.errors import APIError

from shared.run import crash

BATCH_MAX = 1000
"""Messages in one batch, the server's own limit."""
BATCH_BYTES_MAX = 4 * 1024 * 1024
Message: TypeAlias = tuple[str, bytes] | tuple[str, bytes, Mapping[str, str]]
"""Subject and payload, and headers where there are some."""
WRONG_LAST_SEQUENCE = (10071, 10164)
"""JetStream error codes: the stream does not end where the publisher believed, singly and in a batch."""
REQUEST_TIMEOUT_S = 5.0


def parts(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Yield `messages` (subject, payload) in order, in parts that each go into one batch."""
    part: list[Message] = []
    size = 0
    for message in messages:
        if part and (len(part) == BATCH_MAX or size + bytes_of(message) > BATCH_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(message)
        size += bytes_of(message)
    if part:
        yield part


def bytes_of(message: Message) -> int:
    """Return what counts of a message's size."""
    return len(message[1]) + sum(len(name) + len(value) for name, value in _headers(message).items())


def _headers(message: Message) -> Mapping[str, str]:
    return message[2] if len(message) > 2 else {}  # noqa: PLR2004


async def publish_batch(client: Client, messages: Sequence[Message], expected_last: int | None = None) -> int:
    """Publish all of `messages` or none; if `expected_last` is given, only if the stream ends there.

    One to `BATCH_MAX` messages. Return the sequence of the last of them. Raises APIError (one of
    `WRONG_LAST_SEQUENCE` when another has written), or nats.errors.Error (TimeoutError, NoRespondersError).
    """
    batch = client._nuid.next().decode()  # noqa: SLF001 - the client's own source of unique names
    last = len(messages)
    reply: dict[str, Any] = {}
    for number, message in enumerate(messages, start=1):
        headers = dict(_headers(message))
        if number == 1 and expected_last is not None:
            headers["Nats-Expected-Last-Sequence"] = str(expected_last)
        if last > 1:
            headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if 1 < number < last:
            await client.publish(message[0], message[1], headers=headers)
            continue
        if number > 1:
            headers["Nats-Batch-Commit"] = "1"
        reply = await _requested(client, message[0], message[1], headers)
        if number == 1 < last:
            crash.point("batch_begun")
    return int(reply["seq"])


async def publish_each(client: Client, messages: Sequence[Message]) -> None:
    """Publish messages each by itself: those that their stream has already (by `Nats-Msg-Id`) are stored once."""
    publish = client.jetstream().publish
    await asyncio.gather(*(publish(message[0], message[1], headers=dict(_headers(message))) for message in messages))


async def _requested(client: Client, subject: str, payload: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """Publish by request; the first message of a batch is answered with nothing, the last with the publish ack."""
    answer = await client.request(subject, payload, timeout=REQUEST_TIMEOUT_S, headers=headers)
    reply: dict[str, Any] = json.loads(answer.data) if answer.data else {}
    if "error" in reply:
        raise APIError.from_error(reply["error"])
    return reply
