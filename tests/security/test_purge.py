"""Operators empty one country's intake after saying why; it is recorded, and the country reads it."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.local.system import operator_token
from infra.nats.asking import ask
from infra.nats.rights import principals
from tests.harness.speaking import Mailbox
from tests.harness.system import free_port


@pytest.fixture
def state(region, tmp_path):
    """The folder of a copy that runs, whose board is where `crm` looks for it."""
    folder, port = tmp_path / "state", free_port()
    (folder / "creds").mkdir(parents=True)
    creds = {principal: str(region.seed(principal)) for principal in principals()}
    addresses = {"nats": region.nats.url, "http": f"http://127.0.0.1:{port}", "creds": creds}
    (folder / "run.json").write_text(json.dumps({**addresses, "postgres": region.database_url("operator"), "ops": {}}))
    return folder, port


async def crm(*arguments):
    return await asyncio.to_thread(CliRunner().invoke, app, [str(part) for part in arguments])


async def held(region, stream):
    return (await ask(await region.connect("operator"), f"STREAM.INFO.{stream}"))["state"]["messages"]


async def test_a_purge_is_told_to_the_country_and_touches_no_other(system, state):
    folder, port = state
    gtm, mex = await system.region.connect("GTM"), await system.region.connect("MEX")
    for client in (gtm, mex):
        for _ in range(3):
            await client.request("report.intel.document.flagged", b"{}", timeout=30)
    away = await crm("intake", "purge", "GTM", "--why", "flood", "--state-dir", folder)
    assert away.exit_code == 1
    assert "not recorded, so nothing is emptied" in away.stderr
    assert await held(system.region, "INTAKE_GTM") == 3

    token = operator_token(folder / "creds")
    system.start("indicators", CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN=token)
    await system.ready()
    done = await crm("intake", "purge", "GTM", "--why", "flood", "--state-dir", folder)
    assert done.exit_code == 0, done.output
    assert "3 messages are gone, of which 3 were not taken" in done.stdout
    assert await held(system.region, "INTAKE_GTM") == 0
    assert await held(system.region, "INTAKE_MEX") == 3
    told = await Mailbox(await system.country("GTM")).one("indicators.intake.purged")
    assert (told.data.why, told.data.messages, told.data.waiting) == ("flood", 3, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("GTX", "--why", "flood"), "there are the intakes of"), (("GTM", "--why", "x"), "is one of")],
)
async def test_whose_intake_and_why_are_asked_for(state, arguments, said):
    done = await crm("intake", "purge", *arguments, "--state-dir", state[0])
    assert done.exit_code == 2
    assert said in done.stderr
