"""The CloudEvents envelope: a report as a country sends it, an event as recorded, and the forms of their fields."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from shared.contracts.bounds import END, HAPPENED, JSON, PSEUDONYM, SINCE_PLAN, YEARS, at_most, shaped
from shared.contracts.vocabulary import (
    MEMBERS,
    Addressee,
    Reporter,
)

EventId = Annotated[str, Meta(min_length=1, max_length=64, pattern=rf"^[A-Za-z0-9][A-Za-z0-9._:-]*{END}")]
"""The id of an event on record, whenever it was recorded."""
Ref = Annotated[EventId, PSEUDONYM]
"""A pseudonymous identifier made by the reporting system: never a name, document or telephone number."""
Source = Annotated[
    str,
    Meta(
        max_length=80,
        pattern=rf"^urn:crm:(country:({'|'.join(MEMBERS)}):[a-z0-9_-]+|service:[a-z]+){END}",
    ),
]
Time = Annotated[datetime, Meta(tz=True), YEARS]
"""RFC 3339 with an offset; a time without one is refused."""
TraceParent = Annotated[str, Meta(pattern=rf"^00-[0-9a-f]{{32}}-[0-9a-f]{{16}}-[0-9a-f]{{2}}{END}")]
Hash = Annotated[str, Meta(min_length=64, max_length=64, pattern=rf"^[0-9a-f]{{64}}{END}")]
"""A keyed hash (BLAKE2b-256, hex) of a number that itself never travels."""
COUNT_MAX = 1_000_000_000
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Hours = Annotated[Count, at_most(10_000)]
"""Of lessons: more is a slip, and would bend every sum that it is in."""
Months = Annotated[Count, at_most(1_800)]
"""Of a penalty or a programme: 150 years."""
Share = Annotated[float, Meta(ge=0, le=1)]

D = TypeVar("D")


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a report: where (RFC 6901 pointer), a stable code, why, and the nearest known value."""

    pointer: str
    code: str
    message: str
    suggestion: str | None = None


class Refused(Exception):  # noqa: N818 - a verdict on a report, not a failure of ours
    """What the sender got wrong, all of it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(sorted({problem.code for problem in problems})))
        self.problems = problems


class Data(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says. Readers ignore fields they do not know; reports are refused for them."""

    happened: ClassVar[tuple[str, ...]] = ()
    """Fields with a time, date or year that cannot lie after the report: what they say is told as done."""
    awaited: ClassVar[tuple[str, ...]] = ()
    """Fields with a time that cannot lie before the report: what is awaited would be overdue when it is asked for."""

    def check(self) -> Iterator[Problem]:
        """Yield what is wrong between fields; what one field can say alone is in its type."""
        return iter(())


class Report(Data, frozen=True, kw_only=True):
    """What a country reports: always with the kind of organisation it comes from (vocabulary V10)."""

    reported_by: Reporter


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A group of fields inside an event. It never gains a field: an older reader would refuse the event."""


class Envelope(Struct, Generic[D], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report as a country sends it: CloudEvents 1.0, structured mode."""

    specversion: Literal["1.0"]
    id: Ref
    source: Source
    type: str
    time: Annotated[Time, HAPPENED]
    data: D
    subject: Ref | None = None
    datacontenttype: Annotated[str, Meta(max_length=100), JSON] = "application/json"
    """JSON in UTF-8; in any case, with or without parameters."""
    dataschema: Annotated[str, Meta(max_length=200), shaped(rf"^[!-~]+{END}")] | None = None
    """Taken and not kept: the type says which schema holds."""
    expirytime: Annotated[Time, SINCE_PLAN] | None = None
    causationid: Ref | None = None
    correlationid: Ref | None = None
    traceparent: TraceParent | None = None
    tracestate: Annotated[str, Meta(max_length=512), shaped(rf"^[ -~]*{END}")] | None = None
    """Taken and not carried on: it has room for anything."""


class Event(Struct, Generic[D], frozen=True, kw_only=True, omit_defaults=True):
    """An event as recorded, and as read from a stream: the envelope and what recording added.

    `time` is when it happened, `recordedtime` when the region knew; `sequence` is its position in the
    log and its sequence in the stream; `country` is whose mailbox it belongs to (`REG`: nobody's).
    """

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: datetime
    country: Addressee
    data: D
    recordedtime: datetime
    sequence: int = 0
    subject: str = ""
    datacontenttype: str = ""
    expirytime: datetime | None = None
    causationid: str = ""
    correlationid: str = ""
    traceparent: str = ""
    tracestate: str = ""
    """Stands in events of before; nothing is carried on in it."""

    @property
    def name(self) -> str:
        """The type without prefix and version: `intel.document.flagged`."""
        return self.type[4:].rpartition(".")[0]

    @property
    def verb(self) -> str:
        """What happened to the entity."""
        return self.name.rpartition(".")[2]
