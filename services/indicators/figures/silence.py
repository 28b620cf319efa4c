"""Countries that fall silent, so that silence never looks like improvement (Plan row XC-6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from services.indicators.figures.kinds import view
from services.indicators.folded.state import REPORTS, State
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import end_of


class Turn(Struct, frozen=True):
    """A country fell silent, or reported again."""

    verb: Literal["silent", "resumed"]
    country: str
    last: datetime
    """The last report before the silence; of one that resumed, the first after it that is known."""
    at: datetime
    """When the silence began to count, or ended."""


def silent(plan: Plan, state: State, now: datetime, *, public: bool) -> dict[str, bool]:
    """Return for each country that was ever heard whether it is silent now, by the plan's clock and its number of days.

    A country that never reported is not silent: it has yet to begin. `public`: by reports about no person.
    """
    heard = _heard(state.heard_openly if public else state.heard)
    return {country: _over(plan, last) <= now for country, last in heard.items()}


def turns(plan: Plan, state: State, now: datetime, told: Mapping[str, str]) -> list[Turn]:
    """Return what has changed since what was `told` (country -> the verb last told)."""
    heard = _heard(state.heard)
    found = []
    for country, is_silent in silent(plan, state, now, public=False).items():
        last = heard[country]
        if is_silent and told.get(country) != "silent":
            found.append(Turn("silent", country, last, _over(plan, last)))
        elif not is_silent and told.get(country) == "silent":
            found.append(Turn("resumed", country, last, last))
    return found


@dataclass(slots=True)
class Past:
    """The silences that were over before anybody looked: the service was away, or the clock ran fast."""

    told: set[tuple[str, date]]
    """(country, day of its last report before) of each silence that was told."""
    _seen: dict[str, int] = field(default_factory=dict)
    """Country -> the last day (an ordinal) on which it reported, of those looked at."""

    def untold(self, plan: Plan, state: State, settled: datetime) -> Iterator[tuple[Turn, Turn]]:
        """Yield the beginning and the end of each that is to be told, as long as it lasted by its whole days.

        Only days before that of `settled`: on those nothing more is recorded.
        """
        for (country, *_), parts in view(plan, REPORTS, "value", state).cells.items():
            since = self._seen.get(country, 0)
            days = sorted({day for cell, _ in parts for day in cell.within(since - 1, settled.toordinal() - 1)})
            for last, following in pairwise(days):
                gone = date.fromordinal(last)
                if following - last > plan.silent_days and (country, gone) not in self.told:
                    at, back = _over(plan, end_of(gone)), datetime.combine(date.fromordinal(following), time.min, UTC)
                    yield Turn("silent", country, end_of(gone), at), Turn("resumed", country, back, back)
                self._seen[country] = following


def _heard(found: Mapping[tuple[str, str], datetime]) -> dict[str, datetime]:
    """Return when each country was last heard, in the order of their names."""
    heard: dict[str, datetime] = {}
    for (country, _), at in sorted(found.items()):
        heard[country] = max(at, heard.get(country, at))
    return heard


def _over(plan: Plan, last: datetime) -> datetime:
    return last + timedelta(days=plan.silent_days)
