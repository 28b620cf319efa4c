"""The schedule, each standing worked out by hand from the Plan's column "Cronograma"."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.indicators.figures.milestones import announcements, occurrences
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, amend, event, folded, instant, raw

DATASETS = ("entry_rules", "modalities", "routes", "traffickers")
TREATIES = ("UNTOC", "TIP", "SOM")


def at(fold, key, until=None):
    return next(one for one in occurrences(PLAN, fold.state, until and instant(until), public=False) if one.key == key)


def announced(fold, now, told=None):
    return {(one.verb, one.one.key) for one in announcements(PLAN, fold.state, instant(now), told or {})}


def met(day, **more):
    return event("intel.meeting.held", "MEX", **{"time": f"{day}T15:00:00Z", "date": day, **more})


def test_relative_dates_count_from_the_plans_approval():
    fold = folded(event("indicators.plan.approved", "MEX", "2003-09-30T12:00:00Z"))
    assert at(fold, "MS-IE-1").due == instant("2003-12-31T23:59:59")
    assert at(fold, "MS-VA-5.2").due == instant("2004-03-30T23:59:59")
    assert at(fold, "MS-PC-1").due == instant("2003-12-30T23:59:59")
    fold = folded(event("intel.manual.approved", "MEX", "2003-09-21T12:00:00Z"))
    assert at(fold, "MS-IE-2").due == instant("2004-01-31T23:59:59")


def test_what_the_plan_prints_holds_while_the_event_that_sets_it_was_never_reported():
    assert at(folded(), "MS-IE-1").due == instant("2003-08-31T23:59:59")  # "Agosto 2003"
    assert at(folded(), "MS-IE-2").due == instant("2003-12-31T23:59:59")  # "Diciembre 2003"
    assert at(folded(), "MS-VA-5.2").due is None  # "6 meses", and no date
    approved = event("intel.manual.approved", "MEX", "2003-09-21T12:00:00Z")
    assert at(folded(approved, amend("retracted", approved)), "MS-IE-2").due == instant("2003-12-31T23:59:59")


@pytest.mark.parametrize("key", ["MS-VA-1", "MS-PC-2"])
def test_what_is_to_begin_at_once_has_no_last_day(key):
    fold = folded(event("indicators.plan.approved", "MEX", "2003-05-30T12:00:00Z"))
    assert at(fold, key).due is None
    assert at(fold, key).standing(instant("2005-01-01")) == "open"


def test_a_meeting_on_its_first_tuesday_reaches_that_months_milestone():
    fold = folded(met("2003-06-03"))
    one = at(fold, "MS-IE-4/2003-06-03")
    assert (one.due, one.reached, one.late_s) == (instant("2003-06-03T23:59:59"), instant("2003-06-03T15:00:00"), 0)
    assert at(fold, "MS-IE-4/2003-07-01").reached is None


def test_a_meeting_that_is_told_days_later_was_held_on_its_day():
    one = at(folded(met("2003-06-03", time="2003-06-10T12:00:00Z")), "MS-IE-4/2003-06-03")
    assert one.standing(instant("2003-07-01")) == "reached"


@pytest.mark.parametrize(
    "other",
    [met("2003-06-02"), met("2003-06-10"), met("2003-06-03", body="technical_group"), met("2003-06-03", body="st")],
)
def test_another_day_or_body_does_not_hold_the_months_meeting(other):
    one = at(folded(other), "MS-IE-4/2003-06-03")
    assert one.standing(instant("2003-07-01")) == "missed"


def test_a_miss_is_announced_the_day_after_and_once():
    fold = folded()
    key = "MS-IE-4/2003-06-03"
    assert ("missed", key) not in announced(fold, "2003-06-03T23:59:59")
    assert ("missed", key) in announced(fold, "2003-06-04T00:00:00")
    assert ("missed", key) not in announced(fold, "2003-06-05", {key: [("missed", instant("2003-06-03T23:59:59"))]})


def test_reaching_it_after_a_miss_is_announced_too():
    fold = folded(event("legal.study.published", "MEX", "2003-11-10T12:00:00Z"))
    key, due = "MS-LE-3", instant("2003-10-31T23:59:59")
    assert ("reached", key) in announced(fold, "2003-11-11", {key: [("missed", due)]})
    again = announced(fold, "2003-11-11", {key: [("missed", due), ("reached", due)]})
    assert not {one for one in again if one[1] == key}


def test_what_was_reached_and_is_no_more_is_told_as_it_stands_and_then_anew():
    """Replay: one country was enough once, and was announced; the Plan's text asks for each of the eleven."""
    unit = event("training.unit.established", "GTM", "2003-08-01T12:00:00Z")
    key, due = "MS-IP-5", instant("2003-08-31T23:59:59")
    told = {key: [("reached", due)]}
    (missed,) = [
        one for one in announcements(PLAN, folded(unit).state, instant("2003-09-01"), told) if one.one.key == key
    ]
    assert (missed.verb, missed.nth) == ("missed", 0)
    told[key].append(("missed", due))
    everyone = [event("training.unit.established", one, "2003-10-01T12:00:00Z") for one in MEMBERS]
    (reached,) = [
        one for one in announcements(PLAN, folded(*everyone).state, instant("2003-10-02"), told) if one.one.key == key
    ]
    assert (reached.verb, reached.nth) == ("reached", 1)


