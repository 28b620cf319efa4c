"""Plays a small history: reports go through the door and the judgements of every service, days pass, the fold follows.

All services work on one PostgreSQL, each in a transaction of its own that is rolled back at the end: so the next
history begins with nothing on record. What NATS does between them is done here: a service hears what its durables
filter for.
"""

import itertools
import re
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import msgspec

from infra.local.postgres import Postgres, remove
from infra.postgres.provision import DATABASE, passwords, provision
from services.indicators.__main__ import SERVICE as INDICATORS
from services.indicators.figures.disclosure import last_closed
from services.indicators.figures.examples import Example, Expected, Said, differences, evening, moment
from services.indicators.figures.kept import Kept
from services.indicators.figures.kinds import Span
from services.indicators.folded.feed import Feed
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import Plan
from services.indicators.publish.announce import Announcer
from services.intel.__main__ import SERVICE as INTEL
from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE as TRAINING
from services.victims import receipts
from services.victims.__main__ import SERVICE as VICTIMS
from shared import contracts
from shared.contracts import SERVICES, Event, Refused
from shared.contracts.reads import READS
from shared.contracts.report import accepted, said
from shared.flow.refusing import rejected
from shared.flow.streams import intake_of
from shared.flow.taken import Taken
from shared.record import deadlines
from shared.record.judgement import Unknown
from shared.record.log import Draft, Log
from shared.run.clock import Clock
from shared.run.database import Connection, Pool

ALL = (INTEL, VICTIMS, LEGAL, TRAINING, INDICATORS)
EPOCH = datetime(2003, 5, 9, tzinfo=UTC)
"""Where a history without reports begins."""
VAULT = re.compile(rb"urn:crm:vault:[A-Z]{3}:")
READ = "read"
"""What a country does that is no report: it acknowledges all that its mailbox offers."""


class ExampleError(Exception):
    """The history cannot be played as it is written; the message says which report, and why."""


@dataclass
class _Standing:
    """A clock that stands until it is moved."""

    at: datetime
    speed: float = 0.0

    def now(self) -> datetime:
        return self.at


@dataclass
class _Single:
    """A pool of one connection, inside one transaction that is never committed."""

    connection: Connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield self.connection

    def __getattr__(self, name: str) -> Any:  # fetch, fetchrow, fetchval, execute: as the pool's own
        return getattr(self.connection, name)


@dataclass
class _Folded:
    """What the announcer sees of the feed."""

    state: Any


@dataclass
class _Sent:
    """A report that was sent, or waits for what it refers to."""

    what: Said
    sender: str
    body: dict[str, Any]
    taken: Taken
    draft: Draft
    service: str


