"""A contact point vacated: others look after its referrals; who takes the post gets what is still open."""

from tests.system.staging import PRESIDENCY, said, sent, told


def point(scene, country, verb, **changes):
    changes = {"country": country, "body": "immigration"} | changes
    return scene.say(country, f"intel.contactpoint.{verb}", **changes)


async def filled(scene, country):
    figure = await scene.figure("IE-1.2.2", country)
    return figure.value if figure else 0


async def test_referrals_to_a_vacant_post_are_looked_after_and_offered_again_to_who_takes_it(scene):
    gtm, slv = scene.cast[:2]
    await scene.play(point(scene, slv, "designated"))
    await scene.play(sent(scene, gtm, slv, "before"))
    assert await filled(scene, slv) == 1
    vacated = point(scene, slv, "vacated")
    await scene.play(vacated)
    assert await filled(scene, slv) == 0
    first = await scene.one("victims.alert.issued", kind="contact_point_vacant")
    assert (first.country, first.data.entity) == (PRESIDENCY, scene.id("before"))
    assert await scene.chain(first) == ["intel.contactpoint.vacated", "victims.alert.issued"]
    assert first.correlationid == vacated["id"]

    await scene.play(sent(scene, gtm, slv, "after", urgency="standard"), said(scene, slv, "accepted", "before"))
    routed = await scene.received(PRESIDENCY, "victims.alert.issued", kind="contact_point_vacant")
    assert [alert.data.entity for alert in routed] == [scene.id("before"), scene.id("after")]
    offered = await scene.one("victims.referral.offered", referral_id=scene.id("after"))
    assert offered.country == slv, "the country's mailbox gets it all the same"

    await scene.later(hours=73)
    routed = await scene.received(PRESIDENCY, "victims.alert.issued", kind="contact_point_vacant")
    assert [alert.data.entity for alert in routed[2:]] == [scene.id("after")]
    replaced = point(scene, slv, "replaced")
    await scene.play(replaced)
    again = (await scene.received(slv, "victims.referral.offered"))[-1]
    assert (again.causationid, again.data) == (replaced["id"], offered.data)
    assert len(await scene.events("victims.referral.offered")) == 3
    await scene.play(said(scene, slv, "accepted", "after"))
    accepted = await scene.one("victims.referral.accepted", referral_id=scene.id("after"))
    assert accepted.data.late

    await scene.play(sent(scene, gtm, slv, "last"))
    assert told(await scene.received(PRESIDENCY)).count("contact_point_vacant") == 3
    await scene.play(said(scene, slv, "accepted", "last"))


async def test_while_a_deputy_is_there_nobody_else_is_told(scene):
    gtm, _, slv = scene.cast[:3]
    await scene.play(point(scene, slv, "designated"), point(scene, slv, "designated", body="foreign_ministry"))
    await scene.play(point(scene, slv, "vacated"), sent(scene, gtm, slv))
    assert not await scene.events("victims.alert.issued", kind="contact_point_vacant")
    await scene.play(point(scene, slv, "vacated", body="foreign_ministry"))
    assert (await scene.one("victims.alert.issued", kind="contact_point_vacant")).data.entity == scene.id("ref")
    await scene.play(point(scene, slv, "replaced"), said(scene, slv, "rejected", reason="no_capacity"))
