"""An attacker who may add and subtract everything published must not get at a hidden figure, nor at a small sum."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise, product

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.suppression import RULE, added, hidden, rounded
from services.indicators.planned.persons import Rule
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, row, values

K = RULE.k
tables = st.dictionaries(
    st.tuples(st.sampled_from(["GTM", "HND", "MEX", "NIC"]), st.sampled_from(["female", "male", "other"])),
    st.integers(0, 40).map(lambda n: (n,)),
    max_size=12,
)
pairs = st.dictionaries(
    st.tuples(st.sampled_from(["GTM", "HND", "MEX", "NIC"])),
    st.tuples(st.integers(0, 30), st.integers(1, 30)),
    max_size=4,
)


def universe(cells):
    """The cells that there may be: of countries and labels of which nothing was reported, too."""
    labels = {key[1:] for key in cells} | {("unknown",) for key in cells if len(key) > 1}
    return dict.fromkeys([(code, *one) for one in labels for code in MEMBERS], (0, 0)) | cells


def published_equations(cells, place):
    """What is known: one (cells, sum) for each published figure."""
    out_cells, out_sums, out_total = hidden(cells)
    every = universe(cells)
    known = [({key}, counts[place]) for key, counts in cells.items() if key not in out_cells]
    for one in {key[1:] for key in cells} - out_sums:
        parts = {key for key in every if key[1:] == one}
        known.append((parts, sum(every[key][place] for key in parts)))
    if cells and not out_total:
        known.append(({*every}, sum(counts[place] for counts in every.values())))
    return known


def solvable(known, order):
    """Cells whose value follows from the equations by linear algebra."""
    rows = [[Fraction(key in cells) for key in order] for cells, _ in known]
    for column in range(len(order)):
        pivot = next((r for r in rows if r[column] and not any(r[:column])), None)
        if pivot is None:
            continue
        for other in rows:
            if other is not pivot and other[column]:
                factor = other[column] / pivot[column]
                other[:] = [a - factor * b for a, b in zip(other, pivot, strict=True)]
    return {order[found[0]] for r in rows if len(found := [i for i, value in enumerate(r) if value]) == 1}


@given(tables)
@example({("GTM", "female"): (5,), ("HND", "female"): (20,)})
@example({("GTM", "female"): (5,), ("GTM", "male"): (20,)})
@example({("GTM", "female"): (5,), ("HND", "female"): (3,), ("MEX", "female"): (50,)})
def test_no_hidden_cell_can_be_had_by_subtraction(cells):
    out, _, _ = hidden(cells)
    found = solvable(published_equations(cells, 0), sorted(universe(cells)))
    assert not found & out


@given(tables)
def test_nothing_small_is_published_and_what_is_hidden_below_a_sum_is_not_small_together(cells):
    out_cells, out_sums, out_total = hidden(cells)
    assert not {key for key, (n,) in cells.items() if n < K} - out_cells
    sums = {label: sum(n for key, (n,) in cells.items() if key[1:] == label) for label in {key[1:] for key in cells}}
    for label, n in sums.items():
        assert label in out_sums or n >= K
        # Of countries there are more than these four: what the others have (0) is hidden with it.
        rest = sum(m for key, (m,) in cells.items() if key[1:] == label and key in out_cells)
        assert label in out_sums or rest >= K
    assert out_total or sum(sums[label] for label in out_sums) >= K


@given(pairs)
def test_numerator_and_denominator_are_hidden_together_and_neither_can_be_had(cells):
    out, _, _ = hidden(cells)
    for place in (0, 1):
        assert not solvable(published_equations(cells, place), sorted(universe(cells))) & out


@given(st.lists(st.integers(K, 60), min_size=len(MEMBERS), max_size=len(MEMBERS)))
def test_enough_people_in_every_country_hides_nothing(numbers):
    assert hidden({(code,): (n,) for code, n in zip(MEMBERS, numbers, strict=True)}) == (set(), set(), False)


@given(st.integers(K, 60), st.integers(K, 60))
def test_a_country_that_reported_nothing_and_one_that_reported_none_are_the_same(one, other):
    cells = {("GTM",): (one,), ("HND",): (other,)}
    silent, none = hidden(cells), hidden(cells | {("MEX",): (0,)})
    assert (silent[0], silent[1], silent[2]) == (none[0] - {("MEX",)}, none[1], none[2])


@given(st.integers(0, 500))
def test_what_is_published_is_a_multiple_of_the_base_and_0_below_k(n):
    (told,) = rounded((n,), Rule(k=11, base=11))
    assert told % 11 == 0
    assert (told == 0) is (n < 11)
    assert n < 11 or abs(told - n) <= 5


def test_added():
    assert added([(1, 2), (3, 4)]) == (4, 6)


def test_a_small_figure_is_told_from_nothing_by_nobody():
    few = [event("victims.service.provided", sex="female", age_band="adult", offence="tip", service="food")] * 3
    many = [
        event("victims.service.provided", "HND", sex="female", age_band="adult", offence="tip", service="food")
    ] * 30
    found = row(folded(*few, *many), "VA-4.1", exact=False)
    assert found.cells == []
    assert (found.headline.value, found.headline.suppressed) == (33, False)
    few_told = row(folded(*few), "VA-4.1", exact=False)
    assert (few_told.cells, few_told.headline.value, few_told.headline.suppressed) == ([], None, True)
    nothing = row(folded(), "VA-4.1", exact=False)
    assert (few_told.headline, few_told.verdict, few_told.coverage) == (
        nothing.headline,
        nothing.verdict,
        nothing.coverage,
    )
    assert values(row(folded(*few, *many), "VA-4.1"))["GTM", "food", "tip", "female", "adult"] == 3


served = st.lists(
    st.tuples(st.sampled_from(["GTM", "HND"]), st.sampled_from(["female", "male"]), st.integers(1, 28)), max_size=60
)


def published(fold, as_of="", span=None):
    """Every number that whoever has no token can see of the services, and of the referrals' waiting times."""
    numbers = {}
    for identity in ("VA-4.1", "IP-f", "VA-5.1b"):
        if span is None:
            found = row(fold, identity, as_of, exact=False)
        else:
            found = figures(PLAN, PLAN.rows[identity], fold.state, span, closed=QUARTERS[-1])
        assert not any(cell.suppressed for cell in found.cells)
        for cell in [*found.cells, *([found.headline] if found.headline else [])]:
            if not cell.suppressed:
                key = identity, cell.country, *cell.labels.values()
                numbers[*key, "first"] = cell.numerator if cell.denominator else cell.value
                numbers[*key, "second"] = cell.denominator or 0
        for histogram in found.histograms:
            numbers |= {(identity, histogram.country, le): n for le, n in histogram.buckets}
    return numbers


