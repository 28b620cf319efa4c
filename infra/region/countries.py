"""What is known of the synthetic region's countries (countries.toml)."""

import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.contracts.vocabulary import MEMBERS, Country

FILE = Path(__file__).with_name("countries.toml")


class Staff(Struct, frozen=True, forbid_unknown_fields=True):
    """How many officials; the technical ones are part of the headcount."""

    headcount: int
    technical: int


class Silence(Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which a country reports nothing, the first day included and the last not."""

    since: date
    until: date


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One country; what the figures mean stands in the file."""

    code: Country
    traffic: float
    posts: int
    neighbours: tuple[Country, ...]
    victims_from: tuple[Country, ...]
    migration: Staff
    other: Staff
    tempo: float
    answers: float
    complete: float
    silent: Silence | None = None
    seals: bool = False

    def heard(self, at: datetime) -> datetime:
        """Return when what happens then is reported: at once, or when a silence is over."""
        if self.silent and self.silent.since <= at.astimezone(UTC).date() < self.silent.until:
            return datetime.combine(self.silent.until, time(8), UTC)
        return at

    def staff(self, institution: str) -> Staff:
        """Return the officials of `migration` or of the `other` institutions."""
        return self.migration if institution == "migration" else self.other


@cache
def facts() -> dict[Country, Facts]:
    """Return the facts of all eleven countries, by code."""
    table = tomllib.loads(FILE.read_text())
    return {code: msgspec.convert({"code": code, **table[code]}, Facts) for code in MEMBERS}
