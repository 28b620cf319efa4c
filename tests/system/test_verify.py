"""`crm verify` tells what is wrong with a log and its stream, whatever one row of them is."""

import asyncpg
import msgspec
import pytest

from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery import verify
from infra.recovery.verify import compare
from shared.contracts import Event
from shared.flow.relay import Relay
from shared.record.chain import GENESIS, chained
from shared.run import database
from shared.run.settings import Settings
from tests.harness.speaking import NOW, example

NAME = "training.official.enrolled"
NUMBER = 6


def recorded(number):
    return Event(
        specversion="1.0",
        id=f"e-{number}",
        source="urn:crm:country:GTM:test",
        type=f"crm.{NAME}.v1",
        time=NOW,
        country="GTM",
        data=example(NAME, officer_pid=f"of-{number}"),
        recordedtime=NOW,
        sequence=number,
        subject=f"of-{number}",
    )


async def written(owner, payloads):
    """Write a log, its chain whole, as an older version might have."""
    before = GENESIS
    for number, payload in enumerate(payloads, 1):
        event = recorded(number)
        before = chained(before, payload)
        await owner.execute(
            "insert into training.log (position, source, id, type, country, entity, payload, hash)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)",
            *(number, event.source, event.id, event.type, event.country, event.subject, payload, before),
        )


@pytest.fixture
async def owner(region):
    connection = await asyncpg.connect(region.database_url())
    yield connection
    await connection.close()


async def copied(region):
    """Have a relay copy all there is."""
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool, pool.acquire() as connection:
        relay = Relay("training", pool, await region.connect("training"))
        relay.position = await relay.compared(connection)
        while await relay.copy(connection):
            pass


async def faults(region, owner):
    return (await compare(owner, await region.connect("operator"), "training")).faults()


@pytest.fixture
async def whole(region, owner):
    await written(owner, [msgspec.json.encode(recorded(number)) for number in range(1, NUMBER + 1)])
    await copied(region)
    assert await faults(region, owner) == []


async def test_an_emptied_stream_is_told(region, owner, whole, monkeypatch):
    monkeypatch.setattr(verify, "COPIED_S", 0.2)
    provisioner = await region.connect(PROVISIONER)
    await provisioner.jetstream().delete_stream("TRAINING")
    assert await faults(region, owner) == ["stream: there is none"]
    await provision(provisioner)
    assert await faults(region, owner) == [
        f"stream: empty, the log has {NUMBER} rows: run `crm restore training`",
        f"stream: {NUMBER} rows are not copied: the service's relay stands or does not run",
    ]


async def test_a_stream_that_is_not_filled_any_more_is_told_and_one_that_is_being_filled_is_not(
    region, owner, whole, monkeypatch
):
    monkeypatch.setattr(verify, "COPIED_S", 0.5)
    await owner.execute("delete from training.log; delete from training.recorded")
    await written(owner, [msgspec.json.encode(recorded(number)) for number in range(1, NUMBER + 4)])
    assert await faults(region, owner) == ["stream: 3 rows are not copied: the service's relay stands or does not run"]
    await copied(region)
    assert await faults(region, owner) == []


@pytest.mark.parametrize("column", ["id", "source", "type", "country", "entity"])
async def test_a_column_that_says_something_else_than_its_payload_is_told(region, owner, whole, column):
    await owner.execute(f"update training.log set {column} = 'HND' where position = 3")
    found = await faults(region, owner)
    assert "log: columns differ from what was recorded at 3" in found


async def test_a_row_that_could_be_recorded_again_is_told(region, owner, whole):
    await owner.execute("delete from training.recorded where position = 3")
    assert await faults(region, owner) == ["log: not found under its id, at 3"]


POISON = {
    "no JSON": b"\x00\xff{",
    "not an event": b"[]",
    "too deep": b'{"data":' + b"[" * 100_000,
    "a time beyond the calendar": msgspec.json.encode(recorded(3)).replace(b'"time":"20', b'"time":"120'),
    "a surrogate": msgspec.json.encode(recorded(3)).replace(b'"subject":"of-3"', rb'"subject":"\ud800"'),
}


@pytest.mark.parametrize("payload", [pytest.param(payload, id=name) for name, payload in POISON.items()])
async def test_a_row_that_nobody_can_read_is_told_and_ends_nothing(region, owner, payload):
    payloads = [msgspec.json.encode(recorded(number)) for number in range(1, NUMBER + 1)]
    payloads[2] = payload
    await written(owner, payloads)
    await copied(region)
    found = await faults(region, owner)
    assert len(found) == 1
    assert found[0] in ("log: the contract does not decode 3", "log: columns differ from what was recorded at 3")
