"""A consent withdrawn: what is pending is revoked, never offered again; who holds data must say that they are gone."""

from datetime import timedelta

from tests.system.staging import said, sent, told


def consent(scene, country, verb, **changes):
    changes = {"consent_id": scene.id("consent"), "victim_pid": scene.id("victim")} | changes
    return scene.say(country, f"victims.consent.{verb}", **changes)


def under(scene, country, to, number):
    return sent(scene, country, to, number, consent_id=scene.id("consent"), override=...)


async def offered_anew(scene, country):
    """Which of the scene's referrals who takes the contact point's post of a country is offered."""
    taken = scene.say(country, "intel.contactpoint.replaced", country=country, body="immigration")
    await scene.play(taken)
    undone = {"supersedes": taken["id"], "reason": "mistaken"}
    await scene.play(scene.say(country, "intel.contactpoint.retracted", **undone))
    offers = [event for event in await scene.events("victims.referral.offered") if event.causationid == taken["id"]]
    return sorted(one.data.referral_id for one in offers if one.data.referral_id.endswith(scene.id("")))


async def kept(scene):
    """How many copies of an offer there are beside the log, and keys to read one."""
    copies = "select count(*) from victims.referral where offer is not null"
    return await scene.database.fetchval(copies) + await scene.database.fetchval(
        "select count(*) from victims.subject_key"
    )


async def test_withdrawn_consent_revokes_destroys_and_has_every_holder_erase(scene):
    gtm, slv, hnd = scene.cast[:3]
    await scene.play(
        consent(scene, gtm, "recorded", valid_until=...),
        under(scene, gtm, slv, "pending"),
        under(scene, gtm, hnd, "accepted"),
        said(scene, hnd, "accepted", "accepted"),
    )
    assert await offered_anew(scene, slv) == [scene.id("pending")]
    assert await offered_anew(scene, hnd) == [], "it was answered"
    assert await kept(scene) == 0
    assert (await scene.figure("VA-5.1b.pending", gtm)).value == 1
    answered = await scene.figure("VA-5.1b", hnd)

    withdrawn = consent(scene, gtm, "withdrawn")
    await scene.play(withdrawn)
    revoked = await scene.one("victims.referral.revoked")
    assert (revoked.data.referral_id, revoked.data.reason) == (scene.id("pending"), "consent_withdrawn")
    assert (revoked.causationid, revoked.correlationid) == (withdrawn["id"], withdrawn["id"])
    assert await scene.figure("VA-5.1b", hnd) == answered, "figures stay"
    pending = await scene.figure("VA-5.1b.pending", gtm)
    assert (pending.value if pending else 0) == 0
    asked = await scene.events("victims.alert.issued", kind="erase_data")
    assert sorted(alert.country for alert in asked) == sorted([slv, hnd])
    (due,) = {alert.data.due for alert in asked}
    assert due == asked[0].recordedtime + timedelta(days=30)
    assert await offered_anew(scene, slv) == await offered_anew(scene, hnd) == []
    by_victims = [event for event in await scene.received(slv) if event.name.startswith("victims.")]
    assert told(by_victims) == ["victims.referral.offered"] * 2 + ["referral_revoked", "erase_data"]

    await scene.play(consent(scene, slv, "erased"))
    assert told(await scene.received(gtm)).count("data_erased") == 1
    again = under(scene, gtm, slv, "again")
    await scene.play(again)
    assert await scene.refused(again) == {("/data/consent_id", "consent_withdrawn")}
    await scene.later(days=31)
    overdue = await scene.one("victims.alert.issued", kind="erasure_overdue")
    assert (overdue.country, overdue.time, overdue.data.entity) == (gtm, due, scene.id("consent"))
    await scene.play(consent(scene, hnd, "erased"))
    assert told(await scene.received(gtm)).count("data_erased") == 2
    assert not await scene.events("victims.referral.overdue")


async def test_withdrawn_and_accepted_at_once_exactly_one_ends_the_referral(scene):
    gtm, slv = scene.cast[:2]
    await scene.play(consent(scene, gtm, "recorded", valid_until=...), under(scene, gtm, slv, "ref"))
    yes = said(scene, slv, "accepted")
    await scene.play(yes, consent(scene, gtm, "withdrawn"))
    ends = await scene.events("victims.referral.accepted") + await scene.events("victims.referral.revoked")
    assert len(ends) == 1
    refused = await scene.refused(yes)
    assert refused == (set() if ends[0].name.endswith("accepted") else {("/data/referral_id", "already_revoked")})
    assert await offered_anew(scene, slv) == []
    await scene.play(consent(scene, slv, "erased"))
    await scene.later(days=31)
    assert not await scene.events("victims.alert.issued", kind="erasure_overdue")


async def test_a_referral_stays_open_while_its_own_consent_stands(scene):
    gtm, slv = scene.cast[:2]
    other = {"consent_id": scene.id("other")}
    await scene.play(
        consent(scene, gtm, "recorded", valid_until=...),
        consent(scene, gtm, "recorded", valid_until=..., **other),
        under(scene, gtm, slv, "ref"),
    )
    await scene.play(consent(scene, gtm, "withdrawn", **other))
    assert await offered_anew(scene, slv) == [scene.id("ref")]
    assert not await scene.events("victims.referral.revoked")
    await scene.play(consent(scene, gtm, "withdrawn"))
    assert await offered_anew(scene, slv) == []
    assert await kept(scene) == 0
    await scene.play(consent(scene, slv, "erased"))
