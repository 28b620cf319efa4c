"""What is told of a certificate follows what is on record about it, whatever came in which order."""

import asyncio
import random
from datetime import timedelta

import msgspec
import pytest

from services.training.__main__ import SERVICE
from services.training.policy import POLICY
from shared.contracts import Refused
from shared.record import deadlines
from tests.harness.desk import START, desk
from tests.services.training.certifying import (
    CERTIFICATION,
    amended,
    certified,
    complaint,
    confirmed,
    left,
    serving,
    told,
)


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


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


async def test_what_two_systems_report_under_one_id_is_told_each(training):
    law, found = (
        msgspec.structs.replace(event, id="r-7", source=f"urn:crm:country:GTM:{system}")
        for event, system in ((amended(training), "gazette"), (complaint(training), "inspection"))
    )
    await training.tell(certified(training, aligned_to=[{"law_id": "law-1"}]), law, found)
    assert await told(training) == [("staled", "c-1"), ("revoked", "c-1")]


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