def test_a_reminder_comes_so_many_days_before_and_once_for_each_date():
    key, due = "MS-LE-1", instant("2003-06-30T23:59:59")
    assert ("due", key) not in announced(folded(), "2003-05-31T23:59:58")
    assert ("due", key) in announced(folded(), "2003-05-31T23:59:59")
    assert ("due", key) not in announced(folded(), "2003-06-10", {key: [("due", due)]})
    assert ("due", "MS-IE-4/2003-06-03") not in announced(folded(), "2003-05-27T23:59:58")
    assert ("due", "MS-IE-4/2003-06-03") in announced(folded(), "2003-05-27T23:59:59")
    assert not {one for one in announced(folded(), "2003-09-29") if one == ("due", "MS-IE-5/2003-Q2")}


EACH = {
    "MS-IE-7": ("intel.specimen.deposited", [{}]),
    "MS-IE-2": ("intel.dataset.submitted", [{"dataset": one} for one in DATASETS]),
    "MS-VA-2": ("victims.campaign.launched", [{}]),
    "MS-VA-3": ("victims.mechanism.agreed", [{}]),
    "MS-VA-5.2": ("victims.project.approved", [{}]),
    "MS-LE-1": ("legal.representative.designated", [{}]),
    "MS-LE-4": ("legal.questionnaire.answered", [{}]),
    "MS-LE-7": ("legal.evaluation.completed", [{}]),
    "MS-PC-1": (
        "intel.actionplan.advanced",
        [{"stage": one} for one in ("evaluation", "strengthening", "improvement")],
    ),
    "MS-PC-2": ("intel.operation.planned", [{}]),
    "MS-IP-3": ("training.tool.implemented", [{"tool": one} for one in PLAN.milestones["MS-IP-3"].every]),
    "MS-IP-5": ("training.unit.established", [{}]),
}
"""What each of the eleven countries has to do, by the Plan's text."""


@pytest.mark.parametrize("key", EACH)
def test_each_country_has_to_do_it_all_and_who_has_not_is_named(key):
    name, parts = EACH[key]
    days = {country: f"2004-01-{10 + n:02}T00:00:00Z" for n, country in enumerate(MEMBERS)}
    told = [event(name, country, day, **part) for country, day in days.items() for part in parts]
    one = at(folded(*told[:-1]), key)
    assert (one.reached, one.done, one.needed, one.missing) == (None, 10, 11, (MEMBERS[-1],))
    one = at(folded(*told[: len(parts)]), key)
    assert (one.done, one.missing) == (1, MEMBERS[1:])
    one = at(folded(*reversed(told)), key)
    assert (one.reached, one.done, one.missing) == (instant("2004-01-20T00:00:00"), 11, ())
    one = at(folded(*told), key, until="2004-01-11T12:00:00")
    assert (one.reached, one.done, one.missing) == (None, 2, MEMBERS[2:])


