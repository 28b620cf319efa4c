"""The cells of a row, made of the sums of accounts."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Self

from services.indicators.folded.accounts import Source
from services.indicators.folded.sums import NEVER, Cell, Key, Sums


class View:
    """The cells of a row in one role, made of those of accounts."""

    __slots__ = ("_seen", "_sources", "cells")

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = list(sources)
        self._seen = [0] * len(self._sources)
        self.cells: dict[Key, list[tuple[Cell, int]]] = {}
        """Row's cell -> [(account's cell, what its numbers count)]."""

    def over(self, sums: Mapping[str, Sums]) -> Self:
        """Return it with the cells that the accounts have got since (they lose none)."""
        for index, source in enumerate(self._sources):
            held: Mapping[Key, Cell] = sums.get(source.name, {})
            for key, cell in islice(held.items(), self._seen[index], None):
                mine = source.key(key)
                if mine is not None:
                    self.cells.setdefault(mine, []).append((cell, source.factor))
            self._seen[index] = len(held)
        return self

    def days(self, key: Key, known: int | None = None) -> dict[int, int]:
        """Return what there is in a cell on each day; as known at the end of a day (an ordinal), if given."""
        return _by_day(self.cells[key], known)

    def upto(self, until: int | None, known: int | None = None) -> Iterator[tuple[Key, int]]:
        """Yield each cell's sum up to and including a day (None: all), where there is anything."""
        if until is not None or known is not None:
            yield from self.between(0, NEVER if until is None else until, known)
            return
        for key, parts in self.cells.items():
            total = 0
            for cell, factor in parts:  # most have one part: sum() would take twice as long
                total += cell.total * factor
            if total or _any(parts, 0, NEVER, None):
                yield key, total

    def between(self, after: int, until: int, known: int | None = None) -> Iterator[tuple[Key, int]]:
        """Yield each cell's sum over the days after one and up to another, where there is anything.

        `known`: by what was recorded by the end of a day (an ordinal); None: by all that was.
        """
        for key, parts in self.cells.items():
            if len(parts) == 1:  # as most have
                cell, factor = parts[0]
                found = cell.between(after, until, known)
                if found is not None:
                    yield key, found * factor
                continue
            total, there = 0, False
            for cell, factor in parts:
                found = cell.between(after, until, known)
                if found is not None:
                    total, there = total + found * factor, True
            if total or (there and _any(parts, after, until, known)):
                yield key, total


def _any(parts: list[tuple[Cell, int]], after: int, until: int, known: int | None) -> bool:
    """Say whether there is anything on any of the days after one and up to another."""
    if known is not None and any(cell.late for cell, _ in parts):
        return any(after < day <= until for day in _by_day(parts, known))
    until = until if known is None else min(until, known)
    days = (day for cell, _ in parts for day in cell.within(after, until))
    return any(sum(cell.days.get(day, 0) * factor for cell, factor in parts) for day in days)


def _by_day(parts: list[tuple[Cell, int]], known: int | None) -> dict[int, int]:
    """Return what there is on each day, without those on which it comes to nothing."""
    found: dict[int, int] = {}
    for cell, factor in parts:
        for day, amount in cell.by_day(known).items():
            found[day] = found.get(day, 0) + amount * factor
    return {day: amount for day, amount in found.items() if amount}
