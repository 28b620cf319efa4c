"""`crm verify` tells what is wrong with a log and its stream, whatever one row of them is."""

import asyncpg
import msgspec
import pytest

from infra.cli.verify import Part
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery import verify
from infra.recovery.recount import Witnessed
from infra.recovery.verify import compare
from shared.contracts import Event
from shared.flow.checkpoints import Checkpoints
from shared.flow.relay import Relay
from shared.flow.streams import CHECKPOINTS
from shared.record import note
from shared.record.chain import GENESIS, chained
from shared.run import database, tracing
from shared.run.settings import Settings
from tests.harness.servers import ROOT
from tests.harness.speaking import NOW, example
from tests.harness.system import until

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


async def test_what_somebody_had_the_server_put_into_the_stream_is_told(region, owner, whole):
    """An answer goes to whatever reply subject its asker names, in the account CRM (docs/security.md)."""
    intel = await region.connect("intel")
    await intel.publish("$JS.API.STREAM.LIST", b"", reply="crm.evt.training.course.held.GTM")
    await intel.flush()

    async def told() -> bool:
        return await faults(region, owner) != []

    await until(told, "the strange message to be told", 60)


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


@pytest.mark.parametrize("traced", [False, True], ids=["", "traced"])
@pytest.mark.parametrize("payload", [pytest.param(payload, id=name) for name, payload in POISON.items()])
async def test_a_row_that_nobody_can_read_is_told_and_ends_nothing(region, owner, monkeypatch, payload, traced):
    monkeypatch.setattr(tracing, "tracing", lambda: traced)
    payloads = [msgspec.json.encode(recorded(number)) for number in range(1, NUMBER + 1)]
    payloads[2] = payload
    await written(owner, payloads)
    await copied(region)
    found = await faults(region, owner)
    assert len(found) == 1
    assert found[0] in ("log: the contract does not decode 3", "log: columns differ from what was recorded at 3")


SIGNER = note.Signer("crm.region/log/training", note.SIGNS, bytes(32))
KNOWN = Witnessed(logs=[SIGNER.verifier])


async def signed(region):
    """Have the service sign what its log is; return the note."""
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool:
        signing = Checkpoints("training", pool, await region.connect("training"), SIGNER, pace_s=0)
        assert await signing.look()
        last = signing.last
        return note.signed(last, [SIGNER.sign(last.text)])


async def found(region, owner, known=KNOWN):
    return await compare(owner, await region.connect("operator"), "training", witnessed=known)


async def rechained(owner):
    """What an attacker does who owns the database: every hash of the chain made anew, and the ids' table."""
    before = GENESIS
    for position, payload in await owner.fetch("select position, payload from training.log order by position"):
        before = chained(before, payload)
        await owner.execute("update training.log set hash = $2 where position = $1", position, before)
    await owner.execute("delete from training.recorded")
    await owner.execute("insert into training.recorded select id, source, position from training.log")


async def test_what_was_signed_is_the_log(region, owner, whole):
    kept = await signed(region)
    whole = await found(region, owner)
    assert whole.faults() == []
    assert note.checkpoint(note.parted(kept)[0]).root == whole.tree.edge.root()


@pytest.mark.parametrize("stored", ["with all that is stored", "with a kept checkpoint alone"])
async def test_a_rewritten_row_is_told_though_the_chain_is_made_anew(region, owner, whole, stored):
    kept = await signed(region)
    other = msgspec.json.encode(msgspec.structs.replace(recorded(4), country="HND"))
    await owner.execute("update training.log set payload = $1, country = 'HND' where position = 4", other)
    await rechained(owner)
    if stored == "with a kept checkpoint alone":
        await owner.execute("delete from training.checkpoint; delete from training.tile")
        client = await region.connect(ROOT)
        await client.request(f"$JS.API.STREAM.DELETE.{CHECKPOINTS}", b"", timeout=5)
        await provision(await region.connect(PROVISIONER))
    faults = (await found(region, owner, Witnessed([SIGNER.verifier], (), [kept]))).faults()
    assert "a checkpoint kept elsewhere: the first 6 rows are not those that were signed" in faults
    assert not [fault for fault in faults if "chain" in fault or "columns" in fault], "nothing else tells"


async def test_rows_taken_away_at_the_end_are_told(region, owner, whole):
    await signed(region)
    await owner.execute("delete from training.log where position > 4; delete from training.recorded where position > 4")
    faults = (await found(region, owner)).faults()
    assert "checkpoint: 6 rows were signed, the log has 4" in faults
    assert "CHECKPOINTS: 6 rows were signed, the log has 4" in faults


async def test_a_forged_checkpoint_is_told(region, owner, whole):
    await signed(region)
    await owner.execute("update training.checkpoint set signed = replace(signed, 'training' || chr(10) || '6', 'x')")
    assert any(fault.startswith("checkpoint: ") for fault in (await found(region, owner)).faults())


LONG = 600


class CutShortError(Exception):
    """As a person's Ctrl-C."""


@pytest.fixture
async def long(region, owner):
    await written(owner, [msgspec.json.encode(recorded(number)) for number in range(1, LONG + 1)])
    await copied(region)
    await signed(region)


async def onward(region, owner, first=1, part=None, tell=None):
    known = Witnessed([SIGNER.verifier])
    part = part or Part(first=first)
    first, head = part.begun("training")
    nc, told = await region.connect("operator"), tell or part.tell
    head = bytes.fromhex(head)
    return await compare(owner, nc, "training", witnessed=known, first=first, known=head, tell=told)


async def test_from_a_position_only_what_follows_is_looked_at(region, owner, long):
    found = await onward(region, owner, 300)
    assert (found.faults(), found.first, found.rows, found.position) == ([], 257, LONG - 256, LONG)
    assert found.tree.edge.root() == (await onward(region, owner, 1)).tree.edge.root()
    await owner.execute("update training.log set country = 'HND' where position in (5, 400)")
    assert (await onward(region, owner, 300)).crooked == [400]
    await owner.execute("update training.tile set hashes = set_byte(hashes, 20, 1) where level = 1")
    assert (
        f"checkpoint: the first {LONG} rows are not those that were signed"
        in (await onward(region, owner, 300)).faults()
    ), "what is believed has to fit what was signed"


async def test_it_goes_on_where_it_was_cut_short(region, owner, long, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "ROWS", 100)
    part = Part(resume=tmp_path / "verified.json")

    def cut(found):
        part.tell(found)
        if found.position >= 300:
            raise CutShortError

    with pytest.raises(CutShortError):
        await onward(region, owner, part=part, tell=cut)
    assert part.begun("training")[0] == 301
    found = await onward(region, owner, part=part)
    assert (found.faults(), found.first, part.begun("training")[0]) == ([], 257, LONG + 1)
    assert (await onward(region, owner, part=part)).faults() == [], "nothing is new"
    await owner.execute("update training.log set hash = sha256(hash) where position = $1", LONG)
    assert f"log: not the row that was verified before, at {LONG}" in (await onward(region, owner, part=part)).faults()


async def test_what_is_wrong_is_told_again_each_time(region, owner, long, tmp_path):
    part = Part(resume=tmp_path / "verified.json")
    await owner.execute("update training.log set country = 'HND' where position = 5")
    for _ in range(2):
        assert (await onward(region, owner, part=part)).crooked == [5]
