"""The attacker over two played years, and the control: each hole, opened on purpose, is found."""

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context

import pytest

from services.indicators.figures import disclosure, figures, milestones, suppression
from services.indicators.folded import fold
from services.indicators.publish import exposition, metrics
from tests.services.indicators.attacking import Attack, looked, together
from tests.services.indicators.looking import golden

BEGIN = datetime(2003, 5, 20, 12, tzinfo=UTC)
YEARS, LOOKS = 2, 200
PARTS = 2
HUNDREDS = 300
QUARTER = datetime(2003, 9, 26, 12, tzinfo=UTC)


def part_of(number: int) -> tuple[Attack, Attack]:
    """One of the parts of the looks, in a process of its own."""
    last = BEGIN + timedelta(days=365 * YEARS)
    return looked(golden(last), [BEGIN + each * (last - BEGIN) / (LOOKS - 1) for each in range(LOOKS)], number, PARTS)


def test_in_200_looks_over_two_years_no_claim_below_11_is_right_more_often_than_chance():
    with ProcessPoolExecutor(PARTS, get_context("spawn")) as processes:
        attack, control = together(processes.map(part_of, range(PARTS)))
    print(f"\npublic: {attack.told()}\nwith the rule off: {control.told()}")
    assert attack.looks == control.looks == LOOKS
    assert not attack.succeeds, attack.told()
    assert control.succeeds
    assert control.right >= HUNDREDS


def counters(patch):
    named = metrics.named
    patch.setattr(metrics, "named", lambda state, **_how: named(state, public=False))


def timestamps(patch):
    patch.setattr(fold, "about_person", lambda _event: False)


def milestone(patch):
    patch.setattr(milestones, "reached_by_persons", lambda _milestone: False)


def sequences(patch):
    whole = exposition.Exposition._whole

    def more(self):
        yield from whole(self)
        at = metrics.reached(self._state(), dict.fromkeys(self._state().sequences, 0))
        yield self._piece("at", at, lambda: metrics.positions(at))

    patch.setattr(exposition.Exposition, "_whole", more)


def live(patch):
    patch.setattr(figures, "disclosed", lambda _rule, span, _closed: span)


def by_the_day(patch):
    patch.setattr(disclosure, "_at_or_before", lambda _rule, day: day)


def any_period(patch):
    patch.setattr(disclosure, "_whole", lambda _rule, _since, _until: True)
    patch.setattr(suppression, "small", lambda _counts, _k=0: False)
    patch.setattr(suppression, "rounded", lambda counts, _rule=None: counts)


def small(patch):
    patch.setattr(suppression, "small", lambda _counts, _k=0: False)
    patch.setattr(suppression, "rounded", lambda counts, _rule=None: counts)


def existence(patch):
    """A hidden cell is listed, as soon as there is anything in it."""
    published = figures._published

    def listed(plan, row, state, span, heard):
        one = published(plan, row, state, span, heard)
        today = figures.msgspec.structs.replace(span, day=span.day, upto=None, known=None)
        every = figures._worked(plan, row, state, today, figures.Heard.by(plan, state, span, public=True), guarded=True)
        shown = {(cell.country, *cell.labels.values()) for cell in one.cells}
        more = [
            figures.Cell(cell.country, cell.labels, None, suppressed=True)
            for cell in every.cells
            if (cell.country, *cell.labels.values()) not in shown
        ]
        return figures.msgspec.structs.replace(one, cells=[*one.cells, *more])

    patch.setattr(figures, "_published", listed)
    patch.setattr(figures, "disclosed", lambda _rule, span, _closed: span)


def by_a_rows_flag(patch):
    patch.setattr(figures, "guarded", lambda plan: {name for name in plan.rows if name.startswith("VA-")})


def coverage(patch):
    """Who reported something is told, as it was before."""
    published = figures._published

    def told(plan, row, state, span, heard):
        now = figures.msgspec.structs.replace(span, upto=None, known=None)
        lately = figures.Heard.by(plan, state, now, public=True)
        share = figures._worked(plan, row, state, now, lately, guarded=True).coverage
        return figures.msgspec.structs.replace(published(plan, row, state, span, heard), coverage=share)

    patch.setattr(figures, "_published", told)
    patch.setattr(figures, "disclosed", lambda _rule, span, _closed: span)


def histograms(patch):
    worked = figures.histograms
    patch.setattr(figures, "histograms", lambda plan, row, state, span, _guard: worked(plan, row, state, span, None))


HOLES = [
    *(counters, timestamps, milestone, sequences, live, by_the_day, any_period, small),
    *(existence, by_a_rows_flag, coverage, histograms),
]


QUIET = [datetime(2003, 10, day, 12, tzinfo=UTC) for day in (2, 3)]
CLOSED = [date(2003, 7, 2) + timedelta(days=number) for number in range(89)]
"""Days of one quarter that is over in those looks: rounding hides so much that some days are not enough."""


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.__name__)
def test_a_hole_that_is_opened_on_purpose_is_found(hole, monkeypatch):
    hole(monkeypatch)
    days = [(5, 13), (5, 14), (5, 15), (5, 16), *((7, day) for day in range(1, 12))]
    firsts = [datetime(2003, month, day, 12, tzinfo=UTC) for month, day in days]
    times = firsts if hole is milestone else [QUARTER + timedelta(days=number) for number in range(12)]
    if hole is by_the_day:
        attack, _ = looked(golden(QUIET[-1]), QUIET, asked=CLOSED)
    else:
        attack, _ = looked(golden(times[-1]), times)
    print(attack.told())
    assert attack.succeeds, attack.told()


def test_nothing_is_told_by_the_day_of_a_quarter_that_is_over():
    """The control of `by_the_day`: with the rule, all its days are alike."""
    attack, _ = looked(golden(QUIET[-1]), QUIET, asked=CLOSED)
    assert not [one for one in attack.claims if one.what[0] == "day"]
    assert not attack.succeeds, attack.told()
