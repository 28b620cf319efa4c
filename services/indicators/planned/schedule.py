"""The Plan's schedule as data: milestones, what reaches them, and the calendar that they are reckoned by."""

import calendar
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from services.indicators.planned.conditions import Where
from services.indicators.planned.hierarchy import Text
from shared.contracts.vocabulary import MEMBERS, Country


class After(Struct, frozen=True, forbid_unknown_fields=True):
    """A due date counted from the first event of a type."""

    event: str
    months: int
    end_of_month: bool = False
    printed: date | None = None
    """The day that the Plan itself prints: it holds as long as the event was never reported."""


class Recurring(Struct, frozen=True, forbid_unknown_fields=True):
    """Due again and again, from `first` to `last`."""

    rule: Literal["first_tuesday", "quarter"]
    first: date
    last: date


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of time in which something is to be carried out, both days included."""

    first: date
    last: date


class Done(Struct, frozen=True, forbid_unknown_fields=True):
    """What reaches a milestone."""

    event: str
    where: Where = {}
    distinct: str = ""
    """Field whose values are told apart: parts of what is to be done; of what recurs, the day or quarter."""
    country: str = ""
    """Field naming the country, or with `.*` the countries, for which it is done; empty: the event's own."""


class Milestone(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the Plan's schedule."""

    id: str
    title: Text
    words: str
    responsible: str
    done: list[Done]
    due: date | None = None
    after: After | None = None
    recurring: Recurring | None = None
    window: Window | None = None
    continuous: bool = False
    """Without end: it begins with the first event, and is never missed."""
    countries: Literal["all"] | list[Country] = []
    """Who has to do it, each of them; empty: it is done for the region as a whole."""
    every: list[str] = []
    """Values of `distinct` that are all needed: of each of the countries, or of the region."""
    needed: int = 1
    """Of what names neither: so many different values of `distinct` or, without that, countries."""
    remind_days: int | None = None
    """So long before it is due there is a reminder; 0: none; not given: as the plan says."""

    @property
    def open(self) -> bool:
        """Whether the Plan leaves its date to be set."""
        return not (self.due or self.after or self.recurring or self.window or self.continuous)

    @property
    def parts(self) -> dict[str, list[str]]:
        """Return the countries that have to do it, else what the region has to do, each with the groups that it takes.

        Empty: `needed` says how many.
        """
        every = self.every
        if named := list(MEMBERS) if self.countries == "all" else self.countries:
            return {one: [f"{one}/{part}" for part in every] or [one] for one in named}
        return {part: [part] for part in every}


def first_tuesdays(first: date, last: date) -> list[date]:
    """Return the first Tuesday of each month, between two dates, both included."""
    found = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        day = 1 + (calendar.TUESDAY - date(year, month, 1).weekday()) % 7
        if first <= date(year, month, day) <= last:
            found.append(date(year, month, day))
        year, month = (year + month // 12, month % 12 + 1)
    return found


def quarter(day: date) -> str:
    """Return the calendar quarter of a day: `2003-Q2`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_end(name: str) -> date:
    """Return the last day of a quarter."""
    month = int(name[-1]) * 3
    return date(int(name[:4]), month, calendar.monthrange(int(name[:4]), month)[1])


def quarters(first: date, last: date) -> list[date]:
    """Return the last day of each quarter, from that of one date to the last that ends by another."""
    found = [quarter_end(quarter(first))]
    while (following := quarter_end(quarter(found[-1] + timedelta(days=1)))) <= last:
        found.append(following)
    return [day for day in found if day <= last]


RECURRENCES: Mapping[str, Callable[[date, date], list[date]]] = {"first_tuesday": first_tuesdays, "quarter": quarters}


def months_after(start: date, after: After) -> date:
    """Return the day so many months after `start`: the same day of the month, or the month's last."""
    months = start.month - 1 + after.months
    year, month = start.year + months // 12, months % 12 + 1
    length = calendar.monthrange(year, month)[1]
    return date(year, month, length if after.end_of_month else min(start.day, length))


def end_of(day: date) -> datetime:
    """Return the last second of a UTC day: what is due on a day may still be done then."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, seconds=-1)
