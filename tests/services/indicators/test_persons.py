"""Which contracts, rows and milestones are about persons: each is decided, with its reason."""

import re
from datetime import date

import pytest

from services.indicators.figures.disclosure import disclosed, guarded, last_closed
from services.indicators.figures.kinds import Span
from services.indicators.planned.persons import Rule, about_person, decided, reached_by_persons
from shared.contracts import GENERIC, registry
from tests.services.indicators.making import PLAN

NAMES_A_PERSON = re.compile(r".*_pid|pids|case_id|complaint_id|referral_id|consent_id|cert_id|detention_id")
"""Fields that say whom, or whose case, a report is about."""
OF_MANY = {
    "intel.phonenumber.matched": "class P",
    "legal.procedure.issued": "a procedure may name the case that it came of; it is a rule",
}


def test_every_contract_that_names_a_person_or_a_case_is_about_a_person_or_said_not_to_be():
    for agreed in registry().values():
        if agreed.verb in GENERIC or agreed.name in OF_MANY:
            continue
        named = [name for name in agreed.data.__struct_fields__ if NAMES_A_PERSON.fullmatch(name)]
        if named or agreed.privacy != "N":
            things = [one for one in decided().things if agreed.name.startswith(f"{one}.")]
            assert about_person(agreed.name) is not bool(things), (agreed.name, named)


def test_what_is_decided_is_of_contracts_that_there_are_and_not_what_their_class_says():
    for names, of_persons in ((decided().things, False), (decided().persons, True)):
        for name in names:
            mine = [one for one in registry().values() if one.name == name or one.name.startswith(f"{name}.")]
            mine = [one for one in mine if not one.generic or of_persons]
            assert mine, name
            if not of_persons:
                assert any(one.privacy != "N" for one in mine), name


@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("victims.victim.identified", True),
        ("victims.victim.corrected", True),
        ("victims.referral.overdue", True),
        ("training.report.filed", True),
        ("legal.person.detained", True),
        ("intel.trafficker.merged", True),
        ("intel.location.reported", True),
        ("intel.document.flagged", False),
        ("intel.document.retracted", False),
        ("intel.operation.executed", False),
        ("training.course.delivered", False),
        ("victims.campaign.launched", False),
        ("of.nobody.knows", True),
    ],
)
def test_about_a_person(event, about):
    assert about_person(event) is about


def test_of_the_plan():
    about = guarded(PLAN)
    assert {"VA-2.1", "IP-b", "IP-4.1.1", "IE-3.1i", "IE-1.2d", "IE-3.2.1", "VA-6.1b", "XC-6.timely"} <= about
    assert not {"IE-3.1ii", "IE-2.1", "PC-1a", "LE-2.1", "IE-3.1.1", "XC-6", "PC-1c"} & about
    assert {one.id for one in PLAN.milestones.values() if reached_by_persons(one)} == {"MS-VA-4", "MS-VA-5", "MS-VA-6"}


def day(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "today", "closed"),
    [
        ("quarter", "2004-03-31", "2003-12-31"),
        ("quarter", "2004-04-01", "2004-03-31"),
        ("month", "2004-03-01", "2004-02-29"),
        ("year", "2004-12-31", "2003-12-31"),
    ],
)
def test_the_last_period_that_is_over(period, today, closed):
    assert last_closed(Rule(period=period), day(today)) == day(closed)


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (None, "2004-05-17", "2004-03-31"),
        (None, "2010-01-01", "2004-06-30"),
        ("2004-01-01", "2004-03-31", "2004-03-31"),
        ("2003-01-01", "2003-12-31", "2003-12-31"),
        ("2004-02-01", "2004-04-30", None),
        ("2004-01-01", "2004-01-31", None),
        ("2004-07-01", "2004-09-30", None),
    ],
)
def test_what_the_public_has_of_a_time_when_the_second_quarter_of_2004_is_over(since, until, told):
    span = Span.of(day(since), day(until)) if since else Span.as_of(day(until))
    found = disclosed(Rule(), span, day("2004-06-30"))
    if told is None:
        assert found == "victims_period"
    else:
        assert (found.day, found.known) == (day(told), day(told).toordinal())
