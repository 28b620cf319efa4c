"""Streams folded in processes of their own and put together: the bytes of folding them one after the other."""

import asyncio
import random
import sys
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.folded import feed as feed_module
from services.indicators.folded.apart import Apart, ApartError, shared_out
from services.indicators.folded.feed import Feed
from services.indicators.folded.fold import Fold
from services.indicators.folded.merging import merge
from services.indicators.folded.state import State
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from tests.bench.fold import fed
from tests.services.indicators.making import CONTRACTS, PLAN, amend, event, raw
from tests.services.indicators.test_feed import pool, until  # noqa: F401 - a fixture

pytestmark = pytest.mark.long

NAMES = sorted({wire[4:].rpartition(".")[0] for wire in fed(PLAN)})
MERGED = {
    *(
        "digest",
        "sums",
        "levels",
        "groups",
        "events",
        "amended",
        "heard",
        "heard_openly",
        "rejected",
        "sequences",
        "hashes",
        "aside",
    ),
    "views",
}


def test_nothing_of_the_state_is_left_out():
    """Who adds to the state says in `merging.py` how two are put together."""
    assert {one.name for one in fields(State)} == MERGED


def made(chance, number):
    """(service, payload): events of the whole plan, corrections, retractions, refusals, and what cannot be folded."""
    found = []
    for _ in range(number):
        name = chance.choice(NAMES)
        when = f"200{chance.randrange(3, 6)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 28):02}T10:00:00Z"
        payload = event(name, chance.choice(MEMBERS), when)
        service = name.partition(".")[0]
        found.append((service, payload))
        turn = chance.random()
        if turn < 0.2 and CONTRACTS[name].reported:
            found.append((service, amend(chance.choice(("corrected", "retracted")), payload)))
        elif turn < 0.25:
            refused = {"problems": [{"code": chance.choice(("unknown_reference", "bad_json"))}]}
            found.append((service, raw(f"crm.{service}.report.rejected.v1", refused, "GTM", when)))
        elif turn < 0.3:
            found.append((service, b"{}"))
    return found


def one_by_one(events):
    fold, last = Fold(PLAN), dict.fromkeys(SERVICES, 0)
    for service, payload in events:
        last[service] += 1
        fold.take(service, last[service], payload)
    return fold.state


def side_by_side(events):
    state = State(PLAN.digest)
    for service in SERVICES:
        merge(state, one_by_one([one for one in events if one[0] == service]))
    return state


@given(st.integers(0, 2**32), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_put_together_they_have_the_same_bytes(seed, number):
    events = made(random.Random(seed), number)
    whole = one_by_one(events)
    both = side_by_side(events)
    assert both.dump() == whole.dump()
    again = State.load(both.dump(), PLAN.digest)
    assert again.dump() == whole.dump()


def test_what_is_folded_behind_a_merge_goes_on():
    events = made(random.Random(7), 400)
    state, last = side_by_side(events[:300]), dict.fromkeys(SERVICES, 0)
    fold = Fold(PLAN, state)
    for number, (service, payload) in enumerate(events):
        last[service] += 1
        if number >= 300:
            fold.take(service, last[service], payload)
    assert fold.state.dump() == one_by_one(events).dump()


def test_earliest_times_are_each_services_own():
    first, second = State(PLAN.digest), State(PLAN.digest)
    first.groups["MS-IE-1"].note(("GTM", "intel"), 7, 1, 1, [])
    second.groups["MS-IE-1"].note(("GTM", "legal"), 5, 1, 1, [])
    merge(first, second)
    assert first.groups["MS-IE-1"].firsts()["GTM"].microsecond == 5
    with pytest.raises(ValueError, match="the same service's"):
        merge(first, second)


def test_states_of_the_same_stream_are_not_put_together():
    state = one_by_one([("intel", event("intel.band.dismantled"))])
    with pytest.raises(ValueError, match="same stream"):
        merge(state, one_by_one([("intel", event("intel.band.dismantled"))]))


@given(st.dictionaries(st.sampled_from(SERVICES), st.integers(0, 10**7), min_size=1), st.integers(1, 4))
def test_streams_are_shared_out_evenly(streams, processes):
    groups = shared_out(streams, processes)
    assert {name: n for group in groups for name, n in group.items()} == streams
    assert sum(map(len, groups)) == len(streams)
    loads = [sum(group.values()) for group in groups]
    assert max(loads) <= sum(streams.values()) / len(groups) + max(streams.values()), "no more than Graham allows"


async def published(region, events):
    clients = {service: await region.connect(service) for service in SERVICES}
    for service, payload in events:
        await clients[service].jetstream().publish(f"crm.evt.{service}.any.thing.GTM", payload)


async def test_processes_of_their_own_give_the_same_bytes(region):
    events = made(random.Random(11), 150)
    await published(region, events)
    whole = one_by_one(events)
    told = []
    apart = Apart(PLAN, region.env("indicators"), processes=2)
    state = await apart.folded(whole.sequences, told.append)
    assert state.dump() == whole.dump()
    assert told[-1] <= len(events)


async def test_a_feed_without_a_snapshot_begins_so_and_a_rebuild_goes_so(region, pool, monkeypatch):  # noqa: F811
    monkeypatch.setattr(feed_module, "EVENTS_MIN", 10)
    events = made(random.Random(12), 60)
    await published(region, events)
    feed = Feed(await region.connect("indicators"), pool, PLAN, Apart(PLAN, region.env("indicators"), processes=2))
    await feed.start()
    try:
        await until(lambda: sum(feed.state.sequences.values()) == len(events), 60)
        assert feed.state.dump() == one_by_one(events).dump()
        done = await feed.rebuild()
        assert (done.same, done.fault) == (True, "")
        await published(region, events[:5])
        await until(lambda: sum(feed.state.sequences.values()) == len(events) + 5)
    finally:
        await feed.stop()


async def test_where_a_process_fails_all_is_folded_here(region, pool, monkeypatch):  # noqa: F811
    monkeypatch.setattr(feed_module, "EVENTS_MIN", 10)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    events = made(random.Random(13), 40)
    await published(region, events)
    apart = Apart(PLAN, region.env("indicators"), processes=2)
    with pytest.raises(ApartError):
        await apart.folded({"intel": 1}, lambda _: None)
    feed = Feed(await region.connect("indicators"), pool, PLAN, apart)
    await feed.start()
    try:
        await until(lambda: sum(feed.state.sequences.values()) == len(events), 60)
        assert feed.state.dump() == one_by_one(events).dump()
    finally:
        await feed.stop()


async def test_a_process_ends_with_who_asked_for_it(region):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.indicators.folding", "/dev/null", "intel=1"),
        env=region.env("indicators"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert (await process.stdout.readline()).startswith(b"folded")
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 30) == 1
