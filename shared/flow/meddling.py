"""Whether a stream publishes or takes in what it should not: looked at at the start, and for ever after."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import Client

from shared.flow.lost import LOST
from shared.flow.streams import Config, meddling
from shared.run.telemetry import MEDDLING

log = structlog.get_logger()

LOOK_S = 10.0
ASK_S = 5.0


async def listed(client: Client, subject: str, key: str) -> list[dict[str, Any]]:
    """Return all that one of NATS's lists has, which come in parts, under `key`; raises as a request does."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await client.request(subject, json.dumps({"offset": len(found)}).encode(), timeout=ASK_S)
        told: dict[str, Any] = json.loads(answer.data)
        part = told.get(key) or []
        found += part
        if not part or len(found) >= told["total"]:
            return found


async def streams(client: Client) -> dict[str, Config]:
    """Return the configuration of every stream in the account, by name; raises as a request does."""
    return {one["config"]["name"]: one["config"] for one in await listed(client, "$JS.API.STREAM.LIST", "streams")}


@dataclass(slots=True)
class Meddling:
    """What was found at the last look."""

    client: Client
    service: str
    _faults: list[str] = field(default_factory=list)

    async def look(self) -> None:
        """Look once; what the server does not answer is left as it was."""
        try:
            found = meddling(await streams(self.client))
        except LOST:  # readiness tells of that by itself
            return
        if found and found != self._faults:
            log.critical("streams are meddled with", faults=found)
        self._faults = found
        MEDDLING.labels(self.service).set(len(found))

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    def faults(self) -> list[str]:
        """Return in words what was found."""
        return [f"meddled with: {fault}" for fault in self._faults]
