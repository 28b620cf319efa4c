"""What operators ask a process: alive, ready, how much of what; and the watchdog that ends a stuck one."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.run import web
from shared.run.settings import Settings

log = structlog.get_logger()

EXIT_STUCK = 71


@dataclass(slots=True)
class Status:
    """Whether a service does its work; `faults` says why not."""

    service: str
    faults: list[str] = field(default_factory=lambda: ["starting"])


def application(status: Status) -> Starlette:
    """Return the operators' endpoints of a process."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"service": status.service, "alive": True})

    async def readyz(_: Request) -> Response:
        body = {"service": status.service, "pid": os.getpid(), "ready": not status.faults, "faults": status.faults}
        return JSONResponse(body, 503 if status.faults else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    found = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
    found.router.redirect_slashes = False  # it would answer with the address that was asked for, Host included
    return found


@asynccontextmanager
async def served(status: Status, settings: Settings) -> AsyncIterator[None]:
    """Serve the operators' endpoints for the duration."""
    async with web.served(application(status), settings.ops_host, settings.ops_port):
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
