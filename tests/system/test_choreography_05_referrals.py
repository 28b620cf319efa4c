"""A cross-border referral with acknowledgement: answered, or up the ladder to the presidency, never silent."""

from datetime import timedelta

from services.victims.meetings import next_meeting
from tests.harness.speaking import DAY, HOUR
from tests.system.staging import PRESIDENCY, said, sent, told


async def test_silence_climbs_the_ladder_to_the_presidency_and_lapses(scene):
    gtm, slv = scene.cast[:2]
    report = sent(scene, gtm, slv)
    await scene.play(report)
    offered = await scene.one("victims.referral.offered")
    due = offered.data.due
    assert due - offered.recordedtime == timedelta(hours=8)
    assert (await scene.one("victims.referral.sent")).data.due == due
    await scene.later(hours=7, minutes=55)
    assert not await scene.events("victims.referral.delivered"), "it lies unread"
    assert told(await scene.received(slv)) == ["victims.referral.offered"]
    delivered = await scene.one("victims.referral.delivered")
    assert await scene.chain(delivered) == [f"victims.referral.{verb}" for verb in ("sent", "offered", "delivered")]
    assert (delivered.correlationid, delivered.data.receiver) == (report["id"], slv)
    assert timedelta(hours=7, minutes=55) <= delivered.data.delivered_at - offered.recordedtime < timedelta(hours=8)
    assert told(await scene.received(gtm)) == ["victims.referral.delivered"]
    await scene.later(minutes=10)
    overdue = await scene.one("victims.referral.overdue")
    first = await scene.one("victims.referral.escalated")
    assert told(await scene.received(slv)) == ["victims.referral.offered", "victims.referral.escalated"]
    assert told(await scene.received(gtm))[1:] == ["victims.referral.overdue"]
    await scene.later(hours=24)
    second = await scene.one("victims.referral.escalated", level=2)
    assert told(await scene.received(gtm))[2:] == ["victims.referral.escalated"]
    assert told(await scene.received(slv))[2:] == ["referral_escalated"]
    await scene.later(hours=48)
    third = await scene.one("victims.referral.escalated", level=3)
    at_the_top = await scene.received(PRESIDENCY)
    assert told(at_the_top) == ["victims.referral.escalated", "agenda_item"]
    assert at_the_top[1].data.due == next_meeting(third.time)
    assert at_the_top[1].data.due.strftime("%a") == "Tue"
    await scene.later(days=27)
    lapsed = await scene.one("victims.referral.lapsed")
    steps = [overdue, first, second, third, lapsed]
    assert [event.time - due for event in steps] == [timedelta(hours=h) for h in (0, 0, 24, 72, 720)]
    assert [event.data.late_s for event in steps[1:4]] == [0, 24 * HOUR, 72 * HOUR]
    assert await scene.chain(lapsed) == [
        "victims.referral.sent",
        "victims.referral.overdue",
        "victims.referral.lapsed",
    ]
    late = said(scene, slv, "accepted")
    await scene.play(late)
    assert await scene.refused(late) == {("/data/referral_id", "already_lapsed")}
    figure = await scene.figure("VA-5.1b", slv)
    assert (figure.numerator, figure.denominator) == (0, 1)
    assert (await scene.figure("VA-5.1b.stages", gtm, stage="delivered")).value == 1
    await scene.later(seconds=DAY)
    assert len(await scene.events("victims.referral.escalated")) == 3


async def test_an_answer_ends_the_ladder_wherever_it_stands(scene):
    gtm, slv = scene.cast[:2]
    numbers = ("rejected", "late", "revoked")
    await scene.play(
        *(sent(scene, gtm, slv, number) for number in numbers),
        said(scene, slv, "rejected", "rejected", reason="no_capacity"),
    )
    no = await scene.one("victims.alert.issued", kind="referral_rejected")
    assert (no.data.entity, no.data.reason, no.country) == (scene.id("rejected"), "no_capacity", gtm)
    assert (await scene.one("victims.referral.delivered")).country == gtm
    await scene.later(hours=9)
    assert len(await scene.events("victims.referral.overdue")) == 2
    await scene.play(
        said(scene, slv, "accepted", "late"),
        said(scene, gtm, "revoked", "revoked", reason="moved_on"),
    )
    accepted = await scene.one("victims.referral.accepted")
    assert accepted.data.late
    assert 9 * HOUR <= accepted.data.latency_s < 10 * HOUR
    back = await scene.one("victims.alert.issued", kind="referral_revoked")
    assert (back.data.entity, back.data.reason, back.country) == (scene.id("revoked"), "moved_on", slv)
    too_late = said(scene, gtm, "revoked", "late", reason="moved_on")
    await scene.play(too_late)
    assert await scene.refused(too_late) == {("/data/referral_id", "already_accepted")}
    await scene.play(said(scene, slv, "completed", "late"))
    assert (await scene.one("victims.alert.issued", kind="referral_completed")).country == gtm
    await scene.later(days=40)
    assert not await scene.events("victims.referral.escalated", level=2)
    assert not await scene.events("victims.referral.lapsed")
    figure = await scene.figure("VA-5.1b", slv)
    assert (figure.numerator, figure.denominator) == (1, 3)


async def test_accepted_and_revoked_at_once_exactly_one_holds(scene):
    gtm, slv = scene.cast[:2]
    referral = sent(scene, gtm, slv)
    yes, back = said(scene, slv, "accepted"), said(scene, gtm, "revoked", reason="moved_on")
    await scene.play(referral, yes, back)
    refused = {report["type"]: await scene.refused(report) for report in (yes, back)}
    assert sorted(map(len, refused.values())) == [0, 1]
    ends = await scene.events("victims.referral.accepted") + await scene.events("victims.referral.revoked")
    assert len(ends) == 1
    await scene.later(days=40)
    assert not await scene.events("victims.referral.overdue")


async def test_a_referral_sent_is_not_retracted_but_revoked(scene):
    gtm, slv = scene.cast[:2]
    first = sent(scene, gtm, slv)
    back = scene.say(gtm, "victims.referral.retracted", supersedes=first["id"], reason="mistaken", reported_by="ngo")
    await scene.play(first, back)
    assert await scene.refused(back) == {("/data/supersedes", "not_amendable")}
    await scene.play(said(scene, slv, "rejected", reason="no_capacity"))
