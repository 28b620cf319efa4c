"""What recorded events count exactly: things that come and go, persons once, and how long something took.

A contract says what its events do to a tally; the owning service fills in the rest when it records (`shared/tally.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct


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


@dataclass(frozen=True, slots=True)
class Opens:
    """The field whose value tells whether an act opens or closes."""

    field: str
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
    """Fields that tell one thing from another, besides the event's country. Where one is absent, nothing is counted."""
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


Counted: TypeAlias = Tally | Level | Both | Since | Age


def filled(tallies: tuple[Counted, ...]) -> tuple[str, ...]:
    """Return the fields that these fill in."""
    names = [getattr(one, name, "") for name in ("field", "flag", "lapse", "shifts") for one in tallies]
    return tuple(name for name in names if name)
