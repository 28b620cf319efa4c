"""A place where victims are suspected: its country answers in time or is reminded; what came of it goes back."""

from tests.system.staging import told


def reported(scene, country, target, name="place", **changes):
    changes = {"place_ref": scene.id(name), "target_country": target} | changes
    return scene.say(country, "intel.location.reported", **changes)


def answered(scene, country, act, name="place", **changes):
    return scene.say(country, f"intel.location.{act}", place_ref=scene.id(name), **changes)


async def test_silence_about_a_place_is_told_to_both_countries(scene):
    gtm, slv = scene.cast[:2]
    report = reported(scene, gtm, slv)
    await scene.play(report, reported(scene, gtm, slv, "answered"), answered(scene, slv, "acknowledged", "answered"))
    notice = await scene.one("intel.alert.issued", kind="location_reported", entity=scene.id("place"))
    assert (notice.country, notice.data.about, notice.data.country) == (slv, report["id"], gtm)
    await scene.later(hours=71, minutes=55)
    assert not await scene.events("intel.alert.issued", kind="location_overdue")
    await scene.later(minutes=10)
    overdue = await scene.events("intel.alert.issued", kind="location_overdue")
    assert {(event.country, event.data.entity) for event in overdue} == {
        (slv, scene.id("place")),
        (gtm, scene.id("place")),
    }
    assert {event.time for event in overdue} == {notice.data.due}
    assert await scene.chain(overdue[0]) == ["intel.location.reported", "intel.alert.issued"]
    await scene.play(answered(scene, slv, "cleared"))
    assert sorted(told(await scene.received(gtm))) == ["location_acknowledged", "location_cleared", "location_overdue"]


async def test_a_victim_found_because_of_a_place_is_told_to_who_reported_it(scene):
    gtm, slv, hnd = scene.cast[:3]
    verified = answered(scene, slv, "verified", victims_found=1)
    await scene.play(reported(scene, gtm, slv), verified)
    victim = scene.say(slv, "victims.victim.identified", envelope={"causationid": verified["id"]}.items())
    await scene.play(victim)
    feedback = await scene.one("intel.feedback.given")
    assert (feedback.country, feedback.data.to, feedback.data.used_for) == (slv, gtm, "victim_identified")
    told_ = await scene.one("intel.alert.issued", kind="feedback")
    assert (told_.country, told_.data.entity, told_.data.country) == (gtm, scene.id("place"), slv)
    assert told_.causationid == victim["id"]
    assert told(await scene.received(gtm)) == ["location_verified", "feedback"]
    assert await scene.received(hnd) == []
    data = {"supersedes": victim["id"], "reason": "mistaken", "reported_by": "police"}
    await scene.play(scene.say(slv, "victims.victim.retracted", **data))
    taken_back = await scene.received(gtm, "intel.alert.issued", kind="taken_back")
    assert [event.data.about for event in taken_back] == [told_.id]


async def test_only_the_country_of_the_place_answers_for_it(scene):
    gtm, slv, hnd = scene.cast[:3]
    await scene.play(reported(scene, gtm, slv))
    foreign = answered(scene, hnd, "verified")
    # Once in every manner: copies of a report that waits are one, and each would be judged anew if it came again.
    scene.reports.append(foreign)
    await (await scene.country(hnd)).publish(foreign)
    await scene.settled()
    assert await scene.refused(foreign) == {("/data/place_ref", "unknown_reference")}, "to it, there is none"
    assert told(await scene.received(gtm)) == []


async def test_who_takes_the_contact_points_post_gets_the_places_that_await_an_answer(scene):
    gtm, slv, hnd = scene.cast[:3]
    await scene.play(reported(scene, gtm, slv, "open"), reported(scene, gtm, slv, "closed"))
    await scene.play(answered(scene, slv, "cleared", "closed"))
    newcomer = scene.say(slv, "intel.contactpoint.replaced", country=slv, body="border_guard")
    await scene.play(newcomer)
    again = [
        event
        for event in await scene.received(slv, "intel.alert.issued", kind="location_reported")
        if event.causationid == newcomer["id"]
    ]
    assert scene.id("open") in {event.data.entity for event in again}
    assert scene.id("closed") not in {event.data.entity for event in again}
    assert told(await scene.received(hnd)) == ["contact_point_replaced"]
    await scene.play(answered(scene, slv, "cleared", "open"))
    await scene.play(scene.say(slv, "intel.contactpoint.vacated", country=slv, body="border_guard"))
