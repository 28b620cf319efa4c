"""The privacy class of each field: what a value there may tell of a person, and so where it may stand in the clear.

N: nothing. P: pseudonymous, and what leads to a person for those who have the key to it (an identifier, a claim check,
a word of the sender's own). S: sensitive as such (what somebody needs or consented to, health). It follows from the
type of the event and of the field, unless `SAID` says otherwise: words of a closed vocabulary, numbers and times are N,
for the figures are made of them; what a sender can write freely into a type about persons is P.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, TypeAlias

import msgspec
from msgspec import inspect

from shared.contracts import Contract

Class: TypeAlias = Literal["N", "P", "S"]
Path: TypeAlias = tuple[str, ...]
"""Field names as on the wire; of a list, what stands in it has the list's own path."""

PERSONS = {"holder_pid", "officer_pid", "person_pid", "pids", "trafficker_pid", "victim_pid", "witness_pid"}
"""Identifiers of persons, in whatever type they stand."""
LEADING = {*PERSONS, "case_id", "complaint_id", "consent_id", "dataref", "detention_id", "detention_ids", "referral_id"}
"""What leads to a person: the identifiers of persons, and of what is done about one."""
SENSITIVE = {"consent_id", "harm", "needs", "override", "preview", "relation"}
"""What says something sensitive of a person, in a type about persons."""
SAID: Mapping[tuple[str, str], Class] = {
    ("victims.consent.recorded", "purpose"): "S",
    ("victims.consent.recorded", "scope"): "S",
    ("victims.consent.recorded", "guardian"): "S",
}
"""(type's name, first field) -> its class, where the rule does not say it."""


@cache
def classes(agreed: Contract) -> Mapping[Path, Class]:
    """Return the class of every field of a type's data, by path."""
    return {path: _class(agreed, path, kind) for path, kind in leaves(agreed.data)}


def free(agreed: Contract) -> list[Path]:
    """Return the fields of a type's data into which a sender can write a text of its own."""
    return [path for path, kind in leaves(agreed.data) if _free(kind) and path[0] not in agreed.derived]


def leaves(data: type[msgspec.Struct]) -> Iterator[tuple[Path, inspect.Type]]:
    """Yield each field that holds a value, with its type."""
    for field in inspect.type_info(data).fields:  # type: ignore[attr-defined]  # a struct's
        yield from _leaves((field.encode_name,), field.type)


def _leaves(path: Path, kind: inspect.Type) -> Iterator[tuple[Path, inspect.Type]]:
    if isinstance(kind, inspect.Metadata):
        yield from _leaves(path, kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _leaves(path, one)
    elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
        yield from _leaves(path, kind.item_type)
    elif isinstance(kind, inspect.TupleType):
        yield from _leaves(path, kind.item_types[0])
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from _leaves((*path, field.encode_name), field.type)
    elif not isinstance(kind, inspect.NoneType):
        yield path, kind


def _free(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.StrType | inspect.AnyType | inspect.DictType)


def _class(agreed: Contract, path: Path, kind: inspect.Type) -> Class:
    if said := SAID.get((agreed.name, path[0])):
        return said
    if agreed.privacy == "N":
        return "P" if PERSONS & {*path} else "N"
    if SENSITIVE & {*path}:
        return "S"
    return "P" if _free(kind) else "N"
