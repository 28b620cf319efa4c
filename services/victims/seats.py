"""Who holds the presidency and the secretariat, and when the network meets."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from shared.contracts.vocabulary import Country

TUESDAY = 1


class Seat(msgspec.Struct, frozen=True):
    """A body held by a country from `since` on."""

    body: Literal["ppt", "st"]
    country: Country
    since: datetime


SEATS = msgspec.convert(tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["seat"], list[Seat])


def seat(body: Literal["ppt", "st"], at: datetime) -> Country:
    """Return the country whose mailbox is the body's; without one of its own, the presidency's."""
    held = sorted((one for one in SEATS if one.body == body), key=lambda one: one.since)
    if not held:
        return seat("ppt", at)
    return [held[0], *(one for one in held if one.since <= at)][-1].country


def next_meeting(at: datetime) -> datetime:
    """Return the start (UTC) of the first Tuesday of a month that comes after the day of `at` (Plan IE 2.1)."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        day += timedelta(days=1)
        if day.weekday() == TUESDAY and day.day <= 7:  # noqa: PLR2004 - a week
            return day
