"""How certificates stand, whatever came in which order, at once or one after the other, and was taken back."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, time, timedelta

import pytest

from services.training.__main__ import SERVICE
from services.training.policy import POLICY
from services.training.standing import Certificate, history
from shared import contracts
from tests.harness.desk import START, desk
from tests.harness.figuring import folded
from tests.services.training.certifying import (
    amended,
    certified,
    complaint,
    confirmed,
    left,
)


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


async def reported(training):
    """The certificates that were reported and not retracted."""
    gone = {one.data.supersedes for one in await training.recorded("training.officer.retracted")}
    return [one for one in await training.recorded("training.officer.certified") if one.id not in gone]


async def valid(training):
    """How many officers count in IE-3.2b by the fold, and how many have a certificate of which nothing is told."""
    found = folded("IE-3.2b", await training.recorded(), training.clock.now().date())
    counted = sum(cell.numerator or 0 for cell in found.cells if cell.country == "GTM")
    over = {cert_id for cert_id, *_ in await left(training)}
    standing = {one.data.officer_pid for one in await reported(training) if one.data.cert_id not in over}
    return counted, len(standing)


@pytest.mark.parametrize("seed", range(5))
async def test_the_figure_counts_each_trained_officer_once_in_any_order(training, seed):
    chance = random.Random(seed)
    stories = [
        certified(
            training,
            f"c-{n}",
            chance.randint(-40, 0),
            officer_pid=f"of-{chance.randint(1, 3)}",
            topic=chance.choice(["ethics", "false_document_detection"]),
            valid_until=chance.choice(["2004-02-25", "2004-03-05", "2006-01-01"]),
            aligned_to=[{"law_id": f"law-{chance.randint(1, 2)}"}],
        )
        for n in range(8)
    ]
    stories += [amended(training, f"law-{chance.randint(1, 2)}", chance.randint(-40, 0)) for _ in range(2)]
    stories += [confirmed(training, chance.randint(-40, 0), doc_code=code) for code in ("PP", "V")]
    stories += [
        complaint(training, days=chance.randint(-20, 0), complaint_id=f"cp-{n}", officer_pid=f"of-{n}") for n in (1, 2)
    ]
    await training.tell(training.event("training.workforce.declared", -60))
    chance.shuffle(stories)
    for event in stories:
        await training.tell(event)
        if chance.random() < 0.2:
            await training.pass_days(1)
    await training.pass_days(6)
    assert (await valid(training))[0] == (await valid(training))[1]
    ends = await reported(training)
    for event in chance.sample(stories, 4):
        await training.tell(training.retracted(event))
        counted, left = await valid(training)
        assert counted == left
    assert len(ends) == 8


async def test_the_order_of_arrival_does_not_matter_to_how_certificates_stand(postgres_server):
    ends = set()
    for order in list(itertools.permutations(range(4)))[::3]:
        async with desk(postgres_server, SERVICE) as training:
            events = [
                certified(training, "c-1", valid_until="2004-02-27", aligned_to=[{"law_id": "law-1"}]),
                certified(training, "c-2", days=-4),
                amended(training, days=-10),
                complaint(training, days=-1),
            ]
            await training.tell(*[events[place] for place in order])
            ends.add(tuple(sorted(await left(training), key=lambda step: step[0])))
    (end,) = ends
    assert [(cert_id, kind) for cert_id, kind, _ in end] == [
        ("c-1", "staled"),
        ("c-1", "renewed"),
        ("c-2", "revoked"),
    ]


async def test_two_replicas_at_once_leave_what_one_would(training):
    """Reports and heard events of two replicas, and the sweeper's, cross in every way the database allows."""
    chance = random.Random(20030509)
    await training.tell(training.event("training.workforce.declared", -60))
    stories = []
    for n in range(40):
        law, officer = f"law-{n % 3}", f"of-{n % 7}"
        until = (START + timedelta(days=n % 5)).date().isoformat()
        aligned = [{"law_id": law}]
        stories.append(
            certified(training, f"c-{n}", -30 + n % 9, officer_pid=officer, valid_until=until, aligned_to=aligned)
        )
        stories.append(complaint(training, days=-9, complaint_id=f"cp-{n}", officer_pid=f"of-{n}"))
        stories.append(amended(training, law, -30 + n % 20))
        stories.append(confirmed(training, -20, bcp=f"GTM-{n % 2}", fraud_type=f"kind_{n % 4}"))
    chance.shuffle(stories)
    training.clock.at += timedelta(days=6)

    async def replica(events):
        while events:
            batch = [events.pop() for _ in range(min(5, len(events)))]
            outcomes = await training.record(*batch)
            events += [event for event, outcome in zip(batch, outcomes, strict=True) if outcome]

    await asyncio.gather(replica(stories[::2]), replica(stories[1::2]), training.pass_days(0), training.pass_days(0))
    await training.pass_days(0)
    counted, standing = await valid(training)
    assert counted == standing
    assert len(await training.recorded("training.officer.certified")) == 40
    wanted = [
        (cert_id, step.kind, step.at)
        for cert_id, one in sorted((await certificates(training)).items())
        for step in history(one, training.clock.at, POLICY.grace)
    ]
    assert sorted(await left(training), key=lambda step: step[0]) == wanted


async def certificates(training):
    """The certificates by all that was told in `test_two_replicas_at_once_leave_what_one_would`, added up anew."""
    reports = await reported(training)
    resolved = await training.recorded("training.complaint.resolved")
    rows = await training.log.pool.fetch("select event from heard where event <> ''")
    changes = sorted(
        (one.time, max(one.recordedtime, datetime.combine(one.data.effective_from, time.min, UTC)), one.data.law_id)
        for one in (contracts.decode(row["event"]) for row in rows)
        if one.name == "legal.law.amended"
    )
    found = {}
    for one in reports:
        law, since = one.data.aligned_to[0].law_id, one.time
        first = next(((at, counts) for at, counts, named in changes if named == law and at >= since), None)
        conduct = [act.time for act in resolved if act.data.officer_pid == one.data.officer_pid and act.time >= since]
        others = [other for other in reports if other.data.officer_pid == one.data.officer_pid and other.time > since]
        found[one.data.cert_id] = Certificate(
            topic=one.data.topic,
            institution_type=one.data.institution_type,
            officer_pid=one.data.officer_pid,
            certified=since,
            valid_until=one.data.valid_until,
            amended=first,
            conduct=min(conduct, default=None),
            newer=tuple(sorted((other.time, other.data.cert_id) for other in others)),
        )
    return found
