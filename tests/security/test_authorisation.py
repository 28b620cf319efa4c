"""Who may do what, as docs/security.md says it, by what comes of it: every principal tries every action.

The table is written by hand from that page, not from the rights that the servers are given. An action is done when its
effect is there: a message in a stream, a stream changed or gone, a message or a row read. The control opens a cell on
purpose, and the matrix finds it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from infra.nats.provision import ask, provision
from infra.nats.rights import inbox
from infra.testkit.servers import with_root
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS
from tests.harness.system import until

COUNTRIES = ("BLZ", "CAN", "CRI", "DOM", "GTM", "HND", "MEX", "NIC", "PAN", "SLV", "USA")
SECRETARIATS = ("ST", "SV")
HANDS = ("operator", "deployer", "provisioner")
EVERYBODY = (*COUNTRIES, *SECRETARIATS, *SERVICES, *HANDS, "nobody")
NOT_IT, IT = "MEX", "HND"
REPORT = "victims.witness.protected"


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


class Trying:
    """A principal's connection, and a root's that sees what came of it."""

    def __init__(self, region: Any, root: Client, who: str) -> None:
        self.region, self.root, self.who = region, root, who
        self.name = who if who in (*COUNTRIES, *SECRETARIATS) else ""
        self.denied = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.nc: Client | None = None
        if self.who != "nobody":
            self.nc = await self.region.connect(self.who, error_cb=self._refused)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.nc:
            await self.nc.close()

    async def _refused(self, _: Exception) -> None:
        self.denied.set()

    async def says(self, subject: str, payload: bytes = b"{}") -> None:
        if self.nc:
            await self.nc.publish(subject, payload)
            await self.nc.flush()

    async def asks(self, question: str, body: Any = None) -> dict[str, Any]:
        """What the JetStream API answers; {} where it is refused, or nobody is there."""
        if not self.nc:
            return {}
        self.denied.clear()
        payload = json.dumps(body).encode() if body is not None else b""
        asking = asyncio.create_task(self.nc.request(f"$JS.API.{question}", payload, timeout=2))
        denied = asyncio.create_task(self.denied.wait())
        await asyncio.wait({asking, denied}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
            return {}
        denied.cancel()
        if asking.exception():
            return {}
        message = asking.result()
        if message.headers and "Status" in message.headers:
            return {}
        try:
            return json.loads(message.data)
        except ValueError:
            return {"data": message.data}

    async def state(self, stream: str) -> dict[str, Any] | None:
        return (await ask(self.root, f"STREAM.INFO.{stream}")).get("state")

    async def last(self, stream: str) -> int:
        return (await self.state(stream) or {}).get("last_seq", 0)

    async def comes_into(self, stream: str, subject: str) -> bool:
        """Whether what it says on `subject` comes into the stream; what the root says afterwards comes behind it."""
        before = await self.last(stream)
        await self.says(subject, b'{"by":"it"}')
        for _ in range(4):
            if await self.last(stream) > before:
                return True
            await asyncio.sleep(0.02)
        return False

    async def hears(self, pattern: str, subject: str, by: Client | None = None) -> bool:
        if not self.nc:
            return False
        heard = asyncio.Event()

        async def told(_: Any) -> None:
            heard.set()

        subscription = await self.nc.subscribe(pattern, cb=told)
        await self.nc.flush()
        await (by or self.root).publish(subject, b"x")
        await (by or self.root).flush()
        try:
            await asyncio.wait_for(heard.wait(), 0.15)
        except TimeoutError:
            return False
        finally:
            await subscription.unsubscribe()
        return True


def own(trying: Trying) -> str:
    return trying.name or "GTM"


async def reports(t: Trying) -> bool:
    local = t.name != ""
    return await t.comes_into(f"INTAKE_{own(t)}", f"report.{REPORT}" if local else f"crm.in.GTM.{REPORT}")


async def reports_as_mexico(t: Trying) -> bool:
    if t.who == NOT_IT:
        return False  # its own name
    tried = (f"crm.in.{NOT_IT}.{REPORT}", f"report.{NOT_IT}.{REPORT}", f"report.../{NOT_IT}")
    return any([await t.comes_into(f"INTAKE_{NOT_IT}", subject) for subject in tried])


async def asks_as(t: Trying, country: str, *subjects: str) -> bool:
    """Whether victims gets a question in the name of a country."""
    victims = await t.region.connect("victims")
    heard = asyncio.Event()

    async def told(message: Any) -> None:
        if message.subject == f"crm.ask.{country}.victims.q":
            heard.set()

    await victims.subscribe("crm.ask.*.victims.>", cb=told)
    await victims.flush()
    for subject in subjects:
        await t.says(subject, b"q")
    try:
        await asyncio.wait_for(heard.wait(), 0.15)
    except TimeoutError:
        return False
    finally:
        await victims.close()
    return True


async def gets(t: Trying, stream: str) -> bool:
    """Whether it gets the stream's last message, by any of the two ways."""
    sequence = await t.last(stream)
    assert sequence, f"{stream} has nothing to get"
    ways = [(f"STREAM.MSG.GET.{stream}", {"seq": sequence}), (f"DIRECT.GET.{stream}", {"seq": sequence})]
    answers = [await t.asks(*way) for way in ways]
    return any(answer and "error" not in answer for answer in answers)


