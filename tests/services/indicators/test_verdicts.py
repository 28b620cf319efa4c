"""What is said of a target: met, not met, or not known, with the reason and the countries."""

import pytest

from services.indicators.planned import checks
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, heard, row

LATELY = "2004-12-20T12:00:00Z"


def verdict(fold, identity, **day):
    found = row(fold, identity, **day)
    return found.met, found.unknown, found.missing


def targets(area):
    rows = [one for one in PLAN.rows.values() if one.id.startswith(f"{area}-") and one.target is not None]
    return [one.id for one in rows if one.kind not in checks.COMPOSED]


def test_five_reports_by_one_country_meet_no_target_of_an_area():
    """The audit's five reports gave VA 100 %: all that had data was met, and nobody else was asked."""
    told = [event("victims.evaluation.submitted", "GTM", LATELY, late=False, subject="service")] * 5
    found = row(folded(*told), "XC-1")
    care = next(cell for cell in found.cells if cell.labels == {"input": "VA"})
    assert (care.value, care.numerator, care.denominator) == (0.0, 0, len(targets("VA")))
    assert (found.unknown, found.partial, found.coverage) == ("parts", True, pytest.approx(1 / 11))
    every = sum(len(targets(area)) for area in ("IE", "VA", "LE", "PC", "IP"))
    assert found.parts.rows == every
    assert found.parts.no_data > every / 2
    assert row(folded(*told), "VA-5.1.on_time").unknown == "coverage"


def test_weights_of_what_has_not_come_anywhere_count_all_the_same():
    """All designate their representative: 60 points times what that is of the targets of area 3, and so on, of 413."""
    fold = folded(*[event("legal.representative.designated", country, LATELY) for country in MEMBERS])
    met = {identity for area in ("IE", "VA", "LE", "PC", "IP") for identity in targets(area) if row(fold, identity).met}
    none = {"IE-1.2.2.vacant", "IE-3.1.missed", "LE-1.R3.gaps", "VA-5.1b.overdue", "VA-5.1b.lost"}
    assert met == none | {"LE-1.1.1"}
    laws = next(cell for cell in row(fold, "XC-1").cells if cell.labels == {"input": "LE"})
    assert (laws.numerator, laws.denominator) == (2, len(targets("LE")))
    points = 84 * 2 / len(targets("IE")) + 78 * 2 / len(targets("VA")) + 60 * 2 / len(targets("LE"))
    assert row(fold, "XC-4").headline.value == pytest.approx(points / 413)


def test_what_is_not_published_is_not_known_and_no_lack_of_data():
    """Whether referrals are overdue, and whether returned victims are lost, is told to nobody but operators."""
    fold = folded(*heard(on=LATELY))
    shown, exact = row(fold, "XC-1", exact=False).parts, row(fold, "XC-1").parts
    assert row(fold, "VA-5.1b.lost", exact=False).unknown == "hidden"
    assert shown.no_data < exact.no_data  # of persons it is not told whether there are data
    assert shown.no_data + shown.unknown == exact.no_data + exact.unknown + 2


@pytest.mark.parametrize("identity", ["IE-1.2", "IE-1.2a.declared", "LE-1.R1", "IP-1.1", "IP-2.1.1"])
def test_no_country_has_reported_in_an_empty_system(identity):
    assert row(folded(), identity).coverage == 0


@pytest.mark.parametrize(
    "identity", ["IE-3.1", "IE-2.1.held", "LE-1.M", "LE-1.R3.gaps", "XC-1.evaluations", "IP-5.1.1"]
)
def test_there_is_no_coverage_where_countries_do_not_report(identity):
    assert row(folded(*heard()), identity).coverage is None


def test_who_reports_is_counted_not_whom_it_concerns():
    """GTM tells of a place in MEX: one country reported, though the figure is about the other."""
    found = row(folded(event("intel.location.reported", "GTM", target_country="MEX")), "IE-3.2.1.acknowledged")
    assert (found.headline.denominator, found.coverage) == (1, pytest.approx(1 / 11))


@pytest.mark.parametrize(
    "identity", ["IE-1.2.2.vacant", "LE-1.R3.gaps", "VA-5.1b.overdue", "VA-5.1b.lost", "IE-3.1.missed"]
)
def test_what_is_to_be_0_is_0_once_countries_report_and_met_once_all_do(identity):
    assert verdict(folded(), identity) == (None, "no_data", sorted(MEMBERS) if identity != "IE-3.1.missed" else [])
    some = row(folded(*heard("BLZ", "USA", on=LATELY)), identity)
    assert some.headline.value == 0
    if identity != "IE-3.1.missed":
        assert (some.met, some.unknown, some.missing) == (None, "coverage", ["BLZ", "USA"])
    assert verdict(folded(*heard(on=LATELY)), identity) == (True, "", [])
    silent = folded(*heard("HND", on=LATELY), *heard(*(set(MEMBERS) - {"HND"}), on="2004-10-01T12:00:00Z"))
    assert verdict(silent, "IE-1.2.2.vacant") == (None, "silent", ["HND"])


def test_what_others_cannot_mend_is_not_met_whoever_is_silent():
    vacant = event("intel.contactpoint.vacated", "GTM", "2004-09-01T00:00:00Z", vacant={"by": 1})
    assert verdict(folded(vacant), "IE-1.2.2.vacant") == (False, "", [])
    unsecured = event("legal.person.detained", "GTM", "2004-09-01T00:00:00Z", offence="tip")
    assert verdict(folded(unsecured), "IE-1.2.3") == (False, "", [])  # "toda agenda": one lacks
    adopted = event("intel.manual.adopted", "GTM", "2004-09-01T00:00:00Z")
    assert verdict(folded(adopted), "IE-1.1") == (False, "", [])  # 1 of 11


