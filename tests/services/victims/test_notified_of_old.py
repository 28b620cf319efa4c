"""A database from before judgements goes on: what was told is taken back, what falls due is told once or not at all."""

from datetime import timedelta

import msgspec
import pytest

from services.victims.__main__ import SERVICE
from shared.contracts.notice import Alert
from shared.contracts.victims import EvaluationOverdue, ReferralEscalated, ReferralLapsed, ReferralOverdue
from shared.record.judgement import derive
from tests.harness.desk import START
from tests.harness.olden import olden

DUE = START + timedelta(hours=8)
DAY = timedelta(days=1)
HOME = {"sender": "GTM", "receiver": "MEX"}
CONSENT = {"consent_id": "con-1", "victim_pid": "vi-5a0"}


@pytest.fixture
async def old(postgres_server):
    """GTM's ref-88 to MEX is open, case-12 led home there; con-1 was withdrawn, and MEX and HND told of a case."""
    async with olden(postgres_server, SERVICE, "0012_notified.sql") as one:
        desk = one.desk
        case = desk.event("legal.case.resolved", case_id="case-9", countries=["GTM", "HND", "MEX"])
        sent = desk.event("victims.referral.sent", due=DUE.isoformat())
        home = desk.event("victims.repatriation.completed")
        given = desk.event("victims.consent.recorded", **CONSENT)
        under = desk.event("victims.referral.sent", referral_id="ref-9", consent_id="con-1", override=...)
        ended = desk.event("victims.consent.withdrawn", **CONSENT)
        told = [
            derive(
                "victims",
                Alert(kind="case_resolved", about=case.id, about_type=case.type, entity="case-9", owner="GTM"),
                cause=case,
                to=to,
                key=f"case_resolved/{to}/",
            )
            for to in ("HND", "MEX")
        ]
        offered = desk.event("victims.referral.offered", by="MEX", due=DUE.isoformat())
        await one.recorded(sent, offered, home, given, under, ended, *told)
        for event in told:
            await one.put(
                "told", about=case.id, source=case.source, country=event.country, entity="case-9", event_id=event.id,
                type=event.type,
            )  # fmt: skip
        for name, due, event in (*ladder(sent), *others(home, ended)):
            await one.put("deadline", id=name, due=due, event=msgspec.json.encode(event))
        await one.put("subject_key", country="GTM", subject="case:case-12", key=bytes(32))
        await one.put(
            "referral", referral_id="ref-88", sender="GTM", receiver="MEX", urgency="child", since=START, sent=START,
            due=DUE, state="pending", subject="case:case-12", offer=b"sealed",
        )  # fmt: skip
        one.case = case
        yield one


def ladder(sent):
    parties = {"referral_id": "ref-88", "due": DUE, **HOME}
    overdue = derive("victims", ReferralOverdue(**parties), cause=sent, to="GTM", time=DUE)
    yield "answer/GTM:ref-88", DUE, overdue
    for level, to, after in ((2, "GTM", DAY), (3, "REG", 3 * DAY)):
        data = ReferralEscalated(**parties, late_s=int(after.total_seconds()), level=level)
        event = derive("victims", data, cause=overdue, to=to, key=str(level), time=DUE + after)
        yield f"answer/GTM:ref-88/{level}", DUE + after, event
    end = DUE + 30 * DAY
    yield "answer/GTM:ref-88/end", end, derive("victims", ReferralLapsed(**parties), cause=overdue, to="GTM", time=end)


def others(home, ended):
    due = START + 30 * DAY
    lost = ReferralEscalated(referral_id="ref-88", due=due, late_s=0, level=1, reason="not_enrolled", **HOME)
    yield "enrolment/GTM:ref-88", due, derive("victims", lost, cause=home, to="MEX", key="ref-88", time=due)
    silent = Alert(kind="erasure_overdue", about=ended.id, about_type=ended.type, entity="con-1", due=due)
    yield "erasure/GTM/con-1/MEX", due, derive("victims", silent, cause=ended, to="GTM", key="overdue/MEX", time=due)
    due = START + 90 * DAY
    late = EvaluationOverdue(subject="repatriation", case_id="case-12", due=due)
    yield "evaluation/GTM/case-12", due, derive("victims", late, cause=home, to="GTM", time=due)


async def test_what_was_told_is_taken_back_and_told_to_whom_it_concerns_now(old):
    victims = await old.upgrade()
    await victims.tell(victims.corrected(old.case, countries=["GTM", "MEX", "NIC"]))
    assert await victims.told("HND") == ["case_resolved case-9", "taken_back case-9"]
    assert await victims.told("NIC") == ["case_resolved case-9"]
    assert [one for one in await victims.told("MEX") if "case-9" in one] == ["case_resolved case-9"]


async def test_what_was_to_fall_due_is_told_once(old):
    victims = await old.upgrade()
    await victims.pass_days(100)
    escalated = await victims.recorded("victims.referral.escalated")
    ours = sorted((one.data.reason, one.data.level) for one in escalated if one.data.referral_id == "ref-88")
    assert ours == [("not_enrolled", 1), ("unanswered", 1), ("unanswered", 2), ("unanswered", 3)]
    for name in ("victims.referral.overdue", "victims.referral.lapsed", "victims.evaluation.overdue"):
        await victims.one(name)
    assert (await victims.told("GTM")).count("erasure_overdue con-1") == 1


async def test_what_is_done_in_time_is_not_told(old):
    victims = await old.upgrade()
    await victims.tell(
        victims.event("victims.referral.accepted", by="MEX"),
        victims.event("victims.programme.enrolled", by="MEX"),
        victims.event("victims.consent.erased", by="MEX", **CONSENT),
        victims.event("victims.evaluation.submitted", case_id="case-12"),
    )
    accepted, enrolled = await victims.one("victims.referral.accepted"), await victims.one("victims.programme.enrolled")
    assert (accepted.data.late, enrolled.data.first_enrolment, enrolled.data.sender) == (False, True, "GTM")
    assert (await victims.one("victims.evaluation.submitted")).data.late is False
    await victims.pass_days(100)
    silences = "victims.referral.escalated", "victims.referral.overdue", "victims.evaluation.overdue"
    assert await victims.recorded(*silences) == []
    assert "erasure_overdue con-1" not in await victims.told("GTM")


async def test_what_is_open_is_offered_again_and_nothing_sealed_is_left(old):
    victims = await old.upgrade()
    await victims.tell(victims.event("intel.contactpoint.designated", by="MEX", country="MEX"))
    (_, again) = await victims.recorded("victims.referral.offered")
    assert (again.country, again.data.referral_id, again.data.due) == ("MEX", "ref-88", DUE)
    assert await victims.log.pool.fetchval("select count(*) from subject_key") == 0
    assert await victims.log.pool.fetchval("select count(*) from referral where offer is not null") == 0
