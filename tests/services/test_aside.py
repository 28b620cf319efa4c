"""The table of what is set aside, on a real database."""

import pytest

from services.intel.__main__ import SERVICE
from shared.flow import aside
from shared.flow.aside import Row
from shared.flow.sealing import Sealing
from shared.flow.streams import SENDERS
from shared.flow.taken import Taken
from tests.harness import desk as harness
from tests.harness import sealing

SEALING = sealing.fresh()
STORED = 1_078_142_400_000_000_000


@pytest.fixture
async def desk(postgres_server):
    async with harness.desk(postgres_server, SERVICE) as own:
        yield own


def report(sequence, country="GTM", payload=None, headers=None):
    subject, payload = f"crm.in.{country}.intel.document.flagged", payload or str(sequence).encode()
    return Taken(f"INTAKE_{country}", sequence, STORED + sequence, subject, headers, payload)


async def put(desk, *rows):
    async with desk.log.pool.acquire() as connection, connection.transaction():
        await aside.put(connection, rows, SEALING)


async def due(desk, most=100):
    async with desk.log.pool.acquire() as connection:
        return [taken for taken, _ in await aside.claim(connection, most, SEALING)]


async def wake(desk, after=0):
    async with desk.log.pool.acquire() as connection:
        return await aside.waken(connection, after, SEALING)


async def test_a_message_comes_back_as_it_was_whatever_is_in_it(desk):
    odd = report(1, payload=bytes(range(256)), headers={"ce-id": "a\x00b\ud800", "X": "ñ"})
    await put(desk, Row(odd, "failed", "KeyError"))
    await desk.log.pool.execute("update aside set retry_at = now()")
    assert await due(desk) == [odd]


async def test_nobody_reads_what_is_set_aside_without_the_services_key(desk):
    secret = report(1, payload=b"Maria Canary", headers={"ce-subject": "Maria Canary"})
    await put(desk, Row(secret, "waiting", "/data/supersedes", wants="Maria Canary", wait_s=60))
    await desk.log.pool.execute("update aside set retry_at = now()")
    (row,) = await desk.log.pool.fetch("select * from aside")
    assert b"Canary" not in row["payload"] + row["headers"]
    assert "Canary" not in str(dict(row))
    async with desk.log.pool.acquire() as connection:
        assert await aside.claim(connection, 9, sealing.fresh()) == [], "another's key"
        await connection.execute("update aside set retry_at = now()")
        newer = Sealing(SEALING.recipients, [*sealing.fresh().own, *SEALING.own])
        assert await aside.claim(connection, 9, newer) == [(secret, False)], "the key of before still opens"


async def test_a_sealed_row_opens_in_its_own_place_only(desk):
    await put(desk, Row(report(1), "failed", "KeyError"), Row(report(2), "failed", "KeyError"))
    await desk.log.pool.execute("update aside set retry_at = now()")
    await desk.log.pool.execute("update aside set payload = (select payload from aside where sequence = 1)")
    assert await due(desk) == [report(1)]


async def test_rows_of_before_stand_in_clear_and_are_tried_and_counted_like_others(desk):
    await put(desk, Row(report(1), "failed", "KeyError"))
    await desk.log.pool.execute(
        "insert into aside (stream, sequence, stored, country, kind, reason, subject, payload)"
        " values ('INTAKE_GTM', 2, $1, 'GTM', 'failed', 'KeyError', 'crm.in.GTM.intel.document.flagged', '2')",
        STORED + 2,
    )
    await desk.log.pool.execute("update aside set retry_at = now()")
    assert await aside.count(desk.log.pool, "GTM", "failed") == 2
    found = await due(desk)
    assert found == [report(1), report(2)]
    await put(desk, *(Row(one, "failed", "KeyError") for one in found))
    rows = await desk.log.pool.fetch("select country from aside order by sequence")
    assert [row["country"] for row in rows] == ["sealed:GTM", "sealed:GTM"], "tried again, it is sealed"


async def test_a_version_of_before_passes_over_sealed_rows(desk):
    await put(desk, Row(report(1), "failed", "KeyError"))
    await desk.log.pool.execute("update aside set retry_at = now()")
    before = "select count(*) from aside where country = any($1::text[]) and retry_at <= now()"
    assert await desk.log.pool.fetchval(before, [*SENDERS, "REG"]) == 0


