"""The services as real processes on a test's region."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from infra.local.ports import free_port
from infra.testkit import forking
from infra.testkit.servers import Region
from shared import contracts
from shared.client import CountryClient, connect
from shared.contracts import Event

__all__ = ["PATIENCE_S", "ROOT", "STARTING_S", "System", "free_port", "resident_mb", "until"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S, POLL_S = 60, 0.02
STARTING_S = 180
"""A process that compiles and imports on a machine with ten times as much to do as it has processors for."""


async def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until `condition` (a plain or async function) gives something true; return that."""
    end = time.monotonic() + patience_s
    while True:
        result = condition()
        if asyncio.iscoroutine(result):
            result = await result
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience_s} s for {what}")
        await asyncio.sleep(POLL_S)


def resident_mb(pid: int) -> float:
    """Return how much memory (MB) a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return round(int(line.split()[1]) / 1024, 1)


@dataclass
class System:
    """Processes by name (`intel`, or `intel-2` for a second replica) and what one asks of them."""

    region: Region
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    """Where in its output the present process of a name begins: one before it may have said the same."""
    clients: list[Any] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    """What to start in place of a service, by its name."""
    _connections: dict[str, "asyncpg.Connection[asyncpg.Record]"] = field(default_factory=dict)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self, *names: str, **env: str) -> None:
        """Start processes by their names; `env`: further `CRM_` variables."""
        for name in names:
            service = name.partition("-")[0]
            with (self.folder / f"{name}.log").open("ab") as output:
                self.begun[name] = output.tell()
                module = self.modules.get(service, f"services.{service}")
                whole = {**os.environ, **self.region.env(service, **env)}
                self.processes[name] = forking.start(module, whole, output)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal, and return the code with which the process ended."""
        self.processes[name].send_signal(number)
        return self.processes.pop(name).wait(PATIENCE_S)

    def output(self, name: str) -> list[dict[str, Any]]:
        """Return what a process said in its log, line by line."""
        return self._lines(name, 0)

    def _lines(self, name: str, start: int) -> list[dict[str, Any]]:
        whole = (self.folder / f"{name}.log").read_bytes()[start:].rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.decode().splitlines() if line.startswith("{")]

    async def ready(self, *names: str, patience_s: float = STARTING_S) -> None:
        """Wait until these processes, or all, are ready."""
        for name in names or self.processes:
            await until(partial(self._is_ready, name), f"{name} to be ready", patience_s)

    def _is_ready(self, name: str) -> bool:
        code = self.processes[name].poll()
        assert code is None, f"{name} ended with {code}: {(self.folder / f'{name}.log').read_text()[-2000:]}"
        return any(line.get("event") == "ready" for line in self._lines(name, self.begun[name]))

    async def country(self, name: Any, url: str = "") -> CountryClient:
        """Return a country's own connection, closed at the end; `url`: by another way than the server's own."""
        context = connect(url or self.region.nats.url, self.region.seed(name), name, "test")
        self.clients.append(context)
        return await context.__aenter__()

    async def rows(self, service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        """Ask the service's schema, by one connection that is made anew where a server went away."""
        async with self._asking:
            connection = self._connections.get(service)
            if connection is None or connection.is_closed():
                settings = {"search_path": service}
                connection = await asyncpg.connect(self.region.database_url(), server_settings=settings)
                self._connections[service] = connection
            try:
                return await connection.fetch(query, *values)
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
                await self.close()
                raise

    async def close(self) -> None:
        """Close what was asked by: it belongs to the loop of one test."""
        for connection in self._connections.values():
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=5)
        self._connections.clear()
        self._asking = asyncio.Lock()

    async def log(self, service: str, name: str | None = None) -> list[Event[Any]]:
        """Return what a service has recorded, in order; only events of that name, if given."""
        wanted = f"crm.{name}.v" if name else ""
        rows = await self.rows(service, "select payload from log where starts_with(type, $1) order by position", wanted)
        events = [contracts.decode(row["payload"]) for row in rows]
        return [event for event in events if name is None or event.name == name]

    async def recorded(self, service: str, name: str, number: int = 1) -> list[Event[Any]]:
        """Wait until so many events of that name are recorded; return them."""

        async def there() -> list[Event[Any]]:
            events = await self.log(service, name)
            return events if len(events) >= number else []

        found: list[Event[Any]] = await until(there, f"{number} x {name}")
        return found

    async def end(self) -> None:
        """Close all connections and end all processes by force."""
        await self.close()
        for context in self.clients:
            await context.__aexit__(None, None, None)
        self.clients.clear()
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
