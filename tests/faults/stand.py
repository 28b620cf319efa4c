"""The whole system as processes, on servers that can be harmed: what the faults strike and the checker examines."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from nats.aio.client import Client

from infra import keyfiles
from infra.local.child import Child
from infra.local.nats import Nats
from infra.local.postgres import Postgres
from infra.local.process import StartError
from infra.nats.config import accounts, keys, seed_file
from infra.nats.connection import connected
from infra.nats.provision import provision
from infra.nats.rights import OPERATOR, PROVISIONER
from infra.postgres.provision import passwords
from infra.postgres.provision import provision as provision_postgres
from infra.testkit.proxy import Proxy
from infra.testkit.servers import TOKEN
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.run.database import connected as reached
from tests.faults.disk import Disk, NoDiskError
from tests.faults.process import OFFSET
from tests.harness.servers import with_root
from tests.harness.system import ROOT, free_port, until

BEGIN = datetime(2004, 3, 1, tzinfo=UTC)
SPEED = 2880.0
"""Plan seconds per second: the eight hours of an urgent answer are ten seconds."""
DISK_MB = 1024
PATIENCE_S = 240
EMPTY = "empty"


@dataclass
class Stand:
    """Servers, services and the links between them; what is in `held` stays down until it is let go."""

    folder: Path
    replicas: Sequence[str]
    """Process names: `intel`, or `intel-2` for a second replica."""
    defects: Sequence[str] = ()
    synced: bool = True
    """False: NATS as it comes, syncing every two minutes."""
    proxied: bool = True
    small_disks: bool = True
    """The servers have disks of their own (`DISK_MB`), that fill up and lose their power."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings of the services that are not the usual ones here."""
    nats: Nats = field(init=False)
    postgres: Postgres = field(init=False)
    disks: dict[str, Disk] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    """By who connects through it: a country, `intel`, or `intel/postgres`."""
    held: set[str] = field(default_factory=set)
    restarts: dict[str, int] = field(default_factory=dict)
    http_port: int = 0
    supervising: "asyncio.Task[None] | None" = None
    reading: list["asyncio.Task[None]"] = field(default_factory=list)
    """Whoever reads mailboxes, until the end."""
    epoch: datetime = field(default_factory=lambda: datetime.now(UTC))
    no_disk: str = ""
    """Why there is none, where there is none."""

    async def start(self) -> None:
        """Start servers, provision them, start the services and wait until they are ready."""
        self._make_disks()
        self.nats, self.postgres = self._nats(), self._postgres()
        self.postgres.log = self.folder / "postgres.log"
        self.nats.start(self.rights())
        await asyncio.to_thread(self.postgres.prepare)
        self.postgres.launch()
        await asyncio.to_thread(self.postgres.wait)
        await provision_postgres(self.postgres.url(database="postgres"), passwords(self.creds))
        await self._keep_empty_copy()
        await self.provision()
        for country in MEMBERS:
            await self._link(country, ("127.0.0.1", self.nats.port))
        self.http_port = free_port()
        for name in self.replicas:
            await self._link(name, ("127.0.0.1", self.nats.port))
            await self._link(f"{name}/postgres", ("127.0.0.1", self.postgres.port))
            self.children[name] = self._child(name)
        self.epoch = datetime.now(UTC)
        self.wrong_clock("", 0.0)
        for child in self.children.values():
            child.env |= self.clock()
            child.start()
        # From the beginning: a port that was free a moment ago may be another's now.
        self.supervising = asyncio.create_task(self.supervise())
        await self.ready()

    async def provision(self) -> None:
        """Make the streams and durables."""
        async with self.connected(PROVISIONER) as nc:
            await provision(nc)

    @property
    def board(self) -> str | int:
        """The address of the board, or its port here."""
        return self.http_port

    async def ready(self) -> None:
        try:
            await until(self._all_ready, "all services to be ready", PATIENCE_S)
        except TimeoutError as error:
            said = "; ".join(f"{name}: {', '.join(child.faults) or 'ready'}" for name, child in self.children.items())
            raise TimeoutError(f"{error} ({said}); see {self.folder}") from error

    async def stop(self) -> None:
        """End everything at once; nothing here is worth an orderly end."""
        going = [*self.reading, *([self.supervising] if self.supervising else [])]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        for proxy in self.proxies.values():
            await proxy.stop()
        for child in self.children.values():
            child.signal(signal.SIGKILL)
            if child.process:
                child.process.wait()
        for server in (self.nats, self.postgres):
            if server.process is not None and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
        self.nats.stop()
        self.postgres.stop()
        for disk in self.disks.values():
            disk.remove()

    async def supervise(self) -> None:
        """Start again whatever ends, until cancelled; as `crm up` does it."""
        while True:
            for name, child in self.children.items():
                if name not in self.held:
                    line = child.watch()
                    self.restarts[name] = self.restarts.get(name, 0) + bool(line)
            for name, server in self.servers().items():
                if name not in self.held and server.process and server.process.poll() is not None:
                    self.restarts[name] = self.restarts.get(name, 0) + 1
                    await self.start_server(name)
            await asyncio.sleep(0.1)

    def servers(self) -> dict[str, Nats | Postgres]:
        return {"nats": self.nats, "postgres": self.postgres}

    async def start_server(self, name: str) -> None:
        server = self.servers()[name]
        with contextlib.suppress(StartError, OSError):  # the next round tries again
            self.nats.launch(self.rights()) if name == "nats" else self.postgres.launch()
            await asyncio.to_thread(server.wait)

    def pid(self, name: str) -> int:
        server = self.servers().get(name)
        return server.process.pid if server else self.children[name].pid

    def send(self, name: str, number: signal.Signals) -> None:
        self.signal_pid(self.pid(name), number)

    def family(self, name: str) -> list[int]:
        """Return the process and all its children."""
        pid = self.pid(name)
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return [pid, *map(int, children)]
        return [pid]

    def signal_pid(self, pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def crash_at(self, name: str, point: str) -> None:
        """Start the process anew so that it ends itself at a crash point; started again, it has none."""
        child = self.children[name]
        child.signal(signal.SIGKILL)
        child.process.wait()
        ordinary = child.env
        child.env = {**ordinary, "CRM_CRASH_AT": point}
        child.start()
        child.env = ordinary

    def wrong_clock(self, name: str, offset_s: float) -> None:
        """Set by how many real seconds the clock of a process is wrong; without a name all are, and the database's."""
        for one in [name] if name else self.replicas:
            file = self.folder / f"{one}.clock"
            if not file.exists():
                file.write_bytes(bytes(OFFSET.size))
            with file.open("r+b") as held:
                held.write(OFFSET.pack(offset_s, 0.0 if name else offset_s))

    def now(self) -> datetime:
        """Return the plan time of a clock that is right."""
        return BEGIN + (datetime.now(UTC) - self.epoch) * SPEED

    @property
    def services(self) -> set[str]:
        """The services that run here."""
        return {name.partition("-")[0] for name in self.replicas}

    @property
    def creds(self) -> Path:
        return self.folder / "creds"

    def rights(self) -> dict[str, object]:
        return with_root(accounts(keys(self.creds)))

    @asynccontextmanager
    async def connected(self, principal: str) -> AsyncIterator[Client]:
        """Yield a connection of our own, past the proxies."""
        async with connected(self.nats.url, seed_file(self.creds, principal), principal) as nc:
            yield nc

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[Client]:
        async with self.connected(OPERATOR) as nc:
            yield nc

    @asynccontextmanager
    async def database(self, service: str, name: str = "crm") -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Yield the owner's connection, looking at a service's schema."""
        settings = {"search_path": service}
        if name == EMPTY:  # what is replayed there is for the checker only, and a replay is many small transactions
            settings["synchronous_commit"] = "off"
        connection = await reached(self.postgres.url(database=name), server_settings=settings)
        try:
            yield connection
        finally:
            await connection.close()

    def service_url(self, service: str) -> str:
        return self.postgres.url(service, passwords(self.creds)[service])

    async def _keep_empty_copy(self) -> None:
        """Keep the database as it is before the first report: what happened can be replayed into it."""
        owner = await reached(self.postgres.url(database="postgres"))
        try:
            await owner.execute(f"create database {EMPTY} template crm")
        finally:
            await owner.close()

    def _make_disks(self) -> None:
        if not self.small_disks:
            return
        try:
            for name in ("nats", "postgres"):
                self.disks[name] = Disk(DISK_MB)
        except NoDiskError as error:
            for disk in self.disks.values():
                disk.remove()
            self.disks, self.no_disk = {}, str(error)

    def _home(self, name: str) -> Path:
        home = self.disks[name].root / name if name in self.disks else self.folder / name
        home.mkdir()
        return home

    def _postgres(self) -> Postgres:
        return Postgres(self._home("postgres"))

    def _nats(self) -> Nats:
        nats = Nats(self._home("nats")) if self.synced else _Unsynced(self._home("nats"))
        nats.log = self.folder / "nats.log"  # on a disk of its own, or it would lose its power too
        return nats

    async def _link(self, name: str, target: tuple[str, int]) -> None:
        self.proxies[name] = Proxy(target)
        await self.proxies[name].start()

    def _child(self, name: str) -> Child:
        service = name.partition("-")[0]
        ops = free_port()
        nats = self.proxies[name].port if self.proxied else self.nats.port
        postgres = self.proxies[f"{name}/postgres"].port
        secret = passwords(self.creds)[service]
        env = {
            "CRM_NATS_URL": f"nats://127.0.0.1:{nats}",
            "CRM_NATS_SEED": str(seed_file(self.creds, service)),
            **keyfiles.env(self.creds, service),
            "CRM_NATS_MONITOR_URL": self.nats.monitor if self.synced else "",
            "CRM_DATABASE_URL": f"postgresql://{service}:{secret}@127.0.0.1:{postgres}/crm"
            if self.proxied
            else self.postgres.url(service, secret),
            "CRM_ENVIRONMENT": "local",
            "CRM_OPS_PORT": str(ops),
            "CRM_HTTP_PORT": str(self.http_port if service == "indicators" else 0),
            "CRM_OPERATOR_TOKEN": TOKEN,
            "CRM_RETRY_DELAY_S_MAX": "3",
            "FAULTS_CLOCK": str(self.folder / f"{name}.clock"),
            "PYTHONPYCACHEPREFIX": str(self.folder / "pycache"),
            **self.env,
        }
        command = [sys.executable, "-m", "tests.faults.process", service, *self.defects]
        return Child(name, command, env, self.folder / f"{name}.log", ROOT, f"http://127.0.0.1:{ops}")

    def clock(self) -> dict[str, str]:
        return {
            "CRM_CLOCK_START": BEGIN.isoformat(),
            "CRM_CLOCK_EPOCH": self.epoch.isoformat(),
            "CRM_SPEED": str(SPEED),
        }

    async def _all_ready(self) -> bool:
        ready = [await asyncio.to_thread(child.ready) for child in self.children.values() if child.process]
        return all(ready)


class _Unsynced(Nats):
    def _base(self):
        base = super()._base()
        del base["jetstream"]["sync_interval"]
        return base


def names(*replicated: str) -> list[str]:
    """Return the processes of all services, those named twice over."""
    return [*SERVICES, *(f"{name}-2" for name in replicated)]


@asynccontextmanager
async def standing(stand: Stand) -> AsyncIterator[Stand]:
    """Start a stand, supervise it for the duration, and take it away."""
    began = time.monotonic()
    try:
        await stand.start()
        print(f"  the system stands after {time.monotonic() - began:.1f} s", flush=True)
        yield stand
    finally:
        await stand.stop()


def folder() -> Path:
    """Return a fresh folder for what a run leaves behind."""
    return Path(tempfile.mkdtemp(prefix="crm-faults-run-"))
