"""Where an event goes that tells of what several tell: each country that took part, and the region once (`Once`)."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, TypeAlias

from services.indicators.folded import accounts
from services.indicators.folded.accounts import ALIKE_MAX, Account
from services.indicators.folded.moves import Effect, Moment, Moves, day_of, whole
from services.indicators.folded.state import State
from services.indicators.folded.sums import Cell, Sums
from services.indicators.planned import fields
from services.indicators.planned.plan import Plan
from shared.contracts.tallies import Parts
from shared.contracts.vocabulary import REGION

Added: TypeAlias = list[tuple[list[Cell], int]]
"""[(cells, what one such thing adds to each of them)]"""
Told: TypeAlias = tuple[Any, ...]
"""What is said at the paths by which things are told apart, in their order."""


class _Kept:
    """What is added up of the things of one event type."""

    def __init__(self, several: Sequence[tuple[Account, Sums]]) -> None:
        self._several = [(one, accounts.measured(one), sums) for one, sums in several]
        self._paths = sorted({path for one, _ in several for path in [*one.paths, one.amount] if path})
        self._alike = lru_cache(ALIKE_MAX)(self._added)

    def added(self, place: str, said: Mapping[str, Any]) -> Added:
        """Return where a thing in a country is added of which this is said, and how much."""
        return self._alike(
            place, tuple([said[path] if path in said else fields.within(said, path) for path in self._paths])
        )

    def _added(self, place: str, told: Told) -> Added:
        said, found = dict(zip(self._paths, told, strict=True)), []
        for account, measured, sums in self._several:
            number = measured(said[account.amount]) if account.amount else 1
            if number is not None:
                cells = [sums[key] for key in account.keys(place, said)]
                found.append((cells, 1 if account.present else whole(number)))
        return found


class Sharing:
    """What a plan adds up of one event type by the parts that it says it changes."""

    def __init__(self, plan: Plan, state: State, event: str, field: str) -> None:
        self._event = event
        self._kept: dict[str, _Kept] = {}
        """Event type as which a part counts -> what is added up of it."""
        own: list[Account] = []
        for name in fields.counted_as(event, field):
            alike = accounts.accounts_of(plan).by_event.get(name, {}).values()
            mine = [each for several in alike for each in several if each.once == field]
            if mine:
                self._kept[name] = _Kept([(each, state.sums[each.name]) for each in mine])
            own = mine if name == event else own
        paths = {path for each in own for path in [*each.paths, each.amount] if path}
        told = {path for path in paths if not fields.unsaid(event, path)}
        self._joint = dict.fromkeys(paths - told, True)
        """What reports do not say themselves: of those of before it was taken for granted."""
        self._paths = sorted(told)
        self.wanted = frozenset({field, *self._paths}) if self._kept else frozenset()
        """The fields to decode; none: the plan wants nothing."""
        one = fields.once(event, field)
        self._of_old = one is not None and not one.before and event in self._kept
        self._clock = int(one is not None and one.recorded)
        self._parts = fields.reader(field)
        self._own = fields.together(self._paths)

    def effect(self, country: str) -> Effect:
        """Return what an event of a country does."""
        of_old: Callable[[Told], Added] = lru_cache(ALIKE_MAX)(partial(self._added_of_old, country))

        def use(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
            parts: Parts | None = self._parts(data)
            if parts is not None:
                for part in parts:
                    kept = self._kept.get(part.of or self._event)
                    if kept:
                        day, by = day_of(part.at), part.by * sign
                        moves.added += [(cells, day, n * by) for cells, n in kept.added(part.country, part.said)]
            elif self._of_old:
                day = moment.days[self._clock]
                moves.added += [(cells, day, n * sign) for cells, n in of_old(self._own(data))]

        return use

    def _added_of_old(self, country: str, own: Told) -> Added:
        """Return where a report of before things counted once is added: for who reported it, as it was then."""
        said = self._joint | dict(zip(self._paths, own, strict=True))
        return [one for place in {country, REGION} for one in self._kept[self._event].added(place, said)]
