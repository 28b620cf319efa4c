"""Paths into event data (`offences.0`, `legs.0.mode`): what type stands there, and how to read it fast."""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect

from shared.contracts import Contract, identity, registry, vocabulary
from shared.contracts.tallies import (
    ByLabel,
    Level,
    Once,
    Opens,
    Part,
    Parts,
    Shift,
    Shifts,
    Step,
    Steps,
    Tallied,
    Tally,
)

Read = Callable[[Any], Any]
NAME_MAX = 256
"""Characters of what names a cell; words and codes are far shorter."""
UNKNOWN = "unknown"
"""The label value of a field that the report left out."""
LISTS = [get_args(one) for one in vars(vocabulary).values() if get_origin(one) is Literal]
WRITTEN = {frozenset(values): values for values in LISTS}
"""Each closed list of the vocabulary as it is written there, where a scale has its order; msgspec sorts it."""
BY_LABEL = "by_label"
"""The field that tells an event's changes label by label."""


def type_at(agreed: Contract, path: str) -> inspect.Type:
    """Return the type found at `path` in the contract's data; LookupError, in words, where there is none."""
    if unsaid(agreed.name, path):
        return inspect.BoolType()
    found = _data(agreed.data)
    for part in path.split("."):
        found = _inside(_present(found), part, agreed.name, path)
    return _present(found)


@cache
def _data(data: type) -> inspect.Type:
    """Return the type of an event's data: a plan is checked with thousands of questions about the same ones."""
    return inspect.type_info(data)


EVERY, ANY, LENGTH = "*", "?", "#"
"""Path parts that stand for each member of a list, for whether any is among some values, and for how many there are."""


def _present(found: inspect.Type) -> inspect.Type:
    """Take away Metadata and `| None`."""
    if isinstance(found, inspect.Metadata):
        return _present(found.type)
    if isinstance(found, inspect.UnionType):
        kept = [_present(one) for one in found.types if not isinstance(one, inspect.NoneType)]
        return kept[0] if len(kept) == 1 else found
    return found


def _inside(found: inspect.Type, part: str, name: str, path: str) -> inspect.Type:
    if isinstance(found, inspect.StructType):
        for field in found.fields:
            if field.encode_name == part:
                return field.type
    listed = isinstance(found, inspect.ListType | inspect.VarTupleType)
    if listed and part == LENGTH:
        return inspect.IntType()
    if listed and (part.isdigit() or part in {EVERY, ANY}):
        return found.item_type  # type: ignore[attr-defined, no-any-return]  # by `listed`
    if part.isdigit() and isinstance(found, inspect.TupleType) and int(part) < len(found.item_types):
        return found.item_types[int(part)]
    message = f"{name} has no field {path!r}"
    raise LookupError(message)


def closed_values(found: inspect.Type) -> tuple[Any, ...]:
    """Return the values a field of this type can have in the order of their closed list; else nothing."""
    if isinstance(found, inspect.LiteralType):
        return WRITTEN.get(frozenset(found.values), tuple(found.values))
    if isinstance(found, inspect.EnumType):
        return tuple(member.value for member in found.cls)
    if isinstance(found, inspect.BoolType):
        return (True, False)
    return ()


def is_number(found: inspect.Type) -> bool:
    """Say whether it is a number of any kind."""
    return isinstance(found, inspect.IntType | inspect.FloatType)


def is_whole_number(found: inspect.Type) -> bool:
    """Say whether sums of such a field are whole numbers, so that their order cannot matter."""
    return isinstance(found, inspect.IntType)


def is_day(found: inspect.Type | None) -> bool:
    """Say whether it is a date."""
    return isinstance(found, inspect.DateType)


def change_told(found: inspect.Type) -> Any:
    """Return `Tallied`, `Steps`, `Shifts` or `Parts` if a field of this type tells what an event changes; else None."""
    if isinstance(found, inspect.StructType) and found.cls is Tallied:
        return Tallied
    if isinstance(found, inspect.VarTupleType) and isinstance(found.item_type, inspect.StructType):
        return {Step: Steps, Shift: Shifts, Part: Parts}.get(found.item_type.cls)
    return None


@cache
def changes(event: str) -> Mapping[str, Any]:
    """Return the fields of an event type that tell what it changes, each with how (`change_told`)."""
    return {
        field.encode_name: told
        for agreed in registry().values()
        if agreed.name == event
        for field in _data(agreed.data).fields  # type: ignore[attr-defined]  # it is a struct
        if (told := change_told(_present(field.type)))
    }


@cache
def onces(event: str) -> Mapping[str, Once]:
    """Return, by the field that tells it, how a type's things count that several may tell of."""
    found = [one for agreed in registry().values() if agreed.name == event for one in agreed.tallies]
    return {one.field: one for one in found if isinstance(one, Once)}


def once(event: str, field: str) -> Once | None:
    """Return how the things count of which a field tells; None: it tells of none."""
    return onces(event).get(field)


@cache
def unsaid(event: str, path: str) -> bool:
    """Say whether a path is of what is said of a type's things, and not by its reports: whether several took part."""
    data = [agreed.data for agreed in registry().values() if agreed.name == event]
    named = any(one.several == path for one in onces(event).values())
    return named and not any(path in one.__struct_fields__ for one in data)


