from datetime import timedelta

from services.indicators.milestones import announcements, occurrences
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, instant


def at(fold, key):
    return next(one for one in occurrences(PLAN, fold.state) if one.key == key)


def announced(fold, now, before=frozenset()):
    return {(one.verb, one.key) for one in announcements(PLAN, fold.state, instant(now), before)}


def test_relative_dates_count_from_the_plans_approval():
    assert at(folded(), "MS-IE-1").due is None
    fold = folded(event("indicators.plan.approved", "MEX", "2003-05-30T12:00:00Z"))
    assert at(fold, "MS-IE-1").due == instant("2003-08-31T23:59:59")
    assert at(fold, "MS-IE-2").due is None
    fold = folded(event("intel.manual.approved", "MEX", "2003-08-21T12:00:00Z"))
    assert at(fold, "MS-IE-2").due == instant("2003-12-31T23:59:59")


def test_a_meeting_on_its_first_tuesday_reaches_that_months_milestone():
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-03T15:00:00Z"))
    one = at(fold, "MS-IE-4/2003-06-03")
    assert (one.due, one.reached, one.late_s) == (instant("2003-06-03T23:59:59"), instant("2003-06-03T15:00:00"), 0)
    assert at(fold, "MS-IE-4/2003-07-01").reached is None


def test_a_later_meeting_of_the_month_is_late():
    one = at(folded(event("intel.meeting.held", "MEX", "2003-06-10T23:59:59Z")), "MS-IE-4/2003-06-03")
    assert one.late_s == timedelta(days=7).total_seconds()
    assert one.standing(instant("2003-07-01")) == "late"


def test_a_miss_is_announced_the_day_after_and_once():
    fold = folded()
    key = "MS-IE-4/2003-06-03"
    assert ("missed", key) not in announced(fold, "2003-06-03T23:59:59")
    assert ("missed", key) in announced(fold, "2003-06-04T00:00:00")
    assert ("missed", key) not in announced(fold, "2003-06-05", {("missed", key)})


def test_reaching_it_after_a_miss_is_announced_too():
    fold = folded(event("intel.meeting.held", "MEX", "2003-06-10T12:00:00Z"))
    key = "MS-IE-4/2003-06-03"
    assert ("reached", key) in announced(fold, "2003-06-11", {("missed", key)})
    assert not {one for one in announced(fold, "2003-06-11", {("reached", key)}) if one[1] == key}


def test_eleven_countries_reach_it_when_the_last_one_comes():
    days = {country: f"2004-01-{10 + n:02}T00:00:00Z" for n, country in enumerate(MEMBERS)}
    events = [event("intel.specimen.deposited", country, day) for country, day in days.items()]
    assert at(folded(*events[1:]), "MS-IE-7").reached is None
    assert at(folded(*reversed(events)), "MS-IE-7").reached == instant("2004-01-20T00:00:00")


def test_an_open_milestone_is_never_missed():
    assert at(folded(), "MS-IE-7").standing(instant("2026-01-01")) == "open"


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


def test_a_quarters_report_is_due_a_month_after_it_and_reaches_its_own_date():
    fold = folded(event("indicators.report.published", "REG", "2003-10-02T00:00:00Z", quarter="2003-Q3"))
    assert at(fold, "MS-IE-5/2003-Q3").due == instant("2003-10-31T23:59:59")
    assert at(fold, "MS-IE-5/2003-Q3").standing(instant("2004-01-01")) == "reached"
    assert at(fold, "MS-IE-5/2003-Q2").standing(instant("2003-08-01")) == "missed"
    assert [one.key for one in occurrences(PLAN, fold.state) if one.milestone.id == "MS-IE-5"] == [
        f"MS-IE-5/{quarter}"
        for quarter in (
            *("2003-Q2", "2003-Q3", "2003-Q4", "2004-Q1", "2004-Q2", "2004-Q3", "2004-Q4", "2005-Q1", "2005-Q2"),
        )
    ]
