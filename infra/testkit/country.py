"""A country of a test: reports, sees what becomes of them, reads its mailbox, answers."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from nats.aio.client import Client

from infra.nats.asking import ask
from infra.testkit import proxy
from infra.testkit.processes import until
from infra.testkit.proxy import Proxy
from shared import contracts
from shared.client import CountryClient
from shared.contracts import Event, Problem
from shared.contracts.vocabulary import Holder
from shared.flow.streams import MAILBOX, intake_of

if TYPE_CHECKING:
    from infra.testkit.system import CrmSystem

FETCH_S = 10.0
STORED_S = 5.0
SUBJECT = "thing-1"
"""What a report is about whose data do not name it."""


def example(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return the data of the contract's good example, changed; `...` takes a field away."""
    data = dict(contracts.registry()[contracts.reported_type(name)].good) | changes
    return {key: value for key, value in data.items() if value is not ...}


def of_own(data: dict[str, Any], country: str) -> dict[str, Any]:
    """Return the data with claim checks that name a vault of this country, as each country's must."""
    ours, theirs = "urn:crm:vault:GTM:", f"urn:crm:vault:{country}:"
    return {key: value.replace(ours, theirs) if isinstance(value, str) else value for key, value in data.items()}


def fits(event: Event[Any], name: str | None, fields: dict[str, Any]) -> bool:
    """Return whether an event is of this name (if one is given), and its data have these fields."""
    right = name is None or event.name == name
    return right and all(getattr(event.data, key, None) == value for key, value in fields.items())


@dataclass(frozen=True)
class Outcome:
    """What became of a report: `event` as it is recorded, or `problems`; neither: it waits for what it refers to."""

    id: str
    event: Event[Any] | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> set[tuple[str, str]]:
        """Pointer and code of all that was found wrong."""
        return {(problem.pointer, problem.code) for problem in self.problems}

    @property
    def recorded(self) -> Event[Any]:
        """The report as it is recorded; AssertionError with what was wrong where it is not."""
        assert self.event, f"not recorded: {self.problems or 'it waits for what it refers to'}"
        return self.event


