"""What can be wrong with a row of the plan, in words: unknown types, fields, labels, values, impossible kinds."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from services.indicators.planned import fields
from services.indicators.planned.delays import ENVELOPE
from services.indicators.planned.persons import row_about_persons
from services.indicators.planned.rows import ANY_REPORT, Area, Row, Term
from services.indicators.planned.schedule import Done, Milestone
from shared.contracts import Contract, identity, registry
from shared.contracts.tallies import Tallied
from shared.contracts.vocabulary import MEMBERS, REGION, SEATS

OWN = "indicators"
"""The service that knows of itself what was published, missed and fell silent."""
ROLES = {
    "count": {"value"},
    "current": {"value"},
    "trend": {"value"},
    "countries": {"value"},
    "mean": {"value"},
    "difference": {"value", "baseline"},
    "ratio": {"numerator", "denominator"},
    "share": {"value"},
    "distinct": {"value"},
    "age": {"value"},
    "latency": {"value"},
    "score": set(),
    "average": set(),
}
"""The roles that a kind's terms have, each at least once."""
PERIODS = {"since", "until"}
"""The two roles that a ratio has besides, if its numerator counts within periods only."""
NAMING_OWNERS = {identity.SHARED, identity.GIVEN}
RESERVED = ("country", "indicator", "input", "le")
"""Labels that every row's figures have, or those of some kind."""
COMPOSED = ("score", "average")
"""Kinds made of other rows."""


@cache
def contracts_named(event: str) -> list[Contract]:
    """Return the contracts of an event name, one per version."""
    return [agreed for agreed in registry().values() if agreed.name == event]


def told_by_countries(event: str) -> bool:
    """Say whether countries report this type: not a service, and not only who speaks for one of the region's bodies."""
    return event == ANY_REPORT or any(one.reported and not _seated(one) for one in contracts_named(event))


def regional(row: Row) -> bool:
    """Say whether all that feeds a row is of the region: its bodies report it, or it is known here."""
    named = [one for term in row.term for one in contracts_named(term.event)]
    return bool(named) and all(_seated(one) or (one.service == OWN and not one.reported) for one in named)


def _seated(agreed: Contract) -> bool:
    return agreed.reported and bool(agreed.by) and {*agreed.by} <= {*SEATS} - {*agreed.unseated}


def row_faults(row: Row, areas: Iterable[Area]) -> Iterator[str]:
    """Yield everything wrong with an indicator row by itself."""
    if row.id.partition("-")[0] not in {area.id for area in areas}:
        yield "its id starts with no known area"
    yield from _role_faults(row)
    if (row.kind == "trend") != bool(row.window_days) and row.kind != "countries":
        yield "window_days is for kind trend, which needs it, and for kind countries"
    if (row.kind == "latency") != bool(row.buckets_s) or sorted(set(row.buckets_s)) != row.buckets_s:
        yield "buckets_s must be rising numbers of seconds, for kind latency and no other"
    if row.window_days is not None and row.window_days <= 0:
        yield "window_days must be above 0"
    if row.of and (row.kind != "distinct" or row.each):
        yield "of is for kind distinct, instead of each"
    if row.kind == "share" and row.among not in row.labels:
        yield "kind share needs among, one of its labels"
    if row.kind == "distinct" and not row.labels:
        yield "kind distinct needs a label, whose values are counted"
    yield from _kind_faults(row)
    yield from _summary_faults(row)
    for number, term in enumerate(row.term, 1):
        yield from (f"term {number}: {reason}" for reason in _term_faults(row, term))


def _kind_faults(row: Row) -> Iterator[str]:
    if (row.part or row.whole) and row.kind != "ratio":
        yield "part and whole are for kind ratio"
    if row.within and (row.kind != "count" or row.period):
        yield "within is for kind count without a period"
    if row.within and row.within.first > row.within.last:
        yield "within: first comes after last"
    if row.each and row.kind not in {"ratio", "distinct"}:
        yield "each is for kinds ratio and distinct"
    if row.kind == "difference" and row_about_persons(row):
        yield "kind difference has no guard for small numbers of persons"


