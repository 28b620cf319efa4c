"""Atomic batches: many messages stored in one synced write, all or none (NATS 2.12 and newer)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from nats.aio.client import Client
from nats.js.errors import APIError

from shared.run import crash

BATCH_MAX = 1000
"""Messages in one batch, the server's own limit."""
BATCH_BYTES_MAX = 4 * 1024 * 1024
WRONG_LAST_SEQUENCE = (10071, 10164)
"""JetStream error codes: the stream does not end where the publisher believed, singly and in a batch."""
REQUEST_TIMEOUT_S = 5.0


def parts(messages: Sequence[tuple[str, bytes]]) -> Iterator[Sequence[tuple[str, bytes]]]:
    """Yield `messages` (subject, payload) in order, in parts that each go into one batch."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for message in messages:
        if part and (len(part) == BATCH_MAX or size + len(message[1]) > BATCH_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message[1])
    if part:
        yield part


async def publish_batch(client: Client, messages: Sequence[tuple[str, bytes]], expected_last: int | None = None) -> int:
    """Publish all of `messages` (subject, payload) or none; if `expected_last` is given, only if the stream ends there.

    One to `BATCH_MAX` messages. Return the sequence of the last of them. Raises APIError (one of
    `WRONG_LAST_SEQUENCE` when another has written), or nats.errors.Error (TimeoutError, NoRespondersError).
    """
    batch = client._nuid.next().decode()  # noqa: SLF001 - the client's own source of unique names
    headers = {} if expected_last is None else {"Nats-Expected-Last-Sequence": str(expected_last)}
    if len(messages) > 1:
        headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": "1"}
    subject, payload = messages[0]
    reply = await _requested(client, subject, payload, headers)
    if len(messages) > 1:
        crash.point("batch_begun")
    for number, (subject, payload) in enumerate(messages[1:-1], start=2):
        await client.publish(subject, payload, headers={"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)})
    if len(messages) > 1:
        subject, payload = messages[-1]
        reply = await _requested(
            client,
            subject,
            payload,
            {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(messages)), "Nats-Batch-Commit": "1"},
        )
    return int(reply["seq"])


async def _requested(client: Client, subject: str, payload: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """Publish by request; the first message of a batch is answered with nothing, the last with the publish ack."""
    answer = await client.request(subject, payload, timeout=REQUEST_TIMEOUT_S, headers=headers)
    reply: dict[str, Any] = json.loads(answer.data) if answer.data else {}
    if "error" in reply:
        raise APIError.from_error(reply["error"])
    return reply
