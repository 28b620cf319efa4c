"""What intake does with batches: one read while another is recorded, and what is refused with its batch."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from services.intel.__main__ import SERVICE
from shared import contracts
from shared.flow import refusing
from shared.flow.intake import Intake
from shared.run.settings import Settings
from tests.harness import desk as harness
from tests.harness import sealing

STORED = 1_078_142_400_000_000_000
NAME = "intel.document.flagged"


@pytest.fixture
async def desk(postgres_server):
    async with harness.desk(postgres_server, SERVICE) as own:
        yield own


class Message(SimpleNamespace):
    """A report of Guatemala as the server gives it out."""

    def __init__(self, number, payload):
        reply = f"$JS.ACK.INTAKE_GTM.intel.1.{number}.{number}.{STORED + number}.0"
        super().__init__(subject=f"crm.in.GTM.{NAME}", reply=reply, headers=None, data=payload, acked=False)
        self.metadata = SimpleNamespace(num_delivered=1)

    async def ack(self):
        self.acked = True

    async def nak(self, **_delay):
        self.acked = False


def report(number, **more):
    agreed = contracts.registry()[f"crm.{NAME}.v1"]
    said = {"specversion": "1.0", "id": f"e-{number}", "source": "urn:crm:country:GTM:test", "type": agreed.type}
    return Message(
        number,
        msgspec.json.encode(
            {**said, "subject": f"doc-{number}", "time": str(harness.START), "data": {**agreed.good, **more}}
        ),
    )


@pytest.fixture
def intake(desk, monkeypatch):
    kept = []

    async def quarantine(_service, _client, _sealing, refused):
        kept.extend(one.sequence for one, _ in refused)

    monkeypatch.setattr(refusing, "quarantine", quarantine)
    made = Intake(desk.log, None, Settings(), sealing.fresh())
    return SimpleNamespace(take=made.take, kept=kept)


async def recorded(desk):
    return [row["id"] for row in await desk.log.pool.fetch("select id from log order by position")]


async def test_a_batch_is_recorded_behind_the_one_before_it(desk, intake):
    going = asyncio.Event()
    before = asyncio.create_task(going.wait())
    first, second = report(1), report(2)
    taking = asyncio.create_task(intake.take([second], before))
    await asyncio.wait([taking], timeout=0.5)
    assert await recorded(desk) == []
    await intake.take([first])
    going.set()
    await taking
    assert await recorded(desk) == ["e-1", "e-2"]
    assert first.acked
    assert second.acked


async def test_a_batch_goes_on_behind_one_that_failed(desk, intake):
    async def failed():
        raise ConnectionError

    before = asyncio.create_task(failed())
    await intake.take([report(1)], before)
    assert await recorded(desk) == ["e-1"]
    assert before.exception()


async def test_what_cannot_be_read_is_refused_in_its_batchs_transaction_behind_what_is_recorded(desk, intake):
    batch = [report(1), report(2, no_such_field=1), report(3)]
    await intake.take(batch)
    rows = await desk.log.pool.fetch("select type, xmin::text from log order by position")
    names = [row["type"].split(".")[-2] for row in rows]
    assert names == ["flagged", "flagged", "rejected"]
    assert len({row["xmin"] for row in rows}) == 1
    assert intake.kept == [2], "its bytes are kept before it is told"
    await intake.take(batch)
    assert len(await recorded(desk)) == len(rows), "nothing of it twice"
    assert intake.kept == [2]


async def test_where_bytes_cannot_be_kept_only_the_refusal_waits(desk, intake, monkeypatch):
    async def away(*_):
        raise ConnectionError

    batch = [report(1), report(2, no_such_field=1), report(3)]
    with monkeypatch.context() as changed:
        changed.setattr(refusing, "quarantine", away)
        await intake.take(batch)
    assert await recorded(desk) == ["e-1", "e-3"]
    assert not batch[1].acked, "nobody is told before the bytes are kept"
    await intake.take(batch)
    assert len(await recorded(desk)) == 3
    assert intake.kept == [2]
    assert all(message.acked for message in batch)


async def test_what_is_tried_one_by_one_stays_behind_the_batch_before(desk, intake, monkeypatch):
    async def failed(*_):
        raise KeyError

    going = asyncio.Event()
    before = asyncio.create_task(going.wait())
    monkeypatch.setattr(refusing, "quarantine", failed)
    taking = asyncio.create_task(intake.take([report(2), report(3, no_such_field=1)], before))
    await asyncio.wait([taking], timeout=0.5)
    assert await recorded(desk) == []
    going.set()
    await taking
    assert await recorded(desk) == ["e-2"]