async def test_what_waits_for_an_id_comes_back_when_that_is_recorded_and_else_when_its_time_is_over(desk):
    event = desk.event("intel.document.flagged")
    await put(
        desk,
        Row(report(1), "waiting", "/data/supersedes", wants=event.id, wait_s=60),
        Row(report(2), "waiting", "/data/supersedes", wants="never", wait_s=60),
        Row(report(3), "waiting", "/data/supersedes", wants=event.subject, wait_s=60),
        Row(report(4), "waiting", "/data/supersedes", wants="never", wait_s=0),
    )
    assert await due(desk) == [report(4)]
    seen = await wake(desk)
    await desk.tell(event)
    assert await wake(desk, seen) == seen + 1
    assert await due(desk) == [report(1), report(3)]


async def test_what_is_in_nobodys_log_is_tried_again_later_each_time_and_at_a_start_at_once(desk):
    rows = [Row(report(1), "failed", "KeyError"), Row(report(2), "waiting", "/data/x", wants="never", wait_s=60)]
    delays = []
    for _ in range(14):
        await put(desk, *rows)
        delays.append(
            await desk.log.pool.fetchval(
                "select extract(epoch from retry_at - now())::float from aside where sequence = 1"
            )
        )
    assert delays[0] < 1
    assert [round(delay) for delay in delays] == sorted(round(delay) for delay in delays)
    assert 590 < delays[-1] <= 600
    assert await due(desk) == []
    await desk.log.pool.execute("update aside set until = now() where sequence = 2")
    async with desk.log.pool.acquire() as connection:
        await aside.resume(connection, 60)
        assert await aside.claim(connection, 9, SEALING) == [(report(1), False), (report(2), False)]


async def test_a_report_sent_again_while_it_stands_there_is_not_set_aside_twice(desk):
    def waiting(*numbers, said=b"said"):
        return [Row(report(n), "waiting", "/data/x", wants="a", wait_s=60, said=said) for n in numbers]

    await put(desk, *waiting(1, 2, 1))
    await put(desk, Row(report(3), "failed", "KeyError", said=b"said"))
    await put(desk, *waiting(4, said=b"else"), *waiting(5, 6, said=None))
    rows = await desk.log.pool.fetch("select sequence from aside order by 1")
    assert [row["sequence"] for row in rows] == [1, 4, 5, 6]


async def test_counts_are_by_stream_and_kind_and_limits_by_country(desk):
    heard = Taken("LEGAL", 7, STORED, "crm.evt.legal.law.amended.GTM", None, b"{}")
    await put(
        desk,
        Row(report(1), "waiting", "/data/x", wants="a", wait_s=60),
        Row(report(2), "failed", "KeyError"),
        Row(report(1, "MEX"), "failed", "KeyError"),
        Row(heard, "failed", "KeyError"),
    )
    pool = desk.log.pool
    assert [one[:3] for one in await aside.counts(pool)] == [
        ("INTAKE_GTM", "failed", 1),
        ("INTAKE_GTM", "waiting", 1),
        ("INTAKE_MEX", "failed", 1),
        ("LEGAL", "failed", 1),
    ]
    assert await aside.count(pool, "GTM", "failed") == 1
    async with pool.acquire() as connection:
        await aside.drop(connection, [heard, report(2)])
    assert [one[0] for one in await aside.counts(pool)] == ["INTAKE_GTM", "INTAKE_MEX"]


async def test_a_look_tells_whether_anything_is_to_be_done(desk):
    pool = desk.log.pool
    assert await aside.look(pool) == (0, False, False)
    await put(desk, Row(report(1), "failed", "KeyError"))
    assert await aside.look(pool) == (0, False, False), "it is tried again, but later"
    await put(desk, Row(report(2), "waiting", "/data/supersedes", wants="a", wait_s=60))
    assert await aside.look(pool) == (0, True, False)
    await pool.execute("update aside set retry_at = now() where sequence = 1")
    assert await aside.look(pool) == (0, True, True)
