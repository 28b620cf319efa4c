"""A running system that is sent anything: what became of each message, and whether all of it still stands."""

import asyncio
import contextlib
import json
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from prometheus_client.parser import text_string_to_metric_families

from infra.nats import limits
from infra.nats.rights import CENTRAL
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.batch import publish_batch
from shared.flow.streams import RECEIVERS
from tests.fuzz.edges import Sent
from tests.harness.scraping import scraped
from tests.harness.speaking import clock
from tests.harness.system import System, free_port, resident_mb, until

ROUND = 5_000
"""Reports that are out at once; the next are sent when each of these was recorded or refused."""
TURN_S = 240
"""So long a report may take from its acknowledgement to its verdict, on a machine with ten times too much to do."""
BATCH, BATCH_BYTES, BATCHES = 400, 2 * 1024 * 1024, 10
IN_FLIGHT = 300
LINES_BYTES = 1024
"""So much the ends of a message's lines may take beside its headers and payload."""
ANSWER_S = 60
REFUSED_AT_ONCE = "refused by the server"


@dataclass
class Live:
    """Five services as processes, a connection for each country, and a ledger of what was sent."""

    system: System
    reads: bool = True
    """Whether each mailbox is read all the time."""
    ports: dict[str, int] = field(default_factory=dict)
    """Where each service's operators' endpoints are; `board`: where the board is."""
    clients: dict[str, Client] = field(default_factory=dict)
    database: asyncpg.Connection | None = None
    read: Counter[str] = field(default_factory=Counter)
    """Position up to which each service's log was read."""
    recorded: set[tuple[str, str]] = field(default_factory=set)
    refused: set[tuple[str, int]] = field(default_factory=set)
    told: list[bytes] = field(default_factory=list)
    """The rejections as they were recorded, since they were last looked at."""
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    """What was acknowledged and neither recorded nor refused in time."""
    slowest_s: float = 0.0
    mailboxes: list["asyncio.Task[None]"] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)

    async def start(self) -> None:
        self.ports = {name: free_port() for name in (*SERVICES, "board")}
        for name in SERVICES:
            env = {"CRM_OPS_PORT": str(self.ports[name]), "CRM_HTTP_PORT": str(self.ports["board"])}
            self.system.start(name, CRM_REFERENCE_WAIT_S="1", **env, **clock())
        await self.system.ready()
        self.database = await asyncpg.connect(self.system.region.database_url())
        for country in MEMBERS:
            self.clients[country] = await self.system.region.connect(country)
        for receiver in RECEIVERS if self.reads else ():  # a seat that is handed over is told to secretariats as well
            self.mailboxes.append(asyncio.create_task(self._read_mailbox(receiver), name=receiver))

    async def _read_mailbox(self, receiver: str) -> None:
        client = await self.system.country(receiver)
        async for _ in client.mailbox():
            self.heard[receiver] += 1

    async def stop(self) -> None:
        for task in self.mailboxes:
            task.cancel()
        await asyncio.gather(*self.mailboxes, return_exceptions=True)
        if self.database:
            await self.database.close()

    async def send(self, reports: Iterable[Sent]) -> None:
        """Publish reports, and wait until each was recorded or refused."""
        waiting: dict[tuple[str, int], tuple[Sent, Any]] = {}
        batches: dict[str, list[Sent]] = defaultdict(list)
        singly = []
        for one in [one for one in reports if not await self._cut_off(one)]:
            (singly if one.headers is not None else batches[one.country]).append(one)
        limit, begun = asyncio.Semaphore(IN_FLIGHT), asyncio.Semaphore(BATCHES)
        parts = [part for same in batches.values() for part in _parts(same)]
        sent = await asyncio.gather(
            *(self._batch(part, begun, limit) for part in parts), *(self._single(one, limit) for one in singly)
        )
        for one, sequence in (pair for pairs in sent for pair in pairs):
            waiting[one.country, sequence] = one, _identity(one)
        await self._judged(waiting)

    async def _batch(
        self, part: Sequence[Sent], begun: asyncio.Semaphore, limit: asyncio.Semaphore
    ) -> list[tuple[Sent, int]]:
        try:
            async with begun:
                last = await publish_batch(self.clients[part[0].country], [(one.subject, one.payload) for one in part])
        except (APIError, NatsError):
            pairs = [await self._single(one, limit) for one in part]
            return [pair for found in pairs for pair in found]
        return [(one, last - len(part) + number) for number, one in enumerate(part, start=1)]

    async def _cut_off(self, one: Sent) -> bool:
        """Send what is more than the server takes by a connection of its own, as the server ends that."""
        headers = sum(len(f"{name}: {value}".encode(errors="replace")) for name, value in (one.headers or {}).items())
        if headers + len(one.payload) < limits.account(one.country)["max_payload"] - LINES_BYTES:
            return False
        client = await self.system.region.connect(one.country)
        with contextlib.suppress(NatsError):
            await client.publish(one.subject, one.payload, headers=one.headers)
            await client.flush(TURN_S)
        await client.close()
        self.outcomes["more than the server takes"] += 1
        return True

    async def _single(self, one: Sent, limit: asyncio.Semaphore) -> list[tuple[Sent, int]]:
        async with limit:
            try:
                answer = await self.clients[one.country].request(
                    one.subject, one.payload, timeout=TURN_S, headers=one.headers
                )
            except nats.errors.NoRespondersError:
                self.outcomes["nobody listens there"] += 1
                return []
            except NatsError as error:
                self.lost.append(f"{error!r}: {one.subject} {one.headers} {one.payload[:2000]!r}")
                return []
        reply = json.loads(answer.data or b"{}")
        if "error" in reply or "seq" not in reply or reply.get("duplicate"):
            self.outcomes[REFUSED_AT_ONCE] += 1
            return []
        return [(one, reply["seq"])]

    async def ask(self, questions: Iterable[Sent]) -> list[bytes]:
        """Ask, and return the answers; a question without one is among the lost."""
        limit = asyncio.Semaphore(IN_FLIGHT)
        fit = [one for one in questions if not await self._cut_off(one)]
        return [answer for answer in await asyncio.gather(*(self._asked(one, limit) for one in fit)) if answer]

    async def _asked(self, one: Sent, limit: asyncio.Semaphore) -> bytes:
        async with limit:
            try:
                answer = await self.clients[one.country].request(
                    one.subject, one.payload, timeout=ANSWER_S, headers=one.headers
                )
            except nats.errors.NoRespondersError:
                self.outcomes["nobody listens there"] += 1
                return b""
            except NatsError as error:
                self.lost.append(f"{error!r}: {one.subject} {one.payload[:2000]!r}")
                return b""
        reply = json.loads(answer.data)
        self.outcomes[f"question: {reply['error']['code'] if 'error' in reply else 'answered'}"] += 1
        return answer.data

    async def _judged(self, waiting: dict[tuple[str, int], tuple[Sent, Any]]) -> None:
        began = time.monotonic()

        async def all_are() -> bool:
            assert not self._ended(), self._ended()
            await self._read_logs()
            for key in [key for key, (_, identity) in waiting.items() if self._verdict(key, identity)]:
                self.outcomes[self._verdict(key, waiting.pop(key)[1])] += 1
            return not waiting

        try:
            await until(all_are, "each report to be recorded or refused", TURN_S)
        except TimeoutError:
            self.lost += [
                f"{one.about}: {one.subject} {one.headers} {one.payload[:2000]!r}" for one, _ in waiting.values()
            ]
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def _verdict(self, key: tuple[str, int], identity: Any) -> str:
        if key in self.refused:
            return "refused"
        return "recorded" if identity in self.recorded else ""

    async def _read_logs(self) -> None:
        assert self.database
        for service in SERVICES:
            query = (
                f"select position, source, id, type, payload from {service}.log where position > $1 order by position"
            )
            for row in await self.database.fetch(query, self.read[service]):
                self.read[service] = row["position"]
                if row["type"].endswith("report.rejected.v1"):
                    event = json.loads(row["payload"])
                    self.refused.add((event["country"], event["data"]["intake_sequence"]))
                    self.told.append(row["payload"])
                    self.codes.update({problem["code"] for problem in event["data"]["problems"]})
                else:
                    self.recorded.add((row["source"], row["id"]))

    async def settled(self) -> None:
        """Wait until every durable is empty, the fold at the end, every mailbox read and everybody ready."""
        try:
            await until(lambda: not self._unsettled(), "every reader to be at its end", TURN_S)
        except TimeoutError:
            raise AssertionError(self._unsettled()) from None
        assert self.database
        for service in SERVICES:
            query = f"select kind, subject, reason, payload from {service}.aside limit 20"
            aside = [dict(row) for row in await self.database.fetch(query)]
            assert not aside, f"{service} has set aside, and not decided: {aside}"

    def _unsettled(self) -> list[str]:
        """Say what still has something to do, in words."""
        found = [
            f"{name} ended with {one.poll()}" for name, one in self.system.processes.items() if one.poll() is not None
        ]
        found += [f"mailbox of {task.get_name()}: {task.exception()!r}" for task in self.mailboxes if task.done()]
        streams = self._streams()
        for stream in streams.values():
            for reader in stream.get("consumer_detail", ()):
                if reader["num_pending"] or reader["num_ack_pending"]:
                    left = f"{reader['num_pending']} and {reader['num_ack_pending']}"
                    found.append(f"{stream['name']} has {left} for {reader['name']}")
        for family in text_string_to_metric_families(scraped(self.ports["board"])):
            for sample in family.samples:
                if sample.name == "crm_fold_aside_events":
                    found += [f"the fold has set aside {sample.value:.0f} {sample.labels}"] if sample.value else []
                if sample.name == "crm_fold_sequence":
                    last = streams[sample.labels["stream"]]["state"]["last_seq"]
                    found += [f"fold: {sample.value:.0f} of {last} {sample.labels}"] if sample.value != last else []
        for name in self.ports:
            status, text = self.get(name, "/readyz")
            found += [f"{name} is not ready: {text}"] if status != 200 else []
        return found

    def _ended(self) -> list[str]:
        ends = {name: process.poll() for name, process in self.system.processes.items()}
        return [f"{name} ended with {code}" for name, code in ends.items() if code is not None]

    def _streams(self) -> dict[str, Any]:
        _, text = fetched(f"{self.system.region.nats.monitor}/jsz?acc={CENTRAL}&consumers=true")
        (account,) = json.loads(text)["account_details"]
        return {stream["name"]: stream for stream in account["stream_detail"]}

    def get(self, name: str, path: str) -> tuple[int, str]:
        """Status and body of an answer on one of `ports`."""
        return fetched(f"http://127.0.0.1:{self.ports[name]}{path}")

    def memory(self) -> dict[str, float]:
        """Resident memory (MB) by process."""
        processes = {**self.system.processes, "nats": self.system.region.nats.process}
        return {name: resident_mb(process.pid) for name, process in processes.items() if process}

    def streams(self) -> int:
        """How many streams nats-server keeps."""
        number: int = json.loads(fetched(f"{self.system.region.nats.monitor}/jsz")[1])["streams"]
        return number


def fetched(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def _parts(same: Sequence[Sent]) -> Iterable[list[Sent]]:
    part: list[Sent] = []
    size = 0
    for one in same:
        if part and (len(part) == BATCH or size + len(one.payload) > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one.payload)
    if part:
        yield part


def _identity(one: Sent) -> tuple[Any, ...] | None:
    """Under which source and id a report is recorded, if it is."""
    try:
        value = json.loads(one.payload)
    except (ValueError, RecursionError):
        return None
    named = (value.get("source"), value.get("id")) if isinstance(value, dict) else ()
    return named if all(isinstance(part, str) for part in named) else None
