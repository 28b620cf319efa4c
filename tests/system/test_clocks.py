"""A machine whose clock is wrong records nothing and says so; a server that hangs is told as one that is away."""

from urllib.parse import urlsplit

import pytest

from infra.testkit.proxy import OPEN, SILENT, Proxy
from tests.harness import scraping
from tests.harness.speaking import say
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

COURSE = "training.course.scheduled"


@pytest.fixture
def faults(system):
    """Start the training service, ready to record; return what asks it what stands still."""
    port = free_port()

    def asked():
        return scraping.faults(port)

    async def started(**env):
        system.start("training", CRM_OPS_PORT=str(port), **env)
        await system.ready()
        await until(lambda: asked() == [], "training to record")
        return asked

    return started


@pytest.mark.parametrize("off_s", [5.0, -5.0, 1.5, -86_400.0])
async def test_whose_clock_is_wrong_records_nothing_until_it_is_right(system, faults, tmp_path, monkeypatch, off_s):
    shift = tmp_path / "shift"
    shift.write_text("0")
    monkeypatch.setenv("SHIFT_FILE", str(shift))
    system.modules["training"] = "tests.harness.shifted"
    asked = await faults()
    gtm = await system.country("GTM")
    await gtm.publish(say(gtm, COURSE))
    await system.recorded("training", COURSE, 1)
    shift.write_text(str(off_s))
    how = "ahead of" if off_s > 0 else "behind"
    await until(lambda: f"{how} the database's" in str(asked()), "the process to say that its clock is wrong")
    await gtm.publish(say(gtm, COURSE, course_id="another"))
    with pytest.raises(TimeoutError):
        await until(lambda: asked() == [], "training to record", 3)
    assert len(await system.log("training", COURSE)) == 1
    shift.write_text("0")
    await system.recorded("training", COURSE, 2)
    assert asked() == []


@pytest.mark.parametrize("server", ["PostgreSQL", "NATS"])
async def test_a_server_that_hangs_is_told_and_comes_back(system, faults, server):
    name = "CRM_DATABASE_URL" if server == "PostgreSQL" else "CRM_NATS_URL"
    address = system.region.env("training")[name]
    place = urlsplit(address)
    proxy = Proxy((place.hostname, place.port))
    await proxy.start()
    try:
        asked = await faults(**{name: address.replace(f":{place.port}", f":{proxy.port}")})
        proxy.become(SILENT)
        await until(lambda: f"{server} has not answered" in str(asked()), "the process to say what hangs")
        proxy.become(OPEN)
        await until(lambda: asked() == [], "training to record again", 120)
    finally:
        await proxy.stop()
