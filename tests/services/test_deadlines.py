"""One deadline that cannot happen holds up no other, and happens when it can."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from services.training.__main__ import SERVICE
from shared.ask import mailbox
from shared.record import deadlines, engine
from shared.run.clock import Clock
from tests.harness.desk import START, desk

NAME = "training.official.enrolled"
POISON = {
    "no JSON": b"\x00",
    "not an event": b"[]",
    "too deep": b'{"data":' + b"[" * 100_000,
    "a time beyond the calendar": b'{"type":"crm.training.official.enrolled.v1","time":"10004-03-01T00:00:00Z"}',
}


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


async def due(training, number, event):
    await training.log.pool.execute(
        "insert into deadline (id, due, event) values ($1, $2, $3)",
        f"d-{number}",
        START + timedelta(hours=number),
        event,
    )


async def fired(training):
    async with training.log.pool.acquire() as connection, connection.transaction():
        return await deadlines.fire(training.log, connection)


async def test_a_deadline_whose_event_cannot_be_read_holds_up_no_other(training):
    good = [training.event(NAME, officer_pid=f"of-{number}") for number in range(3)]
    await due(training, 0, msgspec.json.encode(good[0]))
    for number, poison in enumerate(POISON.values(), 1):
        await due(training, number, poison)
    await due(training, 9, msgspec.json.encode(good[1]))
    training.clock.at += timedelta(days=1)
    assert await fired(training) == 2 + len(POISON)
    assert [event.id for event in await training.recorded(NAME)] == [good[0].id, good[1].id]
    left = await training.log.pool.fetch("select id, tries, retry_at > now() as later from deadline order by id")
    assert [tuple(row) for row in left] == [(f"d-{number}", 1, True) for number in range(1, 1 + len(POISON))]
    assert await fired(training) == 0  # not again and again: each after a pause


async def test_what_has_failed_very_often_is_still_tried_and_happens_when_it_can(training):
    good = training.event(NAME, officer_pid="of-1")
    await due(training, 1, b"\x00")
    await training.log.pool.execute("update deadline set tries = 2147483000")
    training.clock.at += timedelta(days=1)
    assert await fired(training) == 1
    await training.log.pool.execute("update deadline set event = $1, retry_at = '-infinity'", msgspec.json.encode(good))
    assert await fired(training) == 1
    assert [event.id for event in await training.recorded(NAME)] == [good.id]
    assert await training.log.pool.fetchval("select count(*) from deadline") == 0


async def test_an_event_larger_than_its_stream_takes_is_never_recorded(training, monkeypatch):
    """The relay could not pass over it: the stream is the log."""
    small, large = (training.event(NAME, officer_pid=f"of-{number}") for number in range(2))
    monkeypatch.setattr(engine, "EVENT_BYTES_MAX", len(msgspec.json.encode(small)) + 50)
    large = msgspec.structs.replace(large, correlationid="c" * 60)
    outcomes = await training.record(small, large)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], engine.Unfit)
    assert [event.id for event in await training.recorded(NAME)] == [small.id]


def test_what_is_recorded_at_most_fits_into_a_message_and_an_answer():
    assert max(engine.EVENT_BYTES_MAX, mailbox.BYTES_MAX) + 64 * 1024 <= 1024 * 1024


async def test_it_is_told_for_how_long_the_first_deadline_has_been_due_in_real_time(training):
    """Plan time runs sixty times as fast here."""
    pool = training.log.pool

    async def late(hours):
        at = START + timedelta(hours=hours)
        return await deadlines.late_s(pool, Clock(start=at, epoch=datetime.now(UTC), speed=60.0))

    assert await late(9) == 0
    await due(training, 2, msgspec.json.encode(training.event(NAME, officer_pid="of-1")))
    assert await late(1) == 0, "it is not due yet"
    assert 60 <= await late(3) < 90
    await pool.execute("update deadline set retry_at = now() + interval '1 hour'")
    assert await late(3) == 0, "what failed is told of as set aside"
