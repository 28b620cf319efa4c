"""The identifiers in a report: a country writes its own plain, and another's only where that may stand."""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

import msgspec

from shared.contracts import Contract, Envelope, Merged, Problem, Report, identity

R = TypeVar("R", bound=Report)
PLAIN = (identity.OWN, identity.SHARED, identity.OF)
"""Whose identifiers may be written plain: those of one country that the report itself tells."""


def owned(agreed: Contract, envelope: Envelope[Any], country: str) -> tuple[Envelope[Any], list[Problem]]:
    """Return the report with the identifiers that belong to it written plain, and what names another's amiss."""
    data, problems = identified(agreed, envelope.data, country)
    subject, scope = envelope.subject, agreed.ids.get(agreed.entity, identity.OWN)
    if subject and scope != identity.GIVEN:
        owner = _owner(scope, data, country)
        if not getattr(data, agreed.entity or "", None) and agreed.entity in agreed.ids:
            problems += _amiss("/subject", scope, [subject], owner)
        subject = identity.written(subject, owner)
    if subject == envelope.subject and data is envelope.data:
        return envelope, problems
    return msgspec.structs.replace(envelope, data=data, subject=subject), problems


def identified(agreed: Contract, data: R, country: str) -> tuple[R, list[Problem]]:
    """Return what a country says with its own identifiers written plain, and a problem for each that is another's."""
    problems = []
    for name, wire, scope in _identifiers(agreed):
        value = getattr(data, name)
        if not value or (":" not in value if isinstance(value, str) else not any(":" in one for one in value)):
            continue
        named = [value] if isinstance(value, str) else value
        owner = _owner(scope, data, country)
        problems += _amiss(f"/data/{wire}", scope, named, owner)
        plain = tuple(identity.written(one, owner) for one in named)
        data = msgspec.structs.replace(data, **{name: plain[0] if isinstance(value, str) else plain})
    return data, problems


def _amiss(pointer: str, scope: str, named: Iterable[str], owner: str) -> list[Problem]:
    """Say what is wrong with the owners that identifiers name: of what has two, the rest would be another's."""
    parts = [identity.parted(one) for one in named]
    if any(said and identity.parted(rest)[0] for said, rest in parts):
        return [Problem(pointer, "not_owner", "the identifier names two owners; it has one, or none")]
    if scope != identity.SHARED and any(said not in {"", owner} for said, _ in parts):
        return [Problem(pointer, "not_owner", f"the identifier is to be {identity.meaning(scope)}")]
    return []


def _owner(scope: str, data: Report, country: str) -> str:
    named: str = getattr(data, scope.removeprefix(identity.OF)) if scope.startswith(identity.OF) else country
    return named


@cache
def _identifiers(agreed: Contract) -> list[tuple[str, str, str]]:
    """Return the fields (attribute, name on the wire, whose) in which an owner's code may or must be left out."""
    if agreed.data is Merged:
        return [(one, one, identity.SHARED) for one in ("entity", "into")]
    known = {field.name: field.encode_name for field in msgspec.structs.fields(agreed.data)}
    ruled = [(name, scope) for name, scope in agreed.ids.items() if name in known]
    return [(name, known[name], scope) for name, scope in ruled if scope.startswith(PLAIN)]
