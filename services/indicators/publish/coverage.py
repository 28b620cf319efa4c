"""What feeds what: the plan held against the catalogue of the Plan's rows, against the contracts, and their words."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from services.indicators.planned import fields
from services.indicators.planned.checks import COMPOSED, contracts_named, labels_of
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row, Term
from services.indicators.publish.words import LANGUAGES, MONTH, Words, words
from shared.contracts import GENERIC, registry

CATALOGUE = Path(__file__).parents[1] / "catalogue.toml"
CATALOGUED = "crm-2003"
"""The plan whose rows the catalogue and the contracts name."""


class Catalogue(Struct, frozen=True, forbid_unknown_fields=True):
    """The ids that the Plan's tables have, and the event types that feed none of them, with the reason."""

    indicators: list[str]
    milestones: list[str]
    unfed: dict[str, str] = {}


def catalogue(file: Path = CATALOGUE) -> Catalogue:
    """Read a catalogue; raises OSError, tomllib.TOMLDecodeError or msgspec.ValidationError."""
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Catalogue)


def feeds(plan: Plan) -> dict[str, list[str]]:
    """Return for each row and milestone the event types that feed it (of rows made of rows: those rows)."""
    found = {}
    for row in plan.rows.values():
        names = [*row.inputs] if row.kind in COMPOSED else [term.event for term in row.term]
        found[row.id] = list(dict.fromkeys(names))
    for milestone in plan.milestones.values():
        names = [done.event for done in milestone.done]
        found[milestone.id] = list(dict.fromkeys([*names, *([milestone.after.event] if milestone.after else [])]))
    return found


def fed(plan: Plan) -> dict[str, set[str]]:
    """Return for each event type the ids it feeds: rows of the Plan (not their further figures) and milestones."""
    found: dict[str, set[str]] = {}
    for identity, events in feeds(plan).items():
        row = plan.rows.get(identity)
        if row is None or row.kind not in COMPOSED:
            for event in events:
                found.setdefault(event, set()).add((row.belongs if row else "") or identity)
    found.pop(ANY_REPORT, None)
    return found


def faults(plan: Plan, wanted: Catalogue | None) -> list[str]:
    """Return in words whatever is missing on one side or unused on the other; empty: all is fed by something.

    Without a catalogue (another plan) types and words may stay unused.
    """
    found = [f"{identity} is fed by nothing" for identity, events in feeds(plan).items() if not events]
    found += [] if plan.hierarchy.nodes else ["the plan tells no objectives"]
    if wanted is not None:
        found += [*_id_faults(plan, wanted), *_type_faults(plan, wanted), *_translation_faults(plan)]
    return [*found, *_word_faults(plan, unused=wanted is not None)]


def _id_faults(plan: Plan, wanted: Catalogue) -> Iterator[str]:
    rows = {row.id for row in plan.rows.values() if not row.belongs}
    for kind, have, want in (
        ("indicator", rows, set(wanted.indicators)),
        ("milestone", set(plan.milestones), set(wanted.milestones)),
    ):
        yield from (f"{kind} {one} of the catalogue is not in the plan" for one in sorted(want - have))
        yield from (f"{kind} {one} of the plan is not in the catalogue" for one in sorted(have - want))


def _type_faults(plan: Plan, wanted: Catalogue) -> Iterator[str]:
    fed_by = fed(plan)
    known = {agreed.name for agreed in registry().values()}
    for agreed in registry().values():
        if agreed.generic and agreed.version > 1:
            continue  # the plan means the type that a service tells under this name
        said, does = set(agreed.rows), fed_by.get(agreed.name, set())
        yield from (f"{agreed.name} says that it feeds {one}; the plan does not" for one in sorted(said - does))
        yield from (f"{agreed.name} feeds {one}; its contract does not say so" for one in sorted(does - said))
        if agreed.verb not in GENERIC and not does and agreed.name not in wanted.unfed:
            yield f"{agreed.name} feeds nothing, and the catalogue gives no reason"
    for name in wanted.unfed:
        if name not in known:
            yield f"unfed: there is no event type {name}"
        elif name in fed_by:
            yield f"unfed: {name} feeds {', '.join(sorted(fed_by[name]))}"


def _word_faults(plan: Plan, *, unused: bool) -> Iterator[str]:
    """Yield labels, units and values without a word in some language, and (if `unused`) words that nothing needs."""
    labels = {name for row in plan.rows.values() for name in row.labels}
    labels |= {"input"} if any(row.inputs for row in plan.rows.values()) else set()
    units = {row.unit for row in plan.rows.values()}
    values = shown(plan)
    for lang, _ in LANGUAGES:
        said: Words = words(lang, plan)
        for kind, used, have in (("label", labels, said.labels), ("unit", units, said.units)):
            yield from (f"{kind} {one!r} has no word in {lang!r}" for one in sorted(used - have.keys()))
            extra = sorted(have.keys() - used) if unused else []
            yield from (f"{kind} {one!r} is in the words of {lang!r} and used by no row" for one in extra)
        for name in sorted({one.name for one in registry().values() if unused and not one.generic}):
            if not said.event(name):
                yield f"event type {name} has no name in {lang!r}"
        for label, value in sorted(values):
            if not said.called(label, value):
                yield f"value {value!r} of label {label!r} has no word in {lang!r}"


def _translation_faults(plan: Plan) -> Iterator[str]:
    """Yield what a row says in the plan's own words without our translation, and translations of what no row says."""
    own = {text for row in plan.rows.values() for text in (row.words, row.responsible, row.deadline)}
    own = {text for text in own if text and not MONTH.fullmatch(text)}
    yield from (f"{text!r} has no translation" for text in sorted(own - plan.translations.keys()))
    yield from (f"{text!r} is translated, and no row says it" for text in sorted(plan.translations.keys() - own))


def shown(plan: Plan) -> set[tuple[str, str]]:
    """Return every value that a label of a row can have in a figure, with the label; numbers say themselves."""
    each = (label_values(row) for row in plan.rows.values())
    return {(label, one) for said in each for label, values in said.items() for one in values if not one.isdigit()}


def labels_shown(row: Row) -> list[str]:
    """Return the labels that tell a row's figures apart: none where their different values are what is counted."""
    return [] if row.kind == "distinct" else [*(["input"] if row.inputs else []), *row.labels]


def label_values(row: Row) -> dict[str, list[str]]:
    """Return each label of a row's figures with the values that it can have, as far as they are known beforehand."""
    found: dict[str, dict[str, None]] = {"input": dict.fromkeys(row.inputs)} if row.inputs else {}
    found |= {label: {} for label in row.labels}
    if row.every:
        found[next(iter(row.labels))] |= dict.fromkeys(row.every)
    for term in row.term:
        for label, path in labels_of(row, term).items():
            if label in row.labels:
                found[label] |= dict.fromkeys(_values(row, term, label, path))
    return {label: [*values] for label, values in found.items()}


def in_order(row: Row, label: str, values: Iterable[str]) -> list[str]:
    """Return some values of a label in the order of its list, which may be a scale; others behind, by their codes."""
    known = label_values(row).get(label, [])
    return sorted(values, key=lambda one: (known.index(one) if one in known else len(known), one))


def _values(row: Row, term: Term, label: str, path: str) -> list[str]:
    """Return the values of a label that a term gives: its own list, a constant, or the closed list of the field."""
    if path.startswith("="):
        return [path[1:]]
    if label in row.known:
        return [*row.known[label], "other"]
    closed = [fields.closed_values(fields.type_at(agreed, path)) for agreed in contracts_named(term.event)]
    return [str(value) for values in closed for value in values]
