"""From a figure to the reports behind it and back, from revision to revision, and a published report proved."""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from infra.cli import app
from shared.record import note
from tests.harness.speaking import DAY, clock, say
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

START = datetime(2004, 3, 20, 12, tzinfo=UTC)
CLOSES_S = 60


@pytest.fixture
async def state(system, tmp_path):
    """A copy's folder as `crm` knows it, over a running system whose quarter closes soon."""
    port = free_port()
    time = clock(speed=4 * DAY, now=START)
    system.start("intel", **time)
    system.start("indicators", **time, CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN="secret")
    await system.ready()
    folder = tmp_path / "copy"
    (folder / "creds").mkdir(parents=True)
    (folder / "creds" / "operator.token").write_text("secret")
    run = {"http": f"http://127.0.0.1:{port}", "postgres": system.region.database_url()}
    run["creds"] = {"operator": str(folder / "creds" / "operator.nk")}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


async def crm(state, *arguments):
    found = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--state-dir", str(state)])
    return found.exit_code, found.stdout, found.stderr


async def published(system, revision):
    told = await system.log("indicators", "indicators.report.published")
    return [one.data for one in told if one.data.revision == revision]


async def test_a_figure_leads_to_its_reports_and_a_report_to_its_figures(system, state):
    gtm = await system.country("GTM")
    bands = [say(gtm, "intel.band.dismantled", time=START, band_id=f"band-{n}") for n in range(3)]
    await gtm.publish_all(bands)
    taken_back = {"supersedes": bands[0]["id"], "reason": "mistaken", "reported_by": "police"}
    await gtm.publish(gtm.report("intel.band.retracted", taken_back, time=START))

    async def four():
        found = json.loads((await crm(state, "explain", "PC-1c", "--country", "GTM", "--json"))[1] or "{}")
        return found if len(found.get("events", ())) == 4 else None

    found = await until(four, "four events behind the figure")
    amounts = [(one["id"], one["moved"][0]["amount"]) for one in found["events"]]
    assert sorted(amounts[:3]) == sorted((one["id"], 1) for one in bands)
    last = found["events"][3]
    assert (last["amends"], last["moved"][0]["amount"]) == (bands[0]["id"], -1)
    assert [one["amount"] for one in found["numbers"]] == [2]
    public = json.loads((await crm(state, "explain", "PC-1c", "--token", "public", "--json"))[1])
    assert (public["events"], [one["retracted"] for one in public["counts"]]) == ([], [1])
    token = (await crm(state, "token", "GTM"))[1].strip()
    own = (await crm(state, "explain", "PC-1c", "--token", token))[1]
    assert all(one["id"] in own for one in bands)
    assert own.isascii()  # in a pipe: nothing drawn, and an event is a line
    assert len([line for line in own.splitlines() if "intel.band." in line and bands[0]["id"] in line]) == 2
    assert "/api/indicators" in (await crm(state, "explain", "NO-1"))[2]

    ask = urllib.request.Request(f"{board(state)}/api/events/intel/{last['sequence']}")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(ask, timeout=10)
    ask.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(ask, timeout=10) as answer:
        moved = json.load(answer)["moved"]
    database = system.region.database_url()
    arguments = ["trace", last["id"], "--figures", "--json", "--database-url", database]
    traced = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    for steps in (moved, json.loads(traced.stdout)["moved"]):
        assert ("PC-1c", -1) in {(one["id"], one["amount"]) for one in steps}


async def test_a_published_report_is_proved_from_the_logs_and_its_revisions_compared(system, state):
    gtm = await system.country("GTM")
    bands = [say(gtm, "intel.band.dismantled", time=START, band_id=f"band-{n}") for n in range(3)]
    await gtm.publish_all(bands)
    first, *_ = await until(lambda: published(system, 1), "a report", CLOSES_S)
    taken_back = {"supersedes": bands[0]["id"], "reason": "mistaken", "reported_by": "police"}
    await gtm.publish(gtm.report("intel.band.retracted", taken_back, time=START))

    async def revised():
        return [one for one in await published(system, 2) if one.quarter == first.quarter]

    await until(revised, "a second revision", CLOSES_S)
    code, told, faults = await crm(state, "report", "changes", first.quarter, "--from", "1", "--to", "2", "--json")
    assert (code, faults) == (0, "")
    changes = json.loads(told)
    (cell, *_) = next(one["cells"] for one in changes["indicators"] if one["id"] == "PC-1c")
    assert (cell["country"], cell["before"], cell["after"], cell["by"]) == ("REG", 3, 2, -1)
    reasons = {(one["country"], one["type"], one["events"]) for one in changes["because"]}
    assert ("GTM", "crm.intel.band.retracted.v1", 1) in reasons
    assert not any(one[1] == "crm.intel.band.dismantled.v1" for one in reasons)

    for revision in ("1", "2"):
        code, told, faults = await crm(state, "report", "verify", first.quarter, "--revision", revision)
        assert (code, faults) == (0, ""), told
        assert "the same bytes" in told
    head = await system.rows("intel", "select hash from log order by position desc limit 1")
    assert head[0]["hash"].hex() in told

    stored = await system.rows("indicators", "select content from report order by revision desc limit 1")
    checkpoints = json.loads(stored[0]["content"])["checkpoints"]
    assert {name: note.checkpoint(note.parted(text)[0]).origin for name, text in checkpoints.items()} == {
        name: f"crm.region/log/{name}" for name in ("indicators", "intel")
    }

    # A control: a log in which one row says something else is found out.
    other = "convert_to(replace(convert_from(payload, 'UTF8'), 'band-1', 'band-9'), 'UTF8')"
    await altered(system.region.database_url(), f"update intel.log set payload = {other}")
    code, _, faults = await crm(state, "report", "verify", first.quarter)
    assert code == 1
    assert "is not that of the rows up to it" in faults
    assert "rows are not those that were signed" in faults


def board(state):
    return json.loads((state / "run.json").read_text())["http"]


async def altered(url, statement):
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement)
    finally:
        await connection.close()
