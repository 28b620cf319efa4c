"""How the victims service tells countries: alerts, also to whoever stands in for a vacant contact point."""

from datetime import datetime
from typing import Any

from services.victims.store import care
from shared import seats
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import Addressee
from shared.database import Connection
from shared.rules import derive

SERVICE = "victims"


def alert(  # noqa: PLR0913 - the facts of an alert
    event: Event[Any],
    kind: str,
    to: Addressee | str,
    *,
    entity: str = "",
    owner: str = "",
    due: datetime | None = None,
    reason: str | None = None,
    key: str = "",
) -> Event[Any]:
    """Return the alert of this kind about `event` (or, of what it set off, about `entity`).

    `owner` gave the entity its identifier; by default the event's country did. `key` tells apart equal alerts.
    """
    data = Alert(
        kind=kind,
        about=event.id,
        about_type=event.type,
        entity=entity or identity.parted(event.subject)[1] or None,
        owner=owner or event.country,  # type: ignore[arg-type]  # a country's, or read back as it was written
        due=due,
        reason=reason,
    )
    return derive(SERVICE, data, cause=event, to=to, key=f"{kind}/{to}/{key or entity}")  # type: ignore[arg-type]


async def stand_in(
    connection: Connection, event: Event[Any], referral: tuple[str, str], country: str, due: datetime
) -> list[Event[Any]]:
    """Tell the secretariat of a referral (sender, id) to a country that has no contact point (choreography 11).

    Its mailbox still gets everything; a deputy is another body of the same country, and then the post is not vacant.
    """
    holder = await seats.mailbox(connection, "st", event.recordedtime)
    if holder == country or not await care.is_vacant(connection, country):
        return []
    owner, referral_id = referral
    return [alert(event, "contact_point_vacant", holder, entity=referral_id, owner=owner, due=due)]


async def stands(
    root: Event[Any], previous: Data, new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Refuse to amend what others have already acted on, but for details of it (an `Amend`)."""
    named = root.subject
    for name in ("referral_id", "consent_id"):
        if hasattr(previous, name):
            named = getattr(previous, name)
    kept = new is not None and named in {getattr(new, "referral_id", None), getattr(new, "consent_id", None)}
    if not kept:
        raise Refused(Problem("/data/supersedes", "not_amendable", "others have acted on it: report what undoes it"))
    return previous, new


async def final(
    _root: Event[Any], _previous: Data, _new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Refuse to amend a referral that another country was already offered (an `Amend`)."""
    raise Refused(Problem("/data/supersedes", "not_amendable", "revoke the referral and send another"))
