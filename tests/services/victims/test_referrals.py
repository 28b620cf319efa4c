"""A referral ends after it began, by the times that the reports themselves give."""

import pytest

from services.victims.__main__ import SERVICE
from shared.contracts import Refused
from tests.harness.desk import desk


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
    revoked = await victims.one("victims.referral.revoked")
    sent = (await victims.recorded("victims.referral.sent"))[0]
    assert revoked.time == sent.time
    assert (sent.data.pending.by, revoked.data.pending.by) == (1, -1)
