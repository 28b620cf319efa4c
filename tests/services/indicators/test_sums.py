"""What a cell has between two days is the sum of these days, whenever it is asked for and whatever came in between."""

import json

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
            there = [n for day, n in days.items() if one < day <= other and n]
            assert cell.between(one, other) == (sum(there) if there else None)
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


def test_what_came_to_nothing_is_read_as_it_was_known_after_a_restart():
    """Told late and taken back later: the day is left out of what is kept, what was known of it on a day is not."""
    told = Sums()
    told[("GTM",)].add(100, 1, recorded=105)
    told[("GTM",)].add(100, -1, recorded=120)
    told[("GTM",)].add(101, 3)
    told[("HND",)].add(100, 1, recorded=105)
    told[("HND",)].add(100, -1, recorded=120)
    loaded = Sums.load(json.loads(told.dump()))
    for known in (99, 104, 105, 119, 120, None):
        was, now = ({day: n for day, n in one[("GTM",)].by_day(known).items() if n} for one in (told, loaded))
        assert now == was, known
        # The cell's days are known by no other now: what is summed up is the same all the same.
        assert loaded[("HND",)].between(0, 200, known) == told[("HND",)].between(0, 200, known), known
    assert loaded[("GTM",)].by_day(110)[100] == loaded[("HND",)].between(0, 200, 110) == 1
