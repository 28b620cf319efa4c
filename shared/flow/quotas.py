"""What each sender may use: region data, so that nobody's flood is another's silence."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from shared.flow.streams import SENDERS

VARIABLE = "CRM_QUOTAS_FILE"
OWN = Path(__file__).parents[1] / "quotas.toml"

T = TypeVar("T", bound=Struct)
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Small = Annotated[int, Meta(ge=1, le=100_000)]


class QuotasError(ValueError):
    """The file of quotas is not as it should be; the message names the table and the key."""


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one sender may use."""

    weight: Annotated[int, Meta(ge=1, le=100)]
    """Its share of a batch, beside the weights of the others that have something."""
    reports_per_s: Small
    """Reports of up to 8 KiB that a process takes a second while others report too; larger ones count more."""
    questions_per_s: Small
    """Questions that a process answers a second; a burst may be as large."""
    numbers_per_day: Count = 20_000
    """Telephone numbers that are hashed for it (`legal.numbers`): who could have all hashed could undo every hash."""
    intake_mib: Annotated[int, Meta(ge=1, le=1_000_000)]
    """What its intake holds, in MiB."""
    intake_messages: Count
    connections: Small
    subscriptions: Small
    """Of one connection."""
    payload_kib: Annotated[int, Meta(ge=80, le=1024)]
    """Of one message with its headers, in KiB; above 64, so that a report that is too large is answered."""


class Region(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is one for all senders."""

    open_batches: Annotated[int, Meta(ge=1, le=1000)]
    """Atomic batches that one sender may have begun and not ended."""


def of(sender: str) -> Quota:
    """Return what `sender` may use. Raises QuotasError."""
    return _read()[0][sender]


def region() -> Region:
    """Return what is one for all senders. Raises QuotasError."""
    return _read()[1]


@cache
def _read() -> tuple[dict[str, Quota], Region]:
    return parsed(Path(os.environ.get(VARIABLE, OWN)))


def parsed(file: Path) -> tuple[dict[str, Quota], Region]:
    """Return every sender's quota, and what is one for all. Raises QuotasError."""
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise QuotasError(f"{file.name}: {error}") from None
    default, whole = tables.pop("default", {}), tables.pop("region", {})
    unknown = sorted(set(tables) - set(SENDERS))
    if unknown:
        raise QuotasError(f"{file.name}: no sender is called {', '.join(unknown)}; there are {', '.join(SENDERS)}")
    quotas = {sender: _converted(file, sender, {**default, **tables.get(sender, {})}, Quota) for sender in SENDERS}
    return quotas, _converted(file, "region", whole, Region)


def _converted(file: Path, table: str, values: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise QuotasError(f"{file.name}, [{table}]: {error}") from None
