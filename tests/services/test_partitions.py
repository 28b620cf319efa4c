"""The log in partitions: made ahead, found by id and position, unique over all of them, and verified one by one."""

import asyncpg
import msgspec
import pytest

from infra.recovery.verify import compare
from services.training.__main__ import SERVICE
from shared.contracts import Refused
from shared.record import log as recording
from shared.record.chain import GENESIS, chained
from shared.record.log import Log, head
from shared.run.database import migration_files
from tests.harness.desk import Desk, Hand, desk

ROWS = 1000
"""Of a partition, in these tests."""
ENROLLED = "training.official.enrolled"
OF_OLD = (
    "select d.id, d.source, l.payload, l.said from unnest($1::text[], $2::text[]) as d (id, source) cross join lateral"
    " (select payload, said from log where log.id = d.id and log.source = d.source limit 1) as l"
)
"""How the version before partitions looked up what is recorded."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(recording, "PARTITION_ROWS", ROWS)


async def partitions(connection):
    """Return the partitions' names and bounds, in order."""
    rows = await connection.fetch(
        "select c.relname, pg_get_expr(c.relpartbound, c.oid) as bounds from pg_inherits join pg_class as c"
        " on c.oid = inhrelid where inhparent = 'training.log'::regclass order by length(relname), relname"
    )
    return {row["relname"]: row["bounds"] for row in rows}


def enrolled(one: Desk, number: int):
    return one.event(ENROLLED, officer_pid=f"of-{number}")


async def filled(owner, number, first=1, payload=b"{}"):
    """Put rows into a log by hand, chained among themselves."""
    before = GENESIS
    rows = []
    for position in range(first, first + number):
        before = chained(before, payload)
        rows.append((position, "urn:crm:country:GTM:test", f"by-hand-{position}", "x", "GTM", "x", payload, before))
    columns = ["position", "source", "id", "type", "country", "entity", "payload", "hash"]
    await owner.copy_records_to_table("log", schema_name="training", columns=columns, records=rows)


@pytest.fixture
async def bare(postgres_server):
    """The owner, in a training schema with the migrations of before partitions, on a database of its own."""
    owner = await asyncpg.connect(postgres_server.server.url(database=await postgres_server.lend()))
    await owner.execute("drop schema training cascade; create schema training; set search_path = training")
    files = migration_files(SERVICE.folder)
    newer = next(number for number, file in enumerate(files) if file.name == "0011_partitions.sql")
    for file in files[:newer]:
        await owner.execute(file.read_text())
    yield owner, files[newer:]
    await owner.close()


@pytest.fixture
async def training(postgres_server):
    """A desk whose partitions are small; its database is not lent again."""
    database = await postgres_server.lend()
    owner = await asyncpg.connect(postgres_server.server.url(database=database))
    await owner.execute("set search_path = training; drop table log_1")
    await owner.execute("select make_partitions(3000, 1000)")
    settings = {"search_path": "training", "timezone": "UTC", "enable_seqscan": "off"}
    address = postgres_server.server.url("training", postgres_server.passwords["training"], database)
    async with asyncpg.create_pool(address, min_size=1, max_size=3, server_settings=settings) as pool:
        clock = Hand()
        yield Desk(Log("training", pool, clock, SERVICE.judged()), clock), owner
    await owner.close()


async def test_partitions_are_made_ahead_of_what_is_recorded(training):
    one, owner = training
    for _ in range(5):
        await one.tell_at_once(*[enrolled(one, number) for number in range(500)])
    assert (await head(one.log.pool))[0] == 2500
    assert await partitions(owner) == {
        f"log_{first}": f"FOR VALUES FROM ('{first}') TO ('{first + ROWS}')" for first in (1, 1001, 2001, 3001)
    }
    assert await owner.fetchval("select count(*) from log_2001") == 500
    positions = [row["position"] for row in await one.log.pool.fetch("select position from log order by position")]
    assert positions == [*range(1, 2501)]


async def test_an_id_is_recorded_once_over_all_partitions(training):
    one, owner = training
    first = enrolled(one, 1)
    await one.tell_at_once(first)
    await filled(owner, 1998, 2, msgspec.json.encode(first))
    await one.tell_at_once(enrolled(one, 2))
    assert await one.record(first) == [None], "the same report again is no fault"
    (other,) = await one.record(msgspec.structs.replace(first, data=enrolled(one, 9).data))
    assert isinstance(other, Refused), "another report under the id of a row two partitions back"
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(
            "insert into log (position, source, id, type, country, entity, payload, hash)"
            " select 2500, source, id, type, country, entity, payload, hash from log where position = 1"
        )


async def test_a_correction_finds_its_report_in_another_partition(training):
    one, owner = training
    first = enrolled(one, 1)
    await one.tell_at_once(first)
    await filled(owner, 1500, 2, msgspec.json.encode(first))
    await one.tell_at_once(one.corrected(first, sex="male"))
    corrected = await one.one("training.official.corrected")
    assert corrected.data.original_sequence == 1
    assert corrected.sequence == 1502


