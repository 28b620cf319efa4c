"""What a service expects to find in NATS, checked at its start; it never creates or alters a stream."""

import json
from typing import Any

from nats.aio.client import Client

from shared import streams

NOT_FOUND = (10014, 10059)
"""JetStream error codes: no such consumer, no such stream."""


def read_by(service: str) -> list[str]:
    """Return the other services' streams on which `service` has a durable."""
    own = {streams.INTAKE, streams.MAILBOX, streams.stream_of(service)}
    return [name for name, durables in streams.durables().items() if service in durables and name not in own]


async def differences(client: Client, service: str) -> list[str]:
    """Return in words what differs from the streams and durables that `service` needs; empty: nothing.

    Raises nats.errors.Error when the server does not answer.
    """
    configs, durables = streams.stream_configs(), streams.durables()
    faults = []
    for stream in (streams.INTAKE, streams.stream_of(service), *read_by(service)):
        faults += await _differing(client, f"stream {stream}", f"STREAM.INFO.{stream}", configs[stream])
        if service in durables.get(stream, {}):
            faults += await _differing(
                client, f"durable {service} on {stream}", f"CONSUMER.INFO.{stream}.{service}", durables[stream][service]
            )
    return faults


async def _differing(client: Client, what: str, question: str, wanted: streams.Config) -> list[str]:
    answer = await client.request(f"$JS.API.{question}", b"", timeout=5)
    found: dict[str, Any] = json.loads(answer.data)
    if "error" in found:
        if found["error"].get("err_code") in NOT_FOUND:
            return [f"{what} is missing: run `crm provision`"]
        return [f"{what}: {found['error'].get('description', 'unknown error')}"]
    return streams.differing(what, wanted, found["config"])
