"""What is added up by cell and day."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice
from typing import Any

Key = tuple[str, ...]
"""A cell: country, then the row's label values."""


NEVER = 2**62
"""A day behind all days."""


class Cell:
    """A whole-number sum by day (a date's ordinal), with its total and, once asked for, its running totals.

    `days` keeps its keys in the order in which they came, and loses none but the last ones (`Moves`).
    """

    __slots__ = ("_known", "_running", "changed", "days", "total")

    def __init__(self) -> None:
        self.days: defaultdict[int, int] = defaultdict(int)
        self.total = 0
        self.changed = NEVER
        """The first day on which something changed since the running totals were made."""
        self._known: list[int] = []
        self._running: list[int] = [0]

    def add(self, day: int, amount: int) -> None:
        """Add to a day."""
        self.days[day] += amount
        self.total += amount
        self.changed = min(self.changed, day)

    def between(self, after: int, until: int) -> int:
        """Return the sum over the days after one and up to another."""
        known = self._sorted()
        first = bisect_right(known, after)
        return self._running[max(first, bisect_right(known, until))] - self._running[first]

    def within(self, after: int, until: int) -> Sequence[int]:
        """Return the days after one and up to another on which something was added, in order."""
        known = self._sorted()
        return known[bisect_right(known, after) : bisect_right(known, until)]

    def _sorted(self) -> list[int]:
        """Return all days in order, and bring the running totals up to date: from the first day that changed."""
        if self.changed != NEVER:
            place = bisect_left(self._known, self.changed)
            new = islice(reversed(self.days), max(0, len(self.days) - len(self._known)))
            tail = sorted({*self._known[place:], *new})
            self._known[place:] = tail
            self._running[place:] = accumulate(map(self.days.__getitem__, tail), initial=self._running[place])
            self.changed = NEVER
        return self._known


Sums = defaultdict[Key, Cell]
"""What is added up under one name; what sums to nothing leaves no trace."""


def dump_sums(sums: Sums) -> list[Any]:
    """Return them as sorted lists."""
    held = [(key, [(day, n) for day, n in sorted(cell.days.items()) if n]) for key, cell in sorted(sums.items())]
    return [[list(key), days] for key, days in held if days]


def load_sums(dumped: list[Any]) -> Sums:
    """Return what was dumped."""
    sums = Sums(Cell)
    for key, days in dumped:
        for day, amount in days:
            sums[tuple(key)].add(day, amount)
    return sums
