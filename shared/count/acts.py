"""The acts that a report is: what opens or closes something, or says how much there is of it, and from when on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import Contract, Data, identity
from shared.contracts.tallies import Both, Level, Opens, Since, Tally
from shared.count import once

Thing: TypeAlias = tuple[str, str]
"""(what, key)"""
Act: TypeAlias = tuple[datetime, int, int, bytes | None]
"""(time, position of its event, how much there is of the thing from then on, labels as JSON)

Of what opens or closes, there is 1 or 0. Labels are None where its figures have none, or were not kept then.
"""
Acting: TypeAlias = Tally | Level
Placed: TypeAlias = tuple[Thing, datetime, int]
"""Where an act stands: (thing, time, position)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What holds of one report."""

    agreed: Contract
    data: Data
    country: str
    time: datetime
    known: datetime
    """When the region knew."""
    position: int

    def things(self, tally: Acting | Since) -> list[Thing]:
        """Return what the report is about: nothing where a part of the key is absent, several where it is a list."""
        parts = [str(self.time.astimezone(UTC).year)] if isinstance(tally, Tally) and tally.period else []
        keys = ["|".join(parts if tally.regional else [self.country, *parts])]
        for path in tally.key:
            named = value(self.data, path)
            values = named if isinstance(named, tuple | list) else [] if named is None else [named]
            keys = [f"{key}|{self._named(tally, path, one)}" for key in keys for one in values]
        return [(tally.what, key) for key in keys]

    def _named(self, tally: Acting | Since, path: str, value: Any) -> str:
        """Return a part of the key, in a regional one with the owner of what it names."""
        path = next(one for one in path.split("|") if getattr(self.data, one.partition(".")[0]) is not None)
        scope = self.agreed.ids.get(path, "")
        grouped = "." in path  # what stands in a group (an article of a treaty) is no country's own
        if not tally.regional or grouped or not isinstance(value, str) or scope.removeprefix(identity.OF) in tally.key:
            return str(value)
        return identity.told_apart(scope, self.data, path, self.country)

    @property
    def said(self) -> once.Said:
        """What counts once, whoever tells it."""
        return once.Said(self.agreed, self.data, self.country, self.time, self.known, self.position)

    def acts(self) -> list[tuple[Acting, Thing, Act]]:
        """Return the acts that the report is."""
        found: list[tuple[Acting, Thing, Act]] = []
        for tally in self.agreed.tallies:
            level = _level(tally, self.data) if isinstance(tally, Acting) else None
            if isinstance(tally, Acting) and level is not None:
                act = (self._counts(tally), self.position, level, self._labels(tally))
                found += [(tally, thing, act) for thing in self.things(tally)]
        return found

    def beside(self, thing: Thing) -> list[tuple[str, Thing]]:
        """Return (field, other thing) for each pair that the thing is one of."""
        pairs = [one for one in self.agreed.tallies if isinstance(one, Both) and thing[0] in one.whats]
        return [(one.shifts, (one.whats[one.whats[0] == thing[0]], thing[1])) for one in pairs]

    def _labels(self, tally: Acting) -> bytes | None:
        """Return what the report says by which its figures are told apart; an identifier with its owner."""
        said = {name: getattr(self.data, name) for name in tally.said}
        owned = {name for name, one in said.items() if name in self.agreed.ids and isinstance(one, str)}
        said |= {name: identity.told_apart(self.agreed.ids[name], self.data, name, self.country) for name in owned}
        return msgspec.json.encode(said, order="sorted") if said else None

    def _counts(self, tally: Acting) -> datetime:
        """Return from when on an act counts."""
        if isinstance(tally, Level):
            return self.time
        day: date | None = value(self.data, tally.at) if tally.at else None
        if day is not None:
            return datetime.combine(day, time.min, UTC)
        return min(self.time, self.known) if tally.known else self.time


def _level(tally: Acting, data: Data) -> int | None:
    """Return how much there is of the thing by the report (1 where it opens it, 0 where it closes it); None: no act."""
    if isinstance(tally, Level):
        level: int | None = value(data, tally.value)
        return level
    if not isinstance(tally.opens, Opens):
        return int(tally.opens)
    if value(data, tally.opens.field) in tally.opens.values:
        return 1
    return 0 if tally.opens.others_close else None


@cache
def only_opens(what: str) -> bool:
    """Say whether nothing closes such a thing, and so it counts as the first report of it says."""
    alike = [
        one for agreed in contracts.registry().values() for one in agreed.tallies if getattr(one, "what", "") == what
    ]
    return all(isinstance(one, Tally) and _opens(one) for one in alike if isinstance(one, Acting))


def _opens(tally: Tally) -> bool:
    only = not tally.opens.others_close if isinstance(tally.opens, Opens) else tally.opens
    return only and not tally.latest


def value(data: Any, path: str) -> Any:
    """Return what stands at a path of attributes, or at the first of several (`a|b`); None where a part is absent."""
    first, _, other = path.partition("|")
    found = data
    for name in first.split("."):
        found = getattr(found, name, None)
    return value(data, other) if found is None and other else found
