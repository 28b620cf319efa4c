"""A consent withdrawn: what is pending is revoked, the key destroyed; who holds data must say that they are gone."""

from datetime import timedelta

from tests.system.staging import said, sent, told


def consent(scene, country, verb, **changes):
    changes = {"consent_id": scene.id("consent"), "victim_pid": scene.id("victim")} | changes
    return scene.say(country, f"victims.consent.{verb}", **changes)


def under(scene, country, to, number):
    return sent(scene, country, to, number, consent_id=scene.id("consent"), override=...)


async def kept(scene, country):
    """Of what was sealed with the person's key: how many keys and sealed offers there are."""
    keys = "select count(*) from victims.subject_key where country = $1 and subject = $2"
    offers = "select count(*) from victims.referral where sender = $1 and consent_id = $2 and offer is not null"
    return (
        await scene.database.fetchval(keys, country, scene.id("victim")),
        await scene.database.fetchval(offers, country, scene.id("consent")),
    )


async def test_withdrawn_consent_revokes_destroys_and_has_every_holder_erase(scene):
    gtm, slv, hnd = scene.cast[:3]
    await scene.play(
        consent(scene, gtm, "recorded", valid_until=...),
        under(scene, gtm, slv, "pending"),
        under(scene, gtm, hnd, "accepted"),
        said(scene, hnd, "accepted", "accepted"),
    )
    assert await kept(scene, gtm) == (1, 2)
    assert (await scene.figure("VA-5.1b.pending", gtm)).value == 1
    answered = await scene.figure("VA-5.1b", hnd)

    withdrawn = consent(scene, gtm, "withdrawn")
    await scene.play(withdrawn)
    revoked = await scene.one("victims.referral.revoked")
    assert (revoked.data.referral_id, revoked.data.reason) == (scene.id("pending"), "consent_withdrawn")
    assert (revoked.causationid, revoked.correlationid) == (withdrawn["id"], withdrawn["id"])
    assert await kept(scene, gtm) == (0, 0)
    assert await scene.figure("VA-5.1b", hnd) == answered, "figures stay"
    pending = await scene.figure("VA-5.1b.pending", gtm)
    assert (pending.value if pending else 0) == 0
    asked = await scene.events("victims.alert.issued", kind="erase_data")
    assert sorted(alert.country for alert in asked) == sorted([slv, hnd])
    (due,) = {alert.data.due for alert in asked}
    assert due == asked[0].recordedtime + timedelta(days=30)
    assert told(await scene.received(slv)) == ["victims.referral.offered", "referral_revoked", "erase_data"]

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
    assert await kept(scene, gtm) == (0, 0)
    await scene.play(consent(scene, slv, "erased"))
    await scene.later(days=31)
    assert not await scene.events("victims.alert.issued", kind="erasure_overdue")


async def test_a_key_lives_as_long_as_another_consent_of_the_person(scene):
    gtm, slv = scene.cast[:2]
    other = {"consent_id": scene.id("other")}
    await scene.play(
        consent(scene, gtm, "recorded", valid_until=...),
        consent(scene, gtm, "recorded", valid_until=..., **other),
        under(scene, gtm, slv, "ref"),
    )
    await scene.play(consent(scene, gtm, "withdrawn", **other))
    assert await kept(scene, gtm) == (1, 1)
    assert not await scene.events("victims.referral.revoked")
    await scene.play(consent(scene, gtm, "withdrawn"))
    assert await kept(scene, gtm) == (0, 0)
    await scene.play(consent(scene, slv, "erased"))