@dataclass
class History:
    """All services at work on one example."""

    plan: Plan
    logs: Mapping[str, Log]
    clock: _Standing
    fold: Fold
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _positions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 0))
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _waiting: "deque[_Sent]" = field(default_factory=deque)
    _announcer: Announcer | None = None

    @classmethod
    @asynccontextmanager
    async def begun(
        cls, plan: Plan, connections: Mapping[str, Connection], since: datetime
    ) -> AsyncIterator["History"]:
        """Yield a history with nothing on record; `connections`: service -> one to its schema."""
        clock = _Standing(since)
        async with AsyncExitStack() as stack:
            logs = {}
            for service in ALL:
                transaction = connections[service.name].transaction()
                await transaction.start()
                stack.push_async_callback(transaction.rollback)
                pool, standing = cast("Pool", _Single(connections[service.name])), cast("Clock", clock)
                logs[service.name] = Log(service.name, pool, standing, service.judged())
            yield cls(plan, logs, clock, Fold(plan))

    def _kept(self, own: Log) -> Kept:
        def today() -> date:
            return own.clock.now().date()

        rule = self.plan.disclosure
        return Kept(self.plan, lambda: self.fold.state, lambda: Span.now(today()), lambda: last_closed(rule, today()))

    async def play(self, example: Example) -> list[str]:
        """Play it; return in words what is seen otherwise than expected. Raises ExampleError."""
        steps: list[tuple[datetime, int, Said | Expected]] = [
            (moment(one.recorded or one.on), 0, one) for one in example.reports
        ]
        steps += [(evening(one.on), 1, one) for one in example.expect if one.on]
        found = []
        if any(_announced(self.plan, identity) for identity in example.of):
            feed = cast("Feed", _Folded(self.fold.state))
            own = self.logs["indicators"]
            self._announcer = Announcer(own, feed, self.plan, self._kept(own), {}, {}, {}, {})
        for at, _, one in sorted(steps, key=lambda step: step[:2]):
            await self._until(at)
            if isinstance(one, Expected):
                found += differences(self.plan, example, one, self.fold.state)
            else:
                await self._tell(one)
        for waiting in self._waiting:
            message = f"{waiting.what.event} of {waiting.sender} still waits for what it refers to"
            raise ExampleError(message)
        for one in example.expect:
            if not one.on:
                found += differences(self.plan, example, one, self.fold.state)
        return found

    async def _until(self, at: datetime) -> None:
        """Let time pass: what is due happens when it is due, and each evening what there is to announce is told."""
        while True:
            due = [
                (row["due"], service)
                for service, log in self.logs.items()
                for row in await log.pool.fetch("select due from deadline where due <= $1 order by due limit 1", at)
            ]
            night = evening(str(self.clock.at.date())) + timedelta(seconds=1)
            if self._announcer and night <= at and night <= min([at, *(one for one, _ in due)]):
                self.clock.at = night
                await self._announcer.look()
            elif due:
                when, service = min(due)
                self.clock.at = max(self.clock.at, when)
                log = self.logs[service]
                async with log.pool.acquire() as connection, connection.transaction():
                    await deadlines.fire(log, connection)
            else:
                break
            await self._spread()
        self.clock.at = at
        if self._announcer:
            await self._announcer.look()
            await self._spread()

    async def _tell(self, one: Said) -> None:
        for sender in one.senders:
            if one.event == READ:
                await self._read(sender)
            else:
                for number in range(1, one.times + 1):
                    await self._report(one, sender, number)
            await self._spread()

    async def _read(self, country: str) -> None:
        log = self.logs["victims"]
        async with log.pool.acquire() as connection:
            rows = await connection.fetch("select position from log where type like 'crm.victims.referral.offered.%'")
            await receipts.deliver(log, connection, country, [row["position"] for row in rows])

    async def _report(self, one: Said, sender: str, number: int) -> None:
        body = self._body(one, sender, number)
        service = body["type"].split(".")[1]
        subject = f"crm.in.{sender}.{body['type'][4:].rpartition('.')[0]}"
        payload = msgspec.json.encode(body)
        stored = int(self.clock.at.timestamp() * 1e9)
        taken = Taken(intake_of(sender), next(self._ids), stored, subject, None, payload)
        try:
            event = accepted(subject, None, payload, self.clock.now())
            sent = _Sent(one, sender, body, taken, Draft(event, said=said(None, payload, event)), service)
        except Refused as refusal:
            await self._refuse(one, taken, service, refusal)
            return
        self._sent[_named(one.id, sender, number)] = sent
        await self._record(sent)

    async def _refuse(self, one: Said, taken: Taken, service: str, refusal: Refused) -> None:
        """Record the refusal that the example expects, as the service does."""
        codes = [problem.code for problem in refusal.problems]
        if not one.refused or one.refused not in codes:
            what = one.event or one.corrects or one.retracts
            raise ExampleError(f"{what} of {taken.country} was refused: {refusal.problems}")
        await self.logs[service].record([Draft(rejected(service, taken, refusal, self.clock.now()))])

    async def _record(self, sent: _Sent) -> None:
        (outcome,) = await self.logs[sent.service].record([sent.draft])
        if isinstance(outcome, Unknown):
            self._waiting.append(sent)
        elif isinstance(outcome, Refused):
            await self._refuse(sent.what, sent.taken, sent.service, outcome)
        elif outcome is not None:
            raise outcome
        elif sent.what.refused:
            raise ExampleError(f"{sent.what.event} of {sent.sender} was recorded, not refused ({sent.what.refused})")

    def _body(self, one: Said, sender: str, number: int) -> dict[str, Any]:
        amended = one.corrects or one.retracts
        base = self._amended(amended, sender, number) if amended else None
        changes = _filled(one.data, sender, number)
        if base is None:
            agreed = _agreed(one.event)
            fields = msgspec.structs.fields(agreed.data)
            own = {one.encode_name: sender for one in fields if one.name == agreed.owner}  # nobody else may send it
            data = _of_own(dict(agreed.good), sender) | own | changes
            data = {name: value for name, value in data.items() if name not in one.without}
            wire, about = agreed.type, one.subject
        else:
            service, entity = base.body["type"].split(".")[1:3]
            wire = f"crm.{service}.{entity}.{'corrected' if one.corrects else 'retracted'}.v1"
            data = {"supersedes": base.body["id"], "reported_by": base.body["data"].get("reported_by", "police")}
            data |= {"data": base.body["data"] | changes} if one.corrects else {"reason": "mistaken"}
            about = base.body.get("subject", "")
        body = {
            "specversion": "1.0",
            "id": f"x-{next(self._ids)}",
            "source": contracts.source_of(sender, "example"),
            "type": wire,
            "time": moment(one.on).isoformat(),
            "data": msgspec.to_builtins(data),
        }
        return body | ({"subject": about} if about else {})

    def _amended(self, name: str, sender: str, number: int) -> _Sent:
        for one in (_named(name, sender, number), _named(name, sender, 1)):
            if one in self._sent:
                return self._sent[one]
        raise ExampleError(f"{sender} reported nothing under {name!r}")

    async def _spread(self) -> None:
        """Bring what was recorded to the fold and to the services that act on it, until nothing new comes."""
        moved = True
        while moved:
            moved = False
            for service, log in self.logs.items():
                rows = await log.pool.fetch(
                    "select position, payload from log where position > $1 order by position", self._positions[service]
                )
                for row in rows:
                    moved = True
                    self._positions[service] = row["position"]
                    self.fold.apply(service, row["position"], bytes(row["payload"]))
                    await self._hear(service, contracts.decode(row["payload"]))
            if moved and self._waiting:
                for _ in range(len(self._waiting)):
                    await self._record(self._waiting.popleft())

    async def _hear(self, service: str, event: Event[Any]) -> None:
        for reader, names in READS.items():
            if event.name in names and reader != service:
                drafts = [Draft(event, (service.upper(), event.sequence))]
                for outcome in await self.logs[reader].record(drafts):
                    if outcome is not None:
                        raise outcome