def _role_faults(row: Row) -> Iterator[str]:
    """Yield what is wrong with the roles of its terms; a constant stands for a denominator."""
    found, needed = {term.role for term in row.term}, ROLES[row.kind]
    if row.kind == "ratio" and (row.each or row.calendar):
        needed = {"numerator"}
    if row.kind == "ratio" and row.current:
        needed = needed | {"in_force"}
    if row.kind == "latency" and found > {"value"}:
        needed = {"value", "numerator", "denominator"}
    if row.kind == "ratio" and found & PERIODS:
        needed = needed | PERIODS
    if row.kind == "count":
        found -= {"region"}
    if row.kind in {"count", "current", "trend"} and row.labels and not row.headline:
        found -= {"one"}
    if found != needed:
        kinds = " and ".join(sorted(needed)) or "no role at all"
        yield f"kind {row.kind} needs terms with role {kinds}, and no others"


def link_faults(row: Row, rows: Sequence[tuple[str, Row]], areas: Iterable[Area]) -> Iterator[str]:
    """Yield what is wrong with what a row says of others."""
    known = {other.id: other for _, other in rows}
    if row.belongs and (row.belongs not in known or not row.id.startswith(f"{row.belongs}.")):
        yield f"it belongs to {row.belongs!r}, which is no row whose id its own continues with a dot"
    if row.people and any(one is None or one.kind != "ratio" or one.labels for one in (row, known.get(row.people))):
        yield f"people is for kind ratio without labels, and names another such row, not {row.people!r}"
    if (row.kind in COMPOSED) != bool(row.inputs):
        yield f"inputs are for kinds {' and '.join(COMPOSED)}, and needed there"
    for name in row.inputs:
        if name in known and known[name].kind in COMPOSED and known[name].inputs.keys() & {row.id}:
            yield f"inputs: {name!r} is made of this row"
        if name not in known and not (row.kind == "score" and name in {area.id for area in areas}):
            yield f"inputs: there is no row {name!r}"


def calendar_faults(row: Row, recurring: "Iterable[str]") -> Iterator[str]:
    """Yield what is wrong with the milestone whose due dates a row is measured against."""
    if row.calendar and (row.kind != "ratio" or row.each or row.labels):
        yield "calendar is for kind ratio, without each and without labels"
    if row.calendar and row.calendar not in recurring:
        yield f"calendar: there is no recurring milestone {row.calendar!r}"
    if row.floor is not None and not 0 <= row.floor <= 1:
        yield "floor is a share from 0 to 1"


def _summary_faults(row: Row) -> Iterator[str]:
    for name in row.labels:
        if name in RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            yield f"a label cannot be named {name!r}"
    for name in row.headline:
        if name not in row.labels:
            yield f"headline names {name!r}, which is not a label of the row"
    if row.headline and row.headline.keys() != row.labels.keys() and row_about_persons(row):
        yield "the headline of a row about persons is a figure of its own: it names a value of each label, or none"
    for name in row.known.keys() - row.labels.keys():
        yield f"known names {name!r}, which is not a label of the row"
    if row.every and (row.kind != "countries" or len(row.labels) != 1):
        yield "every is for kind countries with one label"


def _term_faults(row: Row, term: Term) -> Iterator[str]:
    if term.event == ANY_REPORT:
        yield from _any_report_faults(row, term)
        return
    named = contracts_named(term.event)
    if not named:
        yield f"unknown event type {term.event!r}"
    for name in term.labels.keys() - row.labels.keys():
        yield f"label {name!r} is not a label of the row"
    if term.apart and not term.last:
        yield "apart is for levels"
    if term.once:
        yield from _once_faults(row, term)
    for agreed in named:
        yield from _read_faults(row, term, agreed)