def activity(country, before, after):
    days = ["2004-02-01T00:00:00Z"] * before + ["2004-09-01T00:00:00Z"] * after
    return [event("legal.person.detained", country, day, offence="tip") for day in days]


def test_no_fall_in_activity_is_made_of_silence_and_what_is_made_of_it_says_so():
    """Ten countries fall from 2 to 1; Honduras reported 3 and then nothing: 10/23 is not known to be a fall."""
    falling = [told for country in MEMBERS if country != "HND" for told in activity(country, 2, 1)]
    gone = folded(*falling, *activity("HND", 3, 0), *heard("HND", on=LATELY))
    found = row(gone, "LE-1.R2")
    assert (found.headline.numerator, found.headline.denominator, found.partial) == (10, 23, True)
    assert verdict(gone, "LE-1.R2") == verdict(gone, "LE-2.R2") == (None, "silent", ["HND"])
    there = folded(*falling, *activity("HND", 3, 0), *heard(on=LATELY))
    assert verdict(there, "LE-1.R2") == verdict(there, "LE-2.R2") == (True, "", [])
    index = row(gone, "LE-1.R4")
    assert (index.partial, index.unknown) == (None, "no_data") or index.partial


def test_few_countries_say_nothing_of_the_region():
    """Five of eleven are below half, six are not."""
    for reporting, known in ((5, None), (6, True)):
        falling = [told for country in MEMBERS[:reporting] for told in activity(country, 2, 1)]
        found = row(folded(*falling, *heard(on=LATELY)), "LE-1.R2")
        assert (found.coverage, found.met) == (pytest.approx(reporting / 11), known)
        assert found.missing == ([] if known else sorted(MEMBERS[reporting:]))


def held(day, body="liaison_network"):
    return event("intel.meeting.held", "MEX", f"{day}T12:00:00Z", body=body, date=day)


def test_meetings_due_come_from_the_calendar():
    """First Tuesdays of 2003: 3 June, 1 July, 5 August. The Network met on the first; the other two are none of its."""
    fold = folded(held("2003-06-03"), held("2003-07-01", body="technical_group"), held("2003-07-08"))
    assert row(fold, "IE-2.1.held", as_of="2003-06-02").headline is None
    shares = [row(fold, "IE-2.1.held", as_of=day).headline for day in ("2003-06-03", "2003-07-31", "2003-08-05")]
    assert [(one.numerator, one.denominator) for one in shares] == [(1, 1), (1, 2), (1, 3)]
    assert verdict(fold, "IE-2.1.held", as_of="2003-06-03") == (True, "", [])
    assert verdict(fold, "IE-2.1.held", as_of="2003-08-05") == (False, "", [])
    assert row(folded(), "IE-2.1.held", as_of="2003-08-05").headline.denominator == 3  # nobody said anything


def staff(*countries):
    return [
        told
        for country in countries
        for told in (
            event("training.workforce.declared", country, LATELY, institution_type="migration", headcount=2),
            event("training.official.enrolled", country, LATELY, institution_type="migration"),
        )
    ]


def test_half_of_all_staff_is_known_once_every_country_has_declared_its_own():
    """Mandatory for all countries ("es obligatorio que todos los países se comprometan"): ten of eleven do not do."""
    ten = [one for one in MEMBERS if one != "PAN"]
    assert verdict(folded(*staff(*ten), *heard(on=LATELY)), "IP-2.1") == (None, "coverage", ["PAN"])
    assert verdict(folded(*staff(*MEMBERS), *heard(on=LATELY)), "IP-2.1") == (True, "", [])


def test_three_of_eleven_are_all_that_plan_courses_and_two_are_not():
    """México, EUA and Canadá train at the borders (Plan IE 3.1.1)."""
    plans = {
        one: event("training.plan.approved", one, LATELY, plan_id="p-1", courses=1) for one in ("MEX", "USA", "CAN")
    }
    courses = {
        one: event("training.course.delivered", one, LATELY, place="bcp", course_id="c-1", plan_id="p-1")
        for one in plans
    }
    assert verdict(folded(*plans.values(), *courses.values(), *heard(on=LATELY)), "IE-3.1.1") == (True, "", [])
    two = [told[one] for told in (plans, courses) for one in ("MEX", "USA")]
    assert verdict(folded(*two, *heard(on=LATELY)), "IE-3.1.1")[:2] == (None, "coverage")


def test_what_is_not_known_has_not_come_anywhere():
    """Eleven contact points, of eleven; but Honduras fell silent, and may have vacated its own (Plan XC-3)."""
    points = [event("intel.contactpoint.designated", one, "2004-03-01T12:00:00Z") for one in MEMBERS]

    def come(*told):
        fold = folded(*points, *told)
        cells = {cell.labels["input"]: cell.value for cell in row(fold, "XC-3").cells if cell.labels}
        return row(fold, "IE-1.2.2").unknown, cells["IE-1.2.2"]

    assert come(*heard(on=LATELY)) == ("", 1.0)
    assert come(*heard("HND", on=LATELY)) == ("silent", 0.0)


def test_a_country_is_silent_once_the_plans_days_are_over_and_not_a_day_before():
    """Thirty days without a report: the last one was on 20 November, and 20 December is the first day of silence."""
    last = event("intel.modality.reported", "HND", "2004-11-20T12:00:00Z")
    fold = folded(last, *heard("HND", on="2004-12-19T12:00:00Z"))
    assert PLAN.silent_days == 30
    assert verdict(fold, "IE-1.2.2.vacant", today="2004-12-19")[1] == ""
    assert verdict(fold, "IE-1.2.2.vacant", today="2004-12-20")[1:] == ("silent", ["HND"])
