"""A judgement: what the reports about one thing say should have been told. Pure: no database, no NATS, no clock.

Example: the thing `document/HND/doc-5f2` has a report that it was listed as stolen and one that a border flagged it.
Both are about the thing, so whichever comes last, the judgement says: Honduras and the finder are told of a hit. Where
the listing is retracted, it says so no more, and the engine takes the hit back.
"""

import hashlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct, json
from msgspec.structs import replace

from shared import contracts
from shared.contracts import Data, Event, Problem
from shared.contracts.identity import Owners
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import Seat

NAMESPACE = uuid.UUID("6a0f5a39-0f6b-5c5e-9a53-20030509cafe")
INSTANT = timedelta(microseconds=1)
"""The least that tells two times apart."""
KNOWN = "known/"
"""The reports about a thing that begins so stand in the order in which they were known, not in which they happened."""
D = TypeVar("D", bound=Data)

_encode = json.Encoder().encode


class Unknown(Exception):  # noqa: N818 - it is not an error: the event waits for the one it refers to
    """The sender refers (at `pointer`) to something not recorded yet: the event comes back, and is refused in time."""

    def __init__(self, pointer: str, problem: Problem | None = None) -> None:
        super().__init__(pointer)
        self.pointer = pointer
        self.problem = problem or Problem(pointer, "unknown_reference", "nothing is recorded under the id given here")
        """What the sender is told in the end."""


class NotReady(Unknown):
    """What the event refers to is on its way in this service itself: it waits for us, and is never refused for it."""


class Standing(Struct, Generic[D], frozen=True):
    """A report as it stands: as first reported, with the data that hold now."""

    stream: str
    """Where it stands: empty for this service's own log, else the other service's stream."""
    position: int
    event: Event[D]

    @property
    def data(self) -> D:
        """What it says now."""
        return self.event.data

    @property
    def id(self) -> str:
        """The id of the report."""
        return self.event.id

    @property
    def source(self) -> str:
        """The system that sent it."""
        return self.event.source

    @property
    def country(self) -> str:
        """Whose report it is."""
        return self.event.country

    @property
    def time(self) -> datetime:
        """When it happened."""
        return self.event.time

    @property
    def known(self) -> datetime:
        """Since when this service knows of it."""
        return self.event.recordedtime

    @property
    def name(self) -> str:
        """The contract's name: `intel.document.flagged`."""
        return self.event.name

    @property
    def verb(self) -> str:
        """What happened: `flagged`."""
        return self.event.verb

    def saying(self, data: Any) -> "Standing[Any]":
        """Return the report as it says `data`."""
        return self if data is self.data else Standing(self.stream, self.position, replace(self.event, data=data))

    @property
    def own_scope(self) -> str:
        """The scope of what follows from the report by itself."""
        return f"{self.source}/{self.id}"


class Notice(Struct, frozen=True, kw_only=True):
    """What is to be told, now or, if it still holds then, at `due`."""

    to: str
    """Whose mailbox; `REG`: nobody's."""
    data: Data
    scope: str
    """What it is about."""
    name: str = ""
    """What makes it the same notice as another; without one, all that it says."""
    key: str = ""
    """What tells it from every other notice of the service; without one, made of kind, addressee and name."""
    due: datetime | None = None
    time: datetime | None = None
    """When it happened; without one, when it is told or due."""
    subject: str = ""
    event_key: str | None = None
    """What tells its event from others with the same cause and type; without one, the key."""
    cause: Event[Any] | None = None
    """What set it off; without one, the report that is judged. One that falls due then says what holds by now."""
    event_id: str = ""
    """The id of its event, where it does not follow from the cause."""

    @property
    def identity(self) -> str:
        """The key."""
        if self.key:
            return self.key
        said = self.name.encode() or _encode(self.data)
        kind = self.data.kind if isinstance(self.data, Alert) else type(self.data).__name__
        due = self.due.isoformat() if self.due else ""
        return f"{kind}/{self.to}/{hashlib.blake2b(said + due.encode(), digest_size=16).hexdigest()}"


class Notified(Struct, frozen=True):
    """A notice that was told, or is to be told when it falls due."""

    scope: str
    key: str
    event_id: str
    type: str
    country: str
    entity: str
    scheduled: bool

    @property
    def is_alert(self) -> bool:
        """Whether it asks for attention, and so counts in no figure."""
        return self.type.endswith(".alert.issued.v1")


class Reading(Protocol):
    """What a judgement may read: the reports on record, and what was told. All of it as of the event at hand."""

    @property
    def cause(self) -> Event[Any]:
        """The event at hand: a report, or its correction or retraction."""

    @property
    def now(self) -> datetime:
        """When the event at hand is recorded: the only clock there is."""

    @property
    def arriving(self) -> bool:
        """Whether the report judged is the event at hand itself, and not one that is amended by it."""

    @property
    def judged(self) -> Standing[Any] | None:
        """The report because of which a scope is judged, as it stands; None: it was retracted."""

    def about(
        self, thing: str, since: datetime | None = None, until: datetime | None = None, most: int | None = None
    ) -> Sequence[Standing[Any]]:
        """Return the reports about a thing that happened since and until then, by time: the first `most` of them.

        Of fewer than none, the last ones: -1 is the last.
        """

    def sure(self) -> bool:
        """Whether all that was asked for by now because of the event at hand is read: else a large read may be in vain.

        What is not read yet is absent. Whoever asks and is told no has the event decided anew, whatever is found.
        """

    def notified(self, scope: str) -> Sequence[Notified]:
        """Return what was told about a scope, or is to be told."""

    def pending(self, key: str) -> bool:
        """Say whether a notice that falls due is still to be told."""

    def event(self, event_id: str) -> Event[Any] | None:
        """Return the event of this service's own that has the id, if it stands in the log."""

    def holders(self, at: datetime) -> Mapping[str, str]:
        """Return who holds each seat at an instant."""

    def mailbox(self, body: Seat, at: datetime) -> str:
        """Return whose mailbox a body's is at an instant; `REG`: nobody's."""

    @property
    def again(self) -> bool:
        """Whether what was recorded before is judged again (`crm restore`): what was asked at the door then, holds."""


