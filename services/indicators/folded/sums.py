"""What is added up by cell and day, and what of it was recorded on another day than it counts for."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

import msgspec

_encode = msgspec.json.Encoder().encode

Key = tuple[str, ...]
"""A cell: country, then the row's label values."""


NEVER = 2**62
"""A day behind all days."""
BITS = 22
"""A day's ordinal has no more: that of the last day of the year 9999 is 3,652,059."""
DAY = (1 << BITS) - 1


class _Late(NamedTuple):
    """What was recorded on another day than it counts for, in the order of recording."""

    codes: list[int]
    amounts: list[int]
    earliest: list[int]
    """Of each and all behind it, the earliest day that any counts for."""


class Cell:
    """A whole-number sum by day (a date's ordinal), with its total and, once asked for, its running totals.

    `days` keeps its keys in the order in which they came, and loses none but the last ones (`Moves`).
    """

    __slots__ = ("_known", "_late", "_running", "changed", "days", "dumped", "late", "total")

    def __init__(self) -> None:
        self.days: defaultdict[int, int] = defaultdict(int)
        self.total = 0
        self.changed = NEVER
        """The first day on which something changed since the running totals were made."""
        self.dumped: bytes | None = None
        """As it stands in the dump; None: something has changed since it was written."""
        self.late: dict[int, int] | None = None
        """Of `days`, what was recorded on another day than it counts for: (recorded day << BITS | day) -> amount."""
        self._known: list[int] = []
        self._running: list[int] = [0]
        self._late: _Late | None = None

    def add(self, day: int, amount: int, recorded: int | None = None) -> None:
        """Add to a day what was recorded on another (None: on the same)."""
        self.days[day] += amount
        self.total += amount
        self.changed = min(self.changed, day)
        self.dumped = None
        if recorded is not None and recorded != day:
            late, code = self.known_apart(), recorded << BITS | day
            late[code] = late.get(code, 0) + amount

    def known_apart(self) -> dict[int, int]:
        """Return `late`, which is about to change."""
        self._late = self.dumped = None
        if self.late is None:
            self.late = {}
        return self.late

    def between(self, after: int, until: int, known: int | None = None) -> int | None:
        """Return the sum over the days after one and up to another; None: there is nothing on any of them.

        `known`: by what was recorded by the end of a day. That is what counts by then, without what was recorded later;
        and what was recorded ahead of its day.
        """
        days = self._known if self.changed == NEVER else self._sorted()
        apart = known is not None and self.late
        if (not days or days[0] > until or days[-1] <= after) and not (apart and self._lates().earliest[0] <= until):
            return None  # as most: a stretch begins before all days, or ends behind them
        over = until if known is None or known > until else known
        first = 0 if not days or after < days[0] else bisect_right(days, after)
        last = len(days) if not days or over >= days[-1] else bisect_right(days, over)
        total = self._running[last] - self._running[first] if first < last else 0
        if known is not None and apart:
            total += self._apart(after, until, known)
            there = total or any(n for day, n in self.by_day(known).items() if after < day <= until)
        else:
            there = total or any(self.days[day] for day in days[first:last])
        return total if there else None

    def _apart(self, after: int, until: int, known: int) -> int:
        """Return what is known of the days, more than what was on those up to then: what was recorded on others."""
        codes, amounts, earliest = self._lates()
        total, over = 0, min(known, until)
        place = bisect_left(codes, (known + 1) << BITS)
        for later in range(place, len(codes)):
            if earliest[later] > over:
                break
            if after < codes[later] & DAY <= over:
                total -= amounts[later]
        if until > known:
            ahead = zip(codes[:place], amounts, strict=False)
            total += sum(amount for code, amount in ahead if max(after, known) < code & DAY <= until)
        return total

    def by_day(self, known: int | None = None) -> dict[int, int]:
        """Return what there is on each day; as known at the end of a day, if given."""
        if known is None:
            return self.days
        found = {day: amount for day, amount in self.days.items() if day <= known}
        for code, amount in (self.late or {}).items():
            recorded, day = code >> BITS, code & DAY
            if recorded > known >= day:
                found[day] = found.get(day, 0) - amount  # a day that came to nothing is not kept
            elif recorded <= known < day:
                found[day] = found.get(day, 0) + amount
        return found

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

    def _lates(self) -> _Late:
        if self._late is None:
            held = sorted((self.late or {}).items())
            earliest = accumulate((code & DAY for code, _ in reversed(held)), min)
            self._late = _Late([code for code, _ in held], [amount for _, amount in held], [*earliest][::-1])
        return self._late


class Sums(defaultdict[Key, Cell]):
    """What is added up under one name; what sums to nothing leaves no trace."""

    __slots__ = ("_dumped",)

    def __init__(self) -> None:
        super().__init__(Cell)
        self._dumped = b""

    def write(self) -> Iterator[None]:
        """Write cell by cell what has changed since the last `dump`; the cells may change between two."""
        for key, cell in [*self.items()]:
            if cell.dumped is None:
                self._dumped = b""
                cell.dumped = _dump(key, cell)
                yield
        self.dump()

    def dump(self) -> bytes:
        """Return the cells in order: [[key, [[day, amount], …], [[recorded day, day, amount], …]], …]."""
        fresh = [(key, cell) for key, cell in self.items() if cell.dumped is None]
        for key, cell in fresh:
            cell.dumped = _dump(key, cell)
        if fresh or not self._dumped:
            self._dumped = b"[" + b",".join(one for _, cell in sorted(self.items()) if (one := cell.dumped)) + b"]"
        return self._dumped

    @classmethod
    def load(cls, dumped: list[Any]) -> "Sums":
        """Return what was dumped."""
        sums = cls()
        for key, days, late in dumped:
            cell = sums[tuple(key)]
            for day, amount in days:
                cell.add(day, amount)
            if late:
                cell.known_apart().update((recorded << BITS | day, amount) for recorded, day, amount in late)
        return sums


def _dump(key: Key, cell: Cell) -> bytes:
    days = [(day, n) for day, n in sorted(cell.days.items()) if n]
    late = [(code >> BITS, code & DAY, n) for code, n in sorted((cell.late or {}).items()) if n]
    return _encode((key, days, late)) if days or late else b""
