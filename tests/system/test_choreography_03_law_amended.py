"""An amended law makes certificates stale, has its provisions and entry rules looked at, and victims' services told."""


def certified(scene, country, number, **aligned):
    return scene.say(
        country,
        "training.officer.certified",
        cert_id=scene.id(f"ce-{number}"),
        officer_pid=scene.id(f"of-{number}"),
        valid_until="2035-01-01",
        aligned_to=[aligned],
    )


def stale(scene, events):
    return sorted(one.data.cert_id for one in events)


async def test_an_amended_law_reaches_certificates_mappings_entry_rules_and_victims(scene):
    gtm, slv = scene.cast[:2]
    law, theirs = f"{gtm}-{scene.id('law')}", scene.id("law")
    obligation = {"instrument": "SOM", "article": "6"}
    mapping = scene.say(gtm, "legal.provision.mapped", country=gtm, law_id=law, obligation=obligation, degree="full")
    party = scene.say(gtm, "legal.treaty.ratified", instrument="SOM", country=gtm)
    rule = scene.say(gtm, "intel.entryrequirement.declared", destination=gtm, legal_ref=law)
    await scene.play(
        certified(scene, gtm, 1, law_id=law, version="1"),
        certified(scene, gtm, 2, law_id=theirs),
        certified(scene, slv, 3, law_id=law),
        certified(scene, slv, 4, law_id=theirs),
        certified(scene, gtm, 5, law_id=law, version="2"),
        mapping,
        party,
        rule,
    )
    gaps = len(await scene.events("legal.gap.opened")) - len(await scene.events("legal.gap.closed"))
    amended = scene.say(
        gtm, "legal.law.amended", law_id=law, country=gtm, version="2", crime_types=["som"], effective_from="2003-01-01"
    )
    late = certified(scene, gtm, 6, law_id=law, version="1")
    late["time"] = mapping["time"]
    await scene.play(amended, late)
    told = await scene.events("training.certification.staled")
    assert stale(scene, told) == [scene.id(f"ce-{number}") for number in (1, 3, 6)]
    assert {one.data.reason for one in told} == {"law_amended"}
    assert stale(scene, await scene.received(slv, "training.certification.staled")) == [scene.id("ce-3")]
    first = next(one for one in told if one.data.cert_id == scene.id("ce-1"))
    assert await scene.chain(first) == ["legal.law.amended", "training.certification.staled"]

    opened = len(await scene.events("legal.gap.opened")) - len(await scene.events("legal.gap.closed"))
    assert opened == gaps + 1
    alerts = await scene.received(gtm, "legal.alert.issued")
    assert sorted(one.data.kind for one in alerts) == ["entry_rules_review", "mapping_review"]
    assert {one.data.about for one in alerts} == {amended["id"]}
    (victims,) = await scene.received(gtm, "victims.alert.issued")
    assert victims.data.kind == "law_amended"

    mistake = scene.say(gtm, "legal.law.retracted", supersedes=amended["id"])
    await scene.play(mistake)
    back = await scene.events("training.certification.retracted")
    assert {one.data.supersedes for one in back} == {one.id for one in told}
    assert {one.causationid for one in back} == {mistake["id"]}
    closed = len(await scene.events("legal.gap.opened")) - len(await scene.events("legal.gap.closed"))
    assert closed == gaps
    await scene.play(scene.say(gtm, "legal.treaty.retracted", supersedes=party["id"]))
