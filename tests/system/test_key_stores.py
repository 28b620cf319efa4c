"""On several machines all of victims keep the keys of what is sealed in one store: what one forgets, all have."""

import asyncpg
import pytest

from shared.client import NotPermitted
from shared.contracts.keeping import HEAD
from tests.harness.scraping import faults
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

KEY = "k-" + "a" * 32
KEEP = {"key": KEY, "head": HEAD, "readers": ["MEX"]}


@pytest.fixture
async def shared(system):
    """The setting that names a database beside the region's."""
    server = system.region.postgres.server
    owner = await asyncpg.connect(server.url(database="postgres"))
    await owner.execute("create database sealed")
    yield {"CRM_KEYS_DATABASE_URL": server.url(database="sealed"), "CRM_KEYS_FILE": ""}
    await system.end()
    await owner.execute("drop database sealed with (force)")
    await owner.close()


async def test_what_one_machine_kept_or_forgot_all_have(system, shared):
    system.start("victims", "victims-2", **shared)
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    await gtm.ask("victims", "keep", KEEP)
    system.kill("victims")
    assert (await mex.ask("victims", "key", {"key": KEY})).head == HEAD, "of the machine that is left"
    assert (await gtm.ask("victims", "forget", {"keys": [KEY]})).forgotten == 1
    system.start("victims", **shared)
    await system.ready("victims")
    system.kill("victims-2")
    with pytest.raises(NotPermitted):
        await mex.ask("victims", "key", {"key": KEY})


async def test_one_with_a_store_of_its_own_does_nothing_while_others_are_there(system, tmp_path):
    system.start("victims")
    await system.ready()
    port = free_port()
    system.start("victims-2", CRM_OPS_PORT=str(port), CRM_KEYS_FILE=str(tmp_path / "keys.sqlite"))
    await until(lambda: "keep their keys elsewhere" in str(faults(port)), "the second to say why it waits")
    gtm = await system.country("GTM")
    for number in range(5):  # the questions go to the first, each of them
        await gtm.ask("victims", "keep", KEEP | {"key": f"k-{number:032x}"})
    assert (await gtm.ask("victims", "forget", {"keys": [f"k-{number:032x}" for number in range(5)]})).forgotten == 5
    system.kill("victims")
    await system.ready("victims-2")