def test_where_a_number_of_countries_is_asked_for_the_last_of_them_reaches_it():
    """No milestone of this Plan does; another's may: any two."""
    milestone = replace(PLAN.milestones["MS-IP-5"], countries=[], needed=2)
    plan = replace(PLAN, milestones=PLAN.milestones | {milestone.id: milestone})
    told = [event("training.unit.established", one, f"2004-01-1{n}T00:00:00Z") for n, one in enumerate(("HND", "SLV"))]
    for some, wanted in ((told[:1], (None, 1, 2)), (told, (instant("2004-01-11T00:00:00"), 2, 2))):
        each = occurrences(plan, folded(*some, plan=plan).state, None, public=False)
        one = next(one for one in each if one.key == milestone.id)
        assert (one.reached, one.done, one.needed) == wanted


def test_the_training_calendar_is_set_by_those_who_offer_it():
    told = [
        event("training.plan.approved", one, f"2003-09-0{n}T00:00:00Z")
        for n, one in enumerate(("GTM", "MEX", "CAN"), 1)
    ]
    one = at(folded(*told), "MS-IE-6")
    assert (one.reached, one.done, one.needed, one.missing) == (None, 2, 3, ("USA",))
    one = at(folded(*told, event("training.plan.approved", "USA", "2003-10-01T00:00:00Z")), "MS-IE-6")
    assert one.reached == instant("2003-10-01T00:00:00")


def test_ratification_is_requested_of_each_treaty_from_each_country_that_is_no_party():
    def requested(instrument, *countries):
        return event(
            "legal.ratification.requested",
            "MEX",
            "2003-06-10T00:00:00Z",
            instrument=instrument,
            countries=list(countries),
        )

    one = at(folded(requested("TIP", *MEMBERS)), "MS-LE-8")
    assert (one.reached, one.done, one.missing) == (None, 0, MEMBERS)
    act = {"instrument": "UNTOC", "country": "CAN", "reported_by": "foreign_ministry"}
    party = raw("crm.legal.treaty.ratified.v1", act, "CAN", "2002-05-13T00:00:00Z")
    told = [requested("TIP", *MEMBERS), requested("SOM", *MEMBERS), requested("UNTOC", *MEMBERS[:1], *MEMBERS[2:])]
    assert at(folded(*told), "MS-LE-8").missing == ("CAN",)
    assert at(folded(*told, party), "MS-LE-8").reached == instant("2003-06-10T00:00:00")


def test_the_link_is_with_the_joint_task_force():
    other = event("intel.liaison.established", "MEX", "2003-09-01T00:00:00Z", body="iom")
    assert at(folded(other), "MS-IE-3").reached is None
    assert at(folded(event("intel.liaison.established", "MEX", "2003-09-01T00:00:00Z")), "MS-IE-3").reached


@pytest.mark.parametrize(
    ("key", "name"), [("MS-IP-1", "training.commission.appointed"), ("MS-IP-2", "training.subsystem.approved")]
)
def test_the_regions_system_has_two_parts(key, name):
    integrity = event(name, "GTM", "2003-06-20T00:00:00Z", subsystem="integrity")
    one = at(folded(integrity, event(name, "MEX", "2003-06-21T00:00:00Z", subsystem="integrity")), key)
    assert (one.reached, one.done, one.needed, one.missing) == (None, 1, 2, ("professionalisation",))
    other = event(name, "MEX", "2003-06-25T00:00:00Z", subsystem="professionalisation")
    assert at(folded(integrity, other), key).reached == instant("2003-06-25T00:00:00")


def test_an_open_milestone_is_never_missed():
    assert at(folded(), "MS-IE-7").standing(instant("2026-01-01")) == "open"


def scheduled(due, time="2003-07-01T00:00:00Z", milestone="MS-IE-7"):
    return event("indicators.milestone.scheduled", "MEX", time, milestone=milestone, due=due)


