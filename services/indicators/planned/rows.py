"""What one row of the Plan may say: its terms, labels, target, and the kinds of figures there are."""

from typing import Literal

from msgspec import Struct

from services.indicators.planned.conditions import Where
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.schedule import Window
from shared.contracts.vocabulary import Country, Seat

ANY_REPORT = "*"
"""As an event name: whatever a country reports."""
Kind = Literal[
    "count",
    "current",
    "ratio",
    "share",
    "mean",
    "difference",
    "latency",
    "trend",
    "countries",
    "distinct",
    "age",
    "score",
    "average",
]
Clock = Literal["time", "recordedtime"]
Responsible = Literal[Seat, Country, "each"]
"""A body of the region, a country, or each of the countries."""


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """How one event type feeds a row."""

    event: str
    """`service.entity.verb`, or `*`: whatever a country reports."""
    role: Literal["value", "numerator", "denominator", "region", "baseline", "since", "until", "one", "in_force"] = (
        "value"
    )
    """`region`: what the region counts where one thing is told to several countries, in place of their sum. `baseline`:
    of a difference, what the value is compared with. `since`, `until`: the first and last days of the periods in which
    a ratio counts its numerator. `one`: what the row's one figure counts, without labels, where a thing stands in more
    than one cell. `in_force`: which value of the row's `current` counts in a country: the latest that `last` names."""
    once: str = ""
    """Field that tells, of things that several tell (`Once`), each country that took part, and the region once."""
    where: Where = {}
    labels: dict[str, str] = {}
    """Label -> field path, or `=constant`; labels not named here are read as the row says."""
    country: str = ""
    """Field naming the country of the cell, or an identifier with its owner; empty: the event's own."""
    add: int | str = 1
    """What one event adds: a number, or a field holding a whole number."""
    before: int | str = ""
    """Of events recorded before the field that `add` names was filled in: the field that counts instead, or 1."""
    weight: str = ""
    """Of a mean: the field with the number of people (or so) for whom the value stands."""
    on: str = ""
    """Field with the day on which it counts; empty: by the row's clock."""
    last: str = ""
    """Field holding a declared level: the latest by `time` counts, nothing is added up."""
    apart: str = ""
    """Of levels: field (`a|b`: the first that is given) each value of which has a level of its own; they add up."""
    scale: dict[str, int] = {}
    """Values of the field that `add` or `last` names -> numbers, where it holds words; others count nothing."""


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One indicator of the Plan."""

    id: str
    title: Text
    words: str
    """The Plan's own words; ` … ` where some are left out."""
    unit: str
    kind: Kind
    responsible: str
    term: list[Term] = []
    inputs: dict[str, float] = {}
    """For `score` and `average`: rows (or areas) -> their weights."""
    belongs: str = ""
    """The row of the Plan that this is a further figure of."""
    labels: dict[str, str] = {}
    """Label -> field path, for every term that does not say otherwise."""
    known: dict[str, list[str]] = {}
    """Label -> its values, where the field's own list is open; anything else is shown as `other`."""
    headline: dict[str, str] = {}
    """Label values that the one-figure summary is restricted to."""
    every: list[str] = []
    """For `countries`: values of the first label; the summary counts the countries that have them all."""
    target: float | None = None
    direction: Literal["at_least", "at_most", "above", "below"] = "at_least"
    deadline: str = ""
    privacy: Literal["none", "victims"] = "none"
    """`victims`: it is held for a row about persons, whatever its contracts say."""
    people: str = ""
    """For a `ratio` about victims whose numbers are no persons: the row of which the denominator counts these."""
    clock: Clock = "time"
    window_days: int | None = None
    each: int | dict[str, int] = 0
    """For `ratio` and `distinct`: what each member is measured against, where that is a constant (by first label)."""
    current: str = ""
    """For `ratio`: a field of what the numerator counts, of which only the value in force counts: the country's latest
    or, where it named none, the region's (terms with role `in_force`)."""
    part: bool = False
    """For `ratio`: the numerator is part of the denominator, and never counts as more."""
    whole: bool = False
    """For `ratio`: the region's numbers are all there are, also of countries without a denominator of their own."""
    of: int = 0
    """For `distinct`: what the region as a whole is measured against; its values are then those of all countries."""
    among: str = ""
    """For `share`: the label whose values share what there is."""
    digits: int = 0
    """Decimals that are kept of amounts which are not whole numbers."""
    decimals: int = 1
    """Of a share as a percentage, where people read it: as many as the Plan prints."""
    period: Literal["", "year"] = ""
    """`year`: only the calendar year of the figure's date counts."""
    within: Window | None = None
    """For `count`: the time that counts; None: all there is."""
    buckets_s: list[int] = []
    calendar: str = ""
    """For `ratio`: a recurring milestone, whose due dates are the denominator and those of them reached the numerator.

    Its terms only tell who reported."""
    floor: float | None = None
    """The share of member countries that must have reported for the row; None: as the plan says for all rows."""

    @property
    def once(self) -> bool:
        """Whether the region's numbers are not the sum of its countries'."""
        added = self.part or self.kind in {"countries", "distinct", "age"}
        return self.whole or (not added and any(term.once for term in self.term))

    def stored(self, role: str) -> str:
        """Return the name under which the state holds levels or buckets of its own."""
        return f"{self.id}/{role}"


class Area(Struct, frozen=True, forbid_unknown_fields=True):
    """A work area; its id is the prefix of its rows."""

    id: str
    title: Text
    words: str = ""
    """The Plan's own name of it."""
