"""A whole system of a test's own: all five services on a fresh region, with a clock that the test sets forward."""

import asyncio
import json
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import asyncpg
from nats.aio.client import Client

from infra.nats.rights import OPERATOR
from infra.testkit.clock import START, SetClock, span
from infra.testkit.country import Country, Link
from infra.testkit.processes import System, free_port, until
from infra.testkit.robots import Robot, Script
from infra.testkit.servers import Region, Servers
from infra.testkit.settling import Settling, look, waiting
from shared.contracts import SERVICES, Event
from shared.flow.streams import RECEIVERS

TOKEN = "testkit"  # noqa: S105 - of a test's own board
FOLDED = re.compile(r'^crm_fold_sequence\{stream="(\w+)"\} (\S+)$', re.MULTILINE)
ANSWER_S = 30.0
WAITS_FOR_US = "kind <> 'waiting'"
"""A report that waits for what it refers to is not on its way: the test has not sent that yet."""


@dataclass
class TestClock:
    """The system's clock. `advance` lets what is due happen, each thing at its time, and waits for nothing else."""

    __test__ = False  # no test of pytest's
    system: "CrmSystem"
    hand: SetClock

    def now(self) -> datetime:
        """Return what all processes of the system take for the present."""
        return self.hand.now()

    async def advance(self, by: str | timedelta) -> None:
        """Set the clock forward by "3d", "8h", "1d12h" ..., stopping wherever a deadline is due or a robot answers."""
        end = self.now() + span(by)
        await self.system.settled(figures=False)
        while (due := await self.system.next_due()) is not None and due <= end:
            self.hand.set_forward(due - self.now())
            await self.system.settled(figures=False)
        self.hand.set_forward(end - self.now())
        await self.system.settled()


