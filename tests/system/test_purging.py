"""`crm archive purge`: a stream that begins behind what is archived, and all that reads on across that border."""

import asyncpg
import pytest

from infra.nats.asking import ask
from infra.nats.provision import all_differences
from infra.nats.rights import PROVISIONER
from infra.recovery import purging, verify
from infra.recovery.restore import restore
from infra.recovery.verify import compare
from services.indicators.folded import reading
from services.indicators.folded.apart import Apart
from services.indicators.folded.feed import Feed
from shared.flow import bus
from shared.flow.relay import Relay
from shared.record import archive
from shared.record.archive import ArchiveError
from shared.run import database
from shared.run.settings import Settings
from tests.services.indicators.making import PLAN
from tests.services.indicators.test_feed import until
from tests.system.test_archive import write, written

pytestmark = pytest.mark.long

ARCHIVED = 17
"""Rows of closed months; the log has two more."""


@pytest.fixture
async def owner(region):
    connection = await asyncpg.connect(region.database_url(), server_settings={"search_path": "training"})
    yield connection
    await connection.close()


@pytest.fixture
async def copied(region, owner, monkeypatch):
    """A log whose stream is its copy; what reads it waits for nothing long."""
    monkeypatch.setattr(verify, "COPIED_S", 0.5)
    monkeypatch.setattr(reading, "RETRY_S", 0.1)
    await written(owner)
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool, pool.acquire() as connection:
        relay = Relay("training", pool, await region.connect("training"))
        relay.position = await relay.compared(connection)
        while await relay.copy(connection):
            pass
    nc = await region.connect(PROVISIONER)
    await reached(lambda: last_in_mailbox(nc), 19)
    return nc


async def reached(look, value):
    for _ in range(200):
        if await look() == value:
            return
    assert await look() == value


async def last_in_mailbox(nc):
    return await purging.mailbox.delivered(nc, "TRAINING")


async def folded(region, folder, number=19):
    """Fold all there is, from the beginning or the snapshot; return the state's bytes."""
    settings = Settings(database_url=region.database_url("indicators"))
    async with await database.connect(settings, "indicators") as pool:
        feed = Feed(await region.connect("indicators"), pool, PLAN, Apart(PLAN, {}, folder))
        await feed.start()
        try:
            await until(lambda: feed.state.sequences.get("training") == number)
            assert feed.state.uncounted == 0
            return feed.state.dump()
        finally:
            await feed.stop()


async def purge(region, folder, nc):
    settings = {"search_path": "training"}
    async with asyncpg.create_pool(region.database_url(), min_size=1, max_size=2, server_settings=settings) as pool:
        return await purging.purge("training", folder, pool, nc, await region.connect("training"), print)


async def test_nothing_is_purged_that_is_not_archived(region, owner, copied, tmp_path):
    assert await purge(region, tmp_path, copied) == 0
    assert (await bus.ends(copied, "TRAINING")).first == 1


async def test_nothing_is_purged_that_somebody_has_still_to_read(region, owner, copied, tmp_path):
    await write(owner, tmp_path)
    with pytest.raises(ArchiveError, match="the figures are stored up to 0 only"):
        await purge(region, tmp_path, copied)
    await folded(region, tmp_path)
    await owner.execute(
        "insert into legal.aside (stream, sequence, country, kind, reason) values ('TRAINING', 5, 'GTM', 'failed', 'x')"
    )
    with pytest.raises(ArchiveError, match="legal has 1 messages set aside that it reads there"):
        await purge(region, tmp_path, copied)
    assert (await bus.ends(copied, "TRAINING")).first == 1
    assert await owner.fetchval("select count(*) from archived where purged is not null") == 0


async def test_nothing_is_purged_that_a_damaged_file_should_hold(region, owner, copied, tmp_path):
    await write(owner, tmp_path)
    await folded(region, tmp_path)
    file = tmp_path / "training" / "2003-06.ndjson.zst"
    content = file.read_bytes()
    file.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    with pytest.raises(ArchiveError, match="2003-06"):
        await purge(region, tmp_path, copied)
    assert (await bus.ends(copied, "TRAINING")).first == 1


