"""The table of seats: who speaks for a body of the region, and from when on.

It is the region's own file, and on top of it what was assigned since; each service keeps the latter in its schema.
"""

import os
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Event
from shared.contracts.vocabulary import REGION, SEATS, Holder, Seat

INSTANT = timedelta(microseconds=1)
"""The least that tells two times apart."""


VARIABLE = "CRM_SEATS_FILE"
OWN = Path(__file__).parents[1] / "seats.toml"


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[seat]]` of the region's file; its days begin at midnight UTC."""

    body: Seat
    holder: Holder
    since: date = msgspec.field(name="from")
    until: date | None = None
    """The first day on which it no longer holds."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    seat: list[Line]


@cache
def region() -> tuple[Line, ...]:
    """Return the lines of the region's file; msgspec.ValidationError or OSError where it cannot be used."""
    return tuple(msgspec.convert(tomllib.loads(Path(os.environ.get(VARIABLE, OWN)).read_text()), _File).seat)


def begins(day: date) -> datetime:
    """Return when a seat's first day begins."""
    return datetime.combine(day, time(), UTC)


def in_force(at: datetime, assigned: Iterable[tuple[datetime, str, str]] = ()) -> dict[str, str]:
    """Return who holds each seat at an instant; a seat that nobody holds is left out.

    `assigned` (since, body, holder) goes before the region's file, where both begin at one instant.
    """
    begun: list[tuple[datetime, str, str]] = []
    for line in region():
        begun.append((begins(line.since), line.body, line.holder))
        if line.until:
            begun.append((begins(line.until), line.body, ""))
    lines = sorted([*begun, *assigned], key=lambda one: one[0])
    found = {body: holder for since, body, holder in lines if since <= at}
    return {body: holder for body, holder in found.items() if holder}


def named(event: Event[Any]) -> bool:
    """Say whether a country's report is made in the name of a seat."""
    said = getattr(event.data, "reported_by", "")
    return said in SEATS and contracts.sender_of(event.source) != REGION
