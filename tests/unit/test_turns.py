"""How lanes share a batch: everybody's part, each lane's order, and a pace only beside others."""

import asyncio
from types import SimpleNamespace

from shared.flow.lane import CONTESTED_S, PACE_S, REPORT_BYTES, Lane
from shared.flow.pull import Turns


def message(lane, number, size=10, pending=0):
    reply = f"$JS.ACK.{lane}.intel.1.{number}.{number}.1078142400000000000.{pending}"
    return SimpleNamespace(lane=lane, number=number, data=b"x" * size, reply=reply)


class Idle(Lane):
    """A lane to which nothing comes."""

    async def ask(self, share, wake):
        pass

    async def give_back(self):
        pass


def idle(number):
    made = Idle(None, "GTM", "intel", pace=400)
    made.arrived.extend(message("GTM", n) for n in range(number))
    return made


def lane(name, number, weight=1, pace=0.0, size=10):
    made = Lane(None, name, "intel", weight, pace)
    made.arrived.extend(message(name, n, size) for n in range(number))
    return made


def turns(*lanes, batch_max=100):
    return Turns(list(lanes), batch_max, None, lambda: False)


def counts(batch):
    return {name: sum(one.lane == name for one in batch) for name in {one.lane for one in batch}}


def test_a_flood_leaves_everybody_elses_share():
    assert counts(turns(lane("GTM", 1000), lane("MEX", 1), lane("HND", 40))._taken()) == {
        "GTM": 59,
        "MEX": 1,
        "HND": 40,
    }


def test_shares_go_by_weight():
    assert counts(turns(lane("GTM", 1000, weight=3), lane("MEX", 1000))._taken()) == {"GTM": 75, "MEX": 25}


def test_each_lanes_messages_keep_their_order():
    sharing = turns(lane("GTM", 90), lane("MEX", 90), batch_max=50)
    taken = [one for _ in range(4) for one in sharing._taken()]
    for name in ("GTM", "MEX"):
        numbers = [one.number for one in taken if one.lane == name]
        assert numbers == list(range(90)), f"{name} lost its order, or something"


def test_alone_a_lane_has_no_pace():
    assert len(turns(lane("GTM", 1000, pace=100))._taken()) == 100


def test_beside_others_a_lane_gives_what_its_pace_allows_and_waits_for_more():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 1, pace=400)
    sharing = turns(gtm, mex)
    assert counts(sharing._taken())["MEX"] == 1
    assert len(gtm.take(100, 10**6, contested=True)) == 400 * PACE_S
    assert gtm.take(100, 10**6, contested=True) == []
    assert len(gtm.take(100, 10**6 + PACE_S, contested=True)) == 400 * PACE_S


def test_a_large_message_counts_as_several_and_a_dear_one_slows_its_lane():
    large = lane("GTM", 100, pace=400, size=7 * REPORT_BYTES)
    assert len(large.take(100, 10**6, contested=True)) == 3
    dear = lane("GTM", 100, pace=400)
    dear.cost_s = 0.002
    assert round(dear.paced) == 175


def test_however_dear_they_seem_a_lane_gives_as_many_as_a_batchs_own_round_trips_cost():
    dear = lane("GTM", 100, pace=400)
    dear.cost_s = 0.5
    assert len(dear.take(100, 10**6, contested=True)) == 8
    large = lane("GTM", 100, pace=400, size=7 * REPORT_BYTES)
    large.cost_s = 0.5
    assert len(large.take(100, 10**6, contested=True)) == 1


def test_a_pace_ends_when_the_others_have_been_silent():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 1, pace=400)
    sharing = turns(gtm, mex)
    sharing._taken()
    sharing._taken()
    assert sharing._contested(gtm), "it gave in the batch before, however long ago that was"
    mex.little -= CONTESTED_S / 2
    sharing._taken()
    assert sharing._contested(gtm)
    mex.little -= CONTESTED_S
    sharing._taken()
    assert not sharing._contested(gtm)


def test_lanes_that_all_have_more_than_they_give_fill_large_batches():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 1000, pace=400)
    sharing = turns(gtm, mex)
    for _ in range(3):
        assert counts(sharing._taken()) == {"GTM": 50, "MEX": 50}
    mex.arrived.clear()
    mex.arrived.append(message("MEX", 1000, pending=3))
    assert counts(sharing._taken()) == {"GTM": 99, "MEX": 1}, "it has more on the server"