async def pulls(t: Trying, stream: str, durable: str) -> bool:
    if not t.nc:
        return False
    got = asyncio.Event()
    box = t.nc.new_inbox()

    async def told(message: Any) -> None:
        if not (message.headers or {}).get("Status"):
            got.set()

    subscription = await t.nc.subscribe(box, cb=told)
    body = json.dumps({"batch": 1, "no_wait": True}).encode()
    await t.nc.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", body, reply=box)
    await t.nc.flush()
    try:
        await asyncio.wait_for(got.wait(), 0.15)
    except TimeoutError:
        return False
    finally:
        await subscription.unsubscribe()
    return True


async def reads_whole(t: Trying) -> bool:
    if not t.nc:
        return False
    box = t.nc.new_inbox()
    heard = asyncio.Event()

    async def told(_: Any) -> None:
        heard.set()

    await t.nc.subscribe(box, cb=told)
    body = {"stream_name": "VICTIMS", "config": {"deliver_subject": box, "ack_policy": "none", "deliver_policy": "all"}}
    await t.asks("CONSUMER.CREATE.VICTIMS", body)
    try:
        await asyncio.wait_for(heard.wait(), 0.2)
    except TimeoutError:
        return False
    return True


async def config(t: Trying, stream: str) -> dict[str, Any]:
    return (await ask(t.root, f"STREAM.INFO.{stream}")).get("config", {})


async def alters(t: Trying, stream: str, **change: Any) -> bool:
    before = await config(t, stream)
    await t.asks(f"STREAM.UPDATE.{stream}", {**before, **change})
    after = await config(t, stream)
    if after == before:
        return False
    await ask(t.root, f"STREAM.UPDATE.{stream}", before)
    return True


async def deletes(t: Trying, stream: str) -> bool:
    await t.asks(f"STREAM.DELETE.{stream}", {})
    return await t.state(stream) is None


async def makes_own(t: Trying) -> bool:
    republished = {"src": ">", "dest": f"crm.in.{NOT_IT}.{REPORT}"}
    subjects = {"subjects": ["evil.>"]}
    for body in (subjects | {"republish": republished}, subjects, {"mirror": {"name": "VICTIMS"}}):
        await t.asks("STREAM.CREATE.EVIL", {"name": "EVIL", **body})
    return await t.state("EVIL") is not None


async def makes_again(t: Trying) -> bool:
    before = await config(t, "QUARANTINE")
    await ask(t.root, "STREAM.DELETE.QUARANTINE")
    await t.asks("STREAM.CREATE.QUARANTINE", before)
    return await t.state("QUARANTINE") is not None


async def empties(t: Trying, stream: str) -> bool:
    await t.asks(f"STREAM.PURGE.{stream}", {})
    return not (await t.state(stream) or {})["messages"]


async def erases(t: Trying) -> bool:
    sequence = await t.last(f"INTAKE_{IT}")
    await t.asks(f"STREAM.MSG.DELETE.INTAKE_{IT}", {"seq": sequence})
    return "message" not in await ask(t.root, f"STREAM.MSG.GET.INTAKE_{IT}", {"seq": sequence})


async def alters_durable(t: Trying) -> bool:
    before = (await ask(t.root, "CONSUMER.INFO.LEGAL.training"))["config"]
    body = {"stream_name": "LEGAL", "config": {**before, "ack_wait": 10**10}, "action": "update"}
    for question in ("CONSUMER.DURABLE.CREATE.LEGAL.training", "CONSUMER.CREATE.LEGAL.training"):
        await t.asks(question, body)
    return (await ask(t.root, "CONSUMER.INFO.LEGAL.training"))["config"] != before


async def deletes_durable(t: Trying) -> bool:
    await t.asks("CONSUMER.DELETE.LEGAL.training", {})
    return "error" in await ask(t.root, "CONSUMER.INFO.LEGAL.training")


async def begins_anew(t: Trying) -> bool:
    answer = await t.asks(f"CONSUMER.RESET.INTAKE_{IT}.victims", {"seq": 1})
    return bool(answer) and "error" not in answer


async def looks(t: Trying) -> bool:
    return "streams" in await t.asks("STREAM.LIST", {})


