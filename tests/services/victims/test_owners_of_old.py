"""A database from before referrals had owners goes on: what was open then is answered, and others' ids are free."""

from datetime import timedelta

import msgspec
import pytest

from services.victims.__main__ import SERVICE
from shared.contracts.victims import ReferralEscalated, ReferralOverdue
from shared.record.judgement import derive
from tests.harness.desk import START
from tests.harness.olden import olden

DUE = START + timedelta(hours=8)
PARTIES = {"sender": "GTM", "due": DUE}


@pytest.fixture
async def old(postgres_server):
    """GTM's ref-88 to MEX is open, ref-77 led home to SLV, where vi-9 was enrolled under MEX's unknown ref-66."""
    async with olden(postgres_server, SERVICE, "0010_owners.sql") as one:
        sent = one.desk.event("victims.referral.sent", referral_id="ref-88", to="MEX")
        home = one.desk.event("victims.repatriation.completed", referral_id="ref-77", to="SLV", case_id="c-7")
        early = one.desk.event("victims.programme.enrolled", by="SLV", referral_id="ref-66", victim_pid="vi-9")
        positions = await one.recorded(sent, home, early)
        await one.put(
            "referral", referral_id="ref-88", sender="GTM", receiver="MEX", urgency="child", since=START, sent=START,
            due=DUE, state="pending",
        )  # fmt: skip
        await one.put("homecoming", referral_id="ref-77", escalation="lost-77")
        await one.put("homecoming", referral_id="ref-66", enrolments=1)
        overdue = ReferralOverdue(referral_id="ref-88", receiver="MEX", **PARTIES)
        lost = ReferralEscalated(
            referral_id="ref-77", receiver="SLV", late_s=0, level=1, reason="not_enrolled", **PARTIES
        )
        for name, cause, data in (("answer/ref-88", sent, overdue), ("enrolment/ref-77", home, lost)):
            event = derive("victims", data, cause=cause, to="GTM", time=DUE)
            await one.put("deadline", id=name, due=DUE, event=msgspec.json.encode(event))
        for what, thing, position in (("referral", "ref-88", positions[0]), ("enrolment", "ref-66", positions[2])):
            await one.put("tally", what=what, thing=f"|{thing}", at=START, position=position, opens=True)
        yield one


async def test_what_was_open_is_answered_and_another_country_may_give_the_same_identifier(old):
    victims = await old.upgrade()
    await victims.tell(
        victims.event("victims.referral.sent", by="HND", referral_id="ref-88", to="CRI", **{"from": "HND"})
    )
    await victims.tell(victims.event("victims.referral.accepted", by="MEX", referral_id="ref-88"))
    accepted = await victims.one("victims.referral.accepted")
    assert (accepted.data.sender, accepted.data.pending.by, accepted.data.late) == ("GTM", -1, False)
    await victims.pass_days(1)
    assert {one.data.sender for one in await victims.recorded("victims.referral.overdue")} == {"HND"}


async def test_what_was_overdue_then_is_told_when_it_is(old):
    victims = await old.upgrade()
    await victims.pass_days(1)
    assert [one.data.sender for one in await victims.recorded("victims.referral.overdue")] == ["GTM"]
    reasons = {one.data.reason for one in await victims.recorded("victims.referral.escalated")}
    assert reasons == {"unanswered", "not_enrolled"}


async def test_who_came_home_then_is_enrolled_now(old):
    victims = await old.upgrade()
    await victims.tell(victims.event("victims.programme.enrolled", by="SLV", referral_id="ref-77", victim_pid="vi-7"))
    [*_, told] = await victims.recorded("victims.programme.enrolled")
    assert (told.data.sender, told.data.first_enrolment, told.data.change.by) == ("GTM", True, 1)
    await victims.pass_days(31)
    assert all(one.data.reason != "not_enrolled" for one in await victims.recorded("victims.referral.escalated"))


async def test_who_was_enrolled_then_is_found_by_the_return_told_now(old):
    victims = await old.upgrade()
    await victims.tell(
        victims.event("victims.repatriation.completed", by="MEX", referral_id="ref-66", to="SLV", **{"from": "MEX"}),
        victims.event("victims.programme.enrolled", by="SLV", referral_id="ref-66", victim_pid="vi-8"),
    )
    [*_, told] = await victims.recorded("victims.programme.enrolled")
    assert (told.data.sender, told.data.first_enrolment) == ("MEX", False)
    await victims.pass_days(31)
    lost = [
        one.data.referral_id for one in await victims.recorded("victims.referral.escalated") if one.data.late_s == 0
    ]
    assert "ref-66" not in lost
