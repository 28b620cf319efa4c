"""What stands in a mailbox and cannot be read here: of a newer version, or damaged. It holds up nothing."""

import logging
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from shared import contracts
from shared.contracts import Event

log = logging.getLogger("crm")


class Unreadable(Struct, frozen=True):
    """An event that this version cannot decode, as it came."""

    payload: bytes
    reason: str
    """The type of the exception."""
    where: str
    """The subject and sequence that it came under, or the service that told it."""


Tell = Callable[[Unreadable], object]
"""What is done with such an event: whoever raises here keeps it in the mailbox."""


def noted(one: Unreadable) -> None:
    """Leave it out and say so in the log, without its content."""
    log.warning("an event cannot be read and is left out: %s, %s", one.where, one.reason)


def read(payload: bytes, where: str, tell: Tell) -> Event[Any] | None:
    """Return the event; None where it cannot be read, whatever the reason, and `tell` was told of it."""
    try:
        return contracts.decode(payload)
    except Exception as error:  # noqa: BLE001 - what is behind it in the mailbox does not wait for its mending
        reason = type(error).__name__
    tell(Unreadable(payload, reason, where))
    return None
