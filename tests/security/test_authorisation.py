"""Who may do what, as docs/security.md says it, by what comes of it: every principal tries every action.

The table is written by hand from that page, not from the rights that the servers are given. An action is done when its
effect is there: a message in a stream, a stream changed or gone, a message or a row read. The control opens a cell on
purpose, and the matrix finds it.
"""

from typing import Any

import pytest
from msgspec import structs
from nats.aio.client import Client

from infra.nats import config
from infra.nats.provision import ask, provision
from infra.nats.rights import hands, services
from infra.testkit.servers import with_root
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS
from tests.harness.system import until
from tests.security.trying import (
    BRIEF_S,
    COUNTRIES,
    EVERYBODY,
    HANDS,
    IT,
    PATIENCE_S,
    SECRETARIATS,
    Trying,
    _event,
    actions,
)


def test_the_table_names_everybody():
    assert set(COUNTRIES) == set(MEMBERS)
    assert {*COUNTRIES, *SECRETARIATS} == set(RECEIVERS)


# Of each action, who may do it, and nobody else.
MAY: dict[str, tuple[str, ...]] = {
    "report in its own name": (*COUNTRIES, *SECRETARIATS),
    "report in Mexico's name": (),
    "report as the operator": ("operator",),
    **{f"write into the stream of {service}": (service,) for service in SERVICES},
    **{f"sign for the log of {service}": (service,) for service in SERVICES},
    **{f"put aside a refused report of {service}": (service,) for service in SERVICES},
    "ask in its own name": COUNTRIES,
    "ask in Mexico's name": (),
    **{f"hear questions to {service}": (service,) for service in SERVICES},
    "hear what services sign of their logs": COUNTRIES,
    "hear another's answers": (),
    "hear what countries report": (),
    "hear what services write": (),
    "read its own mailbox": (*COUNTRIES, *SECRETARIATS),
    "read Mexico's mailbox": (),
    "take what Honduras reported to victims": ("victims",),
    "take what Honduras reported to legal": ("legal",),
    "get a message of INTAKE_HND": ("operator", "provisioner"),
    "get a message of MAILBOX": ("victims", "operator", "provisioner"),
    "get a message of QUARANTINE": ("operator", "provisioner"),
    **{
        f"get a message of {service.upper()}": tuple({service, "indicators", "operator", "provisioner"})
        for service in SERVICES
    },
    "read the whole stream VICTIMS": ("indicators",),
    "look at streams": (*SERVICES, *HANDS),
    "make a stream of its own": (),
    "make a stream again that is gone": ("provisioner",),
    "have QUARANTINE publish again": ("provisioner",),
    "narrow QUARANTINE": ("provisioner",),
    "delete the copy of a log": ("provisioner",),
    "delete an intake": (),
    "delete the mailbox": (),
    "empty a country's intake": ("operator",),
    "empty a stream of a service": (),
    "erase a message of an intake": (),
    "alter a durable": ("deployer", "provisioner"),
    "delete a durable": (),
    "have a durable begin anew": ("deployer", "provisioner"),
    "ask the server for all connections": (),
}


async def restored(region: Any, root: Client) -> None:
    """Have all as it should be, and something to read everywhere."""
    hand = await region.connect("provisioner")
    await ask(root, "STREAM.DELETE.EVIL")
    await provision(hand)
    await hand.close()
    said = [
        *map(_event, SERVICES),
        *(f"crm.evt.legal.report.rejected.{name}" for name in COUNTRIES),
        "crm.evt.indicators.alert.issued.REG",  # to both secretariats
        *(f"crm.in.{IT}.{service}.a.b" for service in ("victims", "legal")),
        "crm.bad.GTM.intel",
    ]
    for subject in said:
        await root.jetstream().publish(subject, b'{"specversion":"1.0"}')
    await root.flush()


async def done_by(region: Any, root: Client, who: str, names: Any, awaited: set[str]) -> set[str]:
    """Return what of these actions `who` does; the effect of those that are `awaited` is waited for long."""
    todo, done = actions(), set()
    async with Trying(region, root, who) as trying:
        for name in names:
            # A reload of the server may cut a connection, and what was said on it: what may be done is tried again.
            trying.patience_s = PATIENCE_S if name in awaited else BRIEF_S
            did = await todo[name](trying) or (name in awaited and await todo[name](trying))
            if did:
                done.add(name)
                await restored(region, root)
    return done


async def ready(region: Any) -> Client:
    """A connection that may do and say all, and a region with something in every stream."""
    rights = with_root(region.accounts())
    permitted = [user for user in rights["accounts"]["CRM"]["users"] if user.get("user") == "root"]
    for user in permitted:
        user["permissions"] = {"publish": [">"], "subscribe": [">"]}
    rights["accounts"]["CRM"]["users"] = [
        user for user in rights["accounts"]["CRM"]["users"] if user.get("user") != "root"
    ] + permitted[:1]
    before = region.nats.loaded()
    region.nats.reload(rights)
    await until(lambda: region.nats.loaded() != before, "the server to take the rights")
    root = await region.connect("root")
    await restored(region, root)
    await until(lambda: _mailbox(root), "the mailbox to fill")
    return root


async def _mailbox(root: Client) -> bool:
    return (await ask(root, "STREAM.INFO.MAILBOX"))["state"]["messages"] > len(COUNTRIES)


def test_every_action_is_in_the_table():
    assert set(actions()) == set(MAY)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_each_does_what_it_may_and_nothing_else(region, who):
    root = await ready(region)
    may = {name for name, allowed in MAY.items() if who in allowed}
    assert await done_by(region, root, who, MAY, may) == may


@pytest.mark.parametrize(
    ("who", "opened", "found"),
    [
        ("legal", "crm.in.MEX.>", "report in Mexico's name"),
        ("operator", "$JS.API.STREAM.UPDATE.QUARANTINE", "narrow QUARANTINE"),
        ("deployer", "$JS.API.STREAM.DELETE.TRAINING", "delete the copy of a log"),
        ("intel", "$JS.API.STREAM.MSG.GET.QUARANTINE", "get a message of QUARANTINE"),
    ],
)
async def test_a_cell_that_is_opened_on_purpose_is_found(region, monkeypatch, who, opened, found):
    """The control."""
    every, kind = (hands(), "hands") if who in hands() else (services(), "services")
    every[who] = structs.replace(every[who], publish=(*every[who].publish, opened))
    monkeypatch.setattr(config, kind, lambda: every)
    root = await ready(region)
    may = {name for name, allowed in MAY.items() if who in allowed}
    assert await done_by(region, root, who, [found, "report in its own name"], {found} | may) - may == {found}


# PostgreSQL. Of each table, by whose schema it is in: what its own service may, what the operator may; others nothing.
