"""The tree over a log: made behind the recording, signed, and never signed where it is not what it was."""

import asyncpg
import pytest

from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from shared.flow.checkpoints import Checkpoints, RewrittenError
from shared.flow.streams import CHECKPOINTS
from shared.record import growing, note, tree
from shared.record.chain import GENESIS, chained
from shared.run import database
from shared.run.settings import Settings
from tests.harness.servers import ROOT

SIGNER = note.Signer("crm.region/log/training", note.SIGNS, bytes(32))


async def appended(owner, first, last):
    """Rows whose content does not matter here."""
    before = await owner.fetchval("select hash from training.log order by position desc limit 1") or GENESIS
    rows = []
    for number in range(first, last + 1):
        payload = b'{"number":%d}' % number
        before = chained(before, payload)
        signature = b"signed" if number % 3 else None
        rows.append((number, "s", f"e-{number}", "t", "GTM", "x", payload, before, signature))
    await owner.copy_records_to_table(
        "log",
        schema_name="training",
        columns=["position", "source", "id", "type", "country", "entity", "payload", "hash", "signature"],
        records=rows,
    )


@pytest.fixture
async def owner(region):
    connection = await asyncpg.connect(region.database_url())
    yield connection
    await connection.close()


@pytest.fixture
async def signing(region, owner):
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool:
        yield Checkpoints("training", pool, await region.connect("training"), SIGNER, pace_s=0)


async def expected(owner, size):
    """The root over the log's rows, computed from them alone."""
    secret = await owner.fetchval("select salt from training.tree")
    edge = tree.Edge()
    columns = "select position, payload, signature from training.log"
    rows = await owner.fetch(f"{columns} where position <= $1 order by position", size)
    for position, payload, signature in rows:
        edge.add(tree.leaf(tree.entry(position, tree.salted(secret, position), payload, signature or b"")))
    return edge.root()


async def test_each_size_is_signed_with_the_root_over_its_rows(region, owner, signing):
    assert not await signing.look(), "an empty log has nothing to sign"
    listener = await (await region.connect("GTM")).subscribe("log.training")
    for size in (1, 255, 256, 257, 700, 66_000):
        last = await owner.fetchval("select coalesce(max(position), 0) from training.log")
        await appended(owner, last + 1, size)
        assert await signing.look()
        assert not await signing.look(), "it has not grown"
        heard = (await listener.next_msg(timeout=5)).data.decode()
        text, _ = note.opened(heard, [SIGNER.verifier])
        assert note.checkpoint(text) == note.Checkpoint(SIGNER.name, size, await expected(owner, size))
    assert await signing.published() == signing.last
    widths = dict(await owner.fetch("select level, sum(length(hashes)) / 32 from training.tile group by level"))
    assert widths == {0: 65_792, 1: 257, 2: 1}
    for old in (1, 255, 256, 65_536, 65_999):
        proof = await growing.roots(owner_in(signing), tree.consistency(old, 66_000), 66_000)
        before = await expected(owner, old)
        assert tree.extended(old, 66_000, before, proof) == (before, signing.last.root)


def owner_in(signing):
    return signing.pool


async def test_two_replicas_sign_one_tree(region, owner, signing):
    other = Checkpoints("training", signing.pool, signing.client, SIGNER, pace_s=0)
    await appended(owner, 1, 300)
    assert await signing.look()
    assert not await other.look()
    await appended(owner, 301, 600)
    assert await other.look()
    assert not await signing.look()
    assert signing.last == other.last


CHANGES = {
    "a payload": "update training.log set payload = '{}' where position = 590",
    "a signature": "update training.log set signature = 'forged' where position = 590",
    "a tile above": "update training.tile set hashes = set_byte(hashes, 40, 1) where level = 1",
    "the last rows taken away": "delete from training.log where position > 580",
    "all of it": "delete from training.log; delete from training.tile; delete from training.checkpoint",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_what_was_signed_is_never_signed_otherwise(region, owner, signing, what):
    await appended(owner, 1, 600)
    assert await signing.look()
    await owner.execute(CHANGES[what])
    if "away" not in what and "all" not in what:
        await appended(owner, 601, 601)
    restarted = Checkpoints("training", signing.pool, signing.client, SIGNER, pace_s=0)
    restarted.last = await restarted.published()
    for one in (signing, restarted):
        with pytest.raises((RewrittenError, tree.UnprovenError, growing.HoleError)):
            await one.look()


LEFT = {
    "two of them": ((1, 2), 0, True),
    "one that a country cosigned": ((1,), 1, True),
    "one that may never have been published": ((1,), 0, False),
}


@pytest.mark.parametrize("what", LEFT)
async def test_nothing_is_signed_while_only_countries_may_know_more(region, owner, signing, what):
    sizes, cosigned, waits = LEFT[what]
    for size in sizes:
        await appended(owner, size, size)
        assert await signing.look()
    if cosigned:
        await owner.execute("insert into training.cosignature values (1, 'w', 'x')")
    await appended(owner, 3, 3)
    root = await region.connect(ROOT)
    await root.request(f"$JS.API.STREAM.DELETE.{CHECKPOINTS}", b"", timeout=5)
    await provision(await region.connect(PROVISIONER))
    other = note.Signer(SIGNER.name, note.SIGNS, bytes([1] * 32))
    for key, held in ((SIGNER, waits), (other, False)):
        restarted = Checkpoints("training", signing.pool, signing.client, key, pace_s=0)
        if held:
            with pytest.raises(RewrittenError, match=f"more than {sizes[-1]} rows"):
                await restarted.begin()
        else:
            await restarted.begin()


async def test_old_checkpoints_are_thinned(region, owner, signing):
    await appended(owner, 1, 5)
    root = bytes(32)
    for size, ago in enumerate(("50 hours", "50 hours", "30 hours", "1 hour", "0 hours"), 1):
        await owner.execute(
            "insert into training.checkpoint values ($1, $2, 'x', date_trunc('hour', now()) - $3::text::interval)",
            *(size, root, ago),
        )
    await owner.execute("insert into training.cosignature values (1, 'w', 'x'), (2, 'w', 'x')")
    await signing._thin()
    assert [row[0] for row in await owner.fetch("select size from training.checkpoint order by 1")] == [2, 3, 4, 5]
    assert [row[0] for row in await owner.fetch("select size from training.cosignature")] == [2]
