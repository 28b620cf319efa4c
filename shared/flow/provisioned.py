"""What a service expects to find in NATS, checked at its start; it never creates or alters a stream."""

import asyncio
import json
from typing import Any

from nats.aio.client import Client

from shared.flow import streams

NOT_FOUND = (10014, 10059)
"""JetStream error codes: no such consumer, no such stream."""


def intakes() -> list[str]:
    """Return the names of all senders' intakes."""
    return [streams.intake_of(sender) for sender in streams.SENDERS]


async def retired(client: Client, service: str) -> list[str]:
    """Return the stream that all senders shared before, as long as the server has it and `service` reads it."""
    answer = await client.request(f"$JS.API.CONSUMER.INFO.{streams.INTAKE}.{service}", b"", timeout=5)
    return [] if "error" in json.loads(answer.data) else [streams.INTAKE]


async def differences(client: Client, service: str) -> list[str]:
    """Return in words what differs from the streams and durables that `service` needs; empty: nothing.

    Raises nats.errors.Error when the server does not answer.
    """
    configs, durables = streams.stream_configs(), streams.durables()
    receipts = [streams.RECEIPTS] if service in durables[streams.RECEIPTS] else []
    taken = [*((stream, service) for stream in (*intakes(), *receipts)), *streams.read_by(service)]
    needed = [streams.stream_of(service), streams.CHECKPOINTS, *(stream for stream, _ in taken)]
    asked = [
        *(
            _differing(client, f"stream {stream}", f"STREAM.INFO.{stream}", configs[stream])
            for stream in dict.fromkeys(needed)
        ),
        *(
            _differing(client, f"durable {name} on {stream}", f"CONSUMER.INFO.{stream}.{name}", durables[stream][name])
            for stream, name in taken
        ),
    ]
    return [fault for faults in await asyncio.gather(*asked) for fault in faults]


async def _differing(client: Client, what: str, question: str, wanted: streams.Config) -> list[str]:
    answer = await client.request(f"$JS.API.{question}", b"", timeout=5)
    found: dict[str, Any] = json.loads(answer.data)
    if "error" in found:
        if found["error"].get("err_code") in NOT_FOUND:
            return [f"{what} is missing: run `crm provision`"]
        return [f"{what}: {found['error'].get('description', 'unknown error')}"]
    return streams.differing(what, wanted, found["config"])
