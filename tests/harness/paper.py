"""A service's judgements on paper: the engine's decisions without a database, all in memory.

What is read of a table is what this log itself put there; so a whole history is decided event by event, as it would be
batch by batch.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Corrected, Event, Refused, Retracted
from shared.contracts.vocabulary import REGION
from shared.record.deciding import Deciding
from shared.record.judgement import Unknown
from shared.record.tables import Heard, Table, Tables
from shared.service import Service


class _Written(Table[Any, Any]):
    """A table that holds nothing but what was put into it."""

    def get(self, key: Any) -> Any:
        return self.batch.get(key, self.absent)


def tables() -> Tables:
    """Empty tables that are never read from a database."""
    made = Tables()
    for name, one in list(vars(made).items()):
        if isinstance(one, Table):
            setattr(made, name, _Written(one.journal, one.absent))
    return made


@dataclass
class Paper:
    """A log on paper."""

    service: Service
    now: datetime
    deciding: Deciding = field(init=False)
    waiting: list[tuple[Event[Any], Any, int | None]] = field(default_factory=list)
    refused: list[Event[Any]] = field(default_factory=list)
    known: set[Any] = field(default_factory=set)
    heard: dict[tuple[str, int], Event[Any] | None] = field(default_factory=dict)
    """What was heard, as it stands; None: it was retracted."""

    def __post_init__(self) -> None:
        judged = self.service.judged()
        assert judged is not None
        self.deciding = Deciding(self.service.name, judged, tables())

    def tell(self, event: Event[Any], heard: tuple[str, int] | None = None, sent: int | None = None) -> None:
        """Record or hear an event, and then whatever waited for it; the same one again changes nothing.

        `sent`: when its sender sent it.
        """
        if (which := heard or (event.id, event.source)) in self.known:
            return
        self.waiting.append((event, heard, sent))
        self.known.add(which)
        moved = True
        while moved:
            moved = False
            for one in list(self.waiting):
                try:
                    self._decide(*one)
                except Unknown:
                    continue
                except Refused:
                    self.refused.append(one[0])
                self.waiting.remove(one)
                moved = True

    def _decide(self, event: Event[Any], heard: tuple[str, int] | None, sent: int | None) -> None:
        reports = len(self.deciding.reports)
        self.deciding.decide(0, msgspec.structs.replace(event, recordedtime=self.now), heard, sent=sent)
        for report in self.deciding.reports[reports:]:
            self.deciding.late(0, report)
        if heard and not is_amendment(event):
            self.heard[heard] = event
        elif heard and event.data.original_sequence:
            at = heard[0], event.data.original_sequence
            said, before = getattr(event.data, "data", None), self.heard.get(at)
            if before is not None and _acted_upon(self.deciding.tables.heard.get(at), heard[1]):
                data = None if said is None else msgspec.convert(said, type(before.data))
                self.heard[at] = data and msgspec.structs.replace(before, data=data)

    def events(self) -> Iterator[Event[Any]]:
        """What stands in the log, in order."""
        return (event for event, _ in self.deciding.events)

    def told(self) -> Counter[tuple[str, ...]]:
        """What is told, or to be told, and was not taken back: (scope, type, country)."""
        rows = self.deciding.tables.notified.batch.values()
        return Counter((one.scope, one.type, one.country) for some in rows for one in some)

    def reports(self) -> list[tuple[Event[Any], tuple[str, int] | None]]:
        """The reports as they stand: as in a history without corrections, retractions and merges."""
        found: list[tuple[Event[Any], tuple[str, int] | None]] = []
        tables_ = self.deciding.tables
        for event in self.events():
            if contracts.sender_of(event.source) == REGION or contracts.registry()[event.type].generic:
                continue
            now = tables_.amended.batch.get(event.sequence)
            if now is None:
                found.append((event, None))
            elif not now.retracted:
                found.append((msgspec.structs.replace(event, data=now.latest), None))
        found += [(event, at) for at, event in self.heard.items() if event is not None]
        return sorted(found, key=lambda one: (one[0].time, one[0].id))


def _acted_upon(heard: Heard | None, position: int) -> bool:
    return heard is not None and heard.amended in (None, position)


def is_amendment(event: Event[Any]) -> bool:
    """Whether an event corrects or retracts another."""
    return isinstance(event.data, Corrected | Retracted)
