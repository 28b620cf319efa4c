"""Means that countries give for the Plan: money, staff, venues, technical help."""

import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from shared.contracts import Count, Problem, Ref, Value, contract, registry
from shared.contracts.sense import Fact
from shared.contracts.suggestion import nearest
from shared.contracts.vocabulary import Country, Currency, ResourceKind

PLEDGE = {
    "country": "CAN",
    "row": "IP-5.1.1",
    "kind": "money",
    "value": {"amount": 50000, "currency": "USD"},
    "reported_by": "foreign_ministry",
}
MADE_OF_ROWS = frozenset({"LE-1.R4", "LE-2.R2", "LE-2.R3", "LE-2.R4", "XC-3", "XC-4"})
"""Rows of the Plan that are made of other rows: no event type feeds them."""
GIVERS: dict[str, Any] = {"owner": "country", "behalf": ("ppt", "st")}
"""Who gives says so itself; the presidency and the secretariat may note what was pledged to them."""


@cache
def plan_rows() -> frozenset[str]:
    """Return the ids of the Plan's rows and milestones; of another plan (CRM_PLAN_FOLDER), its files' own."""
    folder = os.environ.get("CRM_PLAN_FOLDER")
    if not folder:
        return MADE_OF_ROWS.union(*(agreed.rows for agreed in registry().values()))
    files = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(Path(folder).glob("*.toml"))]
    return frozenset(row["id"] for file in files for table in ("indicator", "milestone") for row in file.get(table, []))


class Money(Value, frozen=True, kw_only=True):
    """An amount of money, in whole units."""

    amount: Count
    currency: Currency


class Resource(Fact, frozen=True, kw_only=True):
    """Means for a row of the Plan (its column of resources)."""

    country: Country
    """Who gives."""
    row: Ref
    """The id of the indicator or milestone."""
    kind: ResourceKind
    value: Money | None = None
    """Of money the amount; of other means what they are worth."""

    def check(self) -> Iterator[Problem]:
        """Yield `unknown_row`, too."""
        yield from super().check()
        if self.row not in plan_rows():
            message = "the Plan has no such row or milestone"
            yield Problem("/data/row", "unknown_row", message, nearest(self.row, sorted(plan_rows())))


class ResourcePledged(Resource, frozen=True, kw_only=True):
    """A country pledged means for the Plan's work in this area."""


class ResourceDelivered(Resource, frozen=True, kw_only=True):
    """Pledged means for the Plan's work in this area were given."""


def resources(service: str) -> None:
    """Register what a service is told of means, where its contracts have no types of their own for it."""
    for verb, data in (("pledged", ResourcePledged), ("delivered", ResourceDelivered)):
        contract(f"{service}.resource.{verb}", good=PLEDGE, bad=("kind", "love"), **GIVERS, rows=("XC-7",))(data)