def test_who_has_just_given_all_of_a_backlog_slows_nobody():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 120, pace=400)
    sharing = turns(gtm, mex)
    for _ in range(2):
        assert counts(sharing._taken()) == {"GTM": 50, "MEX": 50}
    assert counts(sharing._taken()) == {"GTM": 80, "MEX": 20}, "it is no backlog any more"
    assert not sharing._contested(gtm)
    assert counts(sharing._taken()) == {"GTM": 100}
    mex.arrived.append(message("MEX", 120))
    sharing._taken()
    assert sharing._contested(gtm), "it reports again"


def test_the_end_of_a_backlog_slows_nobody_however_long_ago_the_batch_before_was():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 120, pace=400)
    sharing = turns(gtm, mex)
    for _ in range(3):
        sharing._taken()
        sharing._taken_at -= CONTESTED_S
        mex.given -= CONTESTED_S * 0.9
    assert not sharing._contested(gtm)
    assert counts(sharing._taken()) == {"GTM": 100}


def test_many_reports_given_at_once_slow_nobody_behind_them():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 45, pace=400)
    sharing = turns(gtm, mex)
    assert counts(sharing._taken()) == {"GTM": 55, "MEX": 45}
    assert counts(sharing._taken()) == {"GTM": 100}


def test_a_few_reports_at_once_are_no_backlog():
    gtm, mex = lane("GTM", 1000, pace=400), lane("MEX", 0, pace=400)
    sharing = turns(gtm, mex)
    sharing._taken()
    mex.arrived.append(message("MEX", 0, pending=4))
    sharing._taken()
    mex.arrived.extend(message("MEX", number) for number in range(1, 5))
    sharing._taken()
    assert sharing._contested(gtm)


async def test_what_a_batch_takes_anyway_is_no_messages_cost():
    gtm = lane("GTM", 1, pace=400)
    sharing = turns(gtm)

    async def slowly(_batch, _before):
        await asyncio.sleep(0.02)

    sharing.handle = slowly
    for number in range(20):
        gtm.arrived.append(message("GTM", number))
        await sharing.hand_on(sharing._taken())
    assert gtm.cost_s < 0.02 / 2


async def test_the_next_batch_is_read_while_one_is_recorded_and_recorded_behind_it():
    read, recorded, going = [], [], asyncio.Event()

    async def handle(batch, before):
        read.append(batch[0].number)
        if before:
            await asyncio.wait([before])
        else:
            await going.wait()
        recorded.append(batch[0].number)

    gtm = idle(30)
    sharing = Turns([gtm], 10, handle, lambda: False)
    running = asyncio.create_task(sharing.run())
    while len(read) < 2:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert read == [0, 10], "no third batch is taken"
    assert recorded == []
    going.set()
    while len(recorded) < 3:
        await asyncio.sleep(0)
    sharing.stop()
    await running
    assert recorded == [0, 10, 20]


async def test_a_cancelled_intake_leaves_no_batch_behind():
    read, recorded = [], []

    async def handle(batch, before):
        read.append(batch[0].number)
        await (asyncio.wait([before]) if before else asyncio.Event().wait())
        recorded.append(batch[0].number)

    sharing = Turns([idle(30)], 10, handle, lambda: False)
    running = asyncio.create_task(sharing.run())
    while len(read) < 2:
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task(), running}
    running.cancel()
    await asyncio.wait([running])
    await asyncio.sleep(0)
    assert all(task.done() for task in others)
    assert recorded == []


async def test_where_there_is_little_a_report_waits_for_nothing_but_the_batch_at_hand():
    read, going = [], asyncio.Event()

    async def handle(batch, before):
        assert before is None or before.done()
        read.append(len(batch))
        await going.wait()

    gtm = idle(3)
    sharing = Turns([gtm], 10, handle, lambda: False)
    running = asyncio.create_task(sharing.run())
    while not read:
        await asyncio.sleep(0)
    gtm.arrived.extend(message("GTM", number) for number in range(3, 8))
    await asyncio.sleep(0.05)
    assert read == [3]
    going.set()
    while len(read) < 2:
        await asyncio.sleep(0)
    assert read == [3, 5]
    sharing.stop()
    await running


def test_no_more_is_asked_for_than_a_few_batches_take():
    lanes = [lane(name, 1000, pace=400) for name in ("GTM", "MEX", "HND", "SLV", "NIC")]
    sharing = turns(*lanes)
    assert [sharing._share(one) for one in lanes] == [21] * 5
    sharing._taken()
    assert [sharing._share(one) for one in lanes] == [41] * 5
    alone = turns(lane("GTM", 1000, pace=400))
    alone._taken()
    assert alone._share(alone.lanes[0]) == 100
