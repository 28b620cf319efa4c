"""The degree to which each objective is met, counted by hand from a few events."""

from services.indicators.figures.figures import all_figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.objectives import Degree, degrees, rows_of
from tests.services.indicators.making import PLAN, event, folded, instant

COUNTRIES = ("BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA")
POINTS = [event("intel.contactpoint.designated", country) for country in COUNTRIES]


def found(*payloads: bytes, today: str = "2004-03-15"):
    fold = folded(*payloads)
    day = Span.now(instant(today).date())
    return degrees(PLAN, all_figures(PLAN, fold.state, day, closed=None))


def test_rows_below_are_those_of_every_level_with_their_further_figures():
    assert rows_of(PLAN, "IE-A1.2.2") == ["IE-1.2.2", "IE-1.2.2.vacant", "IE-1.2.2.vacancy"]
    assert rows_of(PLAN, "IE-R1.3") == ["IE-1.3", "IE-1.3.sessions"]
    assert set(rows_of(PLAN, "IE-A1.2.2")) < set(rows_of(PLAN, "IE-R1.2")) < set(rows_of(PLAN, "IE-O1"))
    assert {row for area in PLAN.areas for row in rows_of(PLAN, area.id)} == set(PLAN.rows)


def test_the_degree_counts_targets_met_not_met_and_not_known():
    """Eleven of eleven contact points are named, none is vacant: both targets of the activity are met."""
    assert found(*POINTS)["IE-A1.2.2"] == Degree(met=2)
    assert found(*POINTS[:10])["IE-A1.2.2"].not_met == 1
    assert found()["IE-A1.2.2"] == Degree(not_known=2)


def test_who_falls_silent_improves_no_degree():
    """Nobody reports for 60 days: what was met is not known."""
    assert found(*POINTS, today="2004-04-30")["IE-A1.2.2"] == Degree(not_known=2)


def test_a_row_without_a_target_says_nothing_of_the_degree():
    """`IE-1.2b` and `IE-1.2c` have no numeric target; the further figures of `IE-1.2c` are nobody's row."""
    below = {one: PLAN.rows[one] for one in rows_of(PLAN, "IE-R1.2")}
    degree = found()["IE-R1.2"]
    assert degree.targets == sum(row.target is not None for row in below.values())
    assert degree.no_target == sum(row.target is None and not row.belongs for row in below.values())


def test_an_area_counts_no_row_twice_that_repeats_another():
    """Result 2.2 of legislation has the words and figure of result 1.2; the area has that target once."""
    degree = found()
    assert degree["LE-R1.2"].targets == degree["LE-R2.2"].targets == 1
    targets = [row.id for row in PLAN.rows.values() if row.id.startswith("LE-") and row.target is not None]
    assert degree["LE"].targets == len(targets) - 1
