"""The operators' verbs, each as the process that an operator starts, on a copy that runs as `make run` starts it."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from infra.local.postgres import Postgres, remove
from infra.local.system import operator_token
from infra.nats.asking import ask
from infra.nats.connection import connected
from infra.nats.rights import PROVISIONER
from shared.contracts import SERVICES
from tests.faults.draining import folded
from tests.faults.verbs import crm
from tests.harness.speaking import example
from tests.harness.system import ROOT, until

NAME = "training.official.enrolled"
NUMBER = 20
PATIENCE_S = 240


class Copy:
    """A copy of the system in a folder of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state

    @property
    def addresses(self):
        return json.loads((self.state / "run.json").read_text())

    async def publish(self, first: int = 0) -> None:
        """Publish so many more, and wait until all are folded."""
        file = self.state / "reports.json"
        envelope = {"specversion": "1.0", "source": "urn:crm:country:GTM:test", "type": f"crm.{NAME}.v1"}
        envelope |= {"time": "2004-03-01T10:00:00Z", "datacontenttype": "application/json"}
        officers = [f"officer-{n}" for n in range(first, first + NUMBER)]
        file.write_text(json.dumps([{**envelope, "id": o, "data": example(NAME, officer_pid=o)} for o in officers]))
        assert (await crm(self.state, "pub", "--as", "GTM", str(file))).returncode == 0
        await until(lambda: self.folded(first + NUMBER), "all to be folded", PATIENCE_S)

    async def folded(self, number: int = NUMBER) -> bool:
        """Tell whether so many officials are counted; the board may be away."""
        with contextlib.suppress(OSError):
            return (await self.reached())["training"] == number
        return False

    async def reached(self) -> Counter[str]:
        """Return up to which position of each service's log the figures go."""
        port = int(self.addresses["http"].rpartition(":")[2])
        return await asyncio.to_thread(folded, port, operator_token(self.state / "creds"))

    async def lose_stream(self) -> None:
        addresses = self.addresses
        async with connected(addresses["nats"], Path(addresses["creds"][PROVISIONER]), PROVISIONER) as nc:
            assert (await ask(nc, "STREAM.DELETE.TRAINING"))["success"]

    async def snapshot(self) -> bytes:
        """Return the state of the figures as it is stored; empty while not all that is folded is in it."""
        state = bytes(await self._owned("fetchval", "select state from snapshot") or b"{}")
        return state if dict(json.loads(state).get("sequences", ())) == +await self.reached() else b""

    async def falsify(self) -> None:
        """Change a figure where the fold takes up again, and have it do that."""
        stored = json.loads(await until(self.snapshot, "a snapshot of all", PATIENCE_S))
        stored["heard"][0][-1] += 1
        await self._owned("execute", "update snapshot set state = $1", json.dumps(stored).encode())
        before = self.addresses["pids"]["indicators"]
        os.kill(before, signal.SIGKILL)
        await until(lambda: self.addresses["pids"]["indicators"] != before, "the fold to be started again", PATIENCE_S)
        await until(self.folded, "the fold to be back", PATIENCE_S)

    async def _owned(self, how: str, query: str, *values):
        """Ask the database as the indicators service does."""
        secret = (self.state / "creds" / "indicators.pw").read_text().strip()
        address = f"postgresql://indicators:{secret}@{self.addresses['postgres'].rpartition('@')[2]}"
        connection = await asyncpg.connect(address, server_settings={"search_path": "indicators"})
        try:
            return await getattr(connection, how)(query, *values)
        finally:
            await connection.close()


def on_database_alone(state: Path, program: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on the database of a copy that does not run."""
    server = Postgres(state / "postgres")
    server.start()
    try:
        subprocess.run([server.bin / program, f"--dbname={server.url()}", *options], check=True)
    finally:
        server.stop()


@pytest.fixture
def state(tmp_path) -> Iterator[Path]:
    yield tmp_path
    remove(tmp_path / "postgres")


@asynccontextmanager
async def running(state: Path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    env |= {"CRM_STATE_DIR": str(state), "CLOCK": "2004-03-01T12:00:00Z", "SPEED": "1", "TRAFFIC": "none"}
    with (state / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "up"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        await until((state / "run.json").exists, "the copy to run", PATIENCE_S)
        yield Copy(state)
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0


async def test_an_operator_proves_restores_and_rebuilds_a_running_copy(state):
    async with running(state) as copy:
        await copy.publish()
        shown = json.loads((await crm(copy.state, "status", "--json")).stdout)["services"]["training"]
        whole = {"log": NUMBER, "stream": NUMBER, "fold": NUMBER, "ready": True, "faults": []}
        assert shown == {**whole, "aside": 0, "rejected": 0, "failed": 0, "set_aside": []}
        assert (await crm(copy.state, "verify")).returncode == 0
        await copy.lose_stream()
        lost = await crm(copy.state, "verify", "training")
        assert (lost.returncode, "there is none" in lost.stdout) == (1, True)
        assert (await crm(copy.state, "restore", "training")).returncode == 0
        assert (await crm(copy.state, "verify")).returncode == 0

        before = await until(copy.snapshot, "a snapshot of all", PATIENCE_S)
        rebuilt = await crm(copy.state, "rebuild")
        assert rebuilt.returncode == 0
        assert "the same bytes as before" in rebuilt.stdout
        assert hashlib.sha256(before).hexdigest() in rebuilt.stdout

        await copy.falsify()
        told = await crm(copy.state, "rebuild")
        assert (told.returncode, "NOT the bytes" in told.stdout) == (1, True)
        assert "the same bytes as before" in (await crm(copy.state, "rebuild")).stdout


async def test_a_copy_whose_database_is_an_older_backup_starts_and_is_restored(state):
    async with running(state) as copy:
        await copy.publish()
    backup = str(state / "crm.backup")
    on_database_alone(state, "pg_dump", "--format=custom", f"--file={backup}")
    async with running(state) as copy:
        await copy.publish(NUMBER)
    on_database_alone(state, "pg_restore", "--clean", "--if-exists", "--single-transaction", backup)
    async with running(state) as copy:
        older = await crm(copy.state, "verify", "training")
        assert (older.returncode, f"{NUMBER} messages beyond the log" in older.stdout) == (1, True)
        for service in SERVICES:
            assert (await crm(copy.state, "restore", service)).returncode == 0
        assert (await crm(copy.state, "verify")).returncode == 0
        await copy.publish(2 * NUMBER)
