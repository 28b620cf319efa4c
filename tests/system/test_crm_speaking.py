"""`crm pub --wait` says what became of each report, and `crm sub` hears what a country is told."""

import asyncio
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.reports import example


@pytest.fixture
async def region(system):
    for service in ("intel", "victims", "legal", "training", "indicators"):  # a history is asked of all
        system.start(service)
    await system.ready()
    return system.region


def where(region, country):
    return ["--as", country, "--nats-url", region.nats.url, "--seed", str(region.seed(country))]


async def pub(region, file, *more):
    arguments = ["pub", str(file), *where(region, "GTM"), *more]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


def referral(number, of):
    report = example("victims.referral.sent", "GTM")
    return report | {"id": f"gt-{number}", "subject": of, "data": report["data"] | {"referral_id": of}}


async def test_pub_waits_for_what_becomes_of_each_report(region, tmp_path):
    """The second names a referral that was sent before: only the service can know that."""
    file = tmp_path / "reports.ndjson"
    file.write_text("\n".join(map(json.dumps, (referral(1, "ref-1"), referral(2, "ref-1")))))
    found = await pub(region, file, "--wait", "60")
    lines = {line for line in found.stdout.splitlines() if not line.startswith("stored")}
    assert lines == {"recorded gt-1", "refused gt-2: /data/referral_id duplicate_entity"}
    assert found.exit_code == 1
    file.write_text(json.dumps(referral(3, "ref-3")))
    found = await pub(region, file, "--wait", "60")
    assert found.stdout.splitlines()[-1] == "recorded gt-3"
    assert found.exit_code == 0


async def test_pub_does_not_take_an_earlier_report_of_the_same_id_for_this_one(region, tmp_path):
    file, report = tmp_path / "one.json", example("intel.document.flagged", "GTM") | {"id": "gt-9"}
    for _ in "12":  # the second is the same again, which is no conflict
        file.write_text(json.dumps(report))
        assert (await pub(region, file, "--wait", "60")).stdout.splitlines()[-1] == "recorded gt-9"
    report["data"] = report["data"] | {"fraud_type": "counterfeit"}
    file.write_text(json.dumps(report))
    found = await pub(region, file, "--wait", "60", "--lang", "es")
    assert found.stdout.splitlines()[-1] == "refused gt-9: /id id_conflict (ya se registró otro informe con este id)"
    assert found.exit_code == 1


async def test_two_systems_of_a_country_may_number_alike(region, tmp_path):
    """Each hears of its own: what was recorded, and what the second system is refused."""
    file, one = tmp_path / "reports.ndjson", referral(5, "ref-5")
    other = referral(5, "ref-6") | {"source": "urn:crm:country:GTM:other"}
    again = referral(5, "ref-5") | {"source": "urn:crm:country:GTM:third"}
    file.write_text("\n".join(map(json.dumps, (one, other, again))))
    found = await pub(region, file, "--wait", "60")
    lines = sorted(line for line in found.stdout.splitlines() if not line.startswith("stored"))
    assert lines == ["recorded gt-5", "recorded gt-5", "refused gt-5: /data/referral_id duplicate_entity"]


async def test_pub_that_waits_in_vain_says_so(region, tmp_path):
    file = tmp_path / "one.json"
    file.write_text(json.dumps(referral(4, "ref-4")))
    found = await pub(region, file, "--wait", "0.001")
    assert found.stdout.splitlines()[-1] in {"no word yet gt-4", "recorded gt-4"}
    assert found.exit_code == int("no word yet" in found.stdout)


def _offered(heard):
    """The first line that tells of an offer, among whatever else the country is told meanwhile."""
    return next((line for line in heard if "victims.referral.offered" in line), "")


async def test_sub_hears_what_comes_and_takes_nothing_out(region, tmp_path):
    command = [sys.executable, "-u", "-m", "infra.cli", "sub", "--json", *where(region, "MEX")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        file, heard = tmp_path / "one.json", asyncio.create_task(asyncio.to_thread(_offered, process.stdout))
        for number in range(5, 65):  # it hears from when it has begun on
            file.write_text(json.dumps(referral(number, f"ref-{number}")))
            assert (await pub(region, file)).exit_code == 0
            if (await asyncio.wait({heard}, timeout=2))[0]:
                break
        assert heard.result()
        process.send_signal(2)
        assert process.wait(30) == 0
    left = await asyncio.to_thread(CliRunner().invoke, app, ["mailbox", *where(region, "MEX"), "--json"])
    assert "victims.referral.offered" in left.stdout