def assert_no_small_difference(one, other):
    for key in one.keys() & other.keys():
        assert abs(one[key] - other[key]) == 0 or abs(one[key] - other[key]) >= K, key


def histories(told):
    return [
        part
        for country, sex, day in told
        for part in (
            event("victims.service.provided", country, f"2004-03-{day:02}T10:00:00Z", sex=sex),
            event("victims.referral.accepted", country, f"2004-03-{day:02}T10:00:00Z", late=False, latency_s=day * 999),
        )
    ]


@settings(max_examples=40, deadline=None)
@given(served, served)
@example([("GTM", "female", 1)] * 15, [("GTM", "female", 2)])
def test_no_two_looks_differ_by_less_than_a_publishable_number(before, since):
    one, other = folded(*histories(before)), folded(*histories(before), *histories(since))
    assert_no_small_difference(published(one), published(other))


@settings(max_examples=40, deadline=None)
@given(served, st.integers(1, 28), st.integers(1, 28))
@example([("GTM", "female", 1)] * 15 + [("GTM", "female", 2)], 1, 2)
def test_no_two_days_differ_by_less_than_a_publishable_number(told, day, later):
    fold = folded(*histories(told))
    assert_no_small_difference(published(fold, f"2004-03-{day:02}"), published(fold, f"2004-03-{later:02}"))


@pytest.mark.parametrize(
    ("identity", "name", "field"),
    [
        ("VA-5.1b", "victims.referral.accepted", "latency_s"),
        ("VA-4.1.delay", "victims.service.provided", "first_delay_s"),
    ],
)
def test_how_long_it_took_with_one_victim_cannot_be_told_from_the_times_before_and_after(identity, name, field):
    late = {"late": False} if name.endswith("accepted") else {}
    many = [event(name, country, **{field: 7200}, **late) for country in MEMBERS for _ in range(15)]
    looks = [folded(*many), folded(*many, event(name, **{field: 999}, **late))]
    one, other = (row(fold, identity, exact=False) for fold in looks)
    assert one.histograms
    assert (one.cells, one.headline, one.histograms) == (other.cells, other.headline, other.histograms)
    assert row(looks[0], identity).histograms != row(looks[1], identity).histograms


