"""Which times a row's figure may be asked for: where it says nothing, or would give away single victims, and why.

Whoever may choose any days as the ends of a period finds out by two periods that differ in one day what happened on it:
the figure appears, or goes up. So of what is about victims the public has whole quarters and years that are over, and
what was known at the end of a quarter. These are coarse, and each is guarded by itself: small cells are hidden, and the
others are multiples of the least publishable number.
"""

from datetime import date, timedelta
from typing import Literal

from services.indicators.figures.kinds import Span
from services.indicators.planned.rows import Row
from services.indicators.planned.schedule import quarter, quarter_end

Refusal = Literal["", "no_period", "victims_period", "victims_known_on"]
"""Why there is no figure; empty: there is one.

`no_period`: it says how far something has come since the beginning. `victims_period`: what may be asked for is a
quarter or year that is over. `victims_known_on`: what may be is the last day of a quarter.
"""


def refusal(row: Row, span: Span, *, exact: bool) -> Refusal:
    """Return why a row has no figure of a span for who may (`exact`) or may not see exact figures."""
    if row.kind == "score" and span.since is not None:
        return "no_period"
    return "" if exact or row.privacy != "victims" else _victims(span)


def _victims(span: Span) -> Refusal:
    if span.since is not None and not _whole(date.fromordinal(span.since), span.day):
        return "victims_period"
    if span.known is not None and not (_closes(date.fromordinal(span.known)) and _closes(span.day)):
        return "victims_known_on"
    return ""


def _closes(day: date) -> bool:
    return day == quarter_end(quarter(day))


def _whole(since: date, until: date) -> bool:
    """Say whether it is one calendar quarter or year."""
    if not (_closes(until) and (since == date.min or _closes(since - timedelta(days=1)))):
        return False
    return quarter(since) == quarter(until) or (since.year == until.year and since.month + 11 == until.month)
