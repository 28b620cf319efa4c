"""What a batch reads and changes: each table's part of it in memory, read by key and written at the end.

Nothing here decides anything. What was not read yet is taken for absent, and wanted: the engine then reads what all
events of the batch want, in one statement for each table, and decides anew where it was not absent. So the number of
SQL statements does not grow with the events, and a judgement reads what it needs without saying so beforehand.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from shared.contracts import Data, Event
from shared.record.judgement import Notified, Standing
from shared.record.signers import Key

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
At: TypeAlias = tuple[str, int]
"""Where a report stands: (stream, empty for this service's own log; position)."""
Range: TypeAlias = tuple[str, datetime | None, datetime | None, int | None]
"""(thing, since, until, the first so many by time, or, of fewer than none, the last)"""

_encode = msgspec.json.Encoder().encode


Journal: TypeAlias = list[Callable[[], object]]
"""How to undo what the event at hand changed, the last first."""


@dataclass(slots=True)
class Table(Generic[K, V]):
    """Values by key: as read, and as the batch changed them."""

    journal: Journal
    absent: V
    """What a key has that no row is of."""
    missed: "list[tuple[Table[Any, Any], Hashable]]" = field(default_factory=list)
    """What was asked for in a round and not read yet, of all tables."""
    read: dict[K, V] = field(default_factory=dict)
    batch: dict[K, V] = field(default_factory=dict)
    wanted: set[K] = field(default_factory=set)

    def want(self, keys: Iterable[K]) -> None:
        """Have keys read before the next round, unless they were."""
        self.wanted.update(key for key in keys if key not in self.read)

    def get(self, key: K) -> V:
        """Return the value; absent where it is not read yet: what is decided by that is decided anew."""
        if key in self.batch:
            return self.batch[key]
        if key not in self.read:
            self.wanted.add(key)
            self.missed.append((self, key))
            return self.absent
        return self.read[key]

    def peek(self, key: K) -> V | None:
        """Return the value as far as the batch changed it; None: it did not."""
        return self.batch.get(key)

    def put(self, key: K, value: V) -> None:
        """Set the value."""
        self.journal.append(_undoing(self.batch, key))
        self.batch[key] = value

    def again(self) -> None:
        """Forget what the batch changed: it is decided anew."""
        self.batch.clear()

    def taken(self) -> list[K]:
        """Return the keys to be read now; whatever has no row is absent."""
        keys = list(self.wanted)
        self.read.update(dict.fromkeys(keys, self.absent))
        self.wanted.clear()
        return keys

    def changed(self) -> dict[K, V]:
        """Return what differs from what was read."""
        return {key: value for key, value in self.batch.items() if key not in self.read or self.read[key] != value}


@dataclass(slots=True)
class Members(Generic[K, V]):
    """What is kept under a key, several of each: added and taken away without all others being read."""

    journal: Journal
    added: dict[K, dict[Any, V]] = field(default_factory=dict)
    """By key, then by what tells it from the others under the key."""
    gone: dict[K, set[Any]] = field(default_factory=dict)
    """What was taken away, whether or not it was added since."""

    def add(self, key: K, which: Any, value: V) -> None:
        """Put something under the key."""
        own = self.added.setdefault(key, {})
        self.journal.append(_undoing(own, which))
        own[which] = value

    def drop(self, key: K, which: Any) -> None:
        """Take something away from under the key."""
        own = self.added.setdefault(key, {})
        if which in own:
            self.journal.append(_undoing(own, which))
            del own[which]
        gone = self.gone.setdefault(key, set())
        if which not in gone:
            gone.add(which)
            self.journal.append(partial(gone.discard, which))

    def again(self) -> None:
        """Forget what the batch changed: it is decided anew."""
        self.added.clear()
        self.gone.clear()


def _undoing(values: dict[Any, Any], key: Any) -> Callable[[], object]:
    """Return what gives the key the value back that it has now."""
    return partial(values.__setitem__, key, values[key]) if key in values else partial(values.pop, key)


class Logged(NamedTuple):
    """A row of the log."""

    position: int
    source: str
    country: str
    type: str
    event: Event[Any]


class Amended(NamedTuple):
    """What holds now of a report that was amended."""

    latest: Data
    retracted: bool
    into_root: int | None
    sent: int | None = None
    """When the intake stored the amendment that says so (ns since 1970); None: not known."""


class Heard(NamedTuple):
    """Another service's report that was heard."""

    report: Standing[Any] | None = None
    """As it stands; None: it is not kept."""
    amended: int | None = None
    """Where in its stream the newest amendment stands that was acted upon."""


class Period(NamedTuple):
    """Under which report a figure for a period stands (table `aggregate`)."""

    first: Any
    last: Any
    id: str
    source: str
    told: datetime


Named: TypeAlias = tuple[int, str, str, str]
"""A report that names an entity: (position, id, country, type)."""
Assigned: TypeAlias = tuple[datetime, str, str, datetime, str]
"""A seat: (since, body, holder, recorded, event id)."""
Figure: TypeAlias = tuple[str, str, str]
"""(type, country, key) of figures for periods."""


class Tables:
    """All that a batch may read and change."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.journal: Journal = []
        self._missed: list[tuple[Table[Any, Any], Hashable]] = []
        table, members = partial(Table, self.journal, missed=self._missed), partial(Members, self.journal)
        self.things: Table[Range, tuple[Standing[Any], ...]] = table(())
        self.by_id: Table[str, tuple[Logged, ...]] = table(())
        self.by_position: Table[int, Logged | None] = table(None)
        self.by_entity: Table[str, tuple[Named, ...]] = table(())
        self.amended: Table[int, Amended | None] = table(None)
        self.heard: Table[At, Heard | None] = table(None)
        self.notified: Table[str, tuple[Notified, ...]] = table(())
        self.by_key: Table[str, frozenset[str]] = table(frozenset())
        """key -> the scopes about which it was told."""
        self.deadlines: Table[str, tuple[datetime, Event[Any]] | None] = table(None)
        self.merged: Table[tuple[str, str, str], str | None] = table(None)
        self.periods: Table[Figure, tuple[Period, ...]] = table(())
        self.period_of: Table[tuple[str, str], Figure | None] = table(None)
        self.seats: Table[None, tuple[Assigned, ...]] = table(())
        self.signers: Table[str, tuple[Key, ...]] = table(())
        """country -> the keys that sign for it."""
        self.standing: Table[At, Standing[Any] | None] = table(None)
        """Reports that the batch recorded or amended, as they stand; never read."""
        self.index: Members[str, Standing[Any]] = members()
        """thing -> where reports stand (time, stream, position) that this batch put there, or took away."""
        self.ids: Members[str, Logged] = members()
        self.entities: Members[str, Named] = members()
        self._tables: Sequence[Table[Any, Any]] = [one for one in vars(self).values() if isinstance(one, Table)]

    def keep(self) -> None:
        """Let what the event at hand changed stand."""
        self.journal.clear()

    def undo(self, since: int = 0) -> None:
        """Forget what the event at hand changed, or what of that the journal has since then."""
        while len(self.journal) > since:
            self.journal.pop()()

    def again(self) -> None:
        """Forget what the batch changed: it is decided anew."""
        self.journal.clear()
        self._missed.clear()
        for table in self._tables:
            table.again()
        for members in (self.index, self.ids, self.entities):
            members.again()

    def missing(self) -> bool:
        """Say whether something is to be read."""
        return any(one.wanted for one in self._tables)

    def misses(self) -> int:
        """Return how often something was asked for in this round that was not read yet."""
        return len(self._missed)

    def found(self, since: int, until: int) -> bool:
        """Say whether any of these misses of the round has a row, now that it is read: it was taken for absent."""
        return any(table.read[key] is not table.absent for table, key in self._missed[since:until])
