"""What one event sets off in other services, seen in logs and mailboxes."""

from datetime import UTC, datetime, timedelta

import pytest

from shared import contracts

NOW = datetime(2004, 3, 1, 12, tzinfo=UTC)


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


def confirmed(country, days_ago, bcp="bcp-1", **changes):
    data = example("intel.document.confirmed", bcp=bcp, **changes)
    return country.report("intel.document.confirmed", data, time=NOW - timedelta(days=days_ago))


async def test_a_fake_confirmed_three_times_at_one_post_within_30_days_raises_a_need_there(system):
    system.start("intel", "training", **clock())
    await system.ready()
    gtm = await system.country("GTM")
    await gtm.publish_all(
        [
            confirmed(gtm, 45),
            confirmed(gtm, 20),
            confirmed(gtm, 10, bcp="bcp-2"),
            confirmed(gtm, 10, doc_code="V"),
            confirmed(gtm, 9),
        ]
    )
    await system.recorded("intel", "intel.document.confirmed", 5)
    last = confirmed(gtm, 1)
    await gtm.publish(last)
    need = await received(gtm, "training.need.raised")
    assert need.data.bcp == "bcp-1"
    assert need.causationid == last["id"]
    assert need.correlationid == last["id"]
    await gtm.publish(confirmed(gtm, 0))
    await system.recorded("intel", "intel.document.confirmed", 7)
    assert len(await system.log("training", "training.need.raised")) == 1


async def test_an_amended_law_makes_the_certificates_aligned_to_it_stale(system):
    system.start("legal", "training", **clock())
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for country, cert, law in ((gtm, "c-1", "law-1"), (gtm, "c-2", "law-2"), (mex, "c-3", "law-1")):
        data = example("training.officer.certified", cert_id=cert, aligned_to=[{"law_id": law}])
        data |= {"valid_from": "2004-01-01", "valid_until": "2006-01-01"}
        await country.publish(country.report("training.officer.certified", data, time=NOW - timedelta(days=30)))
    await system.recorded("training", "training.officer.certified", 3)
    amended = example("legal.law.amended", law_id="law-1", country="GTM", effective_from="2004-03-01")
    await gtm.publish(gtm.report("legal.law.amended", amended, time=NOW))
    stale = await received(gtm, "training.certification.staled")
    assert (stale.data.cert_id, stale.data.reason) == ("c-1", "law_amended")
    assert stale.data.grace_until > NOW
    late = example("training.officer.certified", cert_id="c-4", aligned_to=[{"law_id": "law-1"}])
    late |= {"valid_from": "2004-01-01", "valid_until": "2006-01-01"}
    await gtm.publish(gtm.report("training.officer.certified", late, time=NOW - timedelta(days=9)))
    both = await system.recorded("training", "training.certification.staled", 2)
    assert [event.data.cert_id for event in both] == ["c-1", "c-4"]


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


@pytest.mark.parametrize(("documented", "task"), [(True, "review"), (False, "document_care")])
async def test_a_resolved_case_opens_a_witness_review(system, documented, task):
    system.start("legal", "victims", **clock(speed=864000))
    await system.ready()
    gtm, slv = await system.country("GTM"), await system.country("SLV")
    for case in ("case-1", "case-2"):
        data = example("legal.case.resolved", case_id=case, countries=["GTM", "SLV"])
        data["witness_care_documented"] = documented
        await gtm.publish(gtm.report("legal.case.resolved", data, time=NOW))
    opened = await system.recorded("legal", "legal.witness.review_opened", 2)
    assert [(event.data.case_id, event.data.task) for event in opened] == [("case-1", task), ("case-2", task)]
    reviewed = example("legal.witness.reviewed", case_id="case-1")
    await gtm.publish(gtm.report("legal.witness.reviewed", reviewed, time=NOW))
    alert = await received(slv, "victims.alert.issued")
    assert alert.data.kind == "case_resolved"
    (overdue,) = await system.recorded("legal", "legal.witness.review_overdue")
    assert overdue.data.case_id == "case-2"
    (resolved, _) = await system.log("legal", "legal.case.resolved")
    assert resolved.data.regional is True


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
