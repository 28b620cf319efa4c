"""The table of what is set aside, on a real database."""

import pytest

from services.intel.__main__ import SERVICE
from shared.flow import aside
from shared.flow.aside import Row
from shared.flow.taken import Taken
from tests.harness import desk as harness

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
        await aside.put(connection, rows)


async def due(desk, most=100):
    async with desk.log.pool.acquire() as connection:
        return [taken for taken, _ in await aside.claim(connection, most)]


async def wake(desk, after=0):
    async with desk.log.pool.acquire() as connection:
        return await aside.waken(connection, after)


async def test_a_message_comes_back_as_it_was_whatever_is_in_it(desk):
    odd = report(1, payload=bytes(range(256)), headers={"ce-id": "a\x00b\ud800", "X": "ñ"})
    await put(desk, Row(odd, "failed", "KeyError"))
    await desk.log.pool.execute("update aside set retry_at = now()")
    assert await due(desk) == [odd]


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
        assert await aside.claim(connection, 9) == [(report(1), False), (report(2), False)]


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
