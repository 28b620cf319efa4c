"""The rule of what the public may know of persons: which rows it is for, and of which times there are figures.

Whoever may look on any two days finds out by the difference what happened between them: a figure appears, or goes up.
So of what is about persons the public has figures of periods that are over (`Rule.period`), as they were known at their
end, and for ever the same: nothing that is reported, corrected or taken back later moves them. It shows in the next
ones. All else that one report about a person could move, the public has not: see `docs/security.md`.
"""

from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Literal

import msgspec

from services.indicators.figures.kinds import Span
from services.indicators.figures.periods import ago, whole_months
from services.indicators.planned.persons import Rule, reached_by_persons, row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row

Refusal = Literal["", "no_period", "victims_period", "victims_known_on"]
"""Why there is no figure; empty: there is one.

`no_period`: it says how far something has come since the beginning. Of persons (`victims_` is an older name of these),
`victims_period`: what may be asked for is a whole period that is over, or a year. `victims_known_on`: a period's figure
is as known at its end, and no other is told.
"""
ALL_HIDDEN = ("countries", "distinct", "age")
"""Kinds that say whether there is any, or since when: of persons that is never told."""
MONTHS = {"month": 1, "quarter": 3, "year": 12}
NOTHING_CLOSED = date.min
"""As the end of the last period: none is over yet."""


@lru_cache(maxsize=16)
def guarded(plan: Plan) -> frozenset[str]:
    """Return the rows of a plan to which the rule applies; those made of other rows are made of what is published."""
    found = {row.id for row in plan.rows.values() if row_about_persons(row)}
    by_calendar = {row.id for row in plan.rows.values() if row.calendar}
    return frozenset(
        found | {name for name in by_calendar if reached_by_persons(plan.milestones[plan.rows[name].calendar])}
    )


def last_closed(rule: Rule, day: date) -> date:
    """Return the last day of the last period that is over at the beginning of a day."""
    months = MONTHS[rule.period]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return ago(first, 1)


def period_end(rule: Rule, day: date) -> date:
    """Return the last day of the period in which a day lies."""
    months = MONTHS[rule.period]
    last = (day.month - 1) // months * months + months
    return date(day.year, last, monthrange(day.year, last)[1])


def refusal(row: Row, span: Span) -> Refusal:
    """Return why a row has no figure of a span, whoever asks."""
    return "no_period" if row.kind == "score" and span.since is not None else ""


def disclosed(rule: Rule, span: Span, closed: date) -> Span | Refusal:
    """Return the span of which the public has figures about persons, when another is asked for; or why there is none.

    `closed`: the end of the last period that is over. Of a day, it is the last period that is over then.
    """
    day = min(span.day, closed)
    if span.since is None:
        if span.known is not None and span.known != span.day.toordinal():
            return "victims_known_on"
        last = _at_or_before(rule, day)
        return msgspec.structs.replace(span, day=last, upto=last.toordinal(), known=last.toordinal())
    if day != span.day or not _whole(rule, date.fromordinal(span.since), span.day):
        return "victims_period"
    end = span.day.toordinal()
    return msgspec.structs.replace(span, known=end) if span.known in {None, end} else "victims_known_on"


def _at_or_before(rule: Rule, day: date) -> date:
    return day if period_end(rule, day) == day else last_closed(rule, day)


def _whole(rule: Rule, since: date, until: date) -> bool:
    """Say whether it is one calendar period of the rule, or one year."""
    lengths = {MONTHS[rule.period], MONTHS["year"]}
    months = 12 * (until.year - since.year) + until.month - since.month + 1
    return whole_months(since, until) and months in lengths and (since.month - 1) % months == 0
