"""Processes of a service have one clock and one set of region data, and its log one kind of time; else none records."""

import shutil
from datetime import timedelta

import pytest

from services.indicators.planned.plan import FOLDER
from shared.flow import quotas
from shared.run.settings import EXIT_MISCONFIGURED
from tests.harness.scraping import faults
from tests.harness.speaking import NOW, clock, say
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

COURSE = "training.course.scheduled"
WRONG_CLOCKS = {
    "another start": lambda own: own | {"CRM_CLOCK_START": (NOW + timedelta(days=1)).isoformat()},
    "another epoch": lambda own: own | {"CRM_CLOCK_EPOCH": NOW.isoformat()},
    "another speed": lambda own: own | {"CRM_SPEED": "60"},
}


async def waits_until_the_first_is_gone(system, own, other, words):
    port = free_port()
    system.start("training", **own)
    await system.ready()
    gtm = await system.country("GTM")
    system.start("training-2", CRM_OPS_PORT=str(port), **other)
    await until(lambda: words in str(faults(port)), "the second to say why it waits")
    await gtm.publish(say(gtm, COURSE))
    await system.recorded("training", COURSE)
    assert words in str(faults(port)), "the first goes on, the second waits"
    system.kill("training")
    await system.ready("training-2")
    await gtm.publish(say(gtm, COURSE, course_id="another"))
    await system.recorded("training", COURSE, 2)
    assert faults(port) == []


@pytest.mark.parametrize("wrong", WRONG_CLOCKS)
async def test_a_second_one_with_another_clock_records_nothing_while_the_first_is_there(system, wrong):
    own = clock()
    await waits_until_the_first_is_gone(system, own, WRONG_CLOCKS[wrong](own), "another clock")


async def test_a_second_one_with_other_quotas_records_nothing_while_the_first_is_there(system, tmp_path):
    (tmp_path / "quotas.toml").write_text(f"{quotas.OWN.read_text()}\n# changed\n")
    own = clock()
    other = own | {quotas.VARIABLE: str(tmp_path / "quotas.toml")}
    await waits_until_the_first_is_gone(system, own, other, "other region data")


@pytest.mark.parametrize(
    ("first", "then", "cure"),
    [(clock(), {}, "this log holds plan time: set CRM_CLOCK_START"), ({}, clock(), "this log holds real time: unset")],
    ids=["plan", "real"],
)
async def test_plan_time_and_real_time_do_not_meet_in_one_log(system, first, then, cure):
    system.start("training", **first)
    await system.ready()
    gtm = await system.country("GTM")
    await gtm.publish(say(gtm, COURSE))
    await system.recorded("training", COURSE)
    system.kill("training")
    system.start("training", **then)
    assert system.processes["training"].wait(120) == EXIT_MISCONFIGURED
    assert cure in str(system.output("training")[-1])
    system.start("training", **first)
    await system.ready()


async def test_before_anything_is_recorded_the_kind_of_time_may_change(system):
    system.start("training", **clock())
    await system.ready()
    system.kill("training")
    system.start("training")
    await system.ready()


async def test_one_that_was_cut_off_while_another_clock_took_over_records_no_more(system):
    port = free_port()
    system.start("training", CRM_OPS_PORT=str(port), **clock())
    await system.ready()
    await until(lambda: faults(port) == [], "training to record")
    await system.rows("training", "update training.common set clock = 'another' returning 1")
    await until(lambda: "another clock" in str(faults(port)), "it to say that others run by another clock")
    gtm = await system.country("GTM")
    await gtm.publish(say(gtm, COURSE))
    with pytest.raises(TimeoutError):
        await until(lambda: faults(port) == [], "training to record", 3)
    assert not await system.log("training", COURSE)


async def test_a_second_one_with_another_plan_waits_while_the_first_is_there(system, tmp_path):
    plan = shutil.copytree(FOLDER, tmp_path / "plan")
    (toml, *_) = sorted(plan.glob("*.toml"))
    toml.write_text(f"{toml.read_text()}\n# changed\n")
    port = free_port()
    system.start("indicators", **clock())
    await system.ready()
    system.start("indicators-2", CRM_OPS_PORT=str(port), CRM_PLAN_FOLDER=str(plan), **clock())
    await until(lambda: "other region data" in str(faults(port)), "the second to say why it waits")
    system.kill("indicators")
    await system.ready("indicators-2")
