"""Everything is lost, and comes back from base backup and WAL as docs/operations.md says, to a time or to the end.

The commands are those of the document; only its folder `/archive` is another here. The servers are the embedded NATS
and Debian's PostgreSQL, with TLS.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from infra.keys.ring import OWNER
from infra.local.postgres import NOBODY, Postgres, remove
from infra.local.system import operator_token
from infra.nats.connection import connected
from infra.nats.rights import OPERATOR
from shared import tls
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.provisioned import intakes
from shared.flow.streams import read_by, stream_of
from tests.bench.mixed_once import CLOCK, mixture
from tests.deploy.copying import DEBIANS, ROOT, Copy
from tests.harness.system import until

PARTS = ((0, 480), (480, 600), (600, 720))
"""What the region sends: before the base backup, until the time to which all comes back, and behind it."""
PATIENCE_S = 240
GONE = "rows that others have seen are gone"
READING = {"crm.indicators.exact.read.v1", "crm.indicators.projection.rebuilt.v1"}
"""What the test itself has recorded by looking."""
HEADING = "### To a point in time\n"


def documented(archive: Path) -> list[str]:
    """The commands of the document, with another folder than `/archive`."""
    text = (ROOT / "docs/operations.md").read_text().partition(HEADING)[2].partition("\n### ")[0]
    return [block.replace("/archive", str(archive)) for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]


@dataclass(frozen=True)
class Known:
    """What was known at a time: of each log its rows and their hash, and the figures."""

    at: datetime
    heads: dict[str, tuple[int, str]]
    figures: str


class Machine(Copy):
    """A copy whose disks are lost, and the archive, which is elsewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.archive = Path(tempfile.mkdtemp(prefix="crm-archive-", dir="/var/tmp"))
        self._given(self.archive)
        self.begin, self.base, self.bring_back, self.streams = documented(self.archive)
        self.parts = iter(_parts())

    async def up(self) -> None:
        self.start("--clock", CLOCK, "--speed", "1")
        await self.ready()

    @property
    def server(self) -> Postgres:
        return Postgres.running(self.state / "postgres", self.creds, self.run["postgres"])

    @property
    def data(self) -> Path:
        return self.server.place / "data"

    def kill(self) -> None:
        """The machine is gone, at once; its processes with it."""
        pids = [self.run["pids"]["supervisor"], *self.run["pids"].values()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    async def lost_and_back(self, when: datetime | None, *, streams: bool = True) -> None:
        """Lose the machine, with the database's disk and NATS's, and bring back what the archive has until then."""
        self.kill()
        shutil.rmtree(self.data)
        if streams:
            shutil.rmtree(self.state / "nats")
        lines = self.bring_back if when else re.sub(r"recovery_target_time.*\n", "", self.bring_back)
        self.documented(lines, WHEN=when.isoformat() if when else "")
        await self.up()

    async def as_at(self, before: Known) -> bool:
        """Whether logs, streams and figures are as they were, and the figures the same when they are folded anew."""
        await self.settled()
        found = await self.known()
        assert not differing(before.figures, found.figures)
        assert "the same bytes as before" in self.crm("rebuild")
        async with self.owner() as database:
            for service, (rows, head) in before.heads.items():
                beyond = await database.fetch(
                    f"select hash, type from {service}.log where position >= $1", max(rows, 1)
                )
                assert not rows or beyond[0]["hash"].hex() == head, service
                assert {one["type"] for one in beyond[1 if rows else 0 :]} <= READING, service
        return True

    def documented(self, block: str, **env: str) -> None:
        """Do what the document says."""
        whole = {"PATH": f"{DEBIANS}:{os.environ['PATH']}", "DATA": str(self.data), **env}
        done = subprocess.run(["sh", "-eu", "-c", block], env=whole, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self._given(self.archive)
        self._given(self.data)

    def _given(self, folder: Path) -> None:
        """Files that root made here would be made by the server's own user."""
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{NOBODY}:", folder], check=True)

    @asynccontextmanager
    async def owner(self):
        connection = await asyncpg.connect(self.server.url(OWNER))
        try:
            yield connection
        finally:
            await connection.close()

    async def send(self) -> None:
        """Send the next part of what the region sends, and wait until nothing is on its way."""

        async def told(country: str, reports) -> None:
            async with self.country(country) as client:
                for subject, payload in reports:
                    await client.client.request(subject, payload, timeout=60)

        by_country = next(self.parts)
        await asyncio.gather(*(told(country, reports) for country, reports in by_country.items()))
        await self.settled()

    async def settled(self) -> None:
        tls.calls(self.files(OPERATOR))
        async with self.owner() as database, connected(self.run["nats"], self.seed(OPERATOR), OPERATOR) as nc:
            await until(lambda: self._drained(database, nc.jetstream()), "nothing to be on its way", PATIENCE_S)

    async def _drained(self, database, js) -> bool:
        for service in SERVICES:
            ends = await database.fetchval(f"select coalesce(max(position), 0) from {service}.log")
            if (await js.stream_info(stream_of(service))).state.last_seq != ends:
                return False
            if await database.fetchval(f"select count(*) from {service}.aside"):
                return False
            if f'crm_fold_sequence{{stream="{stream_of(service)}"}} {ends}.0' not in self.board("/metrics/operator"):
                return False
            for stream, durable in [*((stream, service) for stream in intakes()), *read_by(service)]:
                one = await js.consumer_info(stream, durable)
                if one.num_pending or one.num_ack_pending:
                    return False
        return True

    def board(self, path: str) -> str:
        headers = {"Authorization": f"Bearer {operator_token(self.creds)}"}
        request = urllib.request.Request(f"{self.run['http']}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30, context=self.anonymous()) as answer:
            return answer.read().decode()

    async def known(self) -> Known:
        """What is so now, when nothing moves."""
        while True:
            heads, figures = self.heads(), self.board("/api/indicators.csv")
            async with self.owner() as database:
                at = await database.fetchval("select clock_timestamp()")
            if self.heads() == heads:
                return Known(at, heads, figures)

    def heads(self) -> dict[str, tuple[int, str]]:
        """Of each log its rows and their hash, where it is whole and its stream its copy."""
        return {row["service"]: (row["rows"], row["head"]) for row in json.loads(self.crm("verify", "--json"))}

    async def archived(self) -> None:
        """Have all that was written so far in the archive, as `archive_timeout` has it a minute later."""
        async with self.owner() as database:
            name = await database.fetchval("select pg_walfile_name(pg_switch_wal())")
        await until((self.archive / name).exists, "the segment to be archived", PATIENCE_S)

    def end(self) -> None:
        self.stop()
        remove(self.state / "postgres")
        shutil.rmtree(self.archive)


def _parts() -> list[dict[str, list[tuple[str, bytes]]]]:
    reports = mixture(range(1))
    parts = [reports[first:last] for first, last in PARTS]
    return [
        {country: [(subject, payload) for by, subject, payload in part if by == country] for country in MEMBERS}
        for part in parts
    ]


def differing(before: str, after: str) -> list[str]:
    """The lines of figures that are not the same."""
    return sorted({*before.splitlines()} ^ {*after.splitlines()})


@pytest.fixture
def machine(tmp_path):
    assert DEBIANS.exists(), "Debian's PostgreSQL is missing: apt-get install postgresql-15"
    made = Machine(tmp_path)
    yield made
    made.end()


async def test_it_comes_back_to_a_time_and_to_the_end(machine, tmp_path):
    await machine.up()
    await machine.send()
    machine.stop()
    machine.documented(machine.begin)
    await machine.up()
    machine.documented(machine.base, OWNER=machine.server.url(OWNER, database="postgres"))
    await machine.send()
    then = await machine.known()
    await machine.send()
    kept = str(tmp_path / "kept")
    machine.crm("witness", "watch", "--as", "GTM", "--once", "--folder", kept)
    end = await machine.known()
    assert all(end.heads[service] > then.heads[service] for service in SERVICES[:4])
    await machine.archived()

    await machine.lost_and_back(then.at)
    assert await machine.as_at(then), "the logs, and all that follows from them, as they were at that time"
    assert 'crm restore "$service" --checkpoints kept;' in machine.streams
    for service in SERVICES:
        told = machine.tried("restore", service)
        assert (told.returncode, "name with --checkpoints" in told.stdout) == (1, True), told
        asked = machine.tried("restore", service, "--checkpoints", kept)
        gone = end.heads[service] > then.heads[service]
        assert (asked.returncode, GONE in asked.stdout) == ((1, True) if gone else (0, False)), asked

    machine.parts = iter(_parts()[2:])  # the countries send again what was not answered, as they do
    await machine.send()
    again = await machine.known()
    await machine.archived()
    await machine.lost_and_back(None)
    assert await machine.as_at(again), "to the end, over the first time that it was brought back"
