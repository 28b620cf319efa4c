"""Countries that fall silent, so that silence never looks like improvement (Plan row XC-6)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan


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


def _heard(found: Mapping[tuple[str, str], datetime]) -> dict[str, datetime]:
    """Return when each country was last heard, in the order of their names."""
    heard: dict[str, datetime] = {}
    for (country, _), at in sorted(found.items()):
        heard[country] = max(at, heard.get(country, at))
    return heard


def _over(plan: Plan, last: datetime) -> datetime:
    return last + timedelta(days=plan.silent_days)