@pytest.fixture
async def purged(region, owner, copied, tmp_path):
    """The stream without what is archived; and the figures' bytes of before."""
    await write(owner, tmp_path)
    before = await folded(region, tmp_path)
    assert await purge(region, tmp_path, copied) == ARCHIVED
    return before


async def test_the_stream_begins_behind_the_archive(region, owner, copied, purged, tmp_path):
    assert tuple(await bus.ends(copied, "TRAINING")) == (18, 18, 19)
    assert await all_differences(copied) == []
    assert (await compare(owner, await region.connect("operator"), "training")).faults() == []
    assert await owner.fetchval("select count(*) from archived where purged is null") == 0
    assert await owner.fetchval("select count(*) from log") == 19, "the log keeps its rows"
    mailbox = await ask(copied, "STREAM.INFO.MAILBOX")
    assert mailbox["state"]["messages"] == 19, "no mailbox gets anything twice"
    assert await purge(region, tmp_path, copied) == 0


async def test_a_message_that_is_lost_behind_the_border_is_still_told(region, owner, copied, purged):
    root = await region.connect("root")
    found = (await ask(root, "STREAM.INFO.TRAINING"))["config"]
    await ask(root, "STREAM.DELETE.TRAINING")
    await ask(root, "STREAM.CREATE.TRAINING", {**found, "first_seq": 19})
    settings = Settings(database_url=region.database_url("training"))
    async with await database.connect(settings, "training") as pool, pool.acquire() as connection:
        relay = Relay("training", pool, await region.connect("training"))
        relay.position = await relay.compared(connection)
        await relay.copy(connection)
    told = (await compare(owner, await region.connect("operator"), "training")).faults()
    assert told == ["stream: it begins at 19, and what is before 19 is not archived: run `crm restore training`"]
    assert await restored(region, None) == []
    assert tuple(await bus.ends(copied, "TRAINING")) == (18, 18, 19)


async def test_figures_are_folded_from_archive_and_stream(region, owner, copied, purged, tmp_path):
    await owner.execute("delete from indicators.snapshot")
    assert await folded(region, tmp_path) == purged


async def test_without_the_archive_the_figures_wait_and_say_so(region, owner, copied, purged):
    await owner.execute("delete from indicators.snapshot")
    settings = Settings(database_url=region.database_url("indicators"))
    async with await database.connect(settings, "indicators") as pool:
        feed = Feed(await region.connect("indicators"), pool, PLAN)
        await feed.start()
        try:
            await until(lambda: "name the archive's folder" in feed._readers.trouble("training"))
            assert feed.state.sequences.get("training", 0) == 0
            assert feed.state.uncounted == 0
        finally:
            await feed.stop()


async def restored(region, folder):
    address = region.database_url("training")
    return await restore("training", address, region.nats.url, region.keys.folder, print, folder)


async def test_a_lost_stream_is_made_anew_from_there(region, owner, copied, purged, tmp_path):
    await (await region.connect("root")).jetstream().delete_stream("TRAINING")
    assert await restored(region, None) == []
    assert tuple(await bus.ends(copied, "TRAINING")) == (18, 18, 19)
    assert (await compare(owner, await region.connect("operator"), "training")).faults() == []


async def test_a_log_from_before_the_border_comes_back_from_archive_and_stream(region, owner, copied, purged, tmp_path):
    rows = await owner.fetch("select position, payload, hash from log order by position")
    await owner.execute("delete from log where position > 3; delete from recorded where position > 3")
    await owner.execute("delete from archived")
    with pytest.raises(ArchiveError, match="name its folder"):
        await restored(region, None)
    await restored(region, tmp_path)
    assert await owner.fetch("select position, payload, hash from log order by position") == rows
    await write(owner, tmp_path)
    assert (await compare(owner, await region.connect("operator"), "training")).faults() == []
    assert archive.end(tmp_path, "training")[0] == ARCHIVED
