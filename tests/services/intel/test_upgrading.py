"""What a version of before recorded, heard and told is found by what it is about; then it records nothing more."""

import asyncpg
import msgspec
import pytest

from services.intel.__main__ import SERVICE
from shared.record.upgrading import take_over
from shared.run.database import session
from tests.harness.desk import HOUR
from tests.harness.olden import olden

HEARD = "insert into heard (stream, sequence) values ('LEGAL', $1)"
BEFORE = {"search_path": "intel"}
"""The session of a version before judgements: it says of no generation."""


@pytest.fixture
async def old(postgres_server):
    async with olden(postgres_server, SERVICE, "0009_notified.sql") as one:
        yield one


async def test_what_an_older_version_recorded_is_indexed(old):
    desk = old.desk
    moved, withdrawn, listed, other = (
        desk.event("intel.document.listed", by="HND", doc_ref=f"doc-{n}", days=-3 * HOUR) for n in (0, 1, 2, 9)
    )
    await old.recorded(moved, withdrawn, listed)
    await old.put("amended", root=1, latest=msgspec.json.encode(other.data))
    await old.put("amended", root=2, latest=msgspec.json.encode(withdrawn.data), retracted=True)
    await old.upgrade()
    await desk.tell(*(desk.event("intel.document.flagged", by="MEX", doc_ref=f"doc-{n}") for n in (0, 1, 2, 9)))
    assert [event.data.doc_ref for event in await desk.recorded("intel.document.hit")] == ["doc-2"] * 2 + ["doc-9"] * 2


async def test_what_an_older_version_heard_is_kept(old):
    desk = old.desk
    await old.heard("legal", desk.event("legal.person.detained", detention_id="det-1", offence="tip"))
    await old.upgrade()
    await desk.pass_days(3)
    assert await desk.told("GTM") == [], "what it was to be told, the older version saw to"
    assert b"det-1" in await old.pool.fetchval("select event from heard")
    assert await old.pool.fetchval("select count(*) from about where stream = 'LEGAL'") == 2


async def test_what_was_told_and_taken_back_after_the_migration_is_known(old):
    """The older version goes on until it is taken over from; its tables are then what the migration did not see."""
    desk, told = old.desk, "select scope, key, event_id, type, country, entity, scheduled from"
    listed = [desk.event("intel.document.listed", by="HND", doc_ref=f"doc-{n}", days=-HOUR) for n in (1, 2)]
    flagged = [desk.event("intel.document.flagged", by="MEX", doc_ref=f"doc-{n}") for n in (1, 2)]
    for file in old.newer:
        await old.pool.execute(file.read_text())
    await desk.tell(*listed, *flagged, desk.retracted(listed[0]))
    await old.pool.execute(f"insert into told {told} notified; delete from notified; delete from about")
    await old.pool.execute(f"insert into notified {told} told; delete from told where scope like '%doc-1'")
    await take_over(old.pool, "intel", desk.log.judgements, SERVICE.folder)
    begun = len(await desk.recorded())
    again = desk.event("intel.document.listed", by="HND", doc_ref="doc-1", days=-HOUR)
    await desk.tell(desk.retracted(listed[1]), again)
    names = [event.name for event in (await desk.recorded())[begun:]]
    assert names.count("intel.notice.retracted") == 2, "what was told is taken back"
    assert names.count("intel.document.hit") == 2, "what was taken back is told anew"


async def test_what_falls_due_is_counted_from_when_the_older_version_knew(old):
    """It heard of a detention an hour after legal had recorded it, and awaits an address book since."""
    desk, told = old.desk, "select scope, key, event_id, type, country, entity, scheduled from"
    for file in old.newer:
        await old.pool.execute(file.read_text())
    detained = desk.event("legal.person.detained", detention_id="det-1", offence="tip", days=-HOUR)
    await desk.tell(detained)
    await old.recorded(detained, by="legal")
    await old.pool.execute(
        f"insert into told {told} notified; delete from notified; delete from about; delete from known"
    )
    await old.pool.execute("delete from heard; insert into heard (stream, sequence) values ('LEGAL', 1)")
    source = {"event_id": detained.id, "source": detained.source}
    await old.put("detention", **source, country="GTM", detention_id="det-1", known=desk.clock.at)
    await take_over(old.pool, "intel", desk.log.judgements, SERVICE.folder)
    await desk.pass_days(2)
    assert await desk.told("GTM") == ["phonebook_missing det-1"]
    await desk.tell(desk.event("legal.person.detained", detention_id="det-1", offence="tip"))
    await desk.pass_days(0.1)
    assert await desk.told("GTM") == ["phonebook_missing det-1"], "what was told is not told again"


async def test_none_of_an_older_generation_records_once_it_is_taken_over_from(postgres_server):
    async with postgres_server.lent() as database:
        address = postgres_server.server.url("intel", postgres_server.passwords["intel"], database)
        older, newer = [await asyncpg.connect(address, server_settings=one) for one in (BEFORE, session("intel"))]
        await older.execute(HEARD, 1)
        async with asyncpg.create_pool(address, min_size=1, max_size=1, server_settings=session("intel")) as pool:
            for _ in range(2):
                await take_over(pool, "intel", SERVICE.judged(), SERVICE.folder)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await older.execute(HEARD, 2)
        assert older.is_closed(), "as if the server had gone: what it took comes again, to another"
        await newer.execute(HEARD, 3)
        assert [row[0] for row in await newer.fetch("select sequence from heard order by 1")] == [1, 3]
        for forbidden in ("delete from generation", "update generation set number = 0"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await newer.execute(forbidden)
        await newer.close()


async def test_nobody_reads_what_others_recorded_once_it_is_taken_over_from(old):
    await old.heard("legal", old.desk.event("legal.person.detained"))
    await old.upgrade()
    await old.put("heard", stream="LEGAL", sequence=9)
    await old.recorded(*(old.desk.event("legal.person.detained") for _ in range(9)), by="legal")
    assert await old.pool.fetch("select * from heard_before()") == []
