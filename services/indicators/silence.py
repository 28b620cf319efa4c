"""Countries that fall silent, so that silence never looks like improvement (Plan row XC-6)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from services.indicators.plan import Plan
from services.indicators.state import State


class Turn(Struct, frozen=True):
    """A country fell silent, or reported again."""

    verb: Literal["silent", "resumed"]
    country: str
    last: datetime
    """The last report before the silence; of one that resumed, the first after it that is known."""
    at: datetime
    """When the silence began to count, or ended."""


def turns(plan: Plan, state: State, now: datetime, told: Mapping[str, str]) -> list[Turn]:
    """Return what has changed since what was `told` (country -> the verb last told).

    A country that never reported is not silent: it has yet to begin.
    """
    heard: dict[str, datetime] = {}
    for (country, _), at in state.heard.items():
        heard[country] = max(at, heard.get(country, at))
    found = []
    for country, last in sorted(heard.items()):
        over = last + timedelta(days=plan.silent_days)
        silent = over <= now
        if silent and told.get(country) != "silent":
            found.append(Turn("silent", country, last, over))
        elif not silent and told.get(country) == "silent":
            found.append(Turn("resumed", country, last, last))
    return found
