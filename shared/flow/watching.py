"""Whether what a service reads and copies moves: its relay, and the durables that give it reports and events."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client

from shared.flow.lost import LOST
from shared.run.steady import Movement
from shared.run.telemetry import PENDING

LOOK_S = 5.0
ASK_S = 5.0


@dataclass(slots=True)
class Watch:
    """The durables of a service, looked at now and then."""

    client: Client
    service: str
    durables: Sequence[tuple[str, str]]
    """(stream, durable)"""
    _movement: Movement = field(default_factory=Movement)

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            for stream, durable in self.durables:
                try:
                    await self._look(stream, durable)
                except LOST:  # readiness tells of that by itself
                    break
            await asyncio.sleep(LOOK_S)

    async def _look(self, stream: str, durable: str) -> None:
        subject = f"$JS.API.CONSUMER.INFO.{stream}.{durable}"
        answer = json.loads((await self.client.request(subject, b"", timeout=ASK_S)).data)
        waiting = answer.get("num_pending", 0) + answer.get("num_ack_pending", 0)
        PENDING.labels(self.service, stream).set(waiting)
        self._movement.see(f"{stream} ({durable})", answer.get("ack_floor", {}).get("stream_seq", 0), ahead=waiting > 0)

    def faults(self) -> list[str]:
        """Return in words on which streams nothing is taken in though something is there."""
        return [f"nothing of {stream} is taken in behind {at}" for stream, at in self._movement.standing()]
