"""Another plan is another folder; one that cannot be used starts nothing, and says all that is wrong with it."""

import json
import shutil
import urllib.request
from pathlib import Path

from tests.harness.speaking import NOW, clock, say
from tests.harness.system import free_port, until

PLANS = Path(__file__).parents[1] / "plans"
MISCONFIGURED = 78


def asked(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


async def test_another_plan_is_loaded_without_code(system):
    port = free_port()
    system.start("intel", **clock())
    system.start("indicators", **clock(), CRM_HTTP_PORT=str(port), CRM_PLAN_FOLDER=str(PLANS / "second"))
    await system.ready()
    assert [row["id"] for row in asked(port, "/api/indicators")] == ["BD-1", "BD-1.mean", "BD-2"]
    gtm = await system.country("GTM")
    bands = [
        say(gtm, "intel.band.dismantled", scope="local", countries=["GTM"], band_id=f"band-{n}", members_count=n)
        for n in (3, 6)
    ]
    ways = [say(gtm, "intel.modality.reported", time=NOW) for _ in range(4)]
    await gtm.publish_all([*bands, *ways])

    def counted():
        row = next(one for one in asked(port, "/api/indicators") if one["id"] == "BD-1")
        return row if (row["numerator"], row["denominator"]) == (2, 4) else None

    row = await until(counted, "two bands and four modalities")
    assert (row["value"], row["met"]) == (0.5, True)
    mean, score = asked(port, "/api/indicators")[1:]
    assert (mean["value"], score["value"]) == (4.5, 1.0)
    (milestone,) = asked(port, "/api/milestones")
    assert (milestone["id"], milestone["state"]) == ("MS-BD-1", "open")


async def test_a_faulty_plan_starts_nothing_and_names_every_fault(system):
    port = free_port()
    system.start("indicators", **clock(), CRM_HTTP_PORT=str(port), CRM_PLAN_FOLDER=str(PLANS / "faulty"))
    process = system.processes["indicators"]
    code = await until(lambda: process.poll() or None, "the process to end")
    assert code == MISCONFIGURED
    (told,) = [line for line in system.output("indicators") if line["level"] == "critical"]
    assert [(fault["file"], fault["row"]) for fault in told["faults"]] == [
        ("dates.toml", "-"),
        *[("plan.toml", "BD-1")] * 4,
        ("plan.toml", "MS-BD-1"),
        ("plan.toml", "MS-BD-1"),
    ]
    reasons = " ".join(fault["reason"] for fault in told["faults"])
    for reason in (
        "not TOML",
        "id is already used in plan.toml",
        "intel.band.dismantled has no field 'size'",
        "unknown event type 'intel.band.dissolved'",
        "field 'band_id' has no closed list of values",
        "has more than one of due, after, recurring, window, continuous",
        "never has the value 'galactic'",
    ):
        assert reason in reasons


async def test_an_example_that_cannot_be_read_is_a_fault_of_the_plan(system, tmp_path):
    shutil.copytree(PLANS / "second", tmp_path / "plan")
    (tmp_path / "plan" / "examples" / "BD-1.toml").write_text("[[example]]\nof = 1")
    system.start("indicators", **clock(), CRM_HTTP_PORT=str(free_port()), CRM_PLAN_FOLDER=str(tmp_path / "plan"))
    process = system.processes["indicators"]
    assert await until(lambda: process.poll() or None, "the process to end") == MISCONFIGURED
    (told,) = [line for line in system.output("indicators") if line["level"] == "critical"]
    assert [fault["file"] for fault in told["faults"]] == ["BD-1.toml"]