@dataclass
class CrmSystem:
    """What a test has in hand: countries, the clock, figures, robots, and what breaks things."""

    region: Region
    processes: System
    board: str
    """The board's address."""
    settling: Settling
    operator: Client
    clock: TestClock = field(init=False)
    countries: dict[str, Country] = field(default_factory=dict)
    robots: list[Robot] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    """What each service is started with, beyond the region's addresses."""

    async def country(self, name: str) -> Country:
        """Return a country ("GTM") or secretariat ("ST"); the same each time. ValueError for any other name."""
        if name not in RECEIVERS:
            raise ValueError(f"one of {', '.join(RECEIVERS)}")
        if name not in self.countries:
            host, port = self.region.nats.url.removeprefix("nats://").split(":")
            link = Link((host, int(port)))
            client = await self.processes.country(name, link.address)
            client.now = self.clock.now
            self.countries[name] = Country(name, self, client, link, self.operator)
        return self.countries[name]

    async def other_country(self, name: str, script: Script) -> Robot:
        """Have a country read its mailbox and answer by a script from now on, whenever the system settles."""
        robot = Robot(await self.country(name), script)
        self.robots.append(robot)
        return robot

    async def settled(self, *, figures: bool = True) -> None:
        """Wait until nothing is on its way: no message, no row, no deadline that is due, no robot that has to answer.

        Raises AssertionError with what waits where that is not reached.
        """
        while True:
            try:
                await until(self.settling.quiet, "the system to settle")
            except TimeoutError as error:
                raise AssertionError(f"not settled: {waiting(look(self.region))}, {self.complaints()}") from error
            if not any([await robot.act(self.clock.now()) for robot in self.robots]):
                break
        if figures:
            await until(self._folded, "the figures to be worked out")

    async def next_due(self) -> datetime | None:
        """Return when something happens next by itself: a deadline, or a robot's answer; None: nothing will."""
        dues = [await self.settling.next_due(), *(robot.next_due for robot in self.robots)]
        return min((due for due in dues if due), default=None)

    async def figures(self, row: str, *, country: str = "", **labels: str) -> Any:
        """Return a row of the Plan ("IE-3.1ii") as `/api/indicators/<id>` gives it, exact, with all consequences there.

        With `country` ("REG": the region's) or labels only the `values` that fit. LookupError: there is no such row.
        """
        await self.settled()
        found = await asyncio.to_thread(self._asked, row)
        if country or labels:
            found["values"] = [
                one
                for one in found["values"]
                if (not country or one["country"] == country) and labels.items() <= one["labels"].items()
            ]
        return found

    async def log(self, service: str, name: str | None = None) -> list[Event[Any]]:
        """Return what a service has recorded, in order; if a name is given ("victims.referral.sent"), only that."""
        return await self.processes.log(service, name)

    async def restart(self, *names: str) -> None:
        """Kill services, or "nats", and start them again; without a name, the whole region (PostgreSQL stays)."""
        wanted = names or ("nats", *SERVICES)
        for name in wanted:
            if name in SERVICES:
                self.processes.kill(name)
        if "nats" in wanted:
            nats = self.region.nats
            assert nats.process
            nats.process.kill()
            nats.process.wait()
            nats.start(self.region.accounts())
            await self._connected()
        self.start(*(name for name in wanted if name in SERVICES))
        await self.processes.ready(*(name for name in wanted if name in SERVICES))

    def start(self, *names: str) -> None:
        """Start services that do not run."""
        self.processes.start(*names, **self.env)

    def complaints(self) -> list[dict[str, Any]]:
        """Return what the services logged as errors."""
        lines = [line | {"process": name} for name in self.processes.begun for line in self.processes.output(name)]
        return [line for line in lines if line.get("level") in {"error", "critical"}]

    def addresses(self) -> dict[str, Any]:
        """Return what a program needs that is to be tried here."""
        return {
            "nats": self.region.nats.url,
            "board": self.board,
            "token": TOKEN,
            "countries": {
                name: {"address": one.address, "key": str(one.key)} for name, one in sorted(self.countries.items())
            },
        }

    async def _connected(self) -> None:
        """Wait until the operator's own connection is back."""
        await until(lambda: self.operator.is_connected, "the operator's connection")

    async def _folded(self) -> bool:
        headers = {"Accept": "text/plain", "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(f"{self.board}/metrics/operator", headers=headers)  # noqa: S310
        try:
            with await asyncio.to_thread(urllib.request.urlopen, request, timeout=ANSWER_S) as answer:
                text = answer.read().decode()
        except OSError:
            return False
        folded = {stream.upper(): float(at) for stream, at in FOLDED.findall(text)}
        ends = {service.upper(): look(self.region)[service.upper()]["state"]["last_seq"] for service in SERVICES}
        return all(folded.get(stream, 0) >= end for stream, end in ends.items())

    def _asked(self, row: str) -> Any:
        address = f"{self.board}/api/indicators/{quote(row, safe='')}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310 - our own address
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise LookupError(f"{row}: {json.load(error).get('detail', error.code)}") from None


@contextmanager
def _folder(servers: Servers) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="system-", dir=servers.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def fresh(
    servers: Servers, env: Mapping[str, str] = MappingProxyType({}), *, start: datetime = START
) -> AsyncIterator[CrmSystem]:
    """Start a system of its own, whose clock begins at `start`; `env`: further `CRM_` settings of its services.

    Nothing of it is left at the end.
    """
    with _folder(servers) as folder, servers.nats(folder / "nats") as nats:
        async with servers.region(nats) as region:
            running = System(region, folder)
            hand = SetClock(folder / "ahead_s", start.astimezone(UTC))
            port = free_port()
            whole = {"CRM_HTTP_PORT": str(port), "CRM_OPERATOR_TOKEN": TOKEN, **hand.env(), **env}
            running.start(*SERVICES, **whole)
            database = await asyncpg.connect(region.database_url())
            operator = await region.connect(OPERATOR, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
            settling = Settling(region, hand.now, database, operator, WAITS_FOR_US)
            system = CrmSystem(region, running, f"http://127.0.0.1:{port}", settling, operator, env=whole)
            system.clock = TestClock(system, hand)
            try:
                await running.ready()
                yield system
            finally:
                await running.end()
                for one in system.countries.values():
                    one.link.close()
                await database.close()
