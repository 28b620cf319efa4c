"""A figure of any day has an answer: the first and the last day that there is, and those beside them."""

from datetime import date, timedelta

import pytest

from services.indicators.figures.disclosure import NOTHING_CLOSED
from services.indicators.figures.figures import EXACT, all_figures
from services.indicators.figures.kinds import Span
from tests.services.indicators.making import PLAN, event, folded

DAYS = [date.min, date.min + timedelta(days=1), date.min + timedelta(days=400), date.max - timedelta(days=1), date.max]
FOLD = folded(
    event("victims.victim.identified", "GTM", "2004-02-01T00:00:00Z"),
    event("intel.operation.executed", "GTM", "2004-03-01T00:00:00Z", joint=True),
)


@pytest.mark.parametrize("closed", [NOTHING_CLOSED, date(2004, 3, 31), date.max, EXACT], ids=str)
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_row_has_figures_of_any_day(day, closed):
    spans = [Span.now(day), Span.as_of(day), Span.as_of(date(2004, 3, 31)).known_on(day), Span.of(day, day)]
    spans += [Span.of(date.min, day), Span.of(day.replace(day=1), day)]
    for span in spans:
        assert len(all_figures(PLAN, FOLD.state, span, closed=closed)) == len(PLAN.rows)


def test_before_a_period_is_over_nothing_is_said_of_persons_and_the_rest_stands():
    """As at a start, until the streams are read to their end."""
    found = {
        one.row.id: one for one in all_figures(PLAN, FOLD.state, Span.now(date(2004, 6, 1)), closed=NOTHING_CLOSED)
    }
    assert found["PC-1a"].comparison is not None
    guarded = [one for one in found.values() if one.day == NOTHING_CLOSED]
    assert guarded
    assert all(one.comparison is None and not any(cell.value for cell in one.cells) for one in guarded)
