"""Referrals with answers, silences and races: each ends exactly once."""

import random
from collections import Counter
from datetime import timedelta

from shared.contracts.vocabulary import MEMBERS
from tests.harness.system import until
from tests.system.staging import DAY, clock, say


def sent(country, number, to="SLV", **changes):
    changes = {"urgency": "danger"} | changes
    return say(country, "victims.referral.sent", referral_id=number, to=to, **{"from": country.country}, **changes)


ANSWERS = {("accepted",): 4, ("rejected",): 2, ("revoked",): 2, ("accepted", "revoked", "rejected"): 3, (): 3}
NUMBER = 150
ENDS = {f"victims.referral.{verb}" for verb in ("accepted", "rejected", "revoked", "lapsed")}


def scenes(chance, names):
    """By referral: who sends it, to whom, what is answered (several: they race), how urgent it is."""
    return {
        f"ref-{number}": (
            *chance.sample(names, 2),
            chance.choices(list(ANSWERS), ANSWERS.values())[0],
            chance.choice(["danger", "standard"]),
        )
        for number in range(NUMBER)
    }


async def played(system, chance):
    """Play the scenes; return them."""
    names = chance.sample(MEMBERS, 4)
    clients = dict(zip(names, [await system.country(name) for name in names], strict=True))
    plan = scenes(chance, names)
    for name, client in clients.items():
        mine = [(number, scene) for number, scene in plan.items() if scene[0] == name]
        await client.publish_all([sent(client, number, to=to, urgency=how) for number, (_, to, _, how) in mine])
    moves = []
    for number, (sender, receiver, verbs, _) in plan.items():
        for verb in verbs:
            who = sender if verb == "revoked" else receiver
            changes = {} if verb == "accepted" else {"reason": "other"}
            moves.append((who, say(clients[who], f"victims.referral.{verb}", referral_id=number, **changes)))
    chance.shuffle(moves)
    for who, report in moves:
        await clients[who].publish(report)
    return plan


def steps(event):
    """Which step of the ladder this event is, if any; exactly when it is due."""
    verb = event.name.rpartition(".")[2]
    after = {"overdue": timedelta(0), "lapsed": timedelta(days=30)}.get(verb)
    if verb == "escalated":
        after = timedelta(seconds=event.data.late_s)
    if after is None:
        return []
    assert event.time == event.data.due + after
    return [(event.data.referral_id, getattr(event.data, "level", verb))]


async def test_many_referrals_with_answers_silences_and_races_each_end_once(system):
    system.start("victims", "victims-2", **clock(speed=6 * DAY))
    await system.ready()
    plan = await played(system, random.Random(20030509))

    async def settled():
        return not await system.rows("victims", "select 1 from deadline limit 1")

    await until(settled, "all referrals to end")
    log = await system.log("victims")
    ends = [(event.data.referral_id, event) for event in log if event.name in ENDS]
    assert sorted(number for number, _ in ends) == sorted(plan), "each ends exactly once"
    announced = Counter(step for event in log for step in steps(event))
    assert set(announced.values()) <= {1}
    for number, end in ends:
        climbed = sum(announced[number, step] for step in ("overdue", 1, 2, 3, "lapsed"))
        assert (climbed == 5) == (end.name == "victims.referral.lapsed")
        assert getattr(end.data, "late", bool(climbed)) == bool(climbed)
        assert plan[number][2] or climbed == 5
    assert not await system.rows("victims", "select 1 from referral where state in ('pending', 'overdue')")
