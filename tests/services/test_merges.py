"""Two identifiers for one: counted once, in whatever order and however often merges and reports arrive."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from services.training.__main__ import SERVICE
from shared.contracts import Refused
from shared.contracts.report import accepted
from shared.record.judgement import Unknown
from shared.record.log import Draft, Log
from shared.run.clock import Clock
from tests.harness.speaking import NOW, example

SEEDS = 40
AGAIN = (Unknown, asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)
"""What makes intake bring an event again: two replicas had it, or officials in another order, at the same time."""


@pytest.fixture
async def replicas(region):
    """The logs of two replicas of the training service."""
    pools = [
        await asyncpg.create_pool(
            region.database_url("training"), min_size=1, max_size=2, server_settings={"search_path": "training"}
        )
        for _ in range(2)
    ]
    clock = Clock(NOW, datetime.now(UTC), 1)
    yield [Log("training", pool, clock, SERVICE.judged()) for pool in pools]
    for pool in pools:
        await pool.close()


def report(name, event_id, country="GTM", subject=None, time=NOW, **data):
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:crm:country:{country}:test",
        "type": f"crm.{name}.v1",
        "time": time.isoformat(),
        "data": {**data, "reported_by": "immigration"},
        **({"subject": subject} if subject else {}),
    }
    return accepted(f"crm.in.{country}.{name}", None, msgspec.json.encode(whole), NOW)


def enrolled(event_id, officer, country="GTM", time=NOW, **changes):
    data = example("training.official.enrolled", officer_pid=officer, **changes)
    return report("training.official.enrolled", event_id, country, time=time, **data)


def merged(event_id, old, into, country="GTM", name="training.official.merged"):
    return report(name, event_id, country, subject=old, into=into)


async def told(log, events):
    """Record one after another; return what each came to."""
    return [outcome for event in events for outcome in await log.record([Draft(event)])]


async def counted(log, prefix=""):
    """How many officials the figures have: what was counted, less what corrections took out again."""
    rows = await log.pool.fetch("select payload from log order by position")
    total = 0
    for row in rows:
        event = msgspec.json.decode(row["payload"])
        data, kind = event["data"], event["type"]
        if kind == "crm.training.official.enrolled.v1" and data["officer_pid"].startswith(prefix):
            total += change(data)
        if kind == "crm.training.official.corrected.v1" and data["previous"]["officer_pid"].startswith(prefix):
            total += change(data["data"]) - change(data["previous"])
    return total


def change(data):
    """What a report changed for good: with an end, it is taken back then."""
    said = data.get("change") or {"by": 0}
    return 0 if said.get("until") else said["by"]


def code(outcome):
    assert isinstance(outcome, Refused), outcome
    return [(problem.pointer, problem.code) for problem in outcome.problems]


async def test_two_identifiers_of_one_official_count_once(replicas):
    log = replicas[0]
    assert await told(log, [enrolled("e1", "of-1"), enrolled("e2", "of-2")]) == [None, None]
    assert await counted(log) == 2
    assert await told(log, [merged("m", "of-1", "of-2")]) == [None]
    assert await counted(log) == 1


async def test_a_later_report_under_the_old_identifier_is_valid_and_counts_once(replicas):
    log = replicas[0]
    await told(log, [enrolled("e1", "of-1"), enrolled("e2", "of-2"), merged("m", "of-1", "of-2")])
    assert await told(log, [enrolled("e3", "of-1", institution_type="other"), enrolled("e4", "of-1")]) == [None, None]
    assert await counted(log) == 2  # at two kinds of institution
    position, entity = await log.pool.fetchrow("select position, entity from log order by position desc limit 1")
    assert (position, entity) == (8, "of-2")


async def test_a_report_and_its_merge_may_come_in_one_batch(replicas):
    log = replicas[0]
    batch = [merged("m", "of-1", "of-2"), enrolled("e1", "of-1"), enrolled("e2", "of-2")]
    assert await log.record([Draft(event) for event in batch]) == [None] * 3
    assert await counted(log) == 1


async def test_what_a_country_corrects_back_to_the_old_identifier_stays_merged(replicas):
    log = replicas[0]
    await told(log, [enrolled("e1", "of-1"), enrolled("e2", "of-2"), merged("m", "of-1", "of-2")])
    data = example("training.official.enrolled", officer_pid="of-1", sex="male")
    correction = report("training.official.corrected", "c", supersedes="e1", data=data)
    assert await told(log, [correction]) == [None]
    assert await counted(log) == 1


async def test_an_unknown_or_foreign_identifier_waits(replicas):
    log = replicas[0]
    await told(log, [enrolled("e1", "of-1"), enrolled("e2", "of-9", country="MEX")])
    unknown, gone, foreign = await told(
        log, [merged("m1", "of-1", "of-8"), merged("m2", "of-8", "of-1"), merged("m3", "of-1", "of-9")]
    )
    assert [(type(one), one.pointer) for one in (unknown, gone, foreign)] == [
        (Unknown, "/data/into"),
        (Unknown, "/subject"),
        (Unknown, "/data/into"),
    ]
    assert await log.pool.fetchval("select count(*) from merged") == 0


async def test_an_identifier_of_another_kind_of_entity_is_unknown(replicas):
    certificate = example("training.officer.certified", cert_id="of-2")
    await told(replicas[0], [enrolled("e1", "of-1"), report("training.officer.certified", "e2", **certificate)])
    (outcome,) = await told(replicas[0], [merged("m", "of-1", "of-2")])
    assert isinstance(outcome, Unknown)


async def test_refusals(replicas):
    log = replicas[0]
    await told(log, [enrolled(f"e{n}", f"of-{n}") for n in range(4)])
    itself, first, again, circle = await told(
        log,
        [
            merged("m1", "of-1", "of-1"),
            merged("m2", "of-1", "of-2"),
            merged("m3", "of-1", "of-3"),
            merged("m4", "of-2", "of-1"),
        ],
    )
    assert first is None
    assert code(itself) == code(circle) == [("/data/into", "same_entity")]
    assert code(again) == [("/subject", "already_merged")]
    taken_back = report("training.official.retracted", "r", supersedes="m2", reason="mistaken")
    assert code((await told(log, [taken_back]))[0]) == [("/data/supersedes", "not_amendable")]
    with pytest.raises(Refused) as verdict:
        report("training.official.merged", "m5", entity="of-1", into="of-1")
    assert code(verdict.value) == [("/data/into", "same_entity")]


async def test_the_identifiers_of_two_countries_are_not_the_same(replicas):
    log = replicas[0]
    await told(log, [enrolled(f"e{c}{n}", f"of-{n}", c) for c in ("GTM", "MEX") for n in (1, 2)])
    await told(log, [merged("m", "of-1", "of-2", "MEX")])
    assert await counted(log) == 3


async def test_order_repetition_and_replicas_do_not_matter(replicas):
    for seed in range(SEEDS):
        chance = random.Random(seed)
        names = [f"s{seed}-{n}" for n in range(6)]
        merges = {names[n]: chance.choice(names[n + 1 :]) for n in range(5) if chance.random() < 0.5}
        days = [NOW - timedelta(days=chance.randint(0, 3)) for _ in range(8)]
        events = [enrolled(f"e{seed}-{n}", chance.choice(names), time=day) for n, day in enumerate(days)]
        events += [enrolled(f"f-{name}", name) for name in sorted({*merges, *merges.values()})]
        events += [merged(f"m-{old}", old, into) for old, into in merges.items()]
        events += chance.sample(events, 5)
        chance.shuffle(events)
        await everything(replicas, chance, events)
        officials = {name_of(merges, event.data.officer_pid) for event in events if "enrolled" in event.type}
        assert await counted(replicas[0], f"s{seed}-") == len(officials), seed


def name_of(merges, name):
    return name_of(merges, merges[name]) if name in merges else name


async def everything(replicas, chance, events):
    """Record all, in batches by either replica, two at a time; what has to wait comes again."""
    while events:
        batches = []
        while events and len(batches) < 2:
            size = chance.randint(1, 4)
            batches.append(events[:size])
            events = events[size:]
        pairs = zip(replicas, batches, strict=False)
        recording = [log.record([Draft(one) for one in batch]) for log, batch in pairs]
        outcomes = await asyncio.gather(*recording, return_exceptions=True)
        for batch, told_ in zip(batches, outcomes, strict=True):
            if isinstance(told_, BaseException):
                assert isinstance(told_, AGAIN), told_
                events = events + batch
                continue
            assert all(outcome is None or isinstance(outcome, AGAIN) for outcome in told_), told_
            events = events + [event for event, outcome in zip(batch, told_, strict=True) if outcome]


async def test_two_systems_of_a_country_number_their_reports_alike(replicas):
    first, *others = (enrolled("r-1", f"of-{name}") for name in "abc")
    second = msgspec.structs.replace(others[0], source="urn:crm:country:GTM:other")
    third = msgspec.structs.replace(enrolled("r-1", "of-b"), source="urn:crm:country:GTM:third")
    stays = msgspec.structs.replace(others[1], id="r-2")
    assert await told(replicas[0], [first, second, third, stays]) == [None] * 4
    assert await told(replicas[0], [merged("m-1", "of-b", "of-c")]) == [None]
    late = msgspec.structs.replace(enrolled("r-1", "of-b"), source="urn:crm:country:GTM:fourth")
    assert await told(replicas[1], [late]) == [None]
    assert await amended(replicas[0]) == [(source, "of-b", "of-c") for source in ("other", "third", "fourth")]
    assert (await counted(replicas[0], "of-a"), await counted(replicas[0])) == (1, 2)


async def amended(log):
    """What was corrected: the system that had reported it, and whom it named and names."""
    rows = await log.pool.fetch("select payload from log where type like '%corrected%' order by position")
    said = [msgspec.json.decode(row["payload"])["data"] for row in rows]
    named = [(one["previous"]["officer_pid"], one["data"]["officer_pid"]) for one in said]
    return [(one["original_source"].rpartition(":")[2], *pair) for one, pair in zip(said, named, strict=True)]
