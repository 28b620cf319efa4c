"""What a row's figure is of a period: what came in it, or what stood at its end.

What comes is counted in the period: reports, acts, persons. What stands was there before and can end: a level that is
declared, a thing that is open. Of that a period has no number of its own, only the one at its end.
"""

from calendar import monthrange
from datetime import date
from functools import cache

from msgspec import Struct

from services.indicators.planned.rows import Row
from shared.contracts import registry
from shared.contracts.tallies import Both, Level, Once, Tally


class Comparison(Struct, frozen=True):
    """What a trend compares: the two periods, first and last days included."""

    since: date
    until: date
    baseline_since: date
    baseline_until: date

    @property
    def factor(self) -> float:
        """What makes up for periods of different length."""
        return ((self.baseline_until - self.baseline_since).days + 1) / ((self.until - self.since).days + 1)


COMING = ("count", "mean", "difference", "latency", "trend")
"""Kinds that count what comes, whatever it is."""


def stands(row: Row, role: str) -> bool:
    """Say whether what a role of the row counts is taken at a period's end, and not in the period."""
    if row.kind == "current" or measured(row):
        return True
    if row.kind in COMING:
        return False
    if row.kind == "countries":
        return not row.window_days
    terms = [term for term in row.term if term.role == role]
    return any(
        term.last or (isinstance(term.add, int) and term.add < 0) or _ends(term.event, str(term.add), term.once)
        for term in terms
    )


def measured(row: Row) -> bool:
    """Say whether a row is measured against a fixed number: of that a period has no share of its own."""
    return bool(row.each or row.of)


def comparable(row: Row) -> bool:
    """Say whether a period's own figure can be held against the row's target: not a number to be reached in all."""
    return row.kind != "count" or row.direction in {"at_most", "below"}


def before(since: date, until: date) -> date:
    """Return the first day of the period before one: of as many months, if it is whole months, else as many days."""
    if not whole_months(since, until):
        return ago(since, (until - since).days + 1)
    months = 12 * (until.year - since.year) + until.month - since.month + 1
    first = max(12 * since.year + since.month - 1 - months, 12)
    return date(first // 12, first % 12 + 1, 1)


def ago(day: date, days: int) -> date:
    """Return the day so many days before one, or the first that there is: at a start no period is over yet."""
    return date.fromordinal(max(day.toordinal() - days, 1))


def whole_months(since: date, until: date) -> bool:
    """Say whether a period is whole calendar months."""
    return since.day == 1 and until.day == monthrange(until.year, until.month)[1]


@cache
def _ends(event: str, field: str, once: str) -> bool:
    """Say whether what a field tells of can end, or is a level."""
    agreed = [one for one in registry().values() if one.name == event]
    told = [one for each in agreed for one in each.tallies if isinstance(one, Tally | Level | Both | Once)]
    return any(
        (isinstance(one, Once) and one.field == once and one.what in _ending())
        or (isinstance(one, Tally) and field in {one.field, one.shifts} - {""} and one.what in _ending())
        or (isinstance(one, Level | Both) and one.shifts == field)
        for one in told
    )


@cache
def _ending() -> frozenset[str]:
    """Return the kinds of things that some act ends."""
    told = [one for agreed in registry().values() for one in agreed.tallies if isinstance(one, Tally | Once)]
    return frozenset(one.what for one in told if one.opens is False or getattr(one.opens, "others_close", False))