class Judgement:
    """What follows from the reports about one kind of thing. Its methods are pure, and by default do nothing."""

    reports: ClassVar[tuple[type[Data], ...]] = ()
    """What it is about: reports of this service, what it derived itself, and what it hears of others."""
    in_order: ClassVar[bool] = False
    """Whether notices are told and taken back in the order of scopes and keys; else what is told comes first."""

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the things that a report is about, by which it is found: `document/HND/doc-5f2`.

        Nothing is kept of another service's report that is about no thing.
        """
        del report
        return ()

    def firsts(self, report: Standing[Any]) -> Mapping[str, str]:
        """Return, for things of the report, a thing that only the first report about each of them is about.

        Only of what is heard of others. Example: `known/pattern/HND/PP/photo` -> `known/patterns`.
        """
        del report
        return {}

    def owners(self, report: Standing[Any], read: Reading) -> Owners:
        """Return whose identifiers a country's report names, by field; raises Refused or Unknown."""
        del report, read
        return {}

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Refused, or Unknown, where the report makes no sense among the others (which do not hold it yet)."""

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Raise Refused where the report may not be corrected to `after`, or retracted (None)."""

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Return the data with what only this service knows (`derived` fields); the others do not hold the report."""
        del read
        return report.data  # type: ignore[no-any-return]  # of any type

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Return the same of a report that an amendment takes out, or puts in (`taken_out`: only the latter)."""
        del read
        return report.data  # type: ignore[no-any-return]  # of any type

    def taken_out(self, report: Standing[Any], read: Reading) -> Data:
        """Return the data of a report as it is taken out by an amendment: by default as `refill` has it."""
        return self.refill(report, read)

    def counts_anew(self, report: Standing[Any], read: Reading) -> Iterable[Standing[Any]]:
        """Return the reports that are to be counted anew because of this one: it tells what fills them in otherwise.

        The service corrects each to what it says already, behind the batch; where that is refused it stays as it was.
        """
        del report, read
        return ()

    def addressee(self, report: Standing[Any], read: Reading) -> str:
        """Return whose mailbox an own event goes to, where that shows only when it happens."""
        del read
        return report.country

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Return what a report sets off when it arrives, whatever becomes of it later; nothing takes that back."""
        del report, read
        return ()

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the scopes to be judged when a report comes, goes or changes: by default its things."""
        del read
        return self.things(report)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Return all that should have been told about a scope, by what is on record now."""
        del scope, read
        return ()

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return what takes back a notice that was told and no longer holds."""
        del notified, read
        return ()


class Announcement(Judgement, ABC):
    """A judgement of reports each by itself."""

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the report's own scope."""
        del read
        return (report.own_scope,)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Return what is told of the report as it stands; of one that was retracted, nothing."""
        return self.notices(read.judged, scope, read) if read.judged else ()

    @abstractmethod
    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Return who is told what of a report."""


@lru_cache(8192)  # a batch is decided in rounds, which derive the same events
def derived_id(*parts: str) -> str:
    """Return the id that these parts always give."""
    return str(uuid.uuid5(NAMESPACE, "|".join(parts)))


def source(service: str) -> str:
    """Return the CloudEvents source of a service's own events."""
    return f"urn:crm:service:{service}"


def derive(  # noqa: PLR0913 - the facts of an event, each named at its place of use
    service: str,
    data: Data,
    *,
    cause: Event[Any],
    to: str,
    subject: str = "",
    key: str = "",
    time: datetime | None = None,
) -> Event[Any]:
    """Return the event that `service` sets off because of `cause`, addressed to `to`'s mailbox (`REG`: nobody's).

    `key` tells apart several events of one type with one cause; `time` is the cause's recorded time unless given.
    """
    agreed = contracts.of(type(data), service)
    named = getattr(data, agreed.entity) if agreed.entity else None
    return Event(
        specversion="1.0",
        id=derived_id(cause.source, cause.id, agreed.type, key),
        source=source(service),
        type=agreed.type,
        time=time or cause.recordedtime,
        country=to,  # type: ignore[arg-type]  # a member's code, or the region's
        data=data,
        recordedtime=cause.recordedtime,
        subject=subject or named or cause.subject,
        datacontenttype="application/json",
        causationid=cause.id,
        correlationid=cause.correlationid or cause.id,
        traceparent=cause.traceparent,
    )


def enriched(event: Event[D], **derived: Any) -> Event[D]:
    """Return the event with its `derived` fields filled in."""
    return replace(event, data=replace(event.data, **derived))


def by_type(judgements: Collection[Judgement]) -> Mapping[type[Data], tuple[Judgement, ...]]:
    """Return the judgements of each type of report, in their order."""
    found: dict[type[Data], tuple[Judgement, ...]] = {}
    for judgement in judgements:
        for kind in judgement.reports:
            found[kind] = (*found.get(kind, ()), judgement)
    return found


def defined(*modules: ModuleType) -> tuple[Judgement, ...]:
    """Return a judgement of each class that these modules define: module by module, as they stand there."""
    return tuple(
        kind()
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Judgement) and kind.__module__ == module.__name__
    )
