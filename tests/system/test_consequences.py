"""What one event sets off in other services, seen in logs and mailboxes."""

from datetime import datetime

import pytest

from tests.harness.speaking import Mailbox, clock, countries, example, say, tell

pytestmark = pytest.mark.long


def referral(country, number):
    changes = {"referral_id": number, "from": country.country, "to": "SLV", "urgency": "danger"}
    return say(country, "victims.referral.sent", **changes)


async def test_a_referral_not_answered_by_its_deadline_becomes_overdue_and_an_answered_one_does_not(system):
    system.start("victims", **clock(speed=3600))
    await system.ready()
    gtm, gtm_box, slv, slv_box = await countries(system, "GTM", "SLV")
    await gtm.publish_all([referral(gtm, "ref-1"), referral(gtm, "ref-2")])
    offered = await slv_box.one("victims.referral.offered")
    await tell(slv, "victims.referral.accepted", referral_id=offered.data.referral_id)
    (answer,) = await system.recorded("victims", "victims.referral.accepted")
    assert (answer.data.sender, answer.data.receiver, answer.data.late) == ("GTM", "SLV", False)
    overdue = await gtm_box.one("victims.referral.overdue")
    assert overdue.data.referral_id == "ref-2"
    assert overdue.time == overdue.data.due
    assert overdue.recordedtime >= overdue.data.due
    await tell(slv, "victims.referral.accepted", referral_id="ref-2")
    assert (await system.recorded("victims", "victims.referral.accepted", 2))[1].data.late is True
    assert len(await system.log("victims", "victims.referral.overdue")) == 1
    assert await system.rows("victims", "select 1 from deadline") == []


async def test_an_answer_waits_for_its_referral_and_is_refused_when_that_never_comes(system):
    system.start("victims", CRM_REFERENCE_WAIT_S="3", **clock())
    await system.ready()
    gtm, slv = await system.country("GTM"), await system.country("SLV")
    for number in ("ref-1", "ref-never"):
        await tell(slv, "victims.referral.accepted", referral_id=number)
    await gtm.publish(referral(gtm, "ref-1"))
    (accepted,) = await system.recorded("victims", "victims.referral.accepted")
    assert accepted.data.referral_id == "ref-1"
    rejected = await Mailbox(slv).one("victims.report.rejected")
    assert [(p.pointer, p.code) for p in rejected.data.problems] == [("/data/referral_id", "unknown_reference")]


async def test_corrections_and_retractions_carry_what_held_before(system):
    system.start("victims", **clock())
    await system.ready()
    gtm = await system.country("GTM")
    data = example("victims.service.provided", victim_pid="vic-1", sex="female")
    first, again = (say(gtm, "victims.service.provided", **data) for _ in range(2))
    await gtm.publish_all([first, again])
    provided = await system.recorded("victims", "victims.service.provided", 2)
    assert [event.data.first_service_this_year for event in provided] == [True, False]

    await tell(gtm, "victims.service.corrected", supersedes=first["id"], data=data | {"sex": "male"})
    (corrected,) = await system.recorded("victims", "victims.service.corrected")
    assert corrected.data.previous["sex"] == "female"
    assert corrected.data.data["sex"] == "male"
    assert corrected.data.original == "crm.victims.service.provided.v1"
    await tell(gtm, "victims.service.corrected", supersedes=corrected.id, data=data | {"sex": "elephant"})
    rejected = await Mailbox(gtm).one("victims.report.rejected")
    assert [(p.pointer, p.code) for p in rejected.data.problems] == [("/data/data/sex", "unknown_value")]
    await tell(gtm, "victims.service.retracted", supersedes=corrected.id, reason="mistaken")
    (retracted,) = await system.recorded("victims", "victims.service.retracted")
    assert retracted.data.previous["sex"] == "male"
    other = datetime.fromisoformat(retracted.data.previous["change"]["until"])
    assert other == provided[1].time  # the other service still stands, and is now the first
    await tell(gtm, "victims.service.retracted", supersedes=first["id"], reason="mistaken")
    rejections = await system.recorded("victims", "victims.report.rejected", 2)
    assert [p.code for p in rejections[1].data.problems] == ["already_retracted"]
