"""When the logs were last verified and backed up: a file each in a folder, which alerts look at.

The program that did it may run anywhere; all it needs is this folder (`CRM_UPKEEP`).
"""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

WHAT = ("verify", "backup")


class Done(Struct, frozen=True):
    """That something was done, and with what outcome."""

    at: datetime
    findings: int = 0
    """How much was found wrong."""


def note(folder: Path, what: str, findings: int = 0) -> None:
    """Note that it was done just now, whole or not at all; OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{what}.new"
    fresh.write_bytes(msgspec.json.encode(Done(datetime.now(UTC), findings)) + b"\n")
    fresh.replace(folder / f"{what}.json")


def last(folder: Path, what: str) -> Done | None:
    """Return when it was done last; None: never, as far as can be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / f"{what}.json").read_bytes(), type=Done)
    return None
