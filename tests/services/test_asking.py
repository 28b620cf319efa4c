"""The desk of questions on a real database: what fails one question concerns no other, nor the desk."""

import asyncio
import json
from dataclasses import dataclass, field

import asyncpg
import pytest

from services.intel.__main__ import SERVICE
from shared.ask.allowance import Allowance
from shared.ask.questions import Desk
from shared.contracts.questions import MailboxAnswer, MailboxAsk
from tests.harness import desk as harness
from tests.harness.system import until

BAD, BEYOND, AWAY = 13, 14, 15


@dataclass
class Asked:
    """A question as it arrives, and what it is answered."""

    data: bytes
    subject: str = "crm.ask.GTM.intel.mailbox"
    reply: str = "_INBOX.x"
    fails: int = 0
    """How many replies cannot be sent."""
    answers: list[dict] = field(default_factory=list)

    async def respond(self, payload):
        self.fails -= 1
        if self.fails >= 0:
            raise ValueError("too large, or a subject that is none")
        self.answers.append(json.loads(payload))

    @property
    def outcome(self):
        return [one["error"]["code"] if "error" in one else "answered" for one in self.answers]


def after(position, **more):
    return Asked(json.dumps({"after": position}).encode(), **more)


async def answered(asked, connection):
    positions = {one.ask.after for one in asked}
    if BAD in positions:
        raise KeyError(BAD)
    if AWAY in positions:
        raise asyncpg.InterfaceError("a bug that looks as if the database were away")
    if BEYOND in positions:
        await connection.fetchval("select $1::int", 10**12)
    return [MailboxAnswer(events=(), next=one.ask.after, more=False) for one in asked]


@pytest.fixture
async def asking(postgres_server):
    async with harness.desk(postgres_server, SERVICE) as own:
        desk = Desk("intel", own.log.pool, own.clock, {MailboxAsk: answered}, b"key")
        running = asyncio.create_task(desk.run())
        yield desk
        assert not running.done(), "the desk has ended"
        running.cancel()
        await asyncio.wait([running])


async def test_each_is_answered_for_itself(asking):
    batch = [after(1), after(BAD), after(2), after(BEYOND), after(AWAY), Asked(b"\xff"), after(3)]
    for one in batch:
        await asking.take(one)
    await until(lambda: all(one.answers for one in batch), "all answers")
    outcomes = [outcome for one in batch for outcome in one.outcome]
    assert outcomes == ["answered", "unavailable", "answered", "invalid", "unavailable", "invalid", "answered"]
    rows = await asking.pool.fetch("select outcome from audit order by number")
    assert sorted(row["outcome"] for row in rows) == sorted(outcomes)


async def test_a_reply_that_cannot_be_sent_ends_nothing(asking):
    large, lost, good = after(1, fails=1), after(2, fails=9), after(3)
    for one in (large, lost, after(4, reply=""), good):
        await asking.take(one)
    await until(lambda: good.answers, "the answer behind them")
    assert (large.outcome, lost.outcome, good.outcome) == (["unavailable"], [], ["answered"])


async def test_who_is_shut_out_or_owes_too_much_is_told_so_of_what_waits_and_another_is_answered(asking):
    asking.allowances |= {name: Allowance(500) for name in ("GTM", "HND", "MEX")}
    asking.allowances["GTM"].shut_out()
    asking.allowances["HND"].charge(64 << 20)
    asked = {name: after(1, subject=f"crm.ask.{name}.intel.mailbox") for name in ("GTM", "HND", "MEX", "SLV")}
    for one in asked.values():
        await asking.take(one)
    await until(lambda: all(one.answers for one in asked.values()), "all answers")
    outcomes = {name: outcome for name, one in asked.items() for outcome in one.outcome}
    assert outcomes == {"GTM": "too_many", "HND": "too_many", "MEX": "answered", "SLV": "answered"}
    assert 0 < asked["GTM"].answers[0]["error"]["wait_s"] <= 1.01
    assert asking.allowances["MEX"].left < 500, "its answer is charged"
