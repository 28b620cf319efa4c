"""Fakes of a document of which no specimen is on file: its issuer is asked for one, once, until it is there."""

from datetime import timedelta

from tests.system.staging import told

DOCUMENT = "PL"
"""No other scene tells of this one: what is on file stays from scene to scene."""


def confirmed(scene, country, issuing, minutes):
    changes = {"issuing": issuing, "doc_code": DOCUMENT, "bcp": scene.id("bcp"), "flag_id": scene.id("flag")}
    time = scene.now - timedelta(minutes=minutes)
    return scene.say(country, "intel.document.confirmed", time=time, **changes)


async def test_a_missing_specimen_is_asked_for_once_until_it_is_deposited(scene):
    hnd, gtm, mex = scene.cast[:3]
    fakes = [confirmed(scene, gtm, hnd, 5), confirmed(scene, mex, hnd, 4), confirmed(scene, gtm, hnd, 3)]
    await scene.play(*fakes)
    wanted = await scene.one("intel.alert.issued", kind="specimen_wanted")
    assert (wanted.country, wanted.data.entity) == (hnd, f"{hnd}:{DOCUMENT}")
    assert wanted.causationid in {report["id"] for report in fakes}
    specimen = {"specimen_id": scene.id("sp"), "issuing": hnd, "doc_code": DOCUMENT}
    await scene.play(scene.say(hnd, "intel.specimen.deposited", **specimen))
    await scene.play(confirmed(scene, gtm, hnd, 0))
    assert told(await scene.received(hnd)) == ["specimen_wanted"]


async def test_a_listed_document_that_turns_up_is_told_to_issuer_and_finder(scene):
    hnd, gtm, mex = scene.cast[:3]
    document = {"issuing": hnd, "doc_ref": scene.id("doc")}
    found = scene.say(gtm, "intel.document.flagged", bcp="GTM-1", **document)
    listed = scene.say(hnd, "intel.document.listed", time=scene.now - timedelta(days=1), **document)
    await scene.play(found, listed)
    hits = await scene.events("intel.document.hit")
    assert sorted(event.country for event in hits) == sorted([hnd, gtm])
    assert {(event.data.where, event.data.list_event) for event in hits} == {("GTM-1", listed["id"])}
    assert await scene.received(mex) == []
