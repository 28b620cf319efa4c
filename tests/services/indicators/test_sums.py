"""What a cell has between two days is the sum of these days, whenever it is asked for and whatever came in between."""

from hypothesis import given
from hypothesis import strategies as st

from services.indicators.folded.accounts import Account, Source
from services.indicators.folded.sums import Cell, Sums
from services.indicators.folded.views import View

DAYS = st.integers(1, 12)
ADDED = st.tuples(st.just("add"), DAYS, st.integers(-2, 2))
ASKED = st.tuples(st.just("ask"), st.integers(0, 13), st.integers(0, 13))


@given(st.lists(ADDED | ASKED))
def test_running_totals_are_those_of_the_days(steps):
    cell, days = Cell(), {}
    for what, one, other in [*steps, ("ask", 0, 12)]:
        if what == "add":
            cell.add(one, other)
            days[one] = days.get(one, 0) + other
        else:
            assert cell.between(one, other) == sum(n for day, n in days.items() if one < day <= other)
            assert cell.within(one, other) == sorted(day for day in days if one < day <= other)


@given(st.lists(st.tuples(st.sampled_from("ab"), DAYS, st.integers(-2, 2))), st.integers(0, 13), st.integers(0, 13))
def test_a_view_has_a_cell_where_there_is_anything_on_any_day(added, after, until):
    """Two sources into one cell, one of them taken off: what cancels on a day is nothing, what differs by day is 0."""
    sums = {name: Sums() for name in "ab"}
    days = {}
    for name, day, amount in added:
        sums[name][("GTM",)].add(day, amount)
        days[day] = days.get(day, 0) + (amount if name == "a" else -amount)
    account = Account("intel.modality.reported")
    view = View([Source(account, "a", 1, (), ()), Source(account, "b", -1, (), ())]).over(sums)
    within = [n for day, n in days.items() if after < day <= until]
    assert [*view.between(after, until)] == ([(("GTM",), sum(within))] if any(within) else [])
    assert [*view.upto(None)] == ([(("GTM",), sum(days.values()))] if any(days.values()) else [])
