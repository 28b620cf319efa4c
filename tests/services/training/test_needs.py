"""Training needs: raised, planned, met, overdue, withdrawn; and complaints that wait too long."""

import itertools
from datetime import date, timedelta

import pytest

from services.training.__main__ import SERVICE
from tests.harness.desk import START, desk
from tests.harness.figuring import folded

NEEDS = [f"training.need.{verb}" for verb in ("raised", "planned", "met", "overdue", "withdrawn")]
POST = "GTM-POST"


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def confirmed(training, days, bcp=POST, **changes):
    return training.event("intel.document.confirmed", days, bcp=bcp, **changes)


def course(training, verb, days, bcp=POST, **changes):
    return training.event(f"training.course.{verb}", days, bcp=bcp, **changes)


def certified(training, days, cert_id="c-1", **changes):
    changes = {"aligned_to": [], "topic": "false_document_detection"} | changes
    return training.event("training.officer.certified", days, cert_id=cert_id, **changes)


async def told(training):
    return [event.name.rpartition(".")[2] for event in await training.recorded(*NEEDS)]


async def test_the_same_forgery_three_times_in_30_days_at_a_post_raises_a_need_which_training_there_meets(training):
    last = confirmed(training, -1)
    await training.tell(
        confirmed(training, -45),
        confirmed(training, -20),
        confirmed(training, -10, bcp="GTM-OTHER"),
        confirmed(training, -10, doc_code="V"),
        confirmed(training, -9),
        last,
        confirmed(training, 0),
    )
    need = await training.one("training.need.raised")
    assert (need.data.topic, need.data.bcp, need.causationid) == ("false_document_detection", POST, last.id)
    await training.tell(
        course(training, "scheduled", -2),
        course(training, "scheduled", 0, bcp="GTM-OTHER"),
        course(training, "scheduled", 0, topics=["english"]),
    )
    assert await told(training) == ["raised"]
    await training.tell(course(training, "scheduled", 0), course(training, "scheduled", 0, course_id="crs-2"))
    assert (await training.one("training.need.planned")).data.course_id == "crs-1"
    await training.pass_days(3)
    await training.tell(certified(training, 0), course(training, "delivered", 1))
    assert await told(training) == ["raised", "planned"], "certified before the course"
    await training.tell(certified(training, 1, "c-2", topic="ethics"), certified(training, 1, "c-3", by="MEX"))
    await training.tell(certified(training, 1, "c-4"))
    met = await training.one("training.need.met")
    # From the first of the three (20 days before) to the certificate (1 day after).
    assert (met.data.need_id, met.data.latency_s) == (need.data.need_id, 21 * 86_400)
    await training.pass_days(100)
    assert await told(training) == ["raised", "planned", "met"]


async def test_a_need_that_nobody_meets_becomes_overdue_and_can_still_be_met(training):
    await training.tell(*[confirmed(training, 0) for _ in range(3)])
    await training.pass_days(90)
    need, overdue = await training.recorded("training.need.raised", "training.need.overdue")
    assert overdue.time == overdue.data.due == need.data.due
    await training.tell(course(training, "delivered", 80), certified(training, 85))
    assert await told(training) == ["raised", "overdue", "met"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[::2])
async def test_course_certificate_and_confirmation_may_come_in_any_order(training, order):
    await training.tell(confirmed(training, -3), confirmed(training, -2))
    events = [confirmed(training, -1), course(training, "delivered", 0), certified(training, 0)]
    await training.tell(*[events[place] for place in order])
    assert await told(training) == ["raised", "met"]


async def test_a_confirmation_withdrawn_or_of_another_forgery_no_longer_counts(training):
    events = [confirmed(training, day) for day in (-9, -5, -1)]
    await training.tell(*events[:2], training.corrected(events[0], doc_code="V"), events[2])
    assert await told(training) == []
    await training.tell(confirmed(training, -2))
    need = await training.one("training.need.raised")
    await training.tell(training.retracted(events[2]))
    withdrawn = await training.one("training.need.withdrawn")
    assert withdrawn.data.need_id == need.data.need_id
    await training.tell(confirmed(training, -3))
    assert await told(training) == ["raised", "withdrawn", "raised"]
    await training.pass_days(200)
    assert await told(training) == ["raised", "withdrawn", "raised", "overdue"]


async def test_a_need_stays_while_enough_confirmations_are_left_and_when_a_course_was_set_for_it(training):
    events = [confirmed(training, day) for day in (-9, -5, -1, 0)]
    await training.tell(*events, training.retracted(events[0]))
    assert await told(training) == ["raised"]
    await training.tell(course(training, "scheduled", 0), training.retracted(events[1]))
    assert await told(training) == ["raised", "planned"]