def ratings(n, rating="bueno"):
    return [event("victims.evaluation.submitted", subject="repatriation", rating=rating, evaluator="victim")] * n


@pytest.mark.parametrize(("n", "rating", "mean"), [(13, "bueno", 3), (16, "excelente", 4), (17, "deficiente", 1)])
def test_a_published_mean_stays_within_its_scale_and_says_what_people_said(n, rating, mean):
    found = row(folded(*ratings(n, rating)), "VA-5.1", exact=False)
    assert (found.cells, found.headline.value) == ([], mean)


def test_what_one_victim_said_cannot_be_told_from_the_mean_before_and_after():
    looks = [folded(*ratings(13)), folded(*ratings(13), *ratings(1, "deficiente"))]
    one, other = (row(fold, "VA-5.1", exact=False) for fold in looks)
    assert one.headline.value == 3
    assert (one.cells, one.headline) == (other.cells, other.headline)


def records(n, country="GTM"):
    held = {
        "filled": [{"at": "2004-03-01T10:00:00Z", "by": 18}],
        "to_fill": [{"at": "2004-03-01T10:00:00Z", "by": 22}],
        "on_file": {"by": 1},
        "well_filled": None,
    }
    return [event("victims.victim.registered", country, **held)] * n


def test_a_few_victims_records_are_few_however_many_fields_they_have():
    fields = row(folded(*records(6), *records(14, "HND")), "VA-3.1b", exact=False)
    assert all(cell.suppressed for cell in fields.cells if cell.country != "REG")
    assert row(folded(*records(6)), "VA-3.1b", exact=False).headline.suppressed
    many = row(folded(*records(14)), "VA-3.1b", exact=False)
    assert (many.headline.numerator, many.headline.denominator) == (9, 11)


def harmed(*kinds):
    said = {"status": "SmuggledMigrantHarmed", "harm": list(kinds)}
    once = [{"country": place, "at": "2004-03-01T10:00:00Z", "said": said} for place in ("GTM", "REG")]
    return event("victims.victim.identified", **said, once=once)


def test_the_one_figure_of_persons_is_hidden_where_they_are_few_in_several_cells():
    few = row(folded(*[harmed("physical", "moral")] * 7), "VA-2.1.harm", exact=False)
    assert few.headline.suppressed
    enough = row(folded(*[harmed("physical", "moral")] * 14), "VA-2.1.harm", exact=False)
    assert enough.headline.value == 11
    assert {cell.country for cell in enough.cells} <= {"REG"}


QUARTERS = [date(2003, 12, 31), date(2004, 3, 31), date(2004, 6, 30), date(2004, 9, 30), date(2004, 12, 31)]
"""The last days of 2004's quarters, and the day before."""
WHOLE = [(one + timedelta(days=1), other) for one, other in pairwise(QUARTERS)]
WHOLE.append((date(2004, 1, 1), date(2004, 12, 31)))
any_day = st.integers(0, 365).map(lambda n: date(2004, 1, 1) + timedelta(days=n))
PLACES = [("GTM", "female"), ("GTM", "male"), ("HND", "female"), ("HND", "male")]
told_of = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(QUARTERS[1:]), st.sampled_from([0, 0, 60, 150])), max_size=60
)
"""(country and sex, the quarter of the service, how many days later it became known)"""


def late(told):
    return [
        event(
            "victims.service.provided",
            country,
            f"{day}T10:00:00Z",
            recorded=f"{day + timedelta(days=days)}T10:00:00Z",
            sex=sex,
        )
        for (country, sex), day, days in told
    ]


def spans():
    """Every time that the public may ask for, of those that `as_of` did not have before."""
    periods = [Span.of(*one) for one in WHOLE]
    yield from periods
    for known in QUARTERS[1:]:
        yield from (one.known_on(known) for one in periods if one.day <= known)
        yield from (Span.as_of(one).known_on(known) for one in QUARTERS[1:] if one <= known)


def seen_of(told):
    """All that is published of some reports, at every time that may be asked for."""
    fold = folded(*late(told))
    return [published(fold, span=span) for span in spans()]


