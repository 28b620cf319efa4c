"""A forgery seen for the first time makes the certificates in detecting it stale, with a grace; the second time not."""


def certified(scene, country, number, topic="false_document_detection", officer=""):
    return scene.say(
        country,
        "training.officer.certified",
        cert_id=scene.id(f"ce-{number}"),
        officer_pid=scene.id(officer or f"of-{number}"),
        topic=topic,
        valid_until="2035-01-01",
        aligned_to=[],
    )


async def test_the_first_confirmation_of_a_pattern_makes_certificates_stale_once(scene):
    gtm, slv = scene.cast[:2]
    # A pattern that no other scene has: the region knows each only once.
    pattern = {"issuing": gtm, "doc_code": "PD", "fraud_type": f"seen_in_{scene.number}"}
    await scene.play(
        scene.say(gtm, "training.workforce.declared", technical_headcount=4),
        certified(scene, gtm, 1),
        certified(scene, gtm, 2, "ethics"),
        certified(scene, slv, 3),
    )
    first, second = (
        scene.say(country, "intel.document.confirmed", bcp=scene.id("post"), **pattern) for country in (gtm, slv)
    )
    await scene.play(first, second)
    ours = {scene.id(f"ce-{number}") for number in (1, 2, 3)}
    stale = [one for one in await scene.events("training.certification.staled") if one.data.cert_id in ours]
    assert sorted((one.country, one.data.cert_id) for one in stale) == sorted(
        [(gtm, scene.id("ce-1")), (slv, scene.id("ce-3"))]
    )
    assert len({one.causationid for one in stale}) == 1
    assert {(one.data.reason, (one.data.grace_until - one.time).days) for one in stale} == {("new_fraud", 90)}
    assert {tuple(await scene.chain(one)) for one in stale} == {
        ("intel.document.confirmed", "training.certification.staled")
    }
    assert [one.data.cert_id for one in await scene.received(slv, "training.certification.staled")] == [
        scene.id("ce-3")
    ]
    share = await scene.figure("IE-3.2b", gtm, institution_type="migration")
    assert (share.numerator, share.denominator) == (1, 4)

    client = await scene.country(gtm)
    asked = await client.ask("training", "certificates", {"officer_pid": scene.id("of-1")})
    assert [(one.cert_id, one.grace_until) for one in asked.certificates] == [
        (scene.id("ce-1"), stale[0].data.grace_until)
    ]
    await scene.later(days=91)
    assert (await client.ask("training", "certificates", {"officer_pid": scene.id("of-1")})).certificates == ()
    fresh = certified(scene, gtm, 4, officer="of-1")
    await scene.play(fresh, scene.say(gtm, "intel.document.confirmed", bcp=scene.id("post"), **pattern))
    renewed = await scene.one("training.certification.renewed")
    assert (renewed.data.cert_id, renewed.data.renewed_by) == (scene.id("ce-1"), scene.id("ce-4"))
    answer = await client.ask("training", "certificates", {"officer_pid": scene.id("of-1")})
    assert [one.cert_id for one in answer.certificates] == [scene.id("ce-4")]
