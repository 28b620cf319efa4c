"""What recorded events count exactly: things that come and go, persons once, and how long something took.

A contract says what its events do to a tally; the owning service fills in the rest when it records
(`shared/count/tally.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from shared.contracts.vocabulary import Addressee


class Tallied(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one event changes of a number, from its own time on: +1 or -1."""

    by: Annotated[int, Meta(ge=-1, le=1)]
    until: Annotated[datetime, Meta(tz=True)] | None = None
    """A later act was on record already, and the change holds only until its time."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By how much a number changes, and when."""

    at: Annotated[datetime, Meta(tz=True)]
    by: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]


Steps: TypeAlias = tuple[Step, ...]
"""What one event changes of a number, where that is more than one change of one: a rule of the service works it out."""


class Shift(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By how much a level changes, and when."""

    at: Annotated[datetime, Meta(tz=True)]
    by: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]


Shifts: TypeAlias = tuple[Shift, ...]
"""What one event changes of a level, from its own time on; empty: nothing. Where it is absent (None), the event was
recorded before that was counted."""
Word: TypeAlias = Annotated[str, Meta(max_length=128)]
Words: TypeAlias = Annotated[tuple[Word, ...], Meta(max_length=256)]


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one event changes of the number of a country, or of the region's (`REG`), where several tell one thing."""

    country: Addressee
    at: Annotated[datetime, Meta(tz=True)]
    by: Annotated[int, Meta(ge=-1, le=1)] = 1
    of: Word = ""
    """The event type (`service.entity.verb`) that it counts as; empty: the event's own."""
    said: Annotated[dict[Word, Word | bool | Words], Meta(max_length=8)] = {}
    """By what it counts: as the report says that holds."""


Parts: TypeAlias = tuple[Part, ...]
"""What one event changes, for each country that took part and once for the region."""


class LabelStep(Struct, frozen=True, kw_only=True):
    """By how much a number changes under some labels, and when."""

    at: Annotated[datetime, Meta(tz=True)]
    by: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
    said: Annotated[dict[Word, Word | bool | Words | None], Meta(max_length=8)] = {}
    """Field -> its value; empty: what the event's own report says."""


ByLabel: TypeAlias = Annotated[dict[Word, tuple[LabelStep, ...]], Meta(max_length=8)]
"""What one event changes, label by label, in place of each field named, where another report's labels are concerned.

A complaint received as bribery and resolved as abuse takes one away from bribery.
"""


@dataclass(frozen=True, slots=True)
class Opens:
    """The field whose value tells whether an act opens or closes."""

    field: str
    """As in a tally's key."""
    values: tuple[Any, ...]
    """Those that open."""
    others_close: bool = True
    """False: with any other value the event is no act at all."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An event of this type is an act on a thing: it opens it, or closes it.

    A thing holds while the latest act on it, by time, is one that opens. `field` (a `Tallied | None`) is filled with
    what the act changes of the number of things that hold; None: nothing.
    """

    what: str
    """The kind of thing; the types that open it and those that close it name the same."""
    key: tuple[str, ...]
    """Fields that tell one thing from another, besides the event's country. Where one is absent, nothing is counted.

    Of `a|b` the first that is there counts.
    """
    field: str = ""
    """Empty: the act is kept for others to refer to, and changes no number of its own."""
    opens: bool | Opens = True
    period: Literal["", "year"] = ""
    """`year`: each calendar year (UTC) begins with nothing open, so that what opens counts once a year."""
    regional: bool = False
    """The key alone tells things apart, whatever the country."""
    known: bool = False
    """An act counts from when the region knew of it, if its own time lies later: a sender's clock may be ahead."""
    by_turns: bool = False
    """A rule of the service sees to it that what opens and what closes takes turns, and so every act counts: in which
    order those of one day came need not be told."""
    flag: str = ""
    """An older field, true where the act changes the number."""
    shifts: str = ""
    """Filled, too, with what the act changes as `Shifts`, from the time on at which it counts."""
    at: str = ""
    """Field with the day (its begin, UTC) from which on the act counts; by default from the event's own time on."""
    said: tuple[str, ...] = ()
    """Fields, besides those of the key, that its figures are told apart by.

    What only opens counts as the first report of it says. What closes, too, counts as the latest one says. `by_label`
    (a `ByLabel | None`) is filled where that is another report than the event's own.
    """
    latest: bool = False
    """It counts as the latest report of it says, though nothing closes it."""
    lapse: str = ""
    """Filled, where the act opens the thing, with the whole seconds since the act before it, if that one closed it;
    None: it was open, or nothing was known of it. Judged once, like `Since`."""


@dataclass(frozen=True, slots=True)
class Level:
    """A report says how much there is of a thing, and of each thing the latest report by time holds.

    `shifts` (a `Shifts | None`) is filled with what the report changes of the sum over all things.
    """

    what: str
    key: tuple[str, ...]
    """As the tally's."""
    value: str
    """Field with the whole number; where it is absent, the report is no act."""
    shifts: str
    regional: bool = False
    said: tuple[str, ...] = ()
    """As the tally's."""


@dataclass(frozen=True, slots=True)
class Both:
    """Two tallies of the same key, by the types that have this: a thing counts while it holds in both.

    `shifts` (a `Shifts | None`) is filled with what the report changes of the number of such things.
    """

    whats: tuple[str, str]
    shifts: str


@dataclass(frozen=True, slots=True)
class Since:
    """`field` is filled with the whole seconds since the first act that opened the thing; None: there was none."""

    what: str
    key: tuple[str, ...]
    """As the tally's. A field that is a list stands for each of its values: the earliest counts."""
    field: str
    regional: bool = False
    only: str = ""
    """Filled only where the report is the first on record since then that is an act of this other tally of its type.
    Judged once, when it is recorded: of two, it is the one that was known first."""


@dataclass(frozen=True, slots=True)
class Age:
    """`field` is filled with the whole seconds from the day that another field gives (its end, UTC), never below 0."""

    since: str
    field: str


@dataclass(frozen=True, slots=True)
class Once:
    """A thing that several may tell of: it counts once in the region, and once for each country that took part.

    It counts from the time of the first report of it (by time, then by arrival), as that one says; for a country that
    reported it itself, as its own first report says. `field` (a `Parts | None`) is filled with what a report changes.
    """

    what: str
    """The kind of thing: reports of the same kind and key are about the same thing."""
    key: tuple[str, ...]
    """Fields that tell one thing from another. An identifier counts with its owner: `GTM:op-7` is one in the region."""
    said: tuple[str, ...] = ()
    """Fields that its figures are told apart by."""
    parts: tuple[str, ...] = ()
    """Fields that name the countries that took part; where nobody is named, it is who reports."""
    reporter: bool = False
    """Who reports took part, too."""
    several: str = ""
    """Said besides: whether two or more countries took part."""
    gathered: tuple[str, ...] = ()
    """Fields of `said` in which all reports count together: a flag that one has set, the members of lists."""
    act: str = ""
    """Reports of one act count together; by default those of one event type."""
    like: str = ""
    """Another act on the thing, which tells whether several took part; by default the act itself."""
    opens: bool = True
    """False: it ends what its holder had begun; a thing counts while somebody holds it."""
    holder: str = ""
    """Field that tells one holder from another, besides the country."""
    local: tuple[str, tuple[str, ...]] | None = None
    """Field, values: with any other value the thing is a country's own, whatever the key."""
    regional: bool = True
    """False: the thing is always the reporting country's own."""
    recorded: bool = False
    """It counts from when it was first recorded, and not from its own time: of rows that go by `recordedtime`."""
    before: str = ""
    """A field of a `Tally` that told it earlier: what has no `field` counts by that one."""
    field: str = "once"


Counted: TypeAlias = Tally | Level | Both | Since | Age | Once


def filled(tallies: tuple[Counted, ...]) -> tuple[str, ...]:
    """Return the fields that these fill in."""
    names = [getattr(one, name, "") for name in ("field", "flag", "lapse", "shifts") for one in tallies]
    names += ["by_label"] if any(isinstance(one, Tally | Level) and one.said for one in tallies) else []
    return tuple(name for name in names if name)
