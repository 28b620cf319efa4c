"""A complaint found true ends the officer's certificates, and suggests a proceeding where it is a crime."""

import pytest

AS_OF = {"bribery": "2003-12-30", "abuse": "2003-12-29"}
"""A headcount for the same day would replace another scene's."""


def complaint(scene, country, verb, number=1, **changes):
    away = {} if verb == "resolved" else dict.fromkeys(("outcome", "sanction", "officer_pid", "offence"), ...)
    changes = away | {"complaint_id": scene.id(f"cp-{number}")} | changes
    return scene.say(country, f"training.complaint.{verb}", **changes)


def certified(scene, country, number, officer):
    return scene.say(
        country,
        "training.officer.certified",
        cert_id=scene.id(f"ce-{number}"),
        officer_pid=scene.id(officer),
        topic="ethics",
        valid_until="2035-01-01",
        aligned_to=[],
    )


@pytest.mark.parametrize(("category", "suggested"), [("bribery", True), ("abuse", False)])
async def test_conduct_found_true_revokes_certificates_and_may_suggest_a_proceeding(scene, category, suggested):
    gtm = scene.cast[0]
    await scene.play(
        certified(scene, gtm, 1, "of-1"),
        certified(scene, gtm, 2, "of-2"),
        scene.say(gtm, "training.workforce.declared", technical_headcount=4, as_of=AS_OF[category]),
        complaint(scene, gtm, "received", category=category),
        complaint(scene, gtm, "received", 2, category=category),
    )
    about = {"category": category, "officer_pid": scene.id("of-1"), "offence": ...}
    resolved = complaint(scene, gtm, "resolved", **about)
    await scene.play(complaint(scene, gtm, "investigated", category=category), resolved)
    revoked = await scene.one("training.certification.revoked")
    assert (revoked.data.cert_id, revoked.data.reason, revoked.country) == (scene.id("ce-1"), "conduct", gtm)
    assert await scene.chain(revoked) == ["training.complaint.resolved", "training.certification.revoked"]
    assert (await scene.figure("IE-3.2b", gtm, institution_type="migration")).numerator == 1
    alerts = await scene.received(gtm, "legal.alert.issued")
    assert [(one.data.kind, one.data.entity) for one in alerts] == (
        [("proceeding_suggested", scene.id("cp-1"))] if suggested else []
    )
    await scene.later(days=31)
    overdue = await scene.one("training.complaint.overdue")
    assert overdue.data.complaint_id == scene.id("cp-2")
    assert [one.id for one in await scene.received(gtm, "training.complaint.overdue")] == [overdue.id]

    client = await scene.country(gtm)
    assert (await client.ask("training", "certificates", {"officer_pid": scene.id("of-1")})).certificates == ()
    await scene.play(scene.say(gtm, "training.complaint.retracted", supersedes=resolved["id"]))
    assert (await scene.one("training.certification.retracted")).data.supersedes == revoked.id
    answer = await client.ask("training", "certificates", {"officer_pid": scene.id("of-1")})
    assert [one.cert_id for one in answer.certificates] == [scene.id("ce-1")]
    assert (await scene.figure("IE-3.2b", gtm, institution_type="migration")).numerator == 2
    assert len(await scene.received(gtm, "legal.alert.issued")) == 2 * suggested
