"""On what each row rests: the event types that feed it, the day, and the rows that it is made of."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from services.indicators.folded.accounts import Account, accounts_of
from services.indicators.folded.steps import SETTLED
from services.indicators.planned import fields
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from services.indicators.planned.schedule import Milestone
from shared.contracts import registry

Names = frozenset[str]


class Rests(Struct, frozen=True):
    """What has to be worked out again when something has changed."""

    by_event: Mapping[str, Names]
    """Event type (`service.entity.verb`; `*`: any) -> the rows that it feeds, itself or as what it counts."""
    by_day: Names
    """The rows whose figure may change with the day alone."""
    made_of: Mapping[str, Names]
    """Row -> the rows that are made of it."""
    due: Names
    """The event types on which the milestones rest: when each is due, and when it was reached."""


@lru_cache(maxsize=16)
def rests(plan: Plan) -> Rests:
    """Return on what the rows of a plan rest."""
    fed: dict[str, set[str]] = {}
    made: dict[str, set[str]] = {}
    for row in plan.rows.values():
        if row.kind in COMPOSED:
            for part in parts(plan, row):
                made.setdefault(part, set()).add(row.id)
        else:
            for event in _events(plan, row):
                fed.setdefault(event, set()).add(row.id)
    dated = frozenset(row.id for row in plan.rows.values() if _dated(plan, row))
    return Rests(
        _frozen(fed), dated, _frozen(made), frozenset(SETTLED).union(*map(_completing, plan.milestones.values()))
    )


def parts(plan: Plan, row: Row) -> Iterator[str]:
    """Yield the rows that a row is made of; of an area those with a target that are not made of rows themselves."""
    for name in row.inputs:
        yield from [name] if name in plan.rows else targets(plan, name)


@lru_cache(maxsize=256)
def targets(plan: Plan, area: str) -> Sequence[str]:
    """Return the rows of an area that have a target, without those made of other rows."""
    return tuple(
        row.id
        for row in plan.rows.values()
        if row.id.startswith(f"{area}-") and row.target is not None and row.kind not in COMPOSED
    )


def _events(plan: Plan, row: Row) -> set[str]:
    found = {term.event for term in row.term}
    for (name, _), sources in accounts_of(plan).sources.items():
        if name == row.id:
            found |= {event for source in sources for event in _feeding(source.account)}
    if row.kind == "trend" or row.calendar:
        found |= {*SETTLED}
    if row.calendar:
        found |= _completing(plan.milestones[row.calendar])
    return found | (_events(plan, plan.rows[row.people]) if row.people else set())


def _feeding(account: Account) -> set[str]:
    """Return the types that are added up in an account: its own, and those that say a part of it (`Once`)."""
    if not account.once:
        return {account.event}
    names = {agreed.name for agreed in registry().values()}
    return {
        name
        for name in names
        if account.once in fields.onces(name) and account.event in fields.counted_as(name, account.once)
    }


def _completing(milestone: Milestone) -> set[str]:
    return {done.event for done in milestone.done} | ({milestone.after.event} if milestone.after else set())


def _dated(plan: Plan, row: Row) -> bool:
    agreed = accounts_of(plan)
    roles = [role for name, role in agreed.sources if name == row.id]
    return (
        bool(row.window_days or row.period or row.calendar)
        or row.kind == "age"
        or any(term.role in {"since", "until"} or term.event == ANY_REPORT for term in row.term)
        or any(agreed.ahead(row, role) for role in roles)
        or (bool(row.people) and _dated(plan, plan.rows[row.people]))
    )


def _frozen(found: Mapping[str, set[str]]) -> dict[str, Names]:
    return {name: frozenset(rows) for name, rows in found.items()}
