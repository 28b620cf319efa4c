"""A service's log as its attacker holds it: written, copied, signed and asked about without the service's process."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
import pytest

from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery.recount import Witnessed
from infra.recovery.verify import Comparison, compare
from infra.testkit.servers import ROOT, Region
from infra.witnessing import log_file, logs_file, witnesses_file
from shared.ask.logs import answering
from shared.ask.questions import Asked
from shared.client.errors import Invalid
from shared.contracts import Event, questions
from shared.flow.checkpoints import Checkpoints
from shared.flow.relay import Relay
from shared.flow.streams import CHECKPOINTS, stream_of
from shared.record import note
from shared.record.chain import GENESIS, chained
from shared.run import database
from shared.run.database import Pool
from shared.run.settings import Settings
from tests.harness.speaking import NOW, example

SERVICE = "training"
NAME = "training.official.enrolled"
COLUMNS = ["position", "source", "id", "type", "country", "entity", "payload", "hash"]


def recorded(position: int, number: int, country: str = "GTM") -> Event[Any]:
    """An event that stands at a position; its content goes by a number of its own."""
    return Event(
        specversion="1.0",
        id=f"e-{number}",
        source=f"urn:crm:country:{country}:test",
        type=f"crm.{NAME}.v1",
        time=NOW,
        country=country,  # type: ignore[arg-type]
        data=example(NAME, officer_pid=f"of-{number}"),
        recordedtime=NOW,
        sequence=position,
        subject=f"of-{number}",
    )


@dataclass
class Ledger:
    region: Region
    owner: asyncpg.Connection
    pool: Pool
    signing: Checkpoints | None = None
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    async def of(cls, region: Region, owner: asyncpg.Connection) -> "Ledger":
        settings = Settings(database_url=region.database_url(SERVICE))
        return cls(region, owner, await database.connect(settings, SERVICE))

    async def grow(self, count: int, country: str = "GTM") -> None:
        """Record so many rows more."""
        rows = await self.rows()
        for _ in range(count):
            rows.append(recorded(len(rows) + 1, next(self.numbers), country))
        await self.rewrite(rows[-count:], len(rows) - count)

    async def rows(self) -> list[Event[Any]]:
        found = await self.owner.fetch(f"select payload from {SERVICE}.log order by position")
        return [msgspec.json.decode(payload, type=Event[Any]) for (payload,) in found]

    async def rewrite(self, events: list[Event[Any]], kept: int = 0) -> None:
        """Have the log be these behind the first `kept` rows; positions, chain and the ids' table are right again."""
        await self.owner.execute(f"delete from {SERVICE}.log where position > {kept}")
        await self.owner.execute(f"delete from {SERVICE}.recorded where position > {kept}")
        before = await self.owner.fetchval(f"select hash from {SERVICE}.log where position = {kept}") or GENESIS
        rows = []
        for position, event in enumerate(events, kept + 1):
            one = msgspec.structs.replace(event, sequence=position)
            payload = msgspec.json.encode(one)
            before = chained(before, payload)
            rows.append((position, one.source, one.id, one.type, one.country, one.subject, payload, before))
        await self.owner.copy_records_to_table("log", schema_name=SERVICE, columns=COLUMNS, records=rows)

    async def sign(self) -> str:
        """What the service does every second: sign what its log is; return the note."""
        if self.signing is None:
            key = note.signer_in(log_file(self.region.keys.folder, SERVICE))
            self.signing = Checkpoints(SERVICE, self.pool, await self.region.connect(SERVICE), key, pace_s=0)
            self.signing.last = await self.signing.published()
        assert await self.signing.look()
        return await self.owner.fetchval(f"select signed from {SERVICE}.checkpoint order by size desc limit 1")

    async def forget(self) -> None:
        """Whatever reminds of the log that was: tables, streams, its process. The key is not had."""
        for table in ("tile", "checkpoint", "cosignature"):
            await self.owner.execute(f"delete from {SERVICE}.{table}")
        root = await self.region.connect(ROOT)
        for stream in (CHECKPOINTS, "MAILBOX", stream_of(SERVICE)):
            answer = await root.request(f"$JS.API.STREAM.DELETE.{stream}", b"", timeout=5)
            assert json.loads(answer.data).get("success"), answer.data
        await provision(await self.region.connect(PROVISIONER))
        self.signing = None

    async def copy(self) -> None:
        relay = Relay(SERVICE, self.pool, await self.region.connect(SERVICE))
        async with self.pool.acquire() as connection:
            relay.position = await relay.compared(connection)
            while await relay.copy(connection):
                pass

    async def verified(self) -> Comparison:
        """What `crm verify` finds."""
        known = Witnessed.of(self.region.keys.folder)
        return await compare(self.owner, await self.region.connect("operator"), SERVICE, witnessed=known)

    def client(self, country: str) -> "Asking":
        return Asking(self, country)

    @property
    def logs(self) -> list[note.Verifier]:
        return note.verifiers_in(logs_file(self.region.keys.folder))


@dataclass
class Asking:
    """A country's way to ask, without NATS between."""

    ledger: Ledger
    country: str

    async def ask(self, service: str, question: str, data: dict[str, Any]) -> Any:
        agreed = questions.of(service, question)
        asked = questions.read(agreed, msgspec.json.encode(data))
        if isinstance(asked, questions.Error):
            raise Invalid(asked.problems)
        answers = answering(witnesses_file(self.ledger.region.keys.folder))
        async with self.ledger.pool.acquire() as connection, connection.transaction():
            (answer,) = await answers[agreed.ask]([Asked(self.country, asked, NOW)], connection)
        if isinstance(answer, questions.Error):
            raise Invalid(answer.problems)
        return answer


@pytest.fixture
async def ledger(region):
    """A ledger over the region's training log, as the owner of its database."""
    owner = await asyncpg.connect(region.database_url())
    found = await Ledger.of(region, owner)
    yield found
    await found.pool.close()
    await owner.close()
