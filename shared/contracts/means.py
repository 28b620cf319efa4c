"""Means that countries give for the Plan: money, staff, venues, technical help."""

from typing import Any

from shared.contracts import Count, Ref, Value
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import Country, Currency, ResourceKind

PLEDGE = {
    "country": "CAN",
    "row": "IP-5.1.1",
    "kind": "money",
    "value": {"amount": 50000, "currency": "USD"},
    "reported_by": "foreign_ministry",
}
GIVERS: dict[str, Any] = {"owner": "country", "behalf": ("ppt", "st")}
"""Who gives says so itself; the presidency and the secretariat may note what was pledged to them."""


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
