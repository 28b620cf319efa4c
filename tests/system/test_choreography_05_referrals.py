"""A cross-border referral with acknowledgement: answered, or up the ladder to the presidency, never silent."""

import random
from collections import Counter
from datetime import timedelta

from services.victims.seats import next_meeting
from shared.contracts.vocabulary import MEMBERS
from tests.harness.system import until
from tests.system.staging import DAY, HOUR, NOW, clock, countries, say, tell


def sent(country, number, to="SLV", **changes):
    changes = {"urgency": "danger"} | changes
    return say(country, "victims.referral.sent", referral_id=number, to=to, **{"from": country.country}, **changes)


async def test_silence_climbs_the_ladder_to_the_presidency_and_lapses(system):
    system.start("victims", "victims-2", **clock(speed=12 * DAY))
    await system.ready()
    gtm, gtm_box, slv, slv_box, _, mex_box = await countries(system, "GTM", "SLV", "MEX")
    report = sent(gtm, "ref-1")
    for _ in range(3):
        await gtm.publish(report)
    offered = await slv_box.one("victims.referral.offered", referral_id="ref-1")
    due = offered.data.due
    overdue = await gtm_box.one("victims.referral.overdue")
    first = await slv_box.one("victims.referral.escalated", level=1)
    second = await gtm_box.one("victims.referral.escalated", level=2)
    both = await slv_box.one("victims.alert.issued", kind="referral_escalated", about=second.id)
    third = await mex_box.one("victims.referral.escalated", level=3)
    agenda = await mex_box.one("victims.alert.issued", kind="agenda_item")
    lapsed = await gtm_box.one("victims.referral.lapsed")
    steps = [overdue, first, second, third, lapsed]
    assert [event.time - due for event in steps] == [timedelta(hours=h) for h in (0, 0, 24, 72, 720)]
    assert [event.data.late_s for event in steps[1:4]] == [0, 24 * HOUR, 72 * HOUR]
    assert agenda.data.due == next_meeting(third.time)
    assert agenda.data.due.strftime("%a") == "Tue"
    assert [event.causationid for event in (offered, overdue, first, second, third, lapsed)] == [
        report["id"],
        report["id"],
        *[overdue.id] * 4,
    ]
    assert {event.correlationid for event in [*steps, both, agenda]} == {report["id"]}
    late = say(slv, "victims.referral.accepted", referral_id="ref-1")
    await slv.publish(late)
    rejected = await slv_box.one("victims.report.rejected", report_id=late["id"])
    assert [problem.code for problem in rejected.data.problems] == ["already_lapsed"]
    assert await system.rows("victims", "select id from deadline") == []


async def test_an_answer_ends_the_ladder_wherever_it_stands(system):
    system.start("victims", **clock(speed=4 * HOUR))
    await system.ready()
    gtm, gtm_box, slv, slv_box = await countries(system, "GTM", "SLV")
    await gtm.publish_all([sent(gtm, "ref-1"), sent(gtm, "ref-2"), sent(gtm, "ref-3")])
    await tell(slv, "victims.referral.rejected", referral_id="ref-1", reason="no_capacity", times=3)
    told = await gtm_box.one("victims.alert.issued", kind="referral_rejected")
    assert (told.data.entity, told.data.reason) == ("ref-1", "no_capacity")
    assert (await gtm_box.one("victims.referral.delivered")).data.referral_id == "ref-1"
    await gtm_box.awaited("victims.referral.overdue", 2)
    await tell(slv, "victims.referral.accepted", referral_id="ref-2")
    (accepted,) = await system.recorded("victims", "victims.referral.accepted")
    assert (accepted.data.late, accepted.data.latency_s >= 8 * HOUR) == (True, True)
    await tell(gtm, "victims.referral.revoked", referral_id="ref-3", reason="moved_on")
    revoked = await slv_box.one("victims.alert.issued", kind="referral_revoked")
    assert (revoked.data.entity, revoked.data.reason) == ("ref-3", "moved_on")
    too_late = await tell(gtm, "victims.referral.revoked", referral_id="ref-2", reason="moved_on")
    refusal = await gtm_box.one("victims.report.rejected", report_id=too_late)
    assert [problem.code for problem in refusal.data.problems] == ["already_accepted"]
    await tell(slv, "victims.referral.completed", referral_id="ref-2")
    completed = await gtm_box.one("victims.alert.issued", kind="referral_completed")
    assert completed.data.entity == "ref-2"
    assert await system.rows("victims", "select id from deadline") == []


async def test_a_referral_sent_is_not_retracted_but_revoked(system):
    system.start("victims", **clock())
    await system.ready()
    gtm, gtm_box = await countries(system, "GTM")
    first = sent(gtm, "ref-1")
    await gtm.publish(first)
    await system.recorded("victims", "victims.referral.sent")
    data = {"supersedes": first["id"], "reason": "mistaken", "reported_by": "ngo"}
    await gtm.publish(gtm.report("victims.referral.retracted", data, time=NOW))
    refusal = await gtm_box.one("victims.report.rejected")
    assert [problem.code for problem in refusal.data.problems] == ["not_amendable"]


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
