"""What the figures would be if a country had said nothing from a day on."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec
from msgspec import Struct

from services.indicators.figures.figures import Figures, all_figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import COUNTRY_SOURCE, Fold
from services.indicators.planned.plan import Plan


class Known(Struct, frozen=True):
    """As much of a recorded event as tells whose it is, and of what it is a consequence."""

    id: str
    source: str
    recordedtime: datetime
    causationid: str = ""


Logs = Mapping[str, list[bytes]]
"""Service -> its recorded events, in order."""


def without(logs: Logs, country: str, since: date) -> dict[str, list[bytes]]:
    """Return the logs without what a country reported from a day on, and without what followed from that."""
    known = {payload: msgspec.json.decode(payload, type=Known) for log in logs.values() for payload in log}
    gone = {
        one.id
        for one in known.values()
        if one.source.startswith(f"{COUNTRY_SOURCE}{country}") and one.recordedtime.date() >= since
    }
    while more := {one.id for one in known.values() if one.causationid in gone} - gone:
        gone |= more
    return {name: [payload for payload in log if known[payload].id not in gone] for name, log in logs.items()}


def shown(plan: Plan, logs: Logs, day: date) -> dict[str, Figures]:
    """Return every row's figures as of a day."""
    fold = Fold(plan)
    for service, log in logs.items():
        for sequence, payload in enumerate(log, 1):
            fold.take(service, sequence, payload)
    return {one.row.id: one for one in all_figures(plan, fold.state, Span.as_of(day), closed=None)}


def improved(plan: Plan, logs: Logs, day: date, silences: Iterable[tuple[str, date]]) -> list[tuple[str, str, date]]:
    """Return (row, country, since) where silence turns "not met" into "met"."""
    before, found = shown(plan, logs, day), []
    for country, since in silences:
        after = shown(plan, without(logs, country, since), day)
        found += [(row, country, since) for row, one in before.items() if one.met is False and after[row].met]
    return found
