import asyncio
import time
from contextlib import asynccontextmanager

import msgspec
import pytest

from infra.nats.config import accounts
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from services.indicators.feed import Feed
from shared import database
from shared.settings import Settings
from tests.services.indicators.making import PLAN, event, folded, row


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
