"""A changed law makes the certificates aligned to it stale (choreography 3)."""

from datetime import UTC, datetime, time
from typing import Any

from services.training.rules.certificates import settled
from services.training.store import certificates
from shared.contracts import Data, Event
from shared.contracts.legal import LawAmended, LawRepealed
from shared.database import Connection


async def on_law_changed(event: Event[LawAmended | LawRepealed], connection: Connection) -> list[Event[Any]]:
    """Make the certificates aligned to a law that was amended or repealed stale, with a time of grace."""
    await _keep(event, event.data, event.recordedtime, connection)
    return await settled(event, await certificates.aligned_to(connection, touches(event.data)), connection)


async def amend_law_changed(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Amend what is known of the change; the certificates follow in `realigned`."""
    # It is known since this service heard of it, which was later than the other's recording it.
    known = await certificates.drop_law_change(connection, root.id, root.source)
    if isinstance(new, LawAmended | LawRepealed):
        await _keep(root, new, known or root.recordedtime, connection)
    return previous, new


async def realigned(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Tell of the certificates what holds with the amended change of a law (a `Follow`)."""
    touched = [name for one in (before, after) if one for name in touches(one.data)]
    return await settled(told, await certificates.aligned_to(connection, touched), connection)


def touches(law: LawAmended | LawRepealed) -> list[str]:
    """Return what of a certificate's alignments changes with the law: itself, and the treaties that it carries out."""
    treaties = {f"{law.country}:{one.instrument}" for one in law.carries_out}
    return [f"{law.country}/{law.law_id}", *sorted(treaties)]


async def _keep(event: Event[Any], law: LawAmended | LawRepealed, known: datetime, connection: Connection) -> None:
    edition = f"{law.country}/{law.law_id}@{law.version}" if isinstance(law, LawAmended) else ""
    change = certificates.LawChange(
        event_id=event.id,
        source=event.source,
        touches=touches(law),
        edition=edition,
        changed=event.time,
        known=known,
        counts=max(known, datetime.combine(law.effective_from, time.min, UTC)),
    )
    await certificates.add_law_change(connection, change)
