"""The figures as they stood at the end of a day that is over, kept: today's are compared with them."""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from services.indicators.figures.figures import Figures
from services.indicators.figures.kept import Closed, Kept
from services.indicators.figures.kinds import Span
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan

AGE_S = 60.0
"""So old the figures may be: what is reported late, or corrected, shows then."""


class Past:
    """Every row's figures as of the end of a day; as the public has them, unless `closed` gives `EXACT`."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it rests on
        self,
        plan: Plan,
        state: Callable[[], State],
        now: Callable[[], datetime],
        closed: Closed,
        settled: Callable[[], bool],
        since: Callable[[date], date],
    ) -> None:
        """`since`: today -> the day."""
        self._plan = plan
        self._state = state
        self._now = now
        self._closed = closed
        self._settled = settled
        self._since = since
        self._whole = True
        self._day = date.min
        self._kept: Kept | None = None
        self._figures: Mapping[str, Figures] = {}
        self._worked = -AGE_S

    async def fresh(self) -> Mapping[str, Figures]:
        """Return each row's figures; they are at most `AGE_S` old.

        Those of a fold that was still on its way are made anew once it has come to the end: all else since would show
        as a change.
        """
        day, now, settled = self._since(self._now().date()), time.monotonic(), self._settled()
        if day != self._day or self._kept is None:
            span = Span.as_of(day)
            self._day, self._kept = day, Kept(self._plan, self._state, lambda: span, self._closed)
        elif now - self._worked < AGE_S and (self._whole or not settled):
            return self._figures
        kept = self._kept
        found = await kept.fresh()
        if kept is self._kept:
            self._figures, self._worked, self._whole = found, now, settled
        return found


def last_quarter_end(day: date) -> date:
    """Return the last day of the quarter before that of a day."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1) - timedelta(days=1)


def week_ago(day: date) -> date:
    """Return the day a week before a day."""
    return day - timedelta(days=7)