class Link:
    """A country's way to the region, which can be cut. It runs in a thread of its own: a test may block."""

    def __init__(self, target: tuple[str, int]) -> None:
        """Begin to forward to the region."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()
        self._proxy = Proxy(target)
        self._do(self._proxy.start())
        self.address = f"nats://127.0.0.1:{self._proxy.port}"

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        self._become(proxy.CUT)

    def hang(self) -> None:
        """Move no byte any more, without an end: a half-open link."""
        self._become(proxy.SILENT)

    def deafen(self) -> None:
        """Let through what the country sends, and hold what it is answered."""
        self._become(proxy.DEAF)

    def slow(self) -> None:
        """Let 40 KB through a second."""
        self._become(proxy.SLOW)

    def mend(self) -> None:
        """Be a good link again."""
        self._become(proxy.OPEN)

    def close(self) -> None:
        """End it."""
        self._do(self._proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _become(self, mode: str) -> None:
        async def become() -> None:
            self._proxy.become(mode)

        self._do(become())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


@dataclass
class Country:
    """One country: `address` and `key` are what its own system needs to connect."""

    name: Holder
    system: "CrmSystem"
    client: CountryClient
    link: Link
    operator: Client
    box: list[Event[Any]] = field(default_factory=list)
    """All that was read of the mailbox."""

    @property
    def address(self) -> str:
        """Where this country's system finds the region, by its own link."""
        return self.link.address

    @property
    def key(self) -> Path:
        """The file with this country's secret key."""
        return self.system.region.seed(self.name)

    def report(
        self, name: str, /, *, time: datetime | None = None, envelope: Any = (), **fields: Any
    ) -> dict[str, Any]:
        """Return a report: the contract's example with other fields (`...`: without one).

        `envelope` holds further arguments of `CountryClient.report`, such as `id`, `subject` or `causationid`.
        """
        at, more = time or self.system.clock.now(), dict(envelope)
        data = of_own(example(name, **fields), self.name)
        agreed = contracts.registry()[contracts.reported_type(name)]
        if not (agreed.entity and data.get(agreed.entity)):
            more.setdefault("subject", SUBJECT)
        return self.client.report(name, data, time=at, **more)

    async def tell(self, name: str, /, **fields: Any) -> Outcome:
        """Send a report made by `report`, and return what became of it."""
        return await self.send(self.report(name, **fields))

    async def send(self, report: dict[str, Any]) -> Outcome:
        """Send a report as it is, right or wrong, and return what became of it."""
        name = str(report.get("type", "")).removeprefix("crm.").rpartition(".")[0]
        return await self.send_bytes(f"report.{name}", msgspec.json.encode(report), str(report.get("id", "")))

    async def send_bytes(
        self, subject: str, payload: bytes, report_id: str, headers: dict[str, str] | None = None
    ) -> Outcome:
        """Send any bytes to a subject (`report.<service>.<entity>.<verb>`), and return what became of them."""
        answer = await self.client.client.request(subject, payload, timeout=STORED_S, headers=headers)
        stored = json.loads(answer.data)
        assert "seq" in stored, f"not stored: {stored.get('error')}"
        return await self._outcome(subject.split(".")[1], report_id, int(stored["seq"]))

    async def outcome(self, service: str, report_id: str) -> Outcome:
        """Wait until a report of this country with this id is recorded or refused, whoever sent it."""
        found: Outcome = await until(lambda: self._found(service, report_id), f"an outcome of {report_id}")
        return found

    async def answer(self, mail: Event[Any], name: str, /, **fields: Any) -> Outcome:
        """Report because of what came in the mailbox: fields of the same name are taken over, and it is the cause."""
        return await self.send(self.answering(mail, name, **fields))

    def answering(self, mail: Event[Any], name: str, /, **fields: Any) -> dict[str, Any]:
        """Return the report that `answer` sends."""
        said, known = msgspec.to_builtins(mail.data), example(name)
        taken = {key: said[key] for key in known if key in said}
        return self.report(name, envelope={"causationid": mail.id}, **(taken | fields))

    async def mailbox(self, name: str | None = None, /, **fields: Any) -> list[Event[Any]]:
        """Read and acknowledge all that has come, and return what was read so far: of this name, with these fields."""
        await self._read()
        return [event for event in self.box if fits(event, name, fields)]

    async def unread(self) -> int:
        """Return how many messages wait in the mailbox."""
        info = await ask(self.operator, f"CONSUMER.INFO.{MAILBOX}.{self.name}")
        return int(info["num_pending"])

    async def _read(self) -> None:
        subscription = None
        try:
            while number := await self.unread():
                if subscription is None:
                    stream = self.client.client.jetstream()
                    subscription = await stream.pull_subscribe_bind(durable=self.name, stream=MAILBOX)
                for message in await subscription.fetch(min(number, 100), timeout=FETCH_S):
                    self.box.append(contracts.decode(message.data))
                    await message.ack()
        finally:
            if subscription is not None:
                with contextlib.suppress(OSError):
                    await subscription.unsubscribe()

    async def _outcome(self, service: str, report_id: str, sequence: int) -> Outcome:
        """Wait until the report at a sequence of the own intake is handled; return what became of it."""
        durable = f"CONSUMER.INFO.{intake_of(self.name)}.{service}"

        async def handled() -> bool:
            answer = await ask(self.operator, durable)
            if "error" in answer:  # a service that there is not
                return True
            # The server stores a message before it counts it among those that a durable has left.
            delivered, acknowledged = (answer[which]["stream_seq"] for which in ("delivered", "ack_floor"))
            return bool(acknowledged >= sequence or (delivered >= sequence and not _left(answer)))

        await until(handled, f"report {sequence} of {self.name} to be handled")
        return await self._found(service, report_id, sequence) or Outcome(report_id)

    async def _found(self, service: str, report_id: str, sequence: int | None = None) -> Outcome | None:
        if service not in contracts.SERVICES:
            return None
        rejected = f"crm.{service}.report.rejected.v1"
        rows = await self.system.processes.rows(
            service,
            "select payload from log where type = $1 and country = $2 order by position desc",
            rejected,
            contracts.place_of(self.name),
        )
        for row in rows:
            data = contracts.decode(row["payload"]).data
            if data.intake_sequence == sequence if sequence else data.report_id == report_id:
                return Outcome(report_id, problems=tuple(data.problems))
        like = contracts.source_of(self.name, "")
        rows = await self.system.processes.rows(
            service, "select payload from log where id = $1 and starts_with(source, $2)", report_id, like
        )
        return Outcome(report_id, contracts.decode(rows[0]["payload"])) if rows else None


def _left(consumer: dict[str, Any]) -> int:
    """Return how many messages a consumer has not handled."""
    return int(consumer["num_pending"]) + int(consumer["num_ack_pending"])
