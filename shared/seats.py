"""The table of seats: who speaks for a body of the region, and from when on.

It is the region's own file, and on top of it what was assigned since; each service keeps the latter in its schema.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Corrected, Event, Refused, Retracted
from shared.contracts.indicators import SeatAssigned
from shared.contracts.report import authority
from shared.contracts.vocabulary import REGION, SEATS, Holder, Seat
from shared.database import Queried
from shared.rules import RECORDED

INSTANT = timedelta(microseconds=1)
"""The least that tells two times apart."""


VARIABLE = "CRM_SEATS_FILE"
OWN = Path(__file__).with_suffix(".toml")


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


async def held(connection: Queried, at: datetime) -> dict[str, str]:
    """Return who holds each seat at an instant, as far as this service has heard."""
    rows = await connection.fetch(
        "select distinct on (body) since, body, holder from seat where since <= $1 order by body, since desc", at
    )
    return in_force(at, [(row["since"], row["body"], row["holder"]) for row in rows])


async def mailbox(connection: Queried, body: Seat, at: datetime) -> str:
    """Return whose mailbox is the body's: of its holder or, if that is no country, the presidency; else `REG`."""
    holders = await held(connection, at)
    countries = (contracts.place_of(holders.get(one, "")) for one in (body, "ppt"))
    return next((one for one in countries if one != REGION), REGION)


def named(event: Event[Any]) -> bool:
    """Say whether a country's report is made in the name of a seat."""
    said = getattr(event.data, "reported_by", "")
    return said in SEATS and contracts.sender_of(event.source) != REGION


async def judge(connection: Queried, event: Event[Any], at: datetime | None = None) -> None:
    """Raise Refused where a report is made in the name of a seat that was not its sender's at the report's time.

    `at`: another time to judge by. Without it amendments pass: what they amend tells their time (shared/amendments.py).
    """
    if RECORDED.get() or not named(event) or (at is None and isinstance(event.data, Corrected | Retracted)):
        return
    agreed, sender = contracts.registry()[event.type], contracts.sender_of(event.source)
    if problems := authority(agreed, event.source, event.data, sender, await held(connection, at or event.time)):
        raise Refused(*problems)


async def keep(event: Event[SeatAssigned], connection: Any) -> Iterable[Event[Any]]:
    """Put an assignment into the table: of two for one day the one recorded later holds, whichever is heard first."""
    await connection.execute(
        "insert into seat (body, since, holder, recorded, event_id) values ($1, $2, $3, $4, $5)"
        " on conflict (body, since) do update set holder = excluded.holder, recorded = excluded.recorded,"
        " event_id = excluded.event_id"
        " where (seat.recorded, seat.event_id) < (excluded.recorded, excluded.event_id)",
        event.data.body,
        begins(event.data.effective_from),
        event.data.holder,
        event.recordedtime,
        event.id,
    )
    return []


RULES: Mapping[type[contracts.Data], Any] = {SeatAssigned: keep}
