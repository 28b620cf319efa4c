"""What judgements read while a batch is decided: what is on record, with what the batch has changed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared import contracts
from shared.contracts import Data, Event
from shared.contracts.vocabulary import REGION, Seat
from shared.record import seats
from shared.record.judgement import KNOWN, Judgement, Notified, Standing, source
from shared.record.tables import Amended, Logged, Tables


@dataclass(slots=True)
class Reads:
    """A batch as far as it is decided; it is what judgements read through (`shared.record.judgement.Reading`)."""

    service: str
    judgements: Mapping[type[Data], Sequence[Judgement]]
    tables: Tables
    again: bool = False
    """Whether what was recorded before is judged again (`crm restore`)."""
    quiet: bool = False
    """Whether reports are only kept, and nothing is told because of them."""
    head: int = 0
    """The log's last position before the batch."""
    events: list[tuple[Event[Any], int]] = field(default_factory=list)
    """What is to be recorded, with the number of the draft that it comes of."""
    reports: list[Event[Any]] = field(default_factory=list)
    """The countries' reports among them."""
    cause: Event[Any] = field(init=False)
    failed: dict[int, Exception] = field(default_factory=dict)
    """By the number of the draft, what was raised by what follows from it behind the batch."""
    draft: int = 0
    sent: int | None = None
    """When the intake stored the report at hand (ns since 1970); None: not known, or no country's."""
    _judged: Standing[Any] | None = None
    _arriving: bool = False
    _depth: int = 0
    _misses: int = 0
    """How much was missed before the event at hand."""
    guessed: bool = False
    """Whether the event at hand is to be decided anew, whatever is found: it was left open what follows from it."""

    @property
    def now(self) -> datetime:
        """When the event at hand is recorded."""
        return self.cause.recordedtime

    @property
    def arriving(self) -> bool:
        """Whether the report judged is the event at hand itself."""
        return self._arriving

    @property
    def judged(self) -> Standing[Any] | None:
        """The report because of which a scope is judged, as it stands."""
        return self._judged

    def about(
        self, thing: str, since: datetime | None = None, until: datetime | None = None, most: int | None = None
    ) -> Sequence[Standing[Any]]:
        """Return the reports about a thing, by time."""
        index, standing = self.tables.index, self.tables.standing
        gone = index.gone.get(thing, ())
        more = most and (most + len(gone) if most > 0 else most - len(gone))
        read = self.tables.things.get((thing, since, until, more))
        fresh = index.added.get(thing)
        if not gone and not fresh:
            return [standing.peek((one.stream, one.position)) or one for one in read]
        found = [(place(thing, one), standing.peek((one.stream, one.position)) or one) for one in read]
        found = [(at, one) for at, one in found if at not in gone]
        if fresh:
            inside = [
                (at, one)
                for at, one in fresh.items()
                if (not since or at[0] >= since) and (not until or at[0] <= until)
            ]
            found = sorted(dict((*found, *inside)).items())
        reports = [one for _, one in found]
        return reports[most:] if most and most < 0 else reports[:most]

    def sure(self) -> bool:
        """Whether all that was asked for by now because of the event at hand is read; else it is decided anew."""
        self.guessed |= (missed := self.tables.misses() > self._misses)
        return not missed

    def notified(self, scope: str) -> Sequence[Notified]:
        """Return what was told about a scope."""
        return self.tables.notified.get(scope)

    def pending(self, key: str) -> bool:
        """Say whether a notice that falls due is still to be told."""
        return self.tables.deadlines.get(key) is not None

    def event(self, event_id: str) -> Event[Any] | None:
        """Return the event of this service's own that has the id."""
        own = source(self.service)
        return next((one.event for one in self.logged(event_id) if one.source == own), None)

    def holders(self, at: datetime) -> Mapping[str, str]:
        """Return who holds each seat at an instant."""
        rows = self.tables.seats.get(None)
        return seats.in_force(at, [(since, body, holder) for since, body, holder, *_ in rows])

    def mailbox(self, body: Seat, at: datetime) -> str:
        """Return whose mailbox a body's is: of its holder or, if that is no country, the presidency; else `REG`."""
        holders = self.holders(at)
        countries = (contracts.place_of(holders.get(one, "")) for one in (body, "ppt"))
        return next((one for one in countries if one != REGION), REGION)

    def logged(self, event_id: str) -> Sequence[Logged]:
        """Return the rows of the log that have this id."""
        read = self.tables.by_id.get(event_id)
        return [*read, *self.tables.ids.added.get(event_id, {}).values()]

    def row(self, position: int) -> Logged | None:
        """Return a row of the log."""
        if position > self.head:
            event, _ = self.events[position - self.head - 1]
            return Logged(position, event.source, event.country, event.type, event)
        return self.tables.by_position.get(position)

    def amended(self, position: int) -> Amended | None:
        """Return what holds of a report that was amended; None: it was not."""
        changed = self.tables.amended.peek(position)
        if changed is not None or position > self.head:
            return changed
        self.row(position)  # the two are read together
        return self.tables.amended.read.get(position)


def place(thing: str, report: Standing[Any]) -> tuple[datetime, str, int]:
    """Return where a report stands among those about a thing: by time."""
    return report.known if thing.startswith(KNOWN) else report.time, report.stream, report.position
