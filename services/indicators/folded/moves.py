"""What an event changes in the state: worked out first, then done all or not at all."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from services.indicators.folded.state import Groups, Levels, Was
from services.indicators.folded.sums import BITS, Cell

AMOUNT_MAX = 10**13
"""What one event may add to a sum: so many such that nothing reaches the 64 bits of a stored number."""


def whole(amount: Any) -> int:
    """Return the amount if it can be added up; ValueError if it is no whole number, or beyond all measure."""
    if type(amount) is not int or not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
        raise ValueError("not a whole number that can be added up")
    return amount


def day_of(at: datetime) -> int:
    """Return the ordinal of the day, UTC."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).toordinal()  # nearly all are


class Moment(Struct, frozen=True, gc=False):
    """When something happened and when it was recorded, UTC; and the ordinals of the two days, in this order."""

    time: datetime
    recorded: datetime
    days: tuple[int, int]


class Moves(Struct):
    """The changes of one event. Whatever can fail of an event fails while they are gathered."""

    added: list[tuple[Sequence[Cell], int, int]] = []
    """(cells, day's ordinal, what is added to each of them)"""
    puts: list[tuple[dict[Any, Any], Any, Any]] = []
    """(mapping, key, its new value)"""
    rarer: list[tuple[Levels | Groups, Any, Any, int]] = []
    """(levels, cell, what was declared, 1 or -1), or (groups, group, when in microseconds, 1 or -1)"""
    recorded: int = 0
    """The ordinal of the day on which the event was recorded: from then on all of this is known."""

    def do(self) -> None:
        """Do all of it; if anything fails, all is as before."""
        was: Was = []
        recorded = self.recorded
        try:
            for where, key, what, sign in self.rarer:
                where.note(key, what, sign, recorded, was)
            for cells, day, amount in self.added:
                for cell in cells:
                    days = cell.days
                    before = days.get(day)
                    was.append((days, day, before))
                    days[day] = amount if before is None else before + amount
                    cell.total += amount
                    cell.dumped = None
                    if day < cell.changed:  # noqa: PLR1730 - for every event; min() takes three times as long
                        cell.changed = day
                    if day != recorded:
                        late = cell.known_apart()
                        code = recorded << BITS | day
                        before = late.get(code)
                        was.append((late, code, before))
                        late[code] = amount if before is None else before + amount
            for mapping, key, value in self.puts:
                was.append((mapping, key, mapping.get(key)))
                mapping[key] = value
        except BaseException:
            self._undo(was)
            raise

    def _undo(self, was: Was) -> None:
        for mapping, key, value in reversed(was):
            if value is None:
                mapping.pop(key, None)
            else:
                mapping[key] = value
        for cells, *_ in self.added:
            for cell in cells:
                cell.total = sum(cell.days.values())


Effect = Callable[[Any, Moment, int, Moves], None]
"""(data, moment, 1 to put in or -1 to take out, where the changes are gathered): it changes nothing itself."""
