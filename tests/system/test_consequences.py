"""What one event sets off in other services, seen in logs and mailboxes."""

from datetime import UTC, datetime

from shared import contracts
from tests.harness.speaking import NOW


def example(name, **changes):
    return dict(contracts.registry()[f"crm.{name}.v1"].good) | changes


def clock(speed=1.0):
    return {
        "CRM_CLOCK_START": NOW.isoformat(),
        "CRM_CLOCK_EPOCH": datetime.now(UTC).isoformat(),
        "CRM_SPEED": str(speed),
    }


async def received(country, name):
    async for event in country.mailbox(idle_s=15):
        if event.name == name:
            return event
    raise AssertionError(f"no {name} in the mailbox")


def referral(country, number, **changes):
    data = example("victims.referral.sent", referral_id=number, to="SLV", urgency="danger") | {"from": country.country}
    return country.report("victims.referral.sent", data | changes, time=NOW)


async def test_a_referral_not_answered_by_its_deadline_becomes_overdue_and_an_answered_one_does_not(system):
    system.start("victims", **clock(speed=3600))
    await system.ready()
    gtm, slv = await system.country("GTM"), await system.country("SLV")
    await gtm.publish_all([referral(gtm, "ref-1"), referral(gtm, "ref-2")])
    offered = await received(slv, "victims.referral.offered")
    accepted = example("victims.referral.accepted", referral_id=offered.data.referral_id)
    await slv.publish(slv.report("victims.referral.accepted", accepted, time=NOW))
    (answer,) = await system.recorded("victims", "victims.referral.accepted")
    assert (answer.data.sender, answer.data.receiver, answer.data.late) == ("GTM", "SLV", False)
    overdue = await received(gtm, "victims.referral.overdue")
    assert overdue.data.referral_id == "ref-2"
    assert overdue.time == overdue.data.due
    assert overdue.recordedtime >= overdue.data.due
    late = example("victims.referral.accepted", referral_id="ref-2")
    await slv.publish(slv.report("victims.referral.accepted", late, time=NOW))
    assert (await system.recorded("victims", "victims.referral.accepted", 2))[1].data.late is True
    assert len(await system.log("victims", "victims.referral.overdue")) == 1
    assert await system.rows("victims", "select 1 from deadline") == []


async def test_an_answer_waits_for_its_referral_and_is_refused_when_that_never_comes(system):
    system.start("victims", CRM_REFERENCE_WAIT_S="3", **clock())
    await system.ready()
    gtm, slv = await system.country("GTM"), await system.country("SLV")
    for number in ("ref-1", "ref-never"):
        data = example("victims.referral.accepted", referral_id=number)
        await slv.publish(slv.report("victims.referral.accepted", data, time=NOW))
    await gtm.publish(referral(gtm, "ref-1"))
    (accepted,) = await system.recorded("victims", "victims.referral.accepted")
    assert accepted.data.referral_id == "ref-1"
    rejected = await received(slv, "victims.report.rejected")
    assert [(p.pointer, p.code) for p in rejected.data.problems] == [("/data/referral_id", "unknown_reference")]


async def test_corrections_and_retractions_carry_what_held_before(system):
    system.start("victims", **clock())
    await system.ready()
    gtm = await system.country("GTM")
    data = example("victims.service.provided", victim_pid="vic-1", sex="female")
    first = gtm.report("victims.service.provided", data, time=NOW)
    again = gtm.report("victims.service.provided", data, time=NOW)
    await gtm.publish_all([first, again])
    provided = await system.recorded("victims", "victims.service.provided", 2)
    assert [event.data.first_service_this_year for event in provided] == [True, False]

    def amend(verb, **more):
        return gtm.report(f"victims.service.{verb}", {"reported_by": "ngo", **more}, time=NOW)

    await gtm.publish(amend("corrected", supersedes=first["id"], data=data | {"sex": "male"}))
    (corrected,) = await system.recorded("victims", "victims.service.corrected")
    assert corrected.data.previous["sex"] == "female"
    assert corrected.data.data["sex"] == "male"
    assert corrected.data.original == "crm.victims.service.provided.v1"
    await gtm.publish(amend("corrected", supersedes=corrected.id, data=data | {"sex": "elephant"}))
    rejected = await received(gtm, "victims.report.rejected")
    assert [(p.pointer, p.code) for p in rejected.data.problems] == [("/data/data/sex", "unknown_value")]
    await gtm.publish(amend("retracted", supersedes=corrected.id, reason="mistaken"))
    (retracted,) = await system.recorded("victims", "victims.service.retracted")
    assert retracted.data.previous["sex"] == "male"
    other = datetime.fromisoformat(retracted.data.previous["change"]["until"])
    assert other == provided[1].time  # the other service still stands, and is now the first
    await gtm.publish(amend("retracted", supersedes=first["id"], reason="mistaken"))
    rejections = await system.recorded("victims", "victims.report.rejected", 2)
    assert [p.code for p in rejections[1].data.problems] == ["already_retracted"]
