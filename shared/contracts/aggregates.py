"""Figures that a country reports once for a period, or for a day: a later one takes the place of the earlier."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from shared.contracts import Contract


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Of one country, type, key and period (or day) one report holds: the latest by `time`, then by arrival.

    Another period that overlaps with one reported under the same key is refused.
    """

    key: tuple[str, ...]
    """Fields that tell one figure from another, besides the country (`a|b`: the first of them that is given)."""
    period: tuple[str, str] = ("", "")
    """The fields of its first and last day; a report without one of them stands for itself."""
    as_of: str = ""
    """The field of the day that the figure is for; absent: the day of the report's time (UTC)."""


class Cell(NamedTuple):
    """What one report holds for; without a period or day, for all time."""

    wire: str
    country: str
    key: str
    first: date
    last: date


def _given(data: Any, name: str) -> Any:
    values = [getattr(data, one) for one in name.split("|")]
    return next((value for value in values if value is not None), None)


def cell(agreed: "Contract", country: str, time: datetime, data: Any) -> Cell | None:
    """Return what a report is the figure of; None: it stands for itself."""
    one = agreed.aggregate
    if one is None:
        return None
    key = "|".join(str(_given(data, name)) for name in one.key)
    first, last = date.min, date.max
    if one.as_of:
        first = last = getattr(data, one.as_of) or time.astimezone(UTC).date()
    elif one.period[0]:
        first, last = (getattr(data, name) for name in one.period)
        if first is None or last is None:
            return None
    return Cell(agreed.type, country, key, first, last)