@cache
def told_apart(event: str, amount: str) -> frozenset[str] | None:
    """Return the fields that a counted change is told apart by, as events name them; None: it is no such change."""
    for agreed in (one for one in registry().values() if one.name == event):
        written = {one.name: one.encode_name for one in msgspec.structs.fields(agreed.data)}
        for one in agreed.tallies:
            if isinstance(one, Tally | Level) and amount in {getattr(one, "field", ""), one.shifts} - {""}:
                opens = {one.opens.field} if isinstance(one, Tally) and isinstance(one.opens, Opens) else set()
                paths = {part for path in (*one.key, *one.said, *opens) for part in path.split("|")}
                keys = [part for path in one.key for part in path.split("|")] if one.regional else []
                owners = {identity.named_by(agreed.ids.get(path, "")) for path in keys} - {""}
                tops = {path.partition(".")[0] for path in paths | owners}
                return frozenset(written.get(top, top) for top in tops)
    return None


@cache
def told_by_label(event: str, amount: str) -> bool:
    """Say whether a change may be told label by label."""
    found = [one for agreed in registry().values() if agreed.name == event for one in agreed.tallies]
    named = [one for one in found if isinstance(one, Tally | Level) and one.said]
    return any(amount in {getattr(one, "field", ""), one.shifts} - {""} for one in named)


def by_label(amount: str, read: Read) -> Read:
    """Return a function that reads a change label by label; as `read` does where the event tells none so."""
    labels = reader(BY_LABEL)

    def found(data: Any) -> Any:
        told = labels(data)
        return (told and told.get(amount)) or read(data)

    return found


@cache
def instead(event: str, amount: str) -> str:
    """Return the field that, where it is told, counts in place of an older one; empty: there is none."""
    return next((name for name, one in onces(event).items() if amount and one.before == amount), "")


@cache
def counted_as(event: str, field: str) -> frozenset[str]:
    """Return the types as which an event may count by a field: those of all acts on the same kind of thing."""
    mine = once(event, field)
    names = {agreed.name for agreed in registry().values()}
    return frozenset(name for name in names if mine and (one := once(name, field)) and one.what == mine.what)


@cache
def known(event: str, name: str) -> bool:
    """Say whether a change of an event type counts from when it was known, if its own time lies later."""
    agreed = [one for one in registry().values() if one.name == event]
    return any(isinstance(one, Tally) and one.field == name and one.known for each in agreed for one in each.tallies)


@cache
def ahead(event: str, name: str) -> bool:
    """Say whether a change of an event type may count from a day that lies ahead."""
    agreed = [one for one in registry().values() if one.name == event]
    return any(isinstance(one, Tally) and one.shifts == name and one.at for each in agreed for one in each.tallies)


@cache
def as_of(event: str) -> str:
    """Return the field of the day that an event's figures are for, if its type has one; else nothing."""
    found = [one.aggregate.as_of for one in registry().values() if one.name == event and one.aggregate]
    return found[-1] if found else ""


@cache
def partial(name: str, paths: frozenset[str]) -> type[msgspec.Struct]:
    """Return a struct with only the top-level fields that the paths start with: the rest is skipped unread."""
    tops = sorted({path.partition(".")[0] for path in paths})
    renamed = {f"f_{top}": top for top in tops}
    counted = changes(name)
    types = {top: counted[top] | None for top in counted} | {BY_LABEL: ByLabel | None}
    fields = [(attribute, types.get(top, Any), None) for attribute, top in renamed.items()]
    return msgspec.defstruct(name.replace(".", "_"), fields, rename=renamed, frozen=True, gc=False)


def reader(path: str) -> Read:
    """Return a function that reads `path` from a partial struct; None where something on the way is absent."""
    top, _, rest = path.partition(".")
    get: Read = operator.attrgetter(f"f_{top}")
    if not rest:
        return get
    parts = [int(part) if part.isdigit() else part for part in rest.split(".")]

    def read(data: Any) -> Any:
        found = get(data)
        for part in parts:
            if part in {EVERY, ANY}:
                return tuple(found or ())
            try:
                found = len(found) if part == LENGTH else found[part]
            except (LookupError, TypeError):
                return None
        return found

    return read


def unless_told(newer: str, read: Read) -> Read:
    """Return a function that reads something only where a newer field does not tell it."""
    told = reader(newer)
    return lambda data: read(data) if told(data) is None else None


def within(said: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path in a mapping; None where something on the way is absent."""
    found: Any = said
    for part in path.split("."):
        if part in {EVERY, ANY}:
            return tuple(found or ())
        try:
            found = len(found) if part == LENGTH else found[int(part) if part.isdigit() else part]
        except (LookupError, TypeError):
            return () if path.endswith((EVERY, ANY)) else None
    return found


def together(paths: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that reads several paths at once."""
    if len(paths) > 1 and not any("." in path for path in paths):
        return operator.attrgetter(*(f"f_{path}" for path in paths))
    readers = [reader(path) for path in paths]
    return lambda data: tuple([read(data) for read in readers])


def word(value: Any) -> str:
    """Return the label value for a field value."""
    if type(value) is str:
        return value
    if value is None:
        return UNKNOWN
    return str(value).lower()


def plain(text: Any) -> str:
    """Return the text if it can name a cell; ValueError if it is none, or no valid Unicode."""
    if type(text) is not str or len(text) > NAME_MAX:
        raise ValueError("not a text that can name a cell")
    text.encode()  # a lone surrogate could never be stored
    return text
