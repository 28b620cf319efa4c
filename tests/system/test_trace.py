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
