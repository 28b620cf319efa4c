"""What a check tells."""

from typing import Literal

from msgspec import Struct

Level = Literal["ok", "note", "finding"]


class Told(Struct, frozen=True):
    """One line: what was looked at, how it is, and what to do about it."""

    check: str
    level: Level
    said: str
    cure: str = ""
    """A command, or what to do in words; of a finding always given."""


def ok(check: str, said: str) -> Told:
    """Return that it is as it should be."""
    return Told(check, "ok", said)


def note(check: str, said: str, cure: str = "") -> Told:
    """Return what is worth knowing and wrong nowhere."""
    return Told(check, "note", said, cure)


def found(check: str, said: str, cure: str) -> Told:
    """Return what is wrong, and its cure."""
    return Told(check, "finding", said, cure)