def _announced(plan: Plan, identity: str) -> bool:
    """Say whether a row or milestone is fed by what the indicators service itself tells."""
    row, milestone = plan.rows.get(identity), plan.milestones.get(identity)
    names = [term.event for term in row.term] if row else [done.event for done in milestone.done] if milestone else []
    return any(
        agreed.name in names and agreed.service == "indicators" and not agreed.reported
        for agreed in contracts.registry().values()
    )


def _agreed(name: str) -> contracts.Contract:
    found = [one for one in contracts.registry().values() if one.name == name and one.reported]
    if not found:
        raise ExampleError(f"there is no report {name!r}")
    return max(found, key=lambda one: one.version)


def _named(name: str, sender: str, number: int) -> str:
    return f"{name}/{sender}/{number}"


def _of_own(good: Any, sender: str) -> Any:
    """Return a contract's example with its claim checks in the sender's own vault."""
    return msgspec.json.decode(VAULT.sub(f"urn:crm:vault:{sender}:".encode(), msgspec.json.encode(good)))


def _filled(value: Any, sender: str, number: int) -> Any:
    """Return a value with the sender and the number put in where it says so."""
    if isinstance(value, str):
        return value.replace("{by}", sender).replace("{n}", str(number))
    if isinstance(value, dict):
        return {name: _filled(one, sender, number) for name, one in value.items()}
    return [_filled(one, sender, number) for one in value] if isinstance(value, list) else value


@asynccontextmanager
async def servers() -> AsyncIterator[Mapping[str, str]]:
    """Start a PostgreSQL that ends with the context; yield for each service the address of its schema."""
    with tempfile.TemporaryDirectory(prefix="crm-examples-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            secrets = passwords(Path(folder) / "creds")
            await provision(server.url(database="postgres"), secrets)
            yield {service: server.url(service, secrets[service], DATABASE) for service in SERVICES}
        finally:
            server.stop()
            remove(Path(folder))


async def played(plan: Plan, examples: Sequence[Example], addresses: Mapping[str, str]) -> dict[int, list[str]]:
    """Play each example; return for its place among them what was otherwise than expected (empty: nothing)."""
    found = {}
    async with AsyncExitStack() as stack:
        connections: dict[str, Connection] = {}
        for service, address in addresses.items():
            settings = {"search_path": service, "timezone": "UTC", "enable_seqscan": "off"}
            connections[service] = await asyncpg.connect(address, server_settings=settings)
            stack.push_async_callback(connections[service].close)
        for place, example in enumerate(examples):
            since = min(moment(one.recorded or one.on) for one in example.reports) if example.reports else EPOCH
            async with History.begun(plan, connections, since) as history:
                try:
                    found[place] = await history.play(example)
                except ExampleError as error:
                    found[place] = [f"{one} cannot be played: {error}" for one in example.of]
    return found