@pytest.mark.parametrize(("effective", "needed"), [("2004-03-20", True), ("2004-03-31", True), ("2004-04-01", False)])
async def test_an_entry_rule_that_takes_effect_within_30_days_raises_a_need(training, effective, needed):
    changed = training.event("intel.entryrequirement.changed", 0, effective_from=effective)
    await training.tell(changed)
    raised = await training.recorded("training.need.raised")
    assert [(one.data.topic, one.data.bcp, one.causationid) for one in raised] == (
        [("crm_member_policies", None, changed.id)] if needed else []
    )
    assert all(one.data.due.date().isoformat() == effective for one in raised)
    await training.tell(training.corrected(changed, effective_from="2005-01-01"))
    assert await told(training) == (["raised", "withdrawn"] if needed else [])
    await training.tell(training.corrected(changed, effective_from="2004-03-09"))
    assert (await told(training))[-1:] == ["raised"]


async def test_a_need_for_which_a_course_was_set_stays_when_its_cause_is_withdrawn(training):
    changed = training.event("intel.entryrequirement.changed", 0, effective_from="2004-03-20")
    await training.tell(changed, course(training, "scheduled", 0, topics=["crm_member_policies"]))
    await training.tell(training.retracted(changed))
    assert await told(training) == ["raised", "planned"]


async def test_a_need_is_planned_only_while_a_course_is_set_that_meets_it(training):
    """Planned again by another course, it counts once; a later course alone does not keep the first one's word."""
    first, second = course(training, "scheduled", 0), course(training, "scheduled", 1, course_id="crs-2")
    await training.tell(*[confirmed(training, -1) for _ in range(3)], first, second)
    assert await planned(training) == 1
    await training.tell(training.retracted(first))
    assert await planned(training) == 1
    await training.tell(training.corrected(second, topics=["english"]))
    assert await planned(training) == 0
    await training.tell(course(training, "scheduled", 2, course_id="crs-3"))
    assert await planned(training) == 1
    assert await told(training) == ["raised", "planned", "planned"]


async def planned(training):
    """How many needs the figure shows as planned."""
    found = folded("IE-3.1.1.need_overdue", await training.recorded(), date(2005, 1, 1))
    return sum(cell.value for cell in found.cells if cell.country == "REG" and cell.labels["stage"] == "planned")


async def test_lessons_and_procedures_ask_for_training(training):
    await training.tell(
        training.event("intel.operation.evaluated", lessons=["regional_security", "english"]),
        training.event("legal.procedure.issued"),
        training.event("legal.procedure.issued", procedure_id="pr-2", topic=...),
    )
    topics = [one.data.topic for one in await training.recorded("training.need.raised")]
    assert topics == ["regional_security", "english", "victim_treatment_coordination"]
    await training.tell(
        course(training, "delivered", 1, bcp=..., topics=["english"], place="online"),
        certified(training, 1, topic="english"),
    )
    assert (await training.one("training.need.met")).data.topic == "english"


def complaint(training, verb, days=0, **changes):
    away = {} if verb == "resolved" else dict.fromkeys(("outcome", "officer_pid", "offence", "sanction"), ...)
    return training.event(f"training.complaint.{verb}", days, **(away | changes))


async def test_a_complaint_not_decided_in_30_days_is_overdue(training):
    resolved = complaint(training, "resolved", complaint_id="cp-2")
    await training.tell(
        complaint(training, "received", complaint_id="cp-1"),
        complaint(training, "investigated", complaint_id="cp-1"),
        complaint(training, "received", complaint_id="cp-2"),
        resolved,
        complaint(training, "resolved", complaint_id="cp-3"),
        complaint(training, "received", complaint_id="cp-3"),
    )
    await training.pass_days(29)
    assert await training.recorded("training.complaint.overdue") == []
    await training.pass_days(1)
    overdue = await training.one("training.complaint.overdue")
    assert (overdue.data.complaint_id, overdue.time) == ("cp-1", overdue.data.due)
    await training.tell(training.retracted(resolved))
    await training.pass_days(0)
    late = (await training.recorded("training.complaint.overdue"))[1]
    assert late.data.complaint_id == "cp-2"
    assert (late.data.due - START).days == 30


async def test_a_day_that_a_complaint_waited_beyond_is_told_once(training):
    await training.tell(complaint(training, "received"))
    await training.pass_days(30)
    first = await training.one("training.complaint.overdue")
    late = complaint(training, "resolved", 31)
    await training.tell(complaint(training, "received"), late, training.retracted(late))
    await training.pass_days(1)
    assert await training.recorded("training.complaint.overdue") == [first]


async def test_a_complaint_told_overdue_is_not_told_again_when_its_first_report_goes(training):
    first = complaint(training, "received")
    await training.tell(first)
    await training.pass_days(5)
    await training.tell(complaint(training, "received", 5))
    await training.pass_days(25)
    told = await training.one("training.complaint.overdue")
    await training.tell(training.retracted(first))
    await training.pass_days(10)
    assert await training.recorded("training.complaint.overdue") == [told]


