"""The table of seats: who may speak for a body when, as told, handed over, and heard by the other services."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from services.indicators.__main__ import SERVICE as INDICATORS
from services.indicators.planned.plan import load
from services.intel.__main__ import SERVICE as INTEL
from services.training.__main__ import SERVICE as TRAINING
from shared import contracts
from shared.contracts import Refused
from shared.contracts.vocabulary import SEATS
from shared.record import seats
from shared.record.asking import holders
from tests.harness.desk import START, desk


@pytest.fixture
async def plan(postgres_server):
    async with desk(postgres_server, INDICATORS) as one:
        yield one


@pytest.fixture
async def intel(postgres_server):
    async with desk(postgres_server, INTEL) as one:
        yield one


@pytest.fixture
async def training(postgres_server):
    async with desk(postgres_server, TRAINING) as one:
        yield one


def handed(at, holder, days, by="MEX", **more):
    """A hand-over of the presidency told by its clock, from the day `days` after the start."""
    at.clock.at += timedelta(minutes=1)
    told = (at.clock.at - START) / timedelta(days=1)
    from_day = (START.date() + timedelta(days=days)).isoformat()
    return at.event("indicators.seat.assigned", told, by, holder=holder, effective_from=from_day, **more)


def amended_plan(at, by, days=0.0, said="ppt"):
    return at.event("indicators.plan.amended", days, by, reported_by=said)


async def codes(at, *events):
    """For each of these what is wrong with it: (pointer, code), or nothing."""
    found = []
    for outcome in await at.record(*events):
        assert outcome is None or isinstance(outcome, Refused), outcome
        found.append({(one.pointer, one.code) for one in outcome.problems} if outcome else set())
    return found


SEATED = {("/data/reported_by", "not_seated")}


async def test_only_the_holder_speaks_for_a_body_and_each_country_for_its_own(plan, intel):
    told = [amended_plan(plan, "MEX"), amended_plan(plan, "BLZ"), amended_plan(plan, "BLZ", said="st")]
    assert await codes(plan, *told) == [set(), SEATED, SEATED]
    nobody = intel.event("intel.actionplan.advanced", by="MEX", reported_by="iom")
    assert await codes(intel, nobody) == [SEATED]
    own = [
        intel.event("intel.actionplan.advanced", by=one, reported_by="national_commission") for one in ("BLZ", "GTM")
    ]
    assert await codes(intel, *own) == [set(), set()]


async def test_a_country_tells_of_its_own_officers_at_the_regional_school_and_of_no_others(training):
    def told(name, **more):
        return training.event(f"training.{name}", by="GTM", reported_by="regional_school", **more)

    own = [told("officer.certified"), told("survey.opened"), told("attendance.recorded", country="GTM")]
    assert await codes(training, *own) == [set(), set(), set()]
    others = [told("attendance.recorded", country="HND"), told("session.held"), told("student.graduated")]
    assert await codes(training, *others) == [SEATED, SEATED, SEATED]


async def test_before_its_first_day_nobody_speaks_for_a_body(plan):
    early = (datetime(2003, 5, 7, 23, 59, 59, tzinfo=UTC) - START) / timedelta(days=1)
    assert await codes(plan, amended_plan(plan, "MEX", early)) == [SEATED]
    assert await codes(plan, amended_plan(plan, "MEX", early + 1 / 86_400)) == [set()]


async def test_a_presidency_hands_over_and_who_speaks_is_judged_by_the_time_of_the_report(plan):
    await plan.tell(handed(plan, "PAN", 10))
    plan.clock.at += timedelta(days=20)
    day = 9.49  # the start is at noon: the day begins half a day before
    assert await codes(
        plan,
        amended_plan(plan, "MEX", day),  # recorded late, of the time when it held the seat
        amended_plan(plan, "PAN", day),
        amended_plan(plan, "MEX", 9.51),
        amended_plan(plan, "PAN", 9.51),
    ) == [set(), SEATED, SEATED, set()]


async def test_who_takes_a_seat_is_told_and_who_no_longer_does(plan):
    def told(one):
        return one.country, one.data.kind, one.data.body, one.data.country, one.data.due

    begins = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=10)
    await plan.tell(handed(plan, "PAN", 10))
    alerts = [told(one) for one in await plan.recorded("indicators.alert.issued")]
    assert alerts == [("PAN", "seat_assigned", "ppt", "PAN", begins)]
    await plan.tell(handed(plan, "GTM", 10))
    alerts = [told(one) for one in await plan.recorded("indicators.alert.issued")][1:]
    assert alerts == [(one, "seat_assigned", "ppt", "GTM", begins) for one in ("GTM", "PAN")]


async def test_the_other_services_hear_of_it_in_any_order(intel):
    first, second = handed(intel, "PAN", 10), handed(intel, "CRI", 10)
    intel.clock.at += timedelta(days=20)
    await intel.tell(second, first)
    told = [intel.event("intel.manual.approved", 15, by, reported_by="ppt") for by in ("MEX", "PAN", "CRI")]
    assert await codes(intel, *told) == [SEATED, SEATED, set()]


FORGED = {("/data/effective_from", "not_seated")}


async def test_a_hand_over_cannot_be_forged(plan):
    assert await codes(plan, handed(plan, "BLZ", 5, by="BLZ")) == [SEATED]
    other_body = handed(plan, "BLZ", 5, reported_by="st")
    assert [one.code for one in other_body.data.check()] == ["other_body"]
    await plan.tell(handed(plan, "PAN", 10))
    plan.clock.at += timedelta(days=20)
    assert await codes(plan, handed(plan, "MEX", 30), handed(plan, "MEX", 5)) == [SEATED] * 2
    dated_back = [msgspec.structs.replace(handed(plan, "MEX", days), time=START) for days in (30, 5)]
    into_the_past = [handed(plan, "BLZ", days, by="PAN") for days in (5, -300)]
    assert await codes(plan, *dated_back, *into_the_past) == [FORGED] * 4
    assert await codes(plan, handed(plan, "CRI", 40, by="PAN")) == [set()]
    assert await codes(plan, handed(plan, "DOM", 50, by="PAN")) == [FORGED]  # by then it is another's
    assert await codes(plan, handed(plan, "DOM", 40, by="PAN")) == [set()]  # it changed its mind in time
    assert (await holders(plan.log.pool, START + timedelta(days=45)))["ppt"] == "DOM"


async def test_a_hand_over_stands(plan):
    handover = handed(plan, "PAN", 10)
    await plan.tell(handover)
    for amendment in (plan.corrected(handover, holder="MEX"), plan.retracted(handover)):
        assert await codes(plan, amendment) == [{("/data/supersedes", "not_amendable")}]


async def test_a_former_holder_may_correct_what_it_said_then_and_nobody_takes_a_seat_by_correcting(plan, intel):
    said = amended_plan(plan, "MEX", -5)
    await plan.tell(said, handed(plan, "PAN", 10))
    plan.clock.at += timedelta(days=20)
    mended = msgspec.structs.replace(plan.corrected(said, version="2004-2"), time=START + timedelta(days=19))
    named = msgspec.structs.replace(mended, data=msgspec.structs.replace(mended.data, reported_by="ppt"))
    assert await codes(plan, named) == [set()]
    own = intel.event("intel.actionplan.advanced", by="BLZ", reported_by="police")
    await intel.tell(own)
    assert await codes(intel, intel.corrected(own, reported_by="ppt")) == [{("/data/data/reported_by", "not_seated")}]
    claimed = intel.retracted(own)
    claimed = msgspec.structs.replace(claimed, data=msgspec.structs.replace(claimed.data, reported_by="ppt"))
    assert await codes(intel, claimed) == [SEATED]


async def test_a_merge_is_not_made_in_the_name_of_a_body_by_another(intel):
    merge = intel.event("intel.band.merged", by="BLZ", entity="b-1", into="b-2", reported_by="sv")
    assert await codes(intel, merge) == [SEATED]


@pytest.mark.parametrize("name", ["approved", "amended"])
async def test_a_plan_that_is_not_carried_out_here_is_refused(plan, name):
    unknown = {("/data/plan", "unknown_plan")}
    wrong = plan.event(f"indicators.plan.{name}", by="MEX", plan="crm-2018", reported_by="ppt")
    assert await codes(plan, wrong) == [unknown]
    assert await codes(
        plan, plan.event("indicators.evaluation.published", by="MEX", plan="crm-2019", text_ref=...)
    ) == [unknown]
    right = plan.event(f"indicators.plan.{name}", by="MEX", reported_by="ppt")
    await plan.tell(right)
    assert await codes(plan, plan.corrected(right, plan="crm-2019")) == [{("/data/data/plan", "unknown_plan")}]
    baseline = plan.event("indicators.baseline.set", by="MEX", indicator="ZZ-1")
    assert await codes(plan, baseline) == [{("/data/indicator", "unknown_indicator")}]


async def test_the_presidency_sets_the_dates_that_the_plan_leaves_open_and_no_other(plan):
    def scheduled(by="MEX", **more):
        return plan.event("indicators.milestone.scheduled", by=by, **more)

    right = scheduled()
    await plan.tell(right)
    assert await codes(plan, scheduled("BLZ")) == [{("/data/reported_by", "not_seated")}]
    assert await codes(plan, scheduled(plan="crm-2018")) == [{("/data/plan", "unknown_plan")}]
    assert await codes(plan, scheduled(milestone="MS-ZZ-1")) == [{("/data/milestone", "unknown_milestone")}]
    for printed in ("MS-LE-1", "MS-IE-1", "MS-IE-4", "MS-IP-3", "MS-VA-4"):
        assert await codes(plan, scheduled(milestone=printed)) == [{("/data/milestone", "not_open")}]
    corrected = plan.corrected(right, milestone="MS-LE-1")
    assert await codes(plan, corrected) == [{("/data/data/milestone", "not_open")}]


async def test_what_was_recorded_once_goes_through_the_rules_again_whoever_is_seated_now(plan):
    old = amended_plan(plan, "BLZ")
    await plan.tell_again(handed(plan, "BLZ", 10, by="BLZ"))
    assert (await holders(plan.log.pool, START + timedelta(days=45)))["ppt"] == "BLZ"
    await plan.tell_again(old, plan.corrected(old, plan="crm-2019"))


def test_the_regions_file_gives_a_seat_from_a_day_until_another(tmp_path, monkeypatch):
    file = tmp_path / "seats.toml"
    lines = [
        ("st", "CRI", "2003-01-01\nuntil = 2004-01-01"),
        ("ppt", "GTM", "2003-01-01"),
        ("ppt", "MEX", "2003-02-01"),
    ]
    text = '[[seat]]\nbody = "{}"\nholder = "{}"\nfrom = {}\n'
    file.write_text("".join(text.format(*line) for line in lines))
    monkeypatch.setenv("CRM_SEATS_FILE", str(file))
    seats.region.cache_clear()
    try:
        assert seats.in_force(seats.begins(date(2003, 1, 31))) == {"st": "CRI", "ppt": "GTM"}
        assert seats.in_force(seats.begins(date(2003, 2, 1))) == {"st": "CRI", "ppt": "MEX"}
        assert seats.in_force(seats.begins(date(2004, 1, 1))) == {"ppt": "MEX"}
        file.write_text('[[seat]]\nbody = "police"\nholder = "CRI"\nfrom = 2003-01-01\n')
        seats.region.cache_clear()
        with pytest.raises(msgspec.ValidationError):
            seats.region()
    finally:
        monkeypatch.undo()
        seats.region.cache_clear()


def test_what_a_plan_counts_for_a_country_that_a_report_names_is_told_by_those_who_may():
    terms = {(term.event, term.country) for row in load().rows.values() for term in row.term if term.country}
    assert len(terms) > 15
    for name, path in terms:
        agreed = contracts.registry()[f"crm.{name}.v1"]
        told_by_seats = bool(agreed.by) and {*agreed.by} <= {*SEATS}
        guarded = not agreed.reported or agreed.owner or path in agreed.derived or told_by_seats
        # A place is reported to the country that it lies in, so that this country answers: it says nothing for it. And
        # a course counts for the country whose plan it names: the country where it was held may tell of it.
        told_to_others = {("intel.location.reported", "target_country"), ("training.course.delivered", "plan_id")}
        assert guarded or (name, path) in told_to_others, f"anybody fills {path} of {name}"