def test_the_conference_sets_an_open_date_and_its_latest_act_holds():
    first, second = scheduled("2003-12-31"), scheduled("2004-03-31", "2003-11-01T00:00:00Z")
    fold = folded(second, first)  # told in the other order
    one = at(fold, "MS-IE-7")
    assert one.due == instant("2004-03-31T23:59:59")
    assert at(fold, "MS-IE-7", until="2003-10-31T23:59:59").due == instant("2003-12-31T23:59:59")
    assert at(fold, "MS-IE-7", until="2003-06-30T23:59:59").due is None
    assert one.standing(instant("2004-04-01")) == "missed"
    assert at(fold, "MS-VA-3").due is None
    assert at(folded(second, amend("corrected", second, due="2004-02-29")), "MS-IE-7").due == instant(
        "2004-02-29T23:59:59"
    )
    assert at(folded(first, second, amend("retracted", second)), "MS-IE-7").due == instant("2003-12-31T23:59:59")
    assert at(folded(first, amend("retracted", first)), "MS-IE-7").due is None


def test_a_date_that_the_plan_has_is_not_moved():
    """The door refuses it; what stands in a log all the same changes nothing."""
    for key in ("MS-LE-1", "MS-PC-1", "MS-IE-1", "MS-IP-3", "MS-VA-4"):
        assert at(folded(scheduled("2009-12-31", milestone=key)), key).due == at(folded(), key).due


def test_a_miss_of_a_date_that_was_set_anew_is_told_anew():
    told = {"MS-IE-7": [("missed", instant("2003-12-31T23:59:59"))]}
    fold = folded(scheduled("2003-12-31"), scheduled("2004-03-31", "2004-01-10T00:00:00Z"))
    assert ("missed", "MS-IE-7") not in announced(fold, "2004-03-31", told)
    assert ("missed", "MS-IE-7") in announced(fold, "2004-04-01", told)


def test_what_has_a_window_is_on_track_once_begun_and_missed_only_after_it():
    assert at(folded(), "MS-IP-3").standing(instant("2004-06-01")) == "open"
    fold = folded(event("training.tool.implemented", "GTM", "2004-01-10T00:00:00Z"))
    assert at(fold, "MS-IP-3").standing(instant("2005-07-01")) == "on_track"  # the evaluation of mid-2005 comes before
    assert at(fold, "MS-IP-3").standing(instant("2005-12-01")) == "missed"
    assert ("missed", "MS-IP-3") not in announced(fold, "2005-11-30")


def test_what_has_no_end_runs_and_is_never_missed():
    assert at(folded(), "MS-VA-4").standing(instant("2026-01-01")) == "open"
    fold = folded(event("victims.service.provided", "GTM", "2003-09-01T00:00:00Z"))
    assert at(fold, "MS-VA-4").standing(instant("2026-01-01")) == "running"
    assert ("reached", "MS-VA-4") in announced(fold, "2003-09-02")


def test_a_quarters_report_is_due_until_the_next_quarter_is_over_and_reaches_its_own_date():
    fold = folded(event("indicators.report.published", "REG", "2003-10-02T00:00:00Z", quarter="2003-Q3"))
    assert at(fold, "MS-IE-5/2003-Q3").due == instant("2003-12-31T23:59:59")
    assert at(fold, "MS-IE-5/2003-Q3").standing(instant("2004-01-01")) == "reached"
    assert at(fold, "MS-IE-5/2003-Q2").standing(instant("2003-09-30")) == "open"
    assert at(fold, "MS-IE-5/2003-Q2").standing(instant("2003-10-01")) == "missed"
    assert [one.key for one in occurrences(PLAN, fold.state, public=False) if one.milestone.id == "MS-IE-5"] == [
        f"MS-IE-5/{quarter}"
        for quarter in (
            *("2003-Q2", "2003-Q3", "2003-Q4", "2004-Q1", "2004-Q2", "2004-Q3", "2004-Q4", "2005-Q1", "2005-Q2"),
        )
    ]


def test_how_late_it_was_is_told():
    one = at(folded(event("legal.study.published", "MEX", "2003-11-07T23:59:59Z")), "MS-LE-3")
    assert one.late_s == timedelta(days=7).total_seconds()
    assert one.standing(instant("2003-12-01")) == "late"
