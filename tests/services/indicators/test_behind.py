"""What is behind a figure: what single events put in and took out adds up to it."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.figures.behind import Alone, Asked, Made, feeding, steps, subjects
from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from shared.contracts.vocabulary import MEMBERS, REGION
from tests.services.indicators.making import CONTRACTS, PLAN, amend, event, folded

pytestmark = pytest.mark.long

ADDED = [row for row in PLAN.rows.values() if row.term and not any(term.last for term in row.term)]
TYPES = sorted({term.event for row in ADDED for term in row.term if term.event in CONTRACTS})
DAYS = st.dates(date(2003, 5, 9), date(2004, 12, 31))


@st.composite
def spans(draw):
    """Now, as of a day, a period; each also as it was known on a day."""
    first, last = sorted([draw(DAYS), draw(DAYS)])
    span = draw(st.sampled_from([Span.now(last), Span.as_of(last), Span.of(first, last)]))
    return span.known_on(draw(DAYS)) if draw(st.booleans()) else span


@st.composite
def reported(draw):
    """Some reports of types that feed one row, with what became of each."""
    row = draw(st.sampled_from(ADDED))
    types = sorted({one for one in feeding(row) if one in CONTRACTS}) or ["intel.band.dismantled"]
    flow = []
    for _ in range(draw(st.integers(1, 8))):
        name, country, day = draw(st.sampled_from(types)), draw(st.sampled_from(MEMBERS)), draw(DAYS)
        later = day + timedelta(days=draw(st.integers(0, 60)))
        payload = event(name, country, f"{day}T10:00:00Z", recorded=f"{later}T12:00:00Z")
        flow.append(payload)
        if draw(st.booleans()) and CONTRACTS[name].reported:
            flow.append(amend("retracted", payload))
    return row, flow


def contributed(made: Made, flow: list[bytes]) -> dict:
    found, alone = Counter(), Alone(PLAN)
    for payload in flow:
        for part, n in made.of(alone.moved(payload).state).items():
            found[part] += n
    return {part: n for part, n in found.items() if n}


@settings(max_examples=150, deadline=None)
@given(reported(), spans(), st.sampled_from([REGION, *MEMBERS]))
def test_what_single_events_moved_adds_up_to_the_numbers_behind_the_figure(given_, span, country):
    row, flow = given_
    fold = folded(*flow)
    made = Made(PLAN, fold.state, Asked(row, span, country))
    assert contributed(made, flow) == made.parts


@settings(max_examples=100, deadline=None)
@given(st.data(), DAYS)
def test_the_numbers_are_those_of_the_figure(data, day):
    """Of counts and ratios of each label and country, by what the published cells say."""
    row, flow = data.draw(reported().filter(lambda one: one[0].kind in {"count", "ratio"} and not one[0].current))
    fold = folded(*flow)
    told = figures(PLAN, row, fold.state, Span.as_of(day), closed=None)
    for cell in told.cells:
        if cell.country == REGION and row.labels:
            continue
        made = Made(PLAN, fold.state, Asked(row, Span.as_of(day), cell.country, cell.labels))
        sums = Counter()
        for (name, _), n in made.parts.items():
            sums[name] += n
        if row.kind == "count":
            assert sums["value"] + sums["region"] == pytest.approx((cell.value or 0) * 10**row.digits)
        elif not (row.each or row.part or any(term.role in {"since", "until"} for term in row.term)):
            scale = 10**row.digits
            if cell.country != REGION:
                assert (sums["numerator"], sums["denominator"]) == (cell.numerator * scale, cell.denominator)


def test_a_correction_is_told_as_what_it_takes_out_and_puts_in():
    first = event("legal.person.detained", "HND", sex="male", offence="tip", age_band="adult")
    second = amend("corrected", first, sex="female")
    moved = [one for one in steps(PLAN, Alone(PLAN).moved(second)) if one.row == "IE-3.1i" and one.part == "value"]
    assert {(one.cell, one.amount) for one in moved} == {
        (("HND", "tip", "male", "adult"), -1),
        (("HND", "tip", "female", "adult"), 1),
    }


def test_a_declared_level_is_told_as_such():
    moved = steps(PLAN, Alone(PLAN).moved(event("training.workforce.declared", headcount=7)))
    assert {(one.part, one.amount, one.level) for one in moved if one.row == "IP-2.1"} >= {("denominator", 7, True)}


def test_a_milestone_is_told_with_its_group():
    moved = steps(PLAN, Alone(PLAN).moved(event("legal.representative.designated", "GTM")))
    assert [one.cell for one in moved if one.row.startswith("MS-")]


def test_looking_at_an_event_changes_no_figure():
    alone, fold = Alone(PLAN), Fold(PLAN)
    for one in CONTRACTS.values():
        alone.moved(event(one.name))
    assert alone._fold.state.dump() == fold.state.dump()


def test_the_subjects_of_a_row_are_its_types_and_their_amendments():
    assert subjects(PLAN.rows["PC-1c"], "GTM") == {
        "intel": [
            "crm.evt.intel.band.corrected.GTM",
            "crm.evt.intel.band.dismantled.GTM",
            "crm.evt.intel.band.reactivated.GTM",
            "crm.evt.intel.band.retracted.GTM",
            "crm.evt.intel.notice.corrected.GTM",
            "crm.evt.intel.notice.retracted.GTM",
        ]
    }


def test_where_others_can_count_for_a_country_all_are_read():
    silences = subjects(PLAN.rows["XC-6.silences"], "GTM")
    assert all(one.endswith(".*") for one in silences["indicators"])


@pytest.mark.parametrize("row", [row for row in PLAN.rows.values() if row.term], ids=lambda row: row.id)
def test_every_event_that_moves_a_row_stands_under_its_subjects(row):
    """Of all types' examples: whichever moves a number of the row is read for it."""
    under = {one.rpartition(".")[0] for those in subjects(row, REGION).values() for one in those}
    alone = Alone(PLAN)
    for one in CONTRACTS.values():
        moved = [*steps(PLAN, alone.moved(event(one.name)), [row])]
        if any(step.row == row.id for step in moved) and "crm.evt.intel.*.*" not in under:
            assert f"crm.evt.{one.name}" in under


