"""A victim taken home joins a programme there; one of whom nobody hears in 30 days is given up for lost, aloud."""

from datetime import timedelta

from tests.system.staging import said, sent, told


def returned(scene, country, to, number):
    changes = {"referral_id": scene.id(number), "case_id": scene.id(number), "from": country, "to": to}
    return scene.say(country, "victims.repatriation.completed", **changes)


def enrolled(scene, country, number):
    changes = {"referral_id": scene.id(number), "victim_pid": scene.id(number)}
    return scene.say(country, "victims.programme.enrolled", **changes)


async def lost(scene, country):
    figure = await scene.figure("VA-5.1b.lost", country)
    return figure.value if figure else 0


async def test_returned_but_never_enrolled_is_escalated_and_found_again(scene):
    gtm, slv = scene.cast[:2]
    both = ("quiet", "cared")
    await scene.play(*(sent(scene, gtm, slv, number) for number in both))
    await scene.play(*(said(scene, slv, "accepted", number) for number in both))
    home = returned(scene, gtm, slv, "quiet")
    await scene.play(home, returned(scene, gtm, slv, "cared"), enrolled(scene, slv, "cared"))
    begun = (await scene.one("victims.repatriation.completed", case_id=scene.id("quiet"))).recordedtime
    await scene.later(days=29, hours=23)
    assert not await scene.events("victims.referral.escalated")
    assert await lost(scene, slv) == 0
    await scene.later(hours=1)
    escalated = await scene.one("victims.referral.escalated")
    assert (escalated.data.referral_id, escalated.data.reason) == (scene.id("quiet"), "not_enrolled")
    assert escalated.time == escalated.data.due == begun + timedelta(days=30)
    assert told(await scene.received(slv))[-1:] == ["victims.referral.escalated"]
    assert told(await scene.received(gtm))[-1:] == ["victim_not_enrolled"]
    alert = await scene.one("victims.alert.issued", kind="victim_not_enrolled")
    assert await scene.chain(alert) == [
        "victims.repatriation.completed",
        "victims.referral.escalated",
        "victims.alert.issued",
    ]
    assert await lost(scene, slv) == 1
    await scene.play(enrolled(scene, slv, "quiet"))
    found = await scene.one("victims.programme.enrolled", referral_id=scene.id("quiet"))
    assert (found.data.first_enrolment, found.data.found) == (True, True)
    assert await lost(scene, slv) == 0
    await scene.later(days=60)
    assert len(await scene.events("victims.referral.escalated")) == 1
    overdue = await scene.events("victims.evaluation.overdue")
    assert sorted(event.data.case_id for event in overdue) == sorted(scene.id(number) for number in both)


async def test_a_return_that_was_reported_by_mistake_sets_off_nothing(scene):
    gtm, slv = scene.cast[:2]
    home = returned(scene, gtm, slv, "none")
    back = scene.say(gtm, "victims.repatriation.retracted", supersedes=home["id"], reason="mistaken")
    await scene.play(home, back)
    await scene.later(days=120)
    assert not await scene.events("victims.referral.escalated")
    assert not await scene.events("victims.evaluation.overdue")
