"""What is told of a certificate follows what is on record about it, whatever came in which order."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest

from services.training.__main__ import SERVICE
from services.training.policy import POLICY
from services.training.standing import Certificate, history
from shared import contracts
from shared.ask.questions import Asked
from shared.contracts import Refused
from shared.contracts.questions import CertificatesAsk
from shared.record import deadlines
from tests.harness.desk import START, desk
from tests.harness.figuring import folded

CERTIFICATION = [f"training.certification.{verb}" for verb in ("staled", "expired", "renewed", "revoked", "retracted")]


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def certified(training, cert_id="c-1", days=-30, **changes):
    changes = {"officer_pid": "of-1", "topic": "ethics", "valid_until": "2006-02-28", "aligned_to": []} | changes
    return training.event("training.officer.certified", days, cert_id=cert_id, **changes)


def amended(training, law_id="law-1", days=-5, **changes):
    changes = {"version": "2", "effective_from": "2004-03-01"} | changes
    return training.event("legal.law.amended", days, law_id=law_id, **changes)


def confirmed(training, days=-1, **changes):
    return training.event("intel.document.confirmed", days, **changes)


def complaint(training, verb="resolved", days=-1, **changes):
    if verb == "resolved":
        changes = {"outcome": "substantiated", "officer_pid": "of-1"} | changes
    else:
        changes = {"outcome": ..., "officer_pid": ..., "offence": ..., "sanction": ...} | changes
    return training.event(f"training.complaint.{verb}", days, **changes)


async def told(training):
    return [(event.name.rpartition(".")[2], event.data.cert_id) for event in await training.recorded(*CERTIFICATION)]


async def serving(training, officer="of-1", country="GTM", days=0):
    asked = Asked("GTM", CertificatesAsk(officer_pid=officer, country=country), START + timedelta(days=days))
    async with training.log.pool.acquire() as connection:
        (answer,) = await SERVICE.questions[CertificatesAsk]([asked], connection)
    return {one.cert_id: one.grace_until for one in answer.certificates}


async def test_a_changed_law_makes_aligned_certificates_stale_with_a_grace(training):
    law = [{"law_id": "law-1", "version": "1"}]
    await training.tell(
        certified(training, "c-1", aligned_to=law),
        certified(training, "c-2", aligned_to=[{"law_id": "law-2"}]),
        certified(training, "c-3", days=-2, topic="english", aligned_to=law),
        certified(training, "c-4", aligned_to=[{"law_id": "law-1", "version": "2"}]),
        amended(training),
    )
    (stale,) = await training.recorded("training.certification.staled")
    assert (stale.data.cert_id, stale.data.reason) == ("c-1", "law_amended")
    assert stale.time == START - timedelta(days=5)
    assert stale.data.grace_until == START + POLICY.grace
    assert await serving(training) == {"c-1": START + POLICY.grace, "c-2": None, "c-3": None, "c-4": None}
    assert set(await serving(training, days=91)) == {"c-2", "c-3", "c-4"}
    assert await serving(training, officer="of-2") == {}


async def test_a_law_of_another_country_and_a_treaty_in_the_own_law_count_too(training):
    await training.tell(
        certified(training, "c-1", aligned_to=[{"law_id": "MEX-law-1"}]),
        certified(training, "c-2", aligned_to=[{"instrument": "TIP"}]),
        certified(training, "c-3", by="SLV", aligned_to=[{"instrument": "TIP"}]),
        certified(training, "c-4", aligned_to=[{"law_id": "law-1"}]),
    )
    await training.tell(amended_in(training, "MEX"))
    assert await told(training) == [("staled", "c-1")]
    carries = [{"instrument": "TIP", "article": "5"}]
    await training.tell(amended(training, "law-9", carries_out=carries))
    assert await told(training) == [("staled", "c-1"), ("staled", "c-2")]
    repealed = training.event("legal.law.repealed", -1, law_id="law-1", effective_from="2004-06-01")
    await training.tell(repealed)
    *_, last = await training.recorded("training.certification.staled")
    assert last.data.cert_id == "c-4"
    assert last.data.grace_until.isoformat() == "2004-08-30T00:00:00+00:00"


def amended_in(training, country):
    event = amended(training, f"{country}-law-1")
    data = msgspec.structs.replace(event.data, country=country)
    return msgspec.structs.replace(event, country=country, data=data)


async def test_the_first_confirmation_of_a_forgery_makes_certificates_stale_once(training):
    await training.tell(
        certified(training, "c-1", topic="false_document_detection"),
        certified(training, "c-2", topic="ethics"),
        certified(training, "c-3", by="MEX", topic="false_document_detection"),
    )
    first = confirmed(training)
    await training.tell(first)
    assert await told(training) == [("staled", "c-1"), ("staled", "c-3")]
    assert {event.data.reason for event in await training.recorded("training.certification.staled")} == {"new_fraud"}
    await training.pass_days(1)
    await training.tell(certified(training, "c-4", 1.5, topic="false_document_detection", officer_pid="of-2"))
    await training.tell(confirmed(training))
    assert len(await told(training)) == 2
    await training.tell(training.retracted(first))
    assert len(await told(training)) == 6, "known since the second: those before it are told anew, with its grace"
    await training.pass_days(2)
    await training.tell(confirmed(training), confirmed(training, fraud_type="counterfeit"))
    assert (await told(training))[6:] == [("staled", "c-4")]


@pytest.mark.parametrize("seed", range(4))
async def test_a_certificate_is_stale_by_the_first_pattern_known_since_however_confirmations_are_amended(
    training, seed
):
    chance = random.Random(seed)
    known, patterns, given = {}, {}, {}
    for number in range(40):
        today = (training.clock.at - START).days
        act = chance.choice(["certified", "confirmed", "confirmed", "corrected", "retracted"])
        if act == "certified":
            one = certified(
                training, f"c-{number}", today - chance.randint(0, 6),
                topic="false_document_detection", officer_pid=f"of-{number}",
            )  # fmt: skip
            given[f"c-{number}"] = one.time
            await training.tell(one)
        elif act == "confirmed":
            one = confirmed(
                training, today - chance.randint(0, 6), fraud_type=f"kind_{chance.randint(1, 4)}", bcp=f"b-{number}"
            )
            known[one.id], patterns[one.id] = training.clock.at, one
            await training.tell_at_once(one)
        elif patterns:
            one = patterns[chance.choice(sorted(patterns))]
            if act == "retracted":
                del patterns[one.id]
                await training.tell(training.retracted(one))
            else:
                said = msgspec.structs.replace(one.data, fraud_type=f"kind_{chance.randint(1, 4)}")
                await training.tell(training.corrected(one, fraud_type=said.fraud_type))
                patterns[one.id] = msgspec.structs.replace(one, data=said)
        if chance.random() < 0.3:
            await training.pass_days(1)
        since = {}
        for event_id, one in patterns.items():
            kind = one.data.fraud_type
            since[kind] = min(known[event_id], since.get(kind, known[event_id]))
        wanted = {
            cert_id: min(at for at in since.values() if at >= time)
            for cert_id, time in given.items()
            if any(at >= time for at in since.values())
        }
        assert {cert_id: at for cert_id, _, at in await left(training)} == wanted


async def test_a_certificate_expires_on_its_day_and_is_renewed_by_the_next(training):
    await training.tell(certified(training, "c-1", valid_until="2004-03-10"))
    await training.pass_days(5)
    assert await told(training) == []
    await training.pass_days(5)
    (expired,) = await training.recorded("training.certification.expired")
    assert expired.time.isoformat() == "2004-03-10T23:59:59.999999+00:00"
    await training.tell(certified(training, "c-2", days=10), certified(training, "c-3", days=10, officer_pid="of-2"))
    renewed = await training.one("training.certification.renewed")
    assert (renewed.data.cert_id, renewed.data.renewed_by, renewed.data.was_valid) == ("c-1", "c-2", False)
    assert set(await serving(training, days=10)) == {"c-2"}


async def test_a_stale_certificate_does_not_expire_and_a_renewed_one_serves_no_more(training):
    await training.tell(
        certified(training, "c-1", valid_until="2004-03-10", aligned_to=[{"law_id": "law-1"}]),
        amended(training),
        certified(training, "c-2", days=-4),
    )
    assert await told(training) == [("staled", "c-1"), ("renewed", "c-1")]
    assert set(await serving(training)) == {"c-2"}
    await training.pass_days(30)
    assert len(await told(training)) == 2


async def test_what_expires_at_the_moment_when_a_law_is_heard_of_is_told_once(training):
    await training.tell(certified(training, "c-1", valid_until="2004-03-10", aligned_to=[{"law_id": "law-1"}]))
    training.clock.at += timedelta(days=12)
    async with training.log.pool.acquire() as connection:
        async with connection.transaction():
            assert await deadlines.fire(training.log, connection) == 1
            hearing = asyncio.create_task(training.record(amended(training)))
            waiting = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            while not await connection.fetchval(waiting):  # its transaction has come to the deadline
                await connection.execute("select pg_stat_clear_snapshot()")
                assert not hearing.done(), "it did not wait"
        assert await hearing == [None]
    assert await told(training) == [("expired", "c-1"), ("retracted", "c-1"), ("staled", "c-1")]
    assert [kind for _, kind, _ in await left(training)] == ["staled"]


async def test_misconduct_found_true_revokes_the_officers_certificates(training):
    await training.tell(
        certified(training, "c-1"),
        certified(training, "c-2", topic="english", aligned_to=[{"law_id": "law-1"}]),
        certified(training, "c-3", officer_pid="of-2"),
        amended(training),
        complaint(training, complaint_id="cp-0", outcome="unfounded"),
    )
    resolved = complaint(training)
    await training.tell(resolved, certified(training, "c-4", days=0))
    revoked = await training.recorded("training.certification.revoked")
    assert [(one.data.cert_id, one.data.reason, one.data.was_valid) for one in revoked] == [
        ("c-1", "conduct", True),
        ("c-2", "conduct", False),
    ]
    assert {one.causationid for one in revoked} == {resolved.id}
    assert set(await serving(training)) == {"c-4"}
    await training.tell(training.retracted(resolved))
    assert (await told(training))[-2:] == [("retracted", "c-1"), ("retracted", "c-2")]
    assert set(await serving(training)) == {"c-1", "c-2", "c-4"}


async def test_a_taken_id_is_refused_and_a_retracted_one_is_free_again(training):
    first = certified(training)
    await training.tell(first)
    (refusal,) = await training.record(certified(training))
    assert isinstance(refusal, Refused)
    assert [problem.code for problem in refusal.problems] == ["duplicate_entity"]
    await training.tell(training.retracted(first), certified(training))


async def test_what_is_told_may_be_taken_back_at_once(training):
    law = amended(training)
    await training.tell(certified(training, aligned_to=[{"law_id": "law-1"}]))
    await training.tell_at_once(law, training.retracted(law))
    assert await told(training) == [("staled", "c-1"), ("retracted", "c-1")]


async def test_a_correction_to_another_law_or_institution_is_told_anew(training):
    law, cert = amended(training), certified(training, aligned_to=[{"law_id": "law-1"}])
    await training.tell(cert, law, training.corrected(law, law_id="law-2"))
    assert await told(training) == [("staled", "c-1"), ("retracted", "c-1")]
    await training.tell(training.corrected(cert, institution_type="other", aligned_to=[{"law_id": "law-2"}]))
    assert (await told(training))[2:] == [("staled", "c-1")]
    await training.tell(training.corrected(cert, institution_type="migration", aligned_to=[{"law_id": "law-2"}]))
    last = (await training.recorded(*CERTIFICATION))[3:]
    assert [(one.name, getattr(one.data, "institution_type", "")) for one in last] == [
        ("training.certification.retracted", ""),
        ("training.certification.staled", "migration"),
    ]


async def left(training):
    """What was told of certificates and not taken back, in order: (cert_id, kind, time)."""
    events = await training.recorded(*CERTIFICATION)
    back = {one.data.supersedes for one in events if one.name.endswith(".retracted")}
    told = [one for one in events if one.name != "training.certification.retracted" and one.id not in back]
    return [(one.data.cert_id, one.name.rpartition(".")[2], one.time) for one in told]


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