def _read_faults(row: Row, term: Term, agreed: Contract) -> Iterator[str]:
    """Yield what is wrong with the fields that a term reads of an event type."""
    yield from _where_faults(agreed, term.where)
    for name, path in labels_of(row, term).items():
        yield from _label_faults(agreed, name, path, open_to=name in row.known or name == row.current)
    for path in filter(None, term.apart.split("|")):
        yield from _label_faults(agreed, "apart", path)
    if term.country:
        yield from _country_faults(agreed, term.country)
    yield from _more_faults(row, term, agreed)
    yield from _apart_faults(row, term, agreed)
    for amount in (term.add, term.last):
        if isinstance(amount, str) and amount and term.role != "in_force":
            yield from (
                _scale_faults(agreed, amount, term.scale) if term.scale else _amount_faults(row, agreed, amount)
            )


def _once_faults(row: Row, term: Term) -> Iterator[str]:
    """Yield what is wrong with counting a term's things once: only by what is told of them."""
    one = fields.once(term.event, term.once)
    if one is None:
        yield f"once: {term.event} has no {term.once!r} that tells of what several tell"
        return
    if row.kind == "latency" or term.country or term.last:
        yield "once is for what happened at a time, in the countries that the event names"
    if (row.clock == "recordedtime") is not one.recorded:
        yield f"once: {term.event} counts by {'recordedtime' if one.recorded else 'time'}"
    told = {*one.said, one.several}
    paths = [*term.where, *labels_of(row, term).values(), term.add if isinstance(term.add, str) else "=1"]
    for path in paths:
        if not path.startswith("=") and path.partition(".")[0] not in told:
            yield f"once: {term.event} is not told apart by {path!r}"


def _any_report_faults(row: Row, term: Term) -> Iterator[str]:
    if term.country or term.last or term.add != 1:
        yield "`*` stands for every type, so it can use no field of theirs"
    told = labels_of(row, term)
    for path in {*term.where, *(path for path in told.values() if not path.startswith("="))} - ENVELOPE.keys():
        yield f"`*` stands for every type: of all that they say it can use {' and '.join(ENVELOPE)}, not {path!r}"
    for path, wanted in term.where.items():
        values = getattr(wanted, "unless", wanted)
        for value in values if isinstance(values, list) else [values]:
            if path in ENVELOPE and value not in ENVELOPE[path]:
                yield f"where: {path} is never {value!r}"
    if row.clock != "recordedtime":
        yield "`*` counts by recordedtime"


def labels_of(row: Row, term: Term) -> dict[str, str]:
    """Return the row's labels in the row's order, each with the path that this term reads."""
    if term.role in {"one", "in_force"}:
        return {}
    named = {name: term.labels.get(name, path) for name, path in row.labels.items()}
    return named | ({row.current: row.current} if row.current and term.role == "numerator" else {})


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
    if not set(values) <= {*MEMBERS, REGION} or (not values and agreed.ids.get(path) not in NAMING_OWNERS):
        yield f"country: {agreed.name} field {path!r} does not hold a member country, nor an identifier with its owner"


def names_country(event: str, path: str) -> bool:
    """Say whether a field holds a country itself, rather than an identifier with its owner."""
    return all(fields.closed_values(fields.type_at(agreed, path)) for agreed in contracts_named(event))


def _more_faults(row: Row, term: Term, agreed: Contract) -> Iterator[str]:
    """Yield what is wrong with what a term says of older events, of weights and of days."""
    if term.weight and row.kind != "mean":
        yield "weight is for kind mean"
    if term.before and not isinstance(term.add, str):
        yield "before is for what add names a field of"
    elif term.before and fields.changes(agreed.name).get(str(term.add)) is Tallied:
        yield f"before: {agreed.name} leaves {term.add!r} out where it changes nothing: name its shifts"
    if row.kind == "ratio" and term.role in PERIODS and not term.on:
        yield f"role {term.role} needs on, the field with the day"
    for name, path in (("before", term.before), ("weight", term.weight), ("on", term.on)):
        if not isinstance(path, str) or not path:
            continue
        try:
            found = fields.type_at(agreed, path)
        except LookupError as error:
            yield f"{name}: {error}"
            continue
        whole = (
            fields.is_whole_number(found) or fields.change_told(found) or fields.closed_values(found) == (True, False)
        )
        if not (fields.is_day(found) if name == "on" else whole):
            yield f"{name}: {agreed.name} field {path!r} is of no use there"


