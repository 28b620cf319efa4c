"""Two states of different streams put together: the one that folding all of them one by one would have given."""

from collections.abc import Mapping
from typing import Any

from services.indicators.folded.state import Levels, State
from services.indicators.folded.sums import Sums


def merge(into: State, other: State) -> None:
    """Put a state of other streams into one; raises ValueError where that cannot be done exactly.

    What both may hold is a sum or a latest, so it does not matter which event came first; earliest times, and what was
    known of them when, are kept by service.
    """
    if into.digest != other.digest or into.sequences.keys() & other.sequences.keys():
        raise ValueError("states of different plans, or of the same stream")
    if any(into.groups[name].keys() & groups.keys() for name, groups in other.groups.items()):
        raise ValueError("both streams tell of the same service's earliest times")
    for name, sums in other.sums.items():
        _sums(into.sums[name], sums)
    for name, levels in other.levels.items():
        _levels(into.levels.setdefault(name, Levels()), levels)
    for name, groups in other.groups.items():
        into.groups[name].update(groups)
    for event, counts in other.events.items():
        _add(into.events.setdefault(event, {}), counts)
    _add(into.amended, other.amended)
    for mine, theirs in ((into.heard, other.heard), (into.heard_openly, other.heard_openly)):
        for key, at in theirs.items():
            mine[key] = max(at, mine.get(key, at))
    _add(into.rejected, other.rejected)
    into.sequences |= other.sequences
    into.hashes |= other.hashes
    into.aside |= other.aside


def _add(into: dict[Any, int], other: Mapping[Any, int]) -> None:
    for key, number in other.items():
        into[key] = into.get(key, 0) + number


def _sums(into: Sums, other: Sums) -> None:
    for key, cell in other.items():
        mine = into[key]
        for day, amount in cell.days.items():
            mine.add(day, amount)
        if cell.late:
            _add(mine.known_apart(), cell.late)


def _levels(into: Levels, other: Levels) -> None:
    for key, declared in other.declared.items():
        into.touched(key)
        mine = into.declared.setdefault(key, {})
        for entry, known in declared.items():
            both = dict(mine.get(entry, {}))
            _add(both, known)
            mine[entry] = {day: number for day, number in both.items() if number}
            if not mine[entry]:
                del mine[entry]
        if not mine:
            del into.declared[key]