async def asks_server(t: Trying) -> bool:
    if not t.nc:
        return False
    try:
        return bool(await t.nc.request("$SYS.REQ.SERVER.PING.CONNZ", b"", timeout=0.15))
    except nats.errors.Error:
        return False


Action = Callable[[Trying], Awaitable[bool]]


def _event(service: str) -> str:
    return f"crm.evt.{service}.thing.happened.GTM"


def actions() -> dict[str, Action]:
    """How each action is done."""
    into: dict[str, Action] = {}
    for one in SERVICES:
        into |= {
            f"write into the stream of {one}": lambda t, one=one: t.comes_into(one.upper(), _event(one)),
            f"sign for the log of {one}": lambda t, one=one: t.comes_into("CHECKPOINTS", f"crm.log.{one}"),
            f"put aside a refused report of {one}": lambda t, one=one: t.comes_into("QUARANTINE", f"crm.bad.GTM.{one}"),
            f"hear questions to {one}": lambda t, one=one: t.hears(f"crm.ask.*.{one}.>", f"crm.ask.GTM.{one}.q"),
            f"get a message of {one.upper()}": lambda t, one=one: gets(t, one.upper()),
        }
    return {
        **into,
        "report in its own name": reports,
        "report in Mexico's name": reports_as_mexico,
        "report as the operator": lambda t: t.comes_into("INTAKE_OPERATOR", "crm.in.OPERATOR.indicators.seat.assigned"),
        "ask in its own name": lambda t: asks_as(t, own(t), "ask.victims.q", f"crm.ask.{own(t)}.victims.q"),
        "ask in Mexico's name": lambda t: (
            no() if t.who == NOT_IT else asks_as(t, NOT_IT, f"crm.ask.{NOT_IT}.victims.q", f"ask.{NOT_IT}.victims.q")
        ),
        "hear what services sign of their logs": lambda t: t.hears("log.*", "crm.log.intel"),
        "hear another's answers": lambda t: t.hears(answers_to(t), answers_to(t)),
        "hear what countries report": lambda t: t.hears("crm.in.>", f"crm.in.{IT}.{REPORT}"),
        "hear what services write": lambda t: t.hears("crm.evt.>", _event("legal")),
        "read its own mailbox": lambda t: pulls(t, "MAILBOX", own(t)),
        "read Mexico's mailbox": lambda t: no() if t.who == NOT_IT else pulls(t, "MAILBOX", NOT_IT),
        "take what Honduras reported to victims": lambda t: pulls(t, f"INTAKE_{IT}", "victims"),
        "take what Honduras reported to legal": lambda t: pulls(t, f"INTAKE_{IT}", "legal"),
        "get a message of INTAKE_HND": lambda t: gets(t, f"INTAKE_{IT}"),
        "get a message of MAILBOX": lambda t: gets(t, "MAILBOX"),
        "get a message of QUARANTINE": lambda t: gets(t, "QUARANTINE"),
        "read the whole stream VICTIMS": reads_whole,
        "look at streams": looks,
        "make a stream of its own": makes_own,
        "make a stream again that is gone": makes_again,
        "have QUARANTINE publish again": lambda t: alters(
            t, "QUARANTINE", republish={"src": "crm.bad.>", "dest": f"crm.in.{NOT_IT}.>"}
        ),
        "narrow QUARANTINE": lambda t: alters(t, "QUARANTINE", max_age=7200 * 10**9),
        "delete the copy of a log": lambda t: deletes(t, "TRAINING"),
        "delete an intake": lambda t: deletes(t, f"INTAKE_{IT}"),
        "delete the mailbox": lambda t: deletes(t, "MAILBOX"),
        "empty a country's intake": lambda t: empties(t, f"INTAKE_{IT}"),
        "empty a stream of a service": lambda t: empties(t, "VICTIMS"),
        "erase a message of an intake": erases,
        "alter a durable": alters_durable,
        "delete a durable": deletes_durable,
        "have a durable begin anew": begins_anew,
        "ask the server for all connections": asks_server,
    }


def answers_to(t: Trying) -> str:
    return f"{inbox('intel' if t.who != 'intel' else 'legal')}.1"


async def no() -> bool:
    return False


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


async def done_by(region: Any, root: Client, who: str, names: Any) -> set[str]:
    """Return what of these actions `who` does."""
    todo, done = actions(), set()
    async with Trying(region, root, who) as trying:
        for name in names:
            if await todo[name](trying):
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
    region.nats.reload(rights)
    await asyncio.sleep(0.2)
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
    assert await done_by(region, root, who, MAY) == {name for name, allowed in MAY.items() if who in allowed}