async def test_a_complaint_told_overdue_is_not_told_again_under_another_identifier(training):
    first = complaint(training, "received", complaint_id="cp-1")
    await training.tell(first)
    await training.pass_days(30)
    told = await training.one("training.complaint.overdue")
    await training.tell(training.corrected(first, complaint_id="cp-2"))
    await training.pass_days(10)
    assert await training.recorded("training.complaint.overdue") == [told]


async def open_needs(training, days=1000):
    """How many needs the figure shows as open at the end of a day."""
    day = START.date() + timedelta(days=days)
    found = folded("IE-3.1.1.needs", await training.recorded(), day)
    return sum(cell.value for cell in found.cells if cell.country == "REG")


@pytest.mark.parametrize("amended", ["course", "certificate", "its topic", "course's topic", "post"])
async def test_a_need_is_met_only_while_a_course_and_a_certificate_meet_it(training, amended):
    """What met it is withdrawn, or was of another topic or at another post; then another certificate comes."""
    given, cert = course(training, "delivered", 1), certified(training, 2)
    await training.tell(*[confirmed(training, -1) for _ in range(3)], given, cert)
    assert await open_needs(training) == 0
    amendment = {
        "course": training.retracted(given),
        "certificate": training.retracted(cert),
        "its topic": training.corrected(cert, topic="english"),
        "course's topic": training.corrected(given, topics=["english"]),
        "post": training.corrected(given, bcp="GTM-OTHER"),
    }[amended]
    await training.tell(amendment)
    assert await open_needs(training) == 1
    await training.pass_days(90)
    assert await told(training) == ["raised", "met", "overdue"]
    await training.tell(course(training, "delivered", 3, course_id="crs-9"), certified(training, 4, "c-9"))
    assert await open_needs(training) == 0
    assert await told(training) == ["raised", "met", "overdue", "met"]
    await training.pass_days(100)
    assert await told(training) == ["raised", "met", "overdue", "met"]


async def test_a_need_met_late_is_overdue_once_however_often_it_is_opened_again(training):
    given, cert = course(training, "delivered", 1), certified(training, 92)
    await training.tell(*[confirmed(training, -1) for _ in range(3)])
    await training.pass_days(91)
    await training.tell(given, cert, training.retracted(cert))
    await training.pass_days(10)
    await training.tell(certified(training, 93, "c-2"))
    assert await told(training) == ["raised", "overdue", "met", "met"]
    assert await open_needs(training) == 0


async def test_a_need_whose_certificate_goes_is_met_by_the_next_one(training):
    """How long it took is told anew; it was met all the time, as far as anybody could know."""
    first = certified(training, 2)
    await training.tell(*[confirmed(training, -1) for _ in range(3)], course(training, "delivered", 1), first)
    await training.tell(certified(training, 5, "c-2"))
    assert [one.data.latency_s for one in await training.recorded("training.need.met")] == [3 * 86_400]
    await training.tell(training.retracted(first))
    assert [one.data.latency_s for one in await training.recorded("training.need.met")] == [3 * 86_400, 6 * 86_400]
    (back,) = await training.recorded("training.need.retracted")
    assert back.data.previous["latency_s"] == 3 * 86_400
    assert await open_needs(training) == 0


@pytest.mark.parametrize("done", ["met", "planned"])
@pytest.mark.parametrize("cause_first", [True, False])
async def test_a_need_whose_cause_and_whose_training_are_withdrawn_is_withdrawn(training, done, cause_first):
    changed = training.event("intel.entryrequirement.changed", 0, effective_from="2004-03-20")
    topic = {"topics": ["crm_member_policies"]}
    given = course(training, "delivered" if done == "met" else "scheduled", 1, **topic)
    await training.tell(changed, given)
    if done == "met":
        await training.tell(certified(training, 2, topic="crm_member_policies"))
    both = [training.retracted(changed), training.retracted(given)]
    await training.tell(*(both if cause_first else reversed(both)))
    assert await told(training) == ["raised", done, "withdrawn"]
    assert await open_needs(training) == 0
    await training.pass_days(200)
    assert await told(training) == ["raised", done, "withdrawn"]


async def test_a_forgery_whose_need_is_open_again_has_one_need(training):
    """After a need was met another was raised; the first was not met after all."""
    cert = certified(training, 2)
    await training.tell(*[confirmed(training, -1) for _ in range(3)], course(training, "delivered", 1), cert)
    await training.pass_days(3)
    await training.tell(*[confirmed(training, 3) for _ in range(3)])
    assert await told(training) == ["raised", "met", "raised"]
    await training.tell(training.retracted(cert))
    assert await told(training) == ["raised", "met", "raised", "withdrawn"]
    assert await open_needs(training) == 1
