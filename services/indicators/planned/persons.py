"""Which reports, and so which rows and milestones, are about persons (`persons.toml`)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from services.indicators.planned.rows import ANY_REPORT, Row
from services.indicators.planned.schedule import Milestone
from shared.contracts import registry

FILE = Path(__file__).parents[1] / "persons.toml"


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """The rule of what is published about persons (`[plan.disclosure]`)."""

    k: int = 11
    """The least number of persons in a published figure (practice of the Counter Trafficking Data Collaborative)."""
    base: int = 11
    """Published is the nearest multiple of it; at least k, or rounding could tell what is below."""
    period: Literal["month", "quarter", "year"] = "quarter"
    """Published is what was known at the end of the last of these that is over."""

    @property
    def fault(self) -> str:
        """Return what is wrong with it; empty: nothing."""
        return "" if self.base >= self.k > 1 else "k is above 1, and base not below it"


class Decided(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a contract's privacy class alone says it wrongly: type, or what several begin with -> the reason."""

    things: Mapping[str, str]
    """Of class P or S, and about no person."""
    persons: Mapping[str, str]
    """Of class N, and about a person."""


@cache
def decided() -> Decided:
    """Return what `persons.toml` says."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Decided)


@cache
def about_person(event: str) -> bool:
    """Say whether a report of a type (`service.entity.verb`) is about a person; so is what amends one that is."""
    service, _, rest = event.partition(".")
    entity = f"{service}.{rest.partition('.')[0]}"
    said = decided()
    if event in said.persons or entity in said.persons:
        return True
    if event in said.things or entity in said.things:
        return False
    alike = [one for one in registry().values() if one.name == event and not one.generic]
    if alike:
        return any(one.privacy != "N" for one in alike)
    # An amendment, or a type of a newer version: as any of the same things; of what nobody knows the worst is held.
    same = [one for one in registry().values() if one.name.startswith(f"{entity}.") and not one.generic]
    return not same or any(about_person(one.name) for one in same)


def row_about_persons(row: Row) -> bool:
    """Say whether any of what a row counts is about persons; of what counts whoever reports, see `open_reports`."""
    return row.privacy == "victims" or any(
        row.kind != "countries" if term.event == ANY_REPORT else about_person(term.event) for term in row.term
    )


def reached_by_persons(milestone: Milestone) -> bool:
    """Say whether a report about a person reaches a milestone, or sets the day on which it is due."""
    events = [done.event for done in milestone.done] + ([milestone.after.event] if milestone.after else [])
    return any(about_person(event) for event in events)
