"""Where an event goes that tells of what several tell: each country that took part, and the region once (`Once`)."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any

from services.indicators.folded import accounts
from services.indicators.folded.accounts import ALIKE_MAX, Account
from services.indicators.folded.moves import Effect, Moment, Moves, whole
from services.indicators.folded.state import State
from services.indicators.folded.sums import Cell, Sums
from services.indicators.planned import fields
from services.indicators.planned.plan import Plan
from shared.contracts.tallies import Parts
from shared.contracts.vocabulary import REGION

Change = tuple[str, str, int, int, Mapping[str, Any]]
"""(event type as which it counts, country, day's ordinal, what is added, what is said there)"""


class _Kept:
    """What is added up in one account."""

    def __init__(self, account: Account, sums: Sums) -> None:
        self._account = account
        self._sums = sums
        self._measured = accounts.measured(account)
        self._paths = sorted(account.paths)
        self._alike = lru_cache(ALIKE_MAX)(self._cells)
        """(country, what is said) -> the cells."""

    def amount(self, said: Mapping[str, Any]) -> int | None:
        """Return what one such thing adds; None: nothing."""
        if not self._account.amount:
            return 1
        number = self._measured(_at(said, self._account.amount))
        return None if number is None else 1 if self._account.present else number

    def cells(self, place: str, said: Mapping[str, Any]) -> list[Cell]:
        """Return where it is added."""
        return self._alike(place, tuple([_at(said, path) for path in self._paths]))

    def _cells(self, place: str, told: tuple[Any, ...]) -> list[Cell]:
        said = dict(zip(self._paths, told, strict=True))
        return [self._sums[key] for key in self._account.keys(place, said)]


class Sharing:
    """What a plan adds up of one event type by the parts that it says it changes."""

    def __init__(self, plan: Plan, state: State, event: str, field: str) -> None:
        self._event = event
        self._kept: dict[str, list[_Kept]] = {}
        """Event type as which a part counts -> what is added up of it."""
        own: list[Account] = []
        for name in fields.counted_as(event, field):
            alike = accounts.accounts_of(plan).by_event.get(name, {}).values()
            mine = [each for several in alike for each in several if each.once == field]
            if mine:
                self._kept[name] = [_Kept(each, state.sums[each.name]) for each in mine]
            own = mine if name == event else own
        paths = {path for each in own for path in [*each.paths, each.amount] if path}
        told = {path for path in paths if not fields.unsaid(event, path)}
        self._joint = dict.fromkeys(paths - told, True)
        """What reports do not say themselves: of those of before it was taken for granted."""
        self._paths = sorted(told)
        self.wanted = frozenset({field, *self._paths}) if self._kept else frozenset()
        """The fields to decode; none: the plan wants nothing."""
        one = fields.once(event, field)
        self._of_old = one is not None and not one.before
        self._clock = int(one is not None and one.recorded)
        self._parts = fields.reader(field)
        self._own = fields.together(self._paths)

    def effect(self, country: str) -> Effect:
        """Return what an event of a country does."""

        def use(data: Any, moment: Moment, sign: int, moves: Moves) -> None:
            for name, place, day, by, said in self._changes(country, data, moment):
                for kept in self._kept.get(name, ()):
                    amount = kept.amount(said)
                    if amount is not None:
                        moves.added.append((kept.cells(place, said), day, whole(amount) * by * sign))

        return use

    def _changes(self, country: str, data: Any, moment: Moment) -> Iterator[Change]:
        parts: Parts | None = self._parts(data)
        if parts is not None:
            for part in parts:
                day = part.at.astimezone(UTC).toordinal()
                yield part.of or self._event, part.country, day, part.by, part.said
        elif self._of_old:
            # Recorded before things counted once: it counts for who reported it, as it did then.
            said = self._joint | dict(zip(self._paths, self._own(data), strict=True))
            for place in {country, REGION}:
                yield self._event, place, moment.days[self._clock], 1, said


def _at(said: Mapping[str, Any], path: str) -> Any:
    return said[path] if path in said else fields.within(said, path)