def _apart_faults(row: Row, term: Term, agreed: Contract) -> Iterator[str]:
    """Yield the fields by which a change cannot be told apart: another report of the thing may say otherwise there."""
    told = fields.told_apart(agreed.name, str(term.add))
    if told is None or fields.instead(agreed.name, str(term.add)):
        return
    country = [term.country] if term.country and agreed.reported else []
    for path in [*term.where, *labels_of(row, term).values(), *country]:
        if not path.startswith("=") and path.partition(".")[0] not in told:
            yield f"add: {agreed.name} does not tell {term.add!r} apart by {path!r}"


def _amount_faults(row: Row, agreed: Contract, path: str) -> Iterator[str]:
    try:
        found = fields.type_at(agreed, path)
    except LookupError as error:
        yield str(error)
        return
    if fields.change_told(found):
        if row.kind == "mean" or row.clock != "time":
            yield f"{agreed.name} field {path!r} tells a change at its time: not for means, nor by recordedtime"
    elif not fields.is_whole_number(found) and not (row.digits and fields.is_number(found)):
        yield f"{agreed.name} field {path!r} is not a whole number"


def _scale_faults(agreed: Contract, path: str, scale: "Mapping[str, int]") -> Iterator[str]:
    try:
        values = fields.closed_values(fields.type_at(agreed, path))
    except LookupError as error:
        yield str(error)
        return
    for value in scale:
        if value not in values:
            yield f"scale: {agreed.name} field {path!r} never has the value {value!r}"


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


def milestone_faults(milestone: Milestone) -> Iterator[str]:
    """Yield everything wrong with a milestone."""
    dates = (milestone.due, milestone.after, milestone.recurring, milestone.window, milestone.continuous or None)
    if sum(given is not None for given in dates) > 1:
        yield "has more than one of due, after, recurring, window, continuous"
    if milestone.window and milestone.window.first > milestone.window.last:
        yield "window: first comes after last"
    if not milestone.done:
        yield "done: name what reaches it"
    if milestone.after and not contracts_named(milestone.after.event):
        yield f"after: unknown event type {milestone.after.event!r}"
    if milestone.recurring and milestone.recurring.first > milestone.recurring.last:
        yield "recurring: first comes after last"
    if milestone.needed < 1:
        yield "needed must be 1 or more"
    if milestone.needed > 1 and milestone.parts:
        yield "needed is for what names neither countries nor every"
    if milestone.recurring and milestone.parts:
        yield "what recurs is done for the region as a whole"
    for done in milestone.done:
        yield from (f"done: {reason}" for reason in _done_faults(milestone, done))


def _done_faults(milestone: Milestone, done: Done) -> Iterator[str]:
    named = contracts_named(done.event)
    if not named:
        yield f"unknown event type {done.event!r}"
    for agreed in named:
        yield from _where_faults(agreed, done.where)
        if done.distinct:
            yield from _label_faults(agreed, "distinct", done.distinct, open_to=milestone.recurring is not None)
        if done.country:
            yield from _country_faults(agreed, done.country)
        yield from _every_faults(agreed, milestone, done)


def _every_faults(agreed: Contract, milestone: Milestone, done: Done) -> Iterator[str]:
    if bool(milestone.every) and not done.distinct:
        yield "every needs distinct, the field that has its values"
    if done.distinct and milestone.countries and not milestone.every:
        yield "distinct needs every, where countries have to do it"
    if done.distinct and milestone.every:
        try:
            known = fields.closed_values(fields.type_at(agreed, done.distinct))
        except LookupError:
            return  # told already
        yield from (f"every: {agreed.name} never says {one!r}" for one in milestone.every if one not in known)
