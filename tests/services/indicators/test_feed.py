import asyncio
import time
from contextlib import asynccontextmanager

import msgspec
import pytest
from nats.js.api import StreamConfig

from infra.nats.config import accounts
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from services.indicators.folded import feed as feed_module
from services.indicators.folded import fold, reading
from services.indicators.folded.feed import Feed
from shared.run import database
from shared.run.settings import Settings
from tests.services.indicators.making import PLAN, event, folded, row

pytestmark = pytest.mark.long


async def until(condition, seconds=20.0):
    """Wait for a condition; the test fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def publish(client, *payloads, name="band.dismantled", service="intel"):
    for payload in payloads:
        await client.jetstream().publish(f"crm.evt.{service}.{name}.GTM", payload)


@asynccontextmanager
async def feeding(region, pool, plan=PLAN):
    feed = Feed(await region.connect("indicators"), pool, plan)
    await feed.start()
    try:
        yield feed
    finally:
        await feed.stop()


@pytest.fixture
async def pool(region):
    settings = Settings(database_url=region.database_url("indicators"))
    async with await database.connect(settings, "indicators") as opened:
        yield opened


BAND = event("intel.band.dismantled")


def folded_of(feed, service="intel"):
    return feed.state.sequences.get(service, 0)


async def test_what_is_in_the_streams_is_folded_and_what_comes_later_too(region, pool):
    intel, legal = await region.connect("intel"), await region.connect("legal")
    await publish(intel, BAND, BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 2)
        await publish(legal, event("legal.person.detained"), service="legal", name="person.detained")
        await until(lambda: folded_of(feed, "legal") == 1)
        await until(lambda: feed.streams["legal"] == 1)
        assert feed.caught_up
        assert feed.state.dump() == folded(BAND, BAND, event("legal.person.detained")).state.dump()


async def test_a_restart_goes_on_from_the_snapshot(region, pool):
    intel = await region.connect("intel")
    await publish(intel, BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 1)
    await publish(intel, BAND)
    async with feeding(region, pool) as feed:
        assert folded_of(feed) == 1
        await until(lambda: folded_of(feed) == 2)
        assert feed.state.dump() == folded(BAND, BAND).state.dump()


async def test_another_plan_folds_from_the_start(region, pool):
    await publish(await region.connect("intel"), BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 1)
    other = msgspec.structs.replace(PLAN, digest="another")
    async with feeding(region, pool, other) as feed:
        assert folded_of(feed) == 0
        await until(lambda: folded_of(feed) == 1)


async def test_rebuilding_gives_the_same_bytes_and_serves_meanwhile(region, pool):
    intel = await region.connect("intel")
    await publish(intel, *[BAND] * 50)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 50)
        before = feed.state
        await feed.rebuild()
        assert feed.state is not before
        assert feed.state.dump() == before.dump()
        await publish(intel, BAND)
        await until(lambda: folded_of(feed) == 51)
        assert folded_of(feed) == 51
        assert before.sequences["intel"] == 50


async def test_a_server_that_goes_and_comes_back_loses_nothing(region, pool):
    await publish(await region.connect("intel"), *[BAND] * 3)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 3)
        region.nats.stop()
        region.nats.start(accounts(region.keys.public))
        await publish(await region.connect("intel"), *[BAND] * 3)
        await until(lambda: folded_of(feed) == 6)
        assert feed.state.dump() == folded(*[BAND] * 6).state.dump()


async def test_a_stream_made_anew_with_the_same_sequences_goes_on(region, pool):
    intel, provisioner = await region.connect("intel"), await region.connect(PROVISIONER)
    await publish(intel, BAND, BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 2)
        await provisioner.jetstream().delete_stream("INTEL")
        await provision(provisioner)
        await publish(intel, BAND, BAND, BAND)
        await until(lambda: folded_of(feed) == 3)
        assert row(feed._fold, "PC-1c").headline.value == 3


async def test_a_hole_is_not_folded_over(region, pool):
    intel = await region.connect("intel")
    await publish(intel, BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 1)
        feed.state.sequences["intel"] = 0  # as if the first message had never arrived
        await publish(intel, BAND)
        await until(lambda: folded_of(feed) == 2)
        assert row(feed._fold, "PC-1c").headline.value == 3  # it asked again from where it was


ZERO = event("intel.band.dismantled", time="0001-01-01T00:00:00+14:00")


async def test_what_cannot_be_folded_is_set_aside_and_survives_a_restart(region, pool):
    intel = await region.connect("intel")
    await publish(intel, BAND, ZERO, b"\x00 no event", BAND)
    for _ in range(2):
        async with feeding(region, pool) as feed:
            await until(lambda: folded_of(feed) == 4)
            assert feed.state.uncounted == 2
            assert set(feed.state.aside["intel"].kept) == {2, 3}
            assert row(feed._fold, "PC-1c").headline.value == 2
            await until(lambda: feed.streams["intel"] == 4)
            assert feed.caught_up
    async with feeding(region, pool) as feed:
        done = await feed.rebuild()
        assert (done.same, done.aside, done.taken_in, done.fault, done.events) == (True, 2, 0, "", 2)


async def test_what_a_mended_version_can_fold_is_taken_in_and_equals_a_clean_fold(region, pool, monkeypatch):
    intel = await region.connect("intel")
    honest = fold._moment

    def broken(time, recorded):
        if time.day == 7:
            raise AttributeError("a fault of this version")
        return honest(time, recorded)

    odd = event("intel.band.dismantled", time="2004-03-07T10:00:00Z")
    later = event("legal.person.detained")
    await publish(intel, BAND, odd, BAND)
    await publish(await region.connect("legal"), later, service="legal", name="person.detained")
    with monkeypatch.context() as version:
        version.setattr(fold, "_moment", broken)
        async with feeding(region, pool) as feed:
            await until(lambda: folded_of(feed) == 3 and folded_of(feed, "legal") == 1)
            assert feed.state.aside["intel"].kept == {2: "AttributeError"}
            assert row(feed._fold, "PC-1c").headline.value == 2
    async with feeding(region, pool) as feed:
        await until(lambda: feed.state.uncounted == 0 and folded_of(feed) == 3 and folded_of(feed, "legal") == 1)
        assert feed.state.dump() == folded(BAND, odd, BAND, later).state.dump()


async def test_rebuilding_takes_in_what_was_set_aside_and_says_so(region, pool, monkeypatch):
    await publish(await region.connect("intel"), BAND, BAND)
    async with feeding(region, pool) as feed:
        with monkeypatch.context() as version:
            version.setattr(fold, "_moment", lambda *_: 1 / 0)
            await until(lambda: folded_of(feed) == 2)
        assert feed.state.aside["intel"].kept == dict.fromkeys((1, 2), "ZeroDivisionError")
        done = await feed.rebuild()
        assert (done.same, done.aside, done.taken_in, done.fault) == (None, 0, 2, "")
        assert feed.state.dump() == folded(BAND, BAND).state.dump()


async def test_good_figures_are_never_exchanged_for_worse(region, pool, monkeypatch):
    await publish(await region.connect("intel"), BAND, BAND)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 2)
        before = feed.state.dump()
        with monkeypatch.context() as version:
            version.setattr(fold, "_moment", lambda *_: 1 / 0)
            done = await feed.rebuild()
        assert done.fault.startswith("2 events that are counted could not be folded anew")
        assert feed.state.dump() == before
        await publish(await region.connect("intel"), BAND)
        await until(lambda: folded_of(feed) == 3)


async def losing(region, *lost, number=5):
    """A stream that lost messages for good, as by a flipped bit: nobody may delete any, so these expire."""
    provisioner = (await region.connect(PROVISIONER)).jetstream()
    await provisioner.delete_stream("INTEL")
    subjects = ["crm.evt.intel.*.*.*"]
    await provisioner.add_stream(StreamConfig(name="INTEL", subjects=subjects, allow_direct=True, allow_msg_ttl=True))
    intel = (await region.connect("intel")).jetstream()
    for sequence in range(1, number + 1):
        headers = {"Nats-TTL": "1s"} if sequence in lost else None
        await intel.publish("crm.evt.intel.band.dismantled.GTM", BAND, headers=headers)
    while (await provisioner.stream_info("INTEL")).state.messages > number - len(lost):
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("lost", [(3,), (1,), (5,), (1, 3, 5), (4, 5)])
async def test_messages_missing_for_good_are_set_aside_and_taken_in_when_they_are_back(region, pool, monkeypatch, lost):
    monkeypatch.setattr(feed_module, "MEND_S", 0.2)
    await losing(region, *lost)
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed) == 5)
        assert feed.state.aside["intel"].kept == dict.fromkeys(lost, "missing")
        assert row(feed._fold, "PC-1c").headline.value == 5 - len(lost)
        await losing(region)
        await until(lambda: feed.state.uncounted == 0)
        assert feed.state.dump() == folded(*[BAND] * 5).state.dump()


async def test_a_stream_that_was_emptied_is_not_taken_for_a_damaged_one(region, pool, monkeypatch):
    monkeypatch.setattr(feed_module, "STANDS_S", 0.5)
    monkeypatch.setattr(reading, "GAP_MAX", 3)
    await losing(region, 1, 2, 3, 4)
    await publish(
        await region.connect("legal"), event("legal.person.detained"), service="legal", name="person.detained"
    )
    async with feeding(region, pool) as feed:
        await until(lambda: folded_of(feed, "legal") == 1)
        await until(lambda: any("crm restore intel" in fault for fault in feed.faults()))
        assert folded_of(feed) == 0
        assert not feed.caught_up
        done = await feed.rebuild()
        assert done.fault == "INTEL stands at 0 of 5 (has no messages from 1 to 4: run `crm restore intel`)"
        await losing(region)
        await until(lambda: folded_of(feed) == 5 and not feed.faults())
