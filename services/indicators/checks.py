"""What can be wrong with a row of the plan, in words: unknown types, fields, labels, values, impossible kinds."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from services.indicators import fields
from shared.contracts import Contract, registry
from shared.contracts.vocabulary import MEMBERS, REGION

if TYPE_CHECKING:
    from services.indicators.plan import Area, Milestone, Row, Term

ANY_REPORT = "*"
ROLES = {
    "count": {"value"},
    "current": {"value"},
    "trend": {"value"},
    "countries": {"value"},
    "mean": {"value"},
    "ratio": {"numerator", "denominator"},
    "latency": {"value", "numerator", "denominator"},
}
"""The roles that a kind's terms have, each at least once."""


def contracts_named(event: str) -> list[Contract]:
    """Return the contracts of an event name, one per version."""
    return [agreed for agreed in registry().values() if agreed.name == event]


def row_faults(row: "Row", areas: "Iterable[Area]") -> Iterator[str]:
    """Yield everything wrong with an indicator row."""
    if row.id.partition("-")[0] not in {area.id for area in areas}:
        yield "its id starts with no known area"
    if {term.role for term in row.term} != ROLES[row.kind]:
        yield f"kind {row.kind} needs terms with role {' and '.join(sorted(ROLES[row.kind]))}, and no others"
    if (row.kind == "trend") and not row.window_days:
        yield "kind trend needs window_days"
    if (row.kind == "latency") != bool(row.buckets_s) or sorted(set(row.buckets_s)) != row.buckets_s:
        yield "buckets_s must be rising numbers of seconds, for kind latency and no other"
    if row.window_days is not None and row.window_days <= 0:
        yield "window_days must be above 0"
    yield from _summary_faults(row)
    for number, term in enumerate(row.term, 1):
        yield from (f"term {number}: {reason}" for reason in _term_faults(row, term))


def _summary_faults(row: "Row") -> Iterator[str]:
    for name in row.headline:
        if name not in row.labels:
            yield f"headline names {name!r}, which is not a label of the row"
    if row.headline and row.privacy == "victims":
        yield "a row about victims has no headline of a part: it could give hidden numbers away"
    for name in row.known.keys() - row.labels.keys():
        yield f"known names {name!r}, which is not a label of the row"
    if row.every and (row.kind != "countries" or len(row.labels) != 1):
        yield "every is for kind countries with one label"


def _term_faults(row: "Row", term: "Term") -> Iterator[str]:
    named = contracts_named(term.event)
    if term.event == ANY_REPORT:
        if row.labels or term.where or term.labels or term.country or term.last or term.add != 1:
            yield "`*` stands for every type, so it can use no field"
        return
    if not named:
        yield f"unknown event type {term.event!r}"
    for name in term.labels.keys() - row.labels.keys():
        yield f"label {name!r} is not a label of the row"
    for agreed in named:
        yield from _where_faults(agreed, term.where)
        for name, path in labels_of(row, term).items():
            yield from _label_faults(agreed, name, path, open_to=name in row.known)
        if term.country:
            yield from _country_faults(agreed, term.country)
        for amount in (term.add, term.last):
            if isinstance(amount, str) and amount:
                yield from _amount_faults(row, agreed, amount)


def labels_of(row: "Row", term: "Term") -> dict[str, str]:
    """Return the row's labels in the row's order, each with the path that this term reads."""
    return {name: term.labels.get(name, path) for name, path in row.labels.items()}


def _label_faults(agreed: Contract, name: str, path: str, *, open_to: bool = False) -> Iterator[str]:
    if path.startswith("="):
        return
    try:
        found = fields.type_at(agreed, path)
    except LookupError as error:
        yield f"label {name!r}: {error}"
        return
    if not open_to and not fields.closed_values(found):
        yield f"label {name!r}: {agreed.name} field {path!r} has no closed list of values"


def _country_faults(agreed: Contract, path: str) -> Iterator[str]:
    try:
        values = fields.closed_values(fields.type_at(agreed, path))
    except LookupError as error:
        yield f"country: {error}"
        return
    if not values or not set(values) <= {*MEMBERS, REGION}:
        yield f"country: {agreed.name} field {path!r} does not hold a member country"


def _amount_faults(row: "Row", agreed: Contract, path: str) -> Iterator[str]:
    try:
        found = fields.type_at(agreed, path)
    except LookupError as error:
        yield str(error)
        return
    if fields.is_change(found):
        if row.kind == "mean" or row.clock != "time":
            yield f"{agreed.name} field {path!r} tells a change at its time: not for means, nor by recordedtime"
    elif not fields.is_whole_number(found):
        yield f"{agreed.name} field {path!r} is not a whole number"


def _where_faults(agreed: Contract, where: dict[str, Any]) -> Iterator[str]:
    for path, wanted in where.items():
        try:
            known = fields.closed_values(fields.type_at(agreed, path))
        except LookupError as error:
            yield f"where: {error}"
            continue
        wanted_values = getattr(wanted, "unless", wanted)
        for value in wanted_values if isinstance(wanted_values, list) else [wanted_values]:
            if known and value not in known:
                yield f"where: {agreed.name} field {path!r} never has the value {value!r}"


def milestone_faults(milestone: "Milestone") -> Iterator[str]:
    """Yield everything wrong with a milestone."""
    if sum(given is not None for given in (milestone.due, milestone.after, milestone.recurring)) > 1:
        yield "has more than one of due, after, recurring"
    if milestone.after and not contracts_named(milestone.after.event):
        yield f"after: unknown event type {milestone.after.event!r}"
    if milestone.recurring and milestone.recurring.first > milestone.recurring.last:
        yield "recurring: first comes after last"
    if milestone.needed < 1:
        yield "needed must be 1 or more"
    for done in milestone.done:
        named = contracts_named(done.event)
        if not named:
            yield f"done: unknown event type {done.event!r}"
        for agreed in named:
            yield from (f"done: {reason}" for reason in _where_faults(agreed, done.where))
            if done.distinct:
                yield from (f"done: {reason}" for reason in _label_faults(agreed, "distinct", done.distinct))