async def test_a_service_reaches_the_log_as_a_whole_only(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        for statement in (
            "select count(*) from log_1",
            "update log_1 set type = 'x'",
            "delete from log_1",
            "delete from recorded",
            "update recorded set position = 1",
            "insert into log_1 (position) values (1)",
            "alter table log detach partition log_1",
            "drop table log_1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await one.log.pool.execute(statement)


@pytest.mark.parametrize("said", ["select make_partitions(5000, 10)", "select make_partitions(1, 0)"])
async def test_a_service_cannot_make_partitions_without_end(postgres_server, said):
    async with desk(postgres_server, SERVICE) as one:
        with pytest.raises(asyncpg.RaiseError):
            await one.log.pool.execute(said)


READS = {
    "head": "select position, hash from log order by position desc limit 1",
    "last": "select coalesce(max(position), 0) from log",
    "next": "select position, type, country, payload from log where position > 1500 order by position limit 100",
    "known": "select l.payload from unnest($1::text[], $2::text[]) as d (id, source) join recorded as r on r.id = d.id"
    " and r.source = d.source join log as l on l.position = r.position",
    "id": "select l.id from unnest($1::text[]) as q (id) join recorded as r on r.id = q.id"
    " join log as l on l.position = r.position where $2::text[] is not null",
    "entity": "select l.id from unnest($1::text[]) as q (entity) join log as l on l.entity = q.entity"
    " where $2::text[] is not null",
}


@pytest.mark.parametrize("name", READS)
async def test_the_log_is_read_by_its_indexes(training, name):
    one, owner = training
    await filled(owner, 1990)
    await owner.execute("analyze")
    values = [["by-hand-5", "by-hand-1200"], ["urn:crm:country:GTM:test"] * 2] if "$1" in READS[name] else []
    plan = "\n".join(row[0] for row in await one.log.pool.fetch(f"explain (analyze) {READS[name]}", *values))
    scans = [line for line in plan.splitlines() if "Seq Scan" in line]
    assert scans == [], plan


async def test_a_log_of_before_becomes_the_first_partition_as_it_stands(bare):
    owner, newer = bare
    await filled(owner, 1200)
    await owner.execute("insert into amended (root, latest) values (7, '{}')")
    before = await owner.fetchrow("select pg_relation_filenode('log') as file, count(*), max(hash) from log")
    indexes = (
        "select array_agg(pg_relation_filenode(indexrelid) order by 1) from pg_index where indrelid = $1::regclass"
    )
    built = await owner.fetchval(indexes, "log")
    for file in newer:
        await owner.execute(file.read_text())
    after = await owner.fetchrow("select pg_relation_filenode('log_1') as file, count(*), max(hash) from log")
    assert tuple(after) == tuple(before), "no row was written anew"
    assert await owner.fetchval(indexes, "log_1") == built, "and no index"
    assert await partitions(owner) == {"log_1": "FOR VALUES FROM ('1') TO ('1000001')"}
    assert await owner.fetchval("select count(*) from recorded join log using (id, source, position)") == 1200
    await filled(owner, 10, 1201)
    assert await owner.fetchval("select count(*) from recorded") == 1210


async def test_the_version_before_goes_on_beside_it(bare):
    owner, newer = bare
    await filled(owner, 100)
    known = await owner.prepare(OF_OLD)
    assert len(await known.fetch(["by-hand-7"], ["urn:crm:country:GTM:test"])) == 1
    for file in newer:
        await owner.execute(file.read_text())
    assert len(await known.fetch(["by-hand-7"], ["urn:crm:country:GTM:test"])) == 1, "prepared before the migration"
    await filled(owner, 5, 101)
    assert len(await known.fetch(["by-hand-103"], ["urn:crm:country:GTM:test"])) == 1
    plan = "\n".join(row[0] for row in await owner.fetch(f"explain {OF_OLD}", ["x"], ["y"]))
    assert "log_1_id_source_key" in plan, "its look-up has its index in the partition that it works on"
    with pytest.raises(asyncpg.UniqueViolationError):
        await filled(owner, 1, 103)


async def test_a_partition_is_verified_by_itself(region, postgres_server):
    owner = await asyncpg.connect(postgres_server.server.url(database=await postgres_server.lend()))
    try:
        await owner.execute("set search_path = training; drop table log_1")
        await owner.execute("select make_partitions(3000, 1000)")
        await filled(owner, 2500)
        operator = await region.connect("operator")
        whole = await compare(owner, operator, "training", 1001)
        assert (whole.rows, whole.position, whole.broken, whole.gaps, whole.unnamed) == (1000, 2000, [], [], [])
        assert whole.head == await owner.fetchval("select hash from log where position = 2000")
        await owner.execute("update log set payload = '{1}' where position = 500")
        assert (await compare(owner, operator, "training", 1001)).broken == []
        assert (await compare(owner, operator, "training", 1)).broken == [500]
        await owner.execute("update log set hash = '\\x" + "00" * 32 + "' where position = 1000")
        assert (await compare(owner, operator, "training", 1001)).broken == [1001], "and its link to the one before"
    finally:
        await owner.close()