@pytest.mark.parametrize(
    ("who", "opened", "found"),
    [
        ("legal", "crm.in.MEX.>", "report in Mexico's name"),
        ("operator", "$JS.API.STREAM.UPDATE.QUARANTINE", "narrow QUARANTINE"),
        ("deployer", "$JS.API.STREAM.DELETE.TRAINING", "delete the copy of a log"),
        ("intel", "$JS.API.STREAM.MSG.GET.QUARANTINE", "get a message of QUARANTINE"),
    ],
)
async def test_a_cell_that_is_opened_on_purpose_is_found(region, who, opened, found):
    """The control."""
    changed = region.accounts()
    for user in changed["accounts"]["CRM"]["users"]:
        if user.get("nkey") == region.keys.public[who]:
            user["permissions"]["publish"]["allow"].append(opened)
    region.accounts = lambda: changed
    root = await ready(region)
    may = {name for name, allowed in MAY.items() if who in allowed}
    assert await done_by(region, root, who, [found, "report in its own name"]) - may == {found}


# PostgreSQL. Of each table, by whose schema it is in: what its own service may, what the operator may; others nothing.
WORKED_ON = {"select", "insert", "update", "delete"}
ADDED_TO = {"select", "insert"}
KEPT_AS_IT_IS = {
    **dict.fromkeys(("log", "recorded", "audit"), ADDED_TO),
    "checkpoint": ADDED_TO | {"delete"},
    "tile": ADDED_TO | {"update"},
    "tree": ADDED_TO | {"update"},  # of one column, to lock the row
}
READ_ONLY = {"migration", "archived"}
VERBS = {
    "select": "select 1 from {table} limit 0",
    "insert": "insert into {table} ({column}) select {column} from {table} limit 0",
    "update": "update {table} set {changed} = {changed} where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
    "drop": "drop table {table}",
    "alter": "alter table {table} add column mine int",
    "lock": "lock table {table} in access exclusive mode",
}


def granted(role: str, schema: str, table: str) -> set[str]:
    if role == "operator":
        return {"select"}
    if role != schema or table.startswith("log_"):
        return set()
    if table in READ_ONLY:
        return {"select"}
    if table == "generation":
        return {"select", "insert"}
    held = KEPT_AS_IT_IS.get(table, WORKED_ON)
    return held | ({"lock"} if held & {"update", "delete"} and table != "tree" else set())


async def does(role_url: str, tables: list[tuple[str, str, str]]) -> dict[str, set[str]]:
    connection = await asyncpg.connect(role_url)
    done: dict[str, set[str]] = {}
    try:
        for schema, table, column in tables:
            name = f"{schema}.{table}"
            changed = "one" if table == "tree" else f'"{column}"'
            done[name] = set()
            for verb, statement in VERBS.items():
                transaction = connection.transaction()
                await transaction.start()
                try:
                    await connection.execute(statement.format(table=name, column=f'"{column}"', changed=changed))
                except asyncpg.InsufficientPrivilegeError:
                    pass
                except asyncpg.PostgresError as error:
                    if not isinstance(error, asyncpg.PostgresSyntaxError):
                        done[name].add(verb)  # it was let to, and something else was wrong
                else:
                    done[name].add(verb)
                finally:
                    await transaction.rollback()
    finally:
        await connection.close()
    return done


async def tables_of(region: Any) -> list[tuple[str, str, str]]:
    owner = await asyncpg.connect(region.database_url())
    try:
        rows = await owner.fetch(
            "select table_schema, table_name, min(column_name) as column from information_schema.columns"
            " join information_schema.tables using (table_schema, table_name) where table_schema = any($1::text[])"
            " and table_type = 'BASE TABLE' and is_identity = 'NO' and is_generated = 'NEVER'"
            " group by 1, 2 order by 1, 2",
            [*SERVICES],
        )
        return [(row["table_schema"], row["table_name"], row["column"]) for row in rows]
    finally:
        await owner.close()


@pytest.mark.parametrize("role", [*SERVICES, "operator"])
async def test_each_role_does_with_each_table_what_it_may_and_nothing_else(region, role):
    tables = await tables_of(region)
    done = await does(region.database_url(role), tables)
    wanted = {f"{schema}.{table}": granted(role, schema, table) for schema, table, _ in tables}
    assert {name: verbs for name, verbs in done.items() if verbs != wanted[name]} == {}


async def test_a_table_that_is_opened_on_purpose_is_found(region):
    """The control."""
    owner = await asyncpg.connect(region.database_url())
    await owner.execute("grant usage on schema victims to intel; grant delete on victims.log to intel")
    try:
        tables = [one for one in await tables_of(region) if one[:2] == ("victims", "log")]
        assert await does(region.database_url("intel"), tables) == {"victims.log": {"delete", "lock"}}
    finally:
        await owner.execute("revoke delete on victims.log from intel; revoke usage on schema victims from intel")
        await owner.close()
