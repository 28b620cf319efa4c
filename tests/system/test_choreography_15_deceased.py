"""A victim died: the next of kin become victims themselves, and may be given services (the Plan's definition)."""

import pytest

from shared.client import Invalid
from tests.system.staging import said, sent, told


def deceased(scene, country, *relations):
    kin = [{"relation": relation} for relation in relations]
    return scene.say(country, "victims.victim.deceased", victim_pid=scene.id("victim"), indirect_victims=kin)


async def test_the_next_of_kin_become_eligible_and_the_referrals_of_the_dead_end(scene):
    gtm, slv, hnd = scene.cast[:3]
    given = {"consent_id": scene.id("consent"), "victim_pid": scene.id("victim"), "valid_until": ...}
    await scene.play(
        scene.say(gtm, "victims.consent.recorded", **given),
        sent(scene, gtm, slv, "pending", consent_id=scene.id("consent"), override=...),
        sent(scene, gtm, hnd, "done", consent_id=scene.id("consent"), override=...),
        said(scene, hnd, "accepted", "done"),
    )
    death = deceased(scene, gtm, "parent", "parent", "spouse", "grandchild")
    await scene.play(death)
    revoked = await scene.one("victims.referral.revoked")
    assert (revoked.data.referral_id, revoked.data.reason) == (scene.id("pending"), "deceased")
    eligible = await scene.events("victims.alert.issued", kind="indirect_victims_eligible")
    assert sorted(alert.country for alert in eligible) == sorted([gtm, slv, hnd])
    assert {(alert.causationid, alert.data.entity) for alert in eligible} == {(death["id"], scene.id("victim"))}
    assert told(await scene.received(slv))[-2:] == ["referral_revoked", "indirect_victims_eligible"]

    served = scene.say(
        gtm,
        "victims.service.provided",
        victim_pid=scene.id("parent"),
        envelope={"causationid": death["id"]},
    )
    await scene.play(served)
    provided = await scene.one("victims.service.provided")
    assert await scene.chain(provided) == ["victims.victim.deceased", "victims.service.provided"]
    assert sum(cell.value or 0 for cell in await scene.cells("VA-4.1", gtm)) == 1
    await scene.later(days=40)
    assert not await scene.events("victims.referral.overdue")


async def test_only_the_second_degree_and_the_spouse_count(scene):
    gtm = scene.cast[0]
    with pytest.raises(Invalid) as refusal:
        await scene.play(deceased(scene, gtm, "cousin"))
    assert [(one.pointer, one.code) for one in refusal.value.problems] == [
        ("/data/indirect_victims/0/relation", "unknown_value")
    ]
