"""What is added up by cell and day."""

from collections import defaultdict
from typing import Any

Key = tuple[str, ...]
"""A cell: country, then the row's label values."""


class Cell:
    """A whole-number sum by day (a date's ordinal), with its running total."""

    __slots__ = ("days", "total")

    def __init__(self) -> None:
        self.days: defaultdict[int, int] = defaultdict(int)
        self.total = 0

    def add(self, day: int, amount: int) -> None:
        """Add to a day."""
        self.days[day] += amount
        self.total += amount

    def between(self, after: int, until: int) -> int:
        """Return the sum over the days after one and up to another."""
        return sum(amount for day, amount in self.days.items() if after < day <= until)


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
