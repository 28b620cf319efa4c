"""Two versions of the system on the same servers: the older one runs from a copy of its commit."""

import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nats.js.errors import NotFoundError

from infra.local.nats import Nats
from infra.local.postgres import Postgres, remove
from infra.local.process import stop
from infra.nats.config import accounts, keys
from infra.nats.rights import OPERATOR
from infra.postgres.provision import DATABASE, passwords
from shared.contracts import SERVICES
from shared.flow.provisioned import intakes
from shared.flow.streams import keys_of, read_by, stream_of
from tests.harness.servers import Keys, PostgresServer, Region
from tests.harness.system import ROOT, System, until

PATIENCE_S = 240


@dataclass(frozen=True)
class Version:
    """A version of the system: a folder with its sources."""

    folder: Path

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """The command `python -m <words>` of this version, and its environment."""
        return [sys.executable, "-m", *words], {**os.environ, "PYTHONPATH": str(self.folder)}

    def done(self, *words: str) -> str:
        """Run a command of this version to its end; return what it says."""
        command, env = self.command(*words)
        ran = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{words}: {ran.stdout} {ran.stderr}"
        return ran.stdout


NOW = Version(ROOT)


def older(commit: str, folder: Path) -> Version:
    """An older version, in a folder of its own."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    assert packed.returncode == 0, f"no commit {commit}: fetch the whole history ({packed.stderr.decode()})"
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")
    return Version(folder)


@dataclass
class Both(System):
    """Processes of two versions, by name (`intel@before`, `intel@now`), and what one asks of them."""

    def begin(self, version: Version, *services: str, replica: str = "", **env: str) -> list[str]:
        """Start processes; return their names. `replica`: the ending of the name of a further one."""
        names = [f"{service}@{'now' if version is NOW else 'before'}{replica}" for service in services]
        for service, name in zip(services, names, strict=True):
            command, whole = version.command(f"services.{service}")
            with (self.folder / f"{name}.log").open("ab") as output:
                self.begun[name] = output.tell()
                self.processes[name] = subprocess.Popen(
                    command,
                    cwd=version.folder,
                    env={**whole, **self.region.env(service, **env)},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        return names

    def provision(self, version: Version) -> str:
        """Run the version's `crm provision`."""
        server = self.region.postgres.server
        return version.done(
            *("infra.cli", "provision", "--creds", str(self.region.keys.folder)),
            *("--nats-url", self.region.nats.url, "--database-url", server.url(database="postgres")),
        )

    async def drained(self) -> None:
        """Wait until all that was sent is recorded, copied, and acted on by the others."""
        await until(self._drained, "all to be recorded, copied and heard", PATIENCE_S)

    async def _drained(self) -> bool:
        js = (await self._operator()).jetstream()
        for service in SERVICES:
            position = await self._one(service, "select coalesce(max(position), 0) from log")
            if (await js.stream_info(stream_of(service))).state.last_seq != position:
                return False
            if await self._one(service, "select count(*) from aside"):
                return False
            for stream, name in [*((stream, service) for stream in intakes()), *read_by(service)]:
                try:
                    durable = await js.consumer_info(stream, name)
                except NotFoundError:  # the older version has none for keys
                    assert name == keys_of(service)
                    continue
                if durable.num_pending or durable.num_ack_pending:
                    return False
        return True

    async def _operator(self) -> Any:
        if not hasattr(self, "_client"):
            self._client = await self.region.connect(OPERATOR)
        return self._client

    async def _one(self, service: str, query: str) -> Any:
        return (await self.rows(service, query))[0][0]


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[Both]:
    """Servers on which nothing is provisioned yet, and no process."""
    folder.mkdir(exist_ok=True)
    creds = folder / "creds"
    secrets, public = passwords(creds), keys(creds)
    server = Postgres(folder / "postgres")
    server.start()
    nats = Nats(folder / "nats")
    nats.start(accounts(public))
    region = Region(nats, PostgresServer(server, secrets), Keys(creds, public), DATABASE)
    system = Both(region, folder)
    try:
        yield system
        await system.close()
    finally:
        for context in system.clients:
            await context.__aexit__(None, None, None)
        for client in region.clients:
            await client.close()
        for name in list(system.processes):
            system.kill(name)
        stop(nats.process, signal.SIGKILL)
        server.stop()
        remove(folder / "postgres")
