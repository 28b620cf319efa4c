"""Several hosts in `CRM_DATABASE_URL`: the one that takes writes is found, whatever the others do."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.testkit.proxy import CUT, OPEN, SILENT, Proxy
from shared.run.database import connected
from tests.harness.speaking import NOW, clock, example
from tests.harness.system import ROOT, until

pytestmark = pytest.mark.long

NAME = "training.official.enrolled"


@pytest.fixture
async def hosts(region):
    """Two ways to the server, and the address that names both for a role."""
    target = urlsplit(region.database_url("training"))
    proxies = [Proxy(("127.0.0.1", target.port)) for _ in range(2)]
    for one in proxies:
        await one.start()
    named = ",".join(f"127.0.0.1:{one.port}" for one in proxies)
    user = target.netloc.rpartition("@")[0]
    yield proxies, f"postgresql://{user}@{named}{target.path}?target_session_attrs=read-write"
    for one in proxies:
        await one.stop()


async def enrolled(gtm, number):
    key = f"officer-{number}"
    await gtm.publish(gtm.report(NAME, example(NAME, officer_pid=key), id=key, time=NOW))


async def test_a_first_host_that_is_gone_or_hangs_is_passed_over(system, hosts):
    (first, second), address = hosts
    first.become(SILENT)
    system.start("training", **clock(), CRM_DATABASE_URL=address)
    await system.ready("training")
    gtm = await system.country("GTM")
    await enrolled(gtm, 1)
    await system.recorded("training", NAME)
    # Where none lets in, a report waits: that is no fault of its own, so that it is not set aside.
    second.become(CUT)
    await enrolled(gtm, 2)
    await until(lambda: any(line["event"] == "relay waits" for line in system.output("training")), "it to wait")
    assert not await system.rows("training", "select 1 from aside")
    second.become(OPEN)
    assert len(await system.recorded("training", NAME, 2)) == 2


async def test_what_an_operator_asks_goes_to_the_host_that_lets_in(region, system):
    """asyncpg alone waits a minute for the first of them, and then tries no other."""
    system.start("training", **clock())
    await system.ready("training")
    target = urlsplit(region.database_url("operator"))
    gone = Proxy(("127.0.0.1", target.port))
    await gone.start()
    gone.become(SILENT)
    user, _, host = target.netloc.rpartition("@")
    address = f"postgresql://{user}@127.0.0.1:{gone.port},{host}{target.path}?target_session_attrs=read-write"
    env = {**os.environ, "CRM_DATABASE_URL": address, "CRM_NATS_URL": region.nats.url}
    env |= {"CRM_NATS_SEED": str(region.seed("operator")), "CRM_STATE_DIR": "none"}
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", "verify", "training"), cwd=ROOT, env=env, stdout=PIPE, stderr=STDOUT
    )
    said = (await asyncio.wait_for(asked.communicate(), 120))[0].decode()
    await gone.stop()
    assert asked.returncode == 0, said


async def test_what_is_refused_everywhere_is_told_as_of_one_host(hosts):
    _, address = hosts
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connected(address, database="no_such")


async def test_a_database_without_room_for_one_more_is_waited_for(system):
    """As while sessions of a machine that is gone are still counted: no process ends, and nothing is an error."""
    owner = await asyncpg.connect(system.region.database_url())
    await owner.execute("alter role training connection limit 0")
    try:
        system.start("training")
        await until(lambda: "TooManyConnectionsError" in str(system.output("training")), "it to be turned away")
        assert system.processes["training"].poll() is None
    finally:
        await owner.execute("alter role training connection limit -1")
        await owner.close()
    await system.ready()
    gtm = await system.country("GTM")
    await enrolled(gtm, 1)
    await system.recorded("training", NAME)
    assert [line for line in system.output("training") if line["level"] in {"error", "critical"}] == []
