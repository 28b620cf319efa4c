"""A thousand referrals with answers, silences and races, on two replicas and a fast clock: each ends exactly once."""

import asyncio
import os
import random
from collections import Counter
from datetime import datetime, timedelta

import asyncpg
import pytest

from services.victims.questions import on_referral
from shared.ask.questions import Asked
from shared.contracts.questions import ReferralAsk
from shared.contracts.vocabulary import MEMBERS
from shared.run.clock import Clock
from tests.harness.figuring import folded
from tests.harness.speaking import DAY, NOW, clock, say
from tests.harness.system import until

pytestmark = pytest.mark.long

ANSWERS = {("accepted",): 4, ("rejected",): 2, ("revoked",): 2, ("accepted", "revoked", "rejected"): 3, (): 3}
NUMBER, ROUND = 1000, 100
ENDS = {f"victims.referral.{verb}" for verb in ("accepted", "rejected", "revoked", "lapsed")}
AFTER = {"overdue": timedelta(0), "lapsed": timedelta(days=30)}


def scenes(chance):
    """By referral: who sends it, to whom, what is answered (several: they race), how urgent it is."""
    return {
        f"ref-{number}": (
            *chance.sample(MEMBERS, 2),
            chance.choices(list(ANSWERS), ANSWERS.values())[0],
            chance.choice(["child", "danger", "standard"]),
        )
        for number in range(NUMBER)
    }


def reports(clients, number, scene, now):
    """What each country says of one referral, in the order in which it would."""
    sender, receiver, verbs, urgency = scene
    changes = {"referral_id": number, "from": sender, "to": receiver, "urgency": urgency}
    yield sender, say(clients[sender], "victims.referral.sent", time=now, **changes)
    for verb in verbs:
        who = sender if verb == "revoked" else receiver
        reason = {} if verb == "accepted" else {"reason": "other"}
        yield who, say(clients[who], f"victims.referral.{verb}", time=now, referral_id=number, **reason)


async def played(clients, plan, chance, plan_time):
    """Play the scenes in rounds; within one, every country says what it has to say in any order, beside the others."""

    async def speak(country, said):
        for report in said:
            await clients[country].publish(report)

    numbers = list(plan)
    for start in range(0, NUMBER, ROUND):
        said = [
            one
            for number in numbers[start : start + ROUND]
            for one in reports(clients, number, plan[number], plan_time.now())
        ]
        chance.shuffle(said)
        by_country = {name: [report for who, report in said if who == name] for name in clients}
        await asyncio.gather(*(speak(*one) for one in by_country.items()))


def steps(event):
    """Which step of the ladder this event is, if any; exactly when it is due."""
    verb = event.name.rpartition(".")[2]
    after = timedelta(seconds=event.data.late_s) if verb == "escalated" else AFTER.get(verb)
    if after is None:
        return []
    assert event.time == event.data.due + after <= event.recordedtime
    return [(event.data.referral_id, getattr(event.data, "level", verb))]


def left(log, row):
    """What a current indicator shows at the end, by country, where it is not 0."""
    found = folded(row, log, log[-1].recordedtime.date())
    return {cell.country: cell.value for cell in found.cells if cell.value}


async def states(system, plan):
    """Where all referrals stand, as their senders are told."""
    asked = [Asked(country=one[0], ask=ReferralAsk(referral_id=number), now=NOW) for number, one in plan.items()]
    connection = await asyncpg.connect(system.region.database_url(), server_settings={"search_path": "victims"})
    try:
        return {one.state for one in await on_referral(asked, connection)}
    finally:
        await connection.close()


async def test_a_thousand_referrals_each_end_once_and_climb_exactly_when_due(system):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)
    speed = chance.uniform(2 * DAY, 6 * DAY)
    print(f"SEED={seed} speed={speed:.0f}")
    env = clock(speed=speed)
    plan_time = Clock(NOW, datetime.fromisoformat(env["CRM_CLOCK_EPOCH"]), speed)
    system.start("victims", "victims-2", **env)
    await system.ready()
    clients = {name: await system.country(name) for name in MEMBERS}
    plan = scenes(chance)
    await played(clients, plan, chance, plan_time)

    async def settled():
        waiting = "select (select count(*) from log where type = 'crm.victims.referral.sent.v1') = $1"
        (row,) = await system.rows("victims", f"{waiting} and not exists (select from deadline) as done", NUMBER)
        return row["done"]

    await until(settled, "all referrals to end", 120)
    log = await system.log("victims")
    ends = [(event.data.referral_id, event) for event in log if event.name in ENDS]
    assert sorted(number for number, _ in ends) == sorted(plan), "each ends exactly once"
    announced = Counter(step for event in log for step in steps(event))
    assert set(announced.values()) == {1}
    for number, end in ends:
        climbed = sum(announced[number, step] for step in ("overdue", 1, 2, 3, "lapsed"))
        assert (climbed == 5) == (end.name == "victims.referral.lapsed")
        assert getattr(end.data, "late", bool(climbed)) == bool(climbed)
        assert plan[number][2] or climbed == 5
    assert left(log, "VA-5.1b.pending") == {}
    assert left(log, "VA-5.1b.overdue") == {}
    assert await states(system, plan) <= {"accepted", "rejected", "revoked", "lapsed"}