def test_of_the_value_in_force_only_what_counts_for_it_is_behind_a_figure():
    old = event("training.code.adopted", "GTM", "2004-01-01T00:00:00Z", version="1")
    new = event("training.code.adopted", "GTM", "2004-02-01T00:00:00Z", version="2")
    signed = [event("training.code.acknowledged", "GTM", version=version) for version in ("1", "1", "2")]
    staff = event("training.workforce.declared", "GTM", headcount=4)
    fold = folded(old, new, *signed, staff)
    row = PLAN.rows["IP-3.1.1"]
    made = Made(PLAN, fold.state, Asked(row, Span.now(date(2004, 12, 31)), "GTM"))
    cell = next(one for one in figures(PLAN, row, fold.state, Span.now(date(2004, 12, 31)), closed=None).cells)
    assert sum(n for (name, _), n in made.parts.items() if name == "numerator") == cell.numerator


def test_every_row_of_a_busy_region_adds_up():
    """All types at once, of two countries, declared levels beside what is counted."""
    every = [event(name, country) for name in CONTRACTS for country in ("GTM", "HND")]
    fold, alone = folded(*every), Alone(PLAN)
    moved = [alone.moved(one).state for one in every]
    for row in PLAN.rows.values():
        made = Made(PLAN, fold.state, Asked(row, Span.now(date(2004, 12, 31))))
        declared = {term.role for term in row.term if term.last}
        sums = Counter()
        for one in moved:
            sums.update(made.of(one))
        added = {part: n for part, n in made.parts.items() if part[0] not in declared}
        assert {part: n for part, n in sums.items() if n} == added, row.id