@settings(max_examples=100, deadline=None)
@given(any_day, any_day, any_day)
def test_the_public_may_ask_for_no_time_but_whole_quarters_and_years(since, until, known):
    fold = folded(*late([(PLACES[0], QUARTERS[1], 0)] * 30))
    for span in (Span.of(since, until), Span.of(since, until).known_on(known), Span.as_of(until).known_on(known)):
        found = figures(PLAN, PLAN.rows["VA-4.1"], fold.state, span, closed=QUARTERS[-1])
        allowed = span.since is None or (since, until) in WHOLE
        allowed = allowed and (span.known is None or known == until)
        assert allowed or (found.refused and not found.cells and not found.headline and not found.reported), span
        assert not allowed or found.day in QUARTERS
        assert not figures(PLAN, PLAN.rows["VA-4.1"], fold.state, span, closed=None).refused


@pytest.mark.parametrize("kind", ["average", "score"])
def test_a_row_made_of_rows_gives_away_no_time_of_theirs(kind):
    made = msgspec.structs.replace(PLAN.rows["LE-1.R4"], id="XC-9", kind=kind, inputs={"VA-4.1": 1.0})
    plan = msgspec.structs.replace(PLAN, rows=dict(PLAN.rows) | {"XC-9": made})
    fold = folded(*late([(PLACES[0], QUARTERS[1], 0)] * 30))
    known = Span.as_of(date(2004, 6, 29)).known_on(date(2004, 6, 30))
    for span in (Span.of(date(2004, 1, 1), date(2004, 4, 1)), known):
        found = figures(plan, made, fold.state, span, closed=QUARTERS[-1])
        assert found.refused
        assert found.headline is None
    assert figures(plan, made, fold.state, known, closed=None).headline


@settings(max_examples=10, deadline=None)
@given(told_of, told_of)
@example([(PLACES[0], QUARTERS[1], 0)] * 15, [(PLACES[0], QUARTERS[1], 150)])
def test_no_two_looks_at_any_times_differ_by_less_than_a_publishable_number(before, since):
    """Two adjacent periods, one within the other, before and after one report, known sooner or later."""
    looks = [look for told in (before, before + since) for look in seen_of(told)]
    for one in looks:
        for other in looks:
            assert_no_small_difference(one, other)


@settings(max_examples=5, deadline=None)
@given(told_of)
@example([(PLACES[0], QUARTERS[1], 0)] * 20 + [(PLACES[2], QUARTERS[1], 0)] * 2 + [(PLACES[0], QUARTERS[2], 150)] * 3)
@example([(PLACES[0], QUARTERS[1], 0)] * 10 + [(PLACES[0], QUARTERS[2], 0)])
def test_what_is_hidden_at_some_time_could_be_another_number_by_all_that_is_published(told):
    """Whoever puts all quarters, the year, and all that was known together does not get at a hidden number.

    For each number that is hidden in a quarter there is another history, with another number there, of which all is
    published alike: with one report fewer, one more, or one that is another place's or another quarter's.
    """
    seen = seen_of(told)
    for quarter in QUARTERS[1:]:
        for places in (PLACES, *([place] for place in PLACES)):
            asked = [(place, quarter) for place in places]
            if 0 < number(told, asked) < K:
                others = (
                    other for other in one_otherwise(told, quarter) if number(other, asked) != number(told, asked)
                )
                assert any(seen_of(other) == seen for other in others), asked


def number(told, asked):
    return sum(one[:2] in asked for one in told)


def one_otherwise(told, quarter):
    """Histories in which one report is not there, is there twice, or is of another place, quarter or delay."""
    distinct = dict.fromkeys(told)
    for one in sorted(distinct, key=lambda one: one[1] != quarter):
        rest = [*told]
        rest.remove(one)
        yield rest
        yield [*told, one]
        yield from ([*rest, other] for other in product(PLACES, QUARTERS[1:], (0, 60, 150)) if other != one)


@settings(max_examples=20, deadline=None)
@given(told_of, told_of)
@example([(PLACES[0], QUARTERS[1], 0)] * 10, [(PLACES[0], QUARTERS[1], 60)])
@example([], [(PLACES[0], QUARTERS[1], 60)] * 40)
def test_nothing_that_is_recorded_later_moves_a_figure_of_a_period_that_is_over(before, since):
    whole, then = folded(*late(before + since)), date(2004, 6, 30)
    known = [one for one in late(before + since) if msgspec.json.decode(one)["recordedtime"][:10] <= str(then)]
    for span in (Span.as_of(then), Span.as_of(then + timedelta(days=40)), Span.of(date(2004, 4, 1), then)):
        told = published(whole, span=span) if span.day <= then or span.since else None
        assert told is None or told == published(folded(*known), span=span)
    assert row(whole, "VA-4.1", today="2004-08-09", exact=False) == row(
        folded(*known), "VA-4.1", today="2004-08-09", exact=False
    )
