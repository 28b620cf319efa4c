"""`crm trace`: from any event of a chain, all of it, from the first cause on."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from infra.cli import app
from tests.system.staging import said, sent


@pytest.mark.parametrize("scene", ["written"], indirect=True)
async def test_a_chain_across_services_and_countries_is_shown_as_a_tree(scene):
    gtm, slv, bystander = scene.cast[:3]
    place = scene.say(gtm, "intel.location.reported", place_ref=scene.id("place"), target_country=slv)
    victim = scene.say(
        slv, "victims.victim.identified", victim_pid=scene.id("victim"), envelope={"causationid": place["id"]}
    )
    referred = sent(scene, slv, gtm) | {"causationid": victim["id"]}
    await scene.play(place)
    await scene.play(victim)
    await scene.play(referred, said(scene, gtm, "rejected", reason="no_capacity"))
    await scene.later(hours=1)

    async def run(*arguments):
        database = scene.system.region.database_url()
        return await asyncio.to_thread(CliRunner().invoke, app, ["trace", *arguments, "--database-url", database])

    offered = await scene.one("victims.referral.offered")
    shown = await run(offered.id, "--json")
    assert shown.exit_code == 0, shown.output
    tree = json.loads(shown.stdout)
    assert (tree["type"], tree["service"], tree["country"]) == ("crm.intel.location.reported.v1", "intel", gtm)

    def below(step):
        return {one["type"]: one for one in step["consequences"]}

    assert "crm.intel.alert.issued.v1" in below(tree)
    identified = below(tree)["crm.victims.victim.identified.v1"]
    assert (identified["id"], identified["service"], identified["country"]) == (victim["id"], "victims", slv)
    referral = below(identified)["crm.victims.referral.sent.v1"]
    end = below(referral)["crm.victims.referral.offered.v1"]
    assert (end["id"], end["country"], end["consequences"]) == (offered.id, gtm, [])
    assert referral["time"] <= end["recordedtime"]

    text = (await run(offered.id)).stdout
    lines = text.splitlines()
    assert lines[0].startswith(f"{scene.now:%Y-%m-%d}")
    assert "intel.location.reported" in lines[0]
    assert [line for line in lines if "asked for" in line] == [line for line in lines if offered.id in line]
    assert bystander not in text
    unknown = await run("no-such-event")
    assert unknown.exit_code == 1


@pytest.mark.parametrize("scene", ["written"], indirect=True)
async def test_events_that_share_an_id_are_each_shown_with_their_source(scene):
    gtm, slv, other = scene.cast[:3]
    same = scene.id("same")
    place = scene.say(gtm, "intel.location.reported", place_ref=scene.id("place"), target_country=slv) | {"id": same}
    referral = sent(scene, slv, other) | {"id": same}
    await scene.play(place)
    await scene.play(referral)

    async def run(*arguments):
        database = scene.system.region.database_url()
        return await asyncio.to_thread(CliRunner().invoke, app, ["trace", *arguments, "--database-url", database])

    shown = (await run(same)).stdout.splitlines()
    asked = [line for line in shown if "asked for" in line]
    assert len(asked) == 2
    assert "intel.location.reported" in asked[0]
    assert asked[0].endswith(f"from urn:crm:country:{gtm}:test")
    assert "victims.referral.sent" in asked[1]
    assert asked[1].endswith(f"from urn:crm:country:{slv}:test")
    offered = await scene.one("victims.referral.offered")
    sources = []
    text, decoder = (await run(offered.id, "--json")).stdout, json.JSONDecoder()
    while text.strip():
        tree, end = decoder.raw_decode(text.lstrip())
        sources.append(tree["source"])
        text = text.lstrip()[end:]
    assert sorted(sources) == sorted([place["source"], referral["source"]]), "either may be what set it off"
    await scene.play(said(scene, other, "rejected", reason="no_capacity"))
