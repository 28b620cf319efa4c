"""What operators ask a process: alive, ready, how much of what; and the watchdog that ends a stuck one."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from msgspec import Struct
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from shared.run import web
from shared.run.addresses import Address, Gives, Nothing, application, encoded
from shared.run.certificates import Kept
from shared.run.openapi import described
from shared.run.settings import Settings

log = structlog.get_logger()

EXIT_STUCK = 71
TITLE = "CRM Plan of Action: a process"
ABOUT = "What operators ask every process of the system, at the port that `CRM_OPS_PORT` names."


@dataclass(slots=True)
class Status:
    """Whether a service does its work; `faults` says why not."""

    service: str
    faults: list[str] = field(default_factory=lambda: ["starting"])


class Alive(Struct, frozen=True):
    """The process answers."""

    service: str
    alive: bool = True


class Readiness(Struct, frozen=True):
    """Whether a service does its work."""

    service: str
    pid: int
    ready: bool
    faults: list[str]
    """In words, what stands still."""


def addresses(status: Status) -> Sequence[Address]:
    """Return the operators' addresses of a process, with that of their document."""

    async def healthz(_request: Request, _asked: Nothing) -> Alive:
        """Say that the process answers."""
        return Alive(status.service)

    async def readyz(_request: Request, _asked: Nothing) -> Response:
        """Say whether the service does its work; 503 if not."""
        body = Readiness(status.service, os.getpid(), not status.faults, status.faults)
        return encoded(body, 503 if status.faults else 200)

    async def metrics(request: Request, _asked: Nothing) -> Response:
        """Give the process's own numbers to Prometheus; as OpenMetrics, where asked for, with traces as examples."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), media_type=kind)

    own = [
        Address("/healthz", healthz, "Process"),
        Address("/readyz", readyz, "Process", gives=[Gives(schema=Readiness), Gives(schema=Readiness, status=503)]),
        Address("/metrics", metrics, "Process", gives=[Gives("text/plain"), Gives("application/openmetrics-text")]),
    ]
    return described(own, TITLE, ABOUT)


@asynccontextmanager
async def served(status: Status, settings: Settings, certificates: Kept | None = None) -> AsyncIterator[None]:
    """Serve the operators' endpoints for the duration; with `certificates`, to who has one."""
    app = application(addresses(status))
    async with web.served(app, settings.ops_host, settings.ops_port, certificates=certificates):
        yield


def watch(stuck_s: float) -> None:
    """End the process (code 71) when its event loop has not run for `stuck_s`: nothing else would notice."""
    beat = time.monotonic()

    def beating() -> None:
        nonlocal beat
        beat = time.monotonic()
        loop.call_later(1.0, beating)

    def watching() -> None:
        while True:
            time.sleep(1.0)
            silent = time.monotonic() - beat
            # A process that was paused as a whole finds its own clock jumped; give the loop a second chance.
            if silent > stuck_s:
                time.sleep(2.0)
                if time.monotonic() - beat > stuck_s:
                    os.write(2, b"event loop is stuck; ending the process\n")
                    os._exit(EXIT_STUCK)

    loop = asyncio.get_running_loop()
    beating()
    threading.Thread(target=watching, daemon=True, name="watchdog").start()
