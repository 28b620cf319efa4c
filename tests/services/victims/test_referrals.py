"""A referral ends after it began, by the times that the reports themselves give."""

from datetime import timedelta

import pytest

from services.victims.__main__ import SERVICE
from shared.contracts import Refused
from tests.harness.desk import START, desk
from tests.harness.figuring import folded


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def answer(victims, verb, days):
    who, reason = {"accepted": ("MEX", {}), "rejected": ("MEX", {}), "revoked": ("GTM", {"reason": "moved_on"})}[verb]
    return victims.event(f"victims.referral.{verb}", days, who, **reason)


async def pending(victims):
    told = [event.data.pending for event in await victims.recorded() if getattr(event.data, "pending", None)]
    assert all(one.until is None for one in told)
    return sum(one.by for one in told)


@pytest.mark.parametrize("verb", ["accepted", "rejected", "revoked"])
async def test_what_says_that_it_ended_a_referral_before_that_was_sent_is_refused(victims, verb):
    early, right = answer(victims, verb, -1), answer(victims, verb, 0)
    await victims.tell(victims.event("victims.referral.sent"))
    (refusal,) = await victims.record(early)
    assert isinstance(refusal, Refused)
    assert [(one.pointer, one.code) for one in refusal.problems] == [("/time", "before_reference")]
    assert await pending(victims) == 1
    await victims.tell(right)
    assert await pending(victims) == 0


async def test_a_sender_whose_clock_is_ahead_binds_neither_an_answer_nor_the_region(victims):
    consent = {"consent_id": "co-1", "override": ...}
    await victims.tell(
        victims.event("victims.consent.recorded", consent_id="co-1", victim_pid="vi-1", scope="referral"),
        victims.event("victims.referral.sent", 0.5, referral_id="ref-89", **consent),
        victims.event("victims.referral.sent", 0.5),
        answer(victims, "accepted", 0),
        victims.event("victims.consent.withdrawn", consent_id="co-1", victim_pid="vi-1"),
    )
    assert (await victims.one("victims.referral.revoked")).time == START
    assert await pending(victims) == 0
    assert await waiting(victims) == {}


async def waiting(victims, day=START):
    """What the gauge of pending referrals shows as of a day's end."""
    found = folded("VA-5.1b.pending", await victims.recorded(), day.date(), as_of=True)
    return {cell.country: cell.value for cell in found.cells if cell.value}


@pytest.mark.parametrize("verb", ["accepted", "rejected", "revoked"])
async def test_an_answer_between_the_region_knowing_and_the_senders_clock_closes_the_gauge_on_every_day(victims, verb):
    """The sender's clock is 15 h ahead, in the next day; the answer's is right."""
    await victims.tell(victims.event("victims.referral.sent", 15 / 24))
    assert set((await waiting(victims)).values()) == {1}
    await victims.pass_days(1 / 24)
    await victims.tell(answer(victims, verb, 1 / 24))
    assert await pending(victims) == 0
    assert await waiting(victims) == await waiting(victims, START + timedelta(days=1)) == {}


async def test_an_answer_from_a_clock_that_is_ahead_closes_when_it_is_known(victims):
    await victims.tell(victims.event("victims.referral.sent"), answer(victims, "accepted", 20 / 24))
    assert await waiting(victims) == {}


async def test_a_withdrawal_stays_that_of_the_person_whose_consent_it_is(victims):
    consent = victims.event("victims.consent.recorded", consent_id="co-1", victim_pid="vi-1")
    withdrawn = victims.event("victims.consent.withdrawn", consent_id="co-1", victim_pid="vi-1")
    await victims.tell(consent, withdrawn)
    another = victims.corrected(withdrawn, victim_pid="vi-2")
    (refusal,) = await victims.record(another)
    assert isinstance(refusal, Refused)
    assert [(one.pointer, one.code) for one in refusal.problems] == [("/data/data/victim_pid", "wrong_reference")]
    await victims.tell(victims.corrected(consent, victim_pid="vi-2"), another)
