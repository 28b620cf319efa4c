"""Whether a row's target is met, is not met, or cannot be known: what nobody says never makes a verdict better.

- What counts as not done until it is reported (a number of countries, of acts, of a fixed measure) is not met without
  it. Only a country in the figure that fell silent could have taken something back: then `met` is withheld.
- Of everything else (shares, means, trends, and what is to be 0) the figure could be worse if all reported. So `met` is
  withheld while any member is silent or was never heard, and below the share of members that the plan asks for. A plan
  that asks for none withholds it only while one is silent.
- What cannot be mended by others is not met all the same: more than the most that there may be, less than the whole.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from operator import ge, gt, le, lt
from typing import Literal

import msgspec
from msgspec import Struct

from services.indicators.figures import kinds
from services.indicators.figures.kinds import Span
from services.indicators.folded.state import State
from services.indicators.planned import checks
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from shared.contracts.vocabulary import MEMBERS

Reason = Literal["", "no_data", "hidden", "parts", "silent", "coverage", "period"]
"""Why a verdict is not known; `hidden`: the figure is not published, `parts`: rows that it is made of are not known,
`period`: the target is a number to be reached in all, and not in a part of the time."""


class Doubt(Struct, frozen=True):
    """Why a figure cannot carry a verdict; no reason: it can."""

    reason: Reason = ""
    missing: list[str] = []
    """The countries that it is about."""


class Verdict(Struct, frozen=True):
    """What is said of a target."""

    met: bool | None
    """None: not known, or there is no target."""
    doubt: Doubt


NONE = Doubt()


MEETS: Mapping[str, Callable[[float, float], bool]] = {"at_least": ge, "at_most": le, "above": gt, "below": lt}
"""A direction -> whether a figure (first) meets a target (second)."""


def meets(row: Row, value: float | None) -> bool | None:
    """Say whether a figure meets the row's target; None: no target, or no figure."""
    if row.target is None or value is None:
        return None
    return MEETS[row.direction](value, row.target)


class Heard(Struct, frozen=True):
    """Whom the region has heard by a day, or in a period."""

    ever: set[str]
    silent: set[str]

    @classmethod
    def by(cls, plan: Plan, state: State, span: Span, *, public: bool) -> "Heard":
        """Return who had reported by the end of the span's day (in its period), and who had fallen silent by then.

        `public`: by reports about no person.
        """
        span = msgspec.structs.replace(span, public=public)
        return cls(kinds.reporting(plan, state, span), kinds.silent(plan, state, span))


Hearing = Callable[[Span], Heard]
"""Whom the region has heard by the end of a span, or in it."""


def hearing(plan: Plan, state: State, *, public: bool) -> Hearing:
    """Return `Heard.by` of a state; asked again of the same span, it gives what it found the first time."""
    return cache(partial(Heard.by, plan, state, public=public))


def doubt(plan: Plan, row: Row, heard: Heard, inside: set[str], reported: set[str]) -> Doubt:
    """Return why a figure cannot be trusted to be no better than the truth.

    `inside`: the countries that it has something of; `reported`: those that reported something for the row.
    """
    if any(term.event == ANY_REPORT for term in row.term):
        return NONE  # who reports is what it measures
    members = set(MEMBERS)
    closed = (_counts(row) and not _at_most(row)) or checks.regional(row)
    silent = heard.silent & (inside if closed else members)
    if silent:
        return Doubt("silent", sorted(silent))
    if closed:
        return NONE
    floor = plan.floor if row.floor is None else row.floor
    if not floor:
        return NONE  # the plan asks for nobody's report
    missing = members - heard.ever
    if not _counts(row) and len(reported & members) < floor * len(members):
        missing |= members - reported
    return Doubt("coverage", sorted(missing)) if missing else NONE


def verdict(row: Row, value: float | None, doubted: Doubt) -> Verdict:
    """Return what is said of a row's target by a figure, and of what makes it doubtful."""
    if value is None:
        return Verdict(None, Doubt("no_data", doubted.missing))
    met = meets(row, value)
    if doubted.reason == "period":
        return Verdict(None, doubted)
    if met is False and (_counts(row) or _whole(row)):
        return Verdict(met, NONE)
    return Verdict(None if doubted.reason else met, doubted)


def _counts(row: Row) -> bool:
    """Say whether its figure is a number, or a share of a fixed one: what is not reported is not in it."""
    return row.kind in {"count", "current", "countries", "distinct"} or bool(row.each or row.calendar)


def _at_most(row: Row) -> bool:
    return row.direction in {"at_most", "below"}


def _whole(row: Row) -> bool:
    """Say whether all of something is wanted: what lacks of it for some, others cannot make up for."""
    return row.target == 1.0 and row.kind in {"ratio", "latency"} and not _at_most(row)
