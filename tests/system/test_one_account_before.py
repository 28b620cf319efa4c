"""A reload at work: from the configuration of before, one account for services and hands, to an account for each."""

import asyncio
import copy
import json

import pytest

from infra.nats.crossing import API, ASKING, LOCAL
from infra.nats.provision import ask
from infra.nats.rights import CENTRAL, central
from shared.contracts.vocabulary import MEMBERS
from tests.bench.system import folded
from tests.harness.speaking import example
from tests.harness.system import free_port, until

pytestmark = pytest.mark.long

NAME = "intel.document.flagged"
EACH = 60
"""Reports told before, during and after each reload."""


def together(rights):
    """The same principals and countries, configured as before."""
    accounts = copy.deepcopy(rights["accounts"])
    shared = accounts[CENTRAL]
    for name in central():
        for user in accounts.pop(name)["users"]:
            allowed = user["permissions"]["publish"]["allow"]
            user["permissions"]["publish"]["allow"] = [subject.replace(LOCAL, API) for subject in allowed]
            shared["users"].append(user)
    hands = {*central()}
    for export in shared["exports"]:
        export["accounts"] = [name for name in export["accounts"] if name not in hands]
    shared["exports"] = [export for export in shared["exports"] if export["accounts"]]
    for name in MEMBERS:
        subject = f"{ASKING}{name}.>"
        shared["exports"].append({"service": subject, "accounts": [name]})
        imports = accounts[name]["imports"]
        kept = [one for one in imports if one.get("service", {}).get("account", CENTRAL) == CENTRAL]
        asks = {"service": {"account": CENTRAL, "subject": subject}, "to": "ask.>"}
        accounts[name]["imports"] = [*kept, asks]
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


async def test_a_reload_gives_each_an_account_while_all_work_and_one_takes_them_back(system):
    region, port = system.region, free_port()
    now = region.accounts()
    await reloaded(region.nats, together(now))
    system.start("intel")
    system.start("indicators", CRM_HTTP_PORT=str(port))
    await system.ready()
    gtm = await system.country("GTM")
    ids = await told(gtm, 0)
    for number, rights in enumerate((now, together(now), now), 1):
        telling = asyncio.create_task(told(gtm, number * EACH))
        await until(lambda number=number: folded(port) > (number - 1) * EACH, "some of them to be folded")
        await reloaded(region.nats, rights)
        ids += await telling
        await until(lambda: folded(port) == len(ids), "all of them to be folded", 120)  # noqa: B023 - awaited here
    recorded = await system.recorded("intel", NAME, len(ids))
    assert sorted(event.id for event in recorded) == sorted(ids)
    assert "error" not in json.loads((await gtm.client.request("ask.intel.mailbox", b"{}", timeout=30)).data)
    await system.ready()
    operator = await region.connect("operator")
    assert (await ask(operator, "STREAM.INFO.INTEL"))["state"]["last_seq"] >= len(ids)
