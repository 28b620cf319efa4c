"""What is decided of a person must fit the crime of which the person was identified as a victim."""

from collections.abc import Iterable
from typing import Any

from services.victims.store import services
from shared.contracts import Data, Event, Refused
from shared.contracts.sense import contradiction
from shared.contracts.victims import VictimStatusChanged
from shared.contracts.victims.people import CRIME_OF
from shared.database import Connection
from shared.rules import RECORDED


async def on_status_changed(event: Event[VictimStatusChanged], connection: Connection) -> Iterable[Event[Any]]:
    """Refuse a status of another crime; what was said at the identification is corrected first."""
    await _checked(event.country, event.data, connection)
    return []


async def amend_status_changed(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Hold the corrected status to the same."""
    if isinstance(new, VictimStatusChanged):
        await _checked(root.country, new, connection)
    return previous, new


async def _checked(country: str, data: VictimStatusChanged, connection: Connection) -> None:
    meant = CRIME_OF.get(data.to)
    if meant is None or RECORDED.get():
        return
    known = await services.crimes(connection, country, data.victim_pid)
    if known and meant not in known:
        raise Refused(contradiction("to", "the person was identified as a victim of another crime: correct that first"))
