"""A reload at work: from the configuration of before, in which the hands were users of CRM, to an account for each."""

import asyncio
import copy

from infra.nats.crossing import API, LOCAL
from infra.nats.provision import ask
from infra.nats.rights import CENTRAL, hands
from tests.harness.speaking import example
from tests.harness.system import until

NAME = "intel.document.flagged"
EACH = 60
"""Reports told before, during and after each reload."""


def together(rights):
    """The same principals and countries, configured as before."""
    accounts = copy.deepcopy(rights["accounts"])
    shared = accounts[CENTRAL]
    for name in hands():
        for user in accounts.pop(name)["users"]:
            allowed = user["permissions"]["publish"]["allow"]
            user["permissions"]["publish"]["allow"] = [subject.replace(LOCAL, API) for subject in allowed]
            shared["users"].append(user)
    shared["exports"] = [export for export in shared["exports"] if not {*export["accounts"]} & {*hands()}]
    return {"accounts": accounts}


async def told(country, first):
    """Report, one after another, each until it is acknowledged; return the ids."""
    ids = [f"e-{number}" for number in range(first, first + EACH)]
    for id_ in ids:
        body = country.report(NAME, example(NAME), id=id_, subject=f"doc-{id_}")
        await country.publish(body)
    return ids


async def reloaded(server, rights):
    """Have the server read its configuration twice: at the first time new accounts get nothing of what they import."""
    for _ in range(2):
        before = server.loaded()
        server.reload(rights)
        await until(lambda before=before: server.loaded() != before, "the server to take its configuration")


async def test_a_reload_gives_each_hand_an_account_while_all_work_and_one_takes_them_back(system):
    region = system.region
    now = region.accounts()
    await reloaded(region.nats, together(now))
    system.start("intel")
    await system.ready()
    gtm = await system.country("GTM")
    ids = await told(gtm, 0)
    for number, rights in enumerate((now, together(now), now), 1):
        telling = asyncio.create_task(told(gtm, number * EACH))
        await reloaded(region.nats, rights)
        ids += await telling
        operator = await region.connect("operator")
        assert (await ask(operator, "STREAM.INFO.INTEL"))["state"]["last_seq"] >= 0
        await operator.close()
    recorded = await system.recorded("intel", NAME, len(ids))
    assert sorted(event.id for event in recorded) == sorted(ids)
