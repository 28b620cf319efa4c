"""What all of the victims service's judgements say alike: alerts, who stands in for a vacant contact point."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.contracts import Event, Problem, Refused, identity
from shared.contracts.intel import ContactPointDesignated
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import Addressee
from shared.record.judgement import Judgement, Notified, Reading, Standing, derive

SERVICE = "victims"


class Told(Judgement):
    """A judgement of what is only told, or kept, when it arrives: nothing of it is ever taken back."""

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return none."""
        del report, read
        return ()


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
    return derive(SERVICE, data, cause=event, to=to, key=f"{kind}/{to}/{key or entity}")


def taken_back(notified: Notified, country: str, read: Reading) -> Event[Any]:
    """Return the alert by which a country that was told of something is told that it no longer holds."""
    data = Alert(kind="taken_back", about=notified.event_id, about_type=notified.type, entity=notified.entity)
    key = f"taken_back/{notified.event_id}" + (f"/{country}" if country != notified.country else "")
    return derive(SERVICE, data, cause=read.cause, to=country, key=key)


def stand_in(
    read: Reading, event: Event[Any], referral: tuple[str, str], country: str, due: datetime
) -> list[Event[Any]]:
    """Tell the secretariat of a referral (sender, id) to a country that has no contact point (choreography 11).

    Its mailbox still gets everything; a deputy is another body of the same country, and then the post is not vacant.
    """
    holder = read.mailbox("st", event.recordedtime)
    if holder == country or not vacant(read, country):
        return []
    owner, referral_id = referral
    return [alert(event, "contact_point_vacant", holder, entity=referral_id, owner=owner, due=due)]


def points(country: str) -> str:
    """Return the thing that the contact points of a country are."""
    return f"points/{country}"


def latest_of(reports: Iterable[Standing[Any]]) -> dict[str, Standing[Any]]:
    """Return the latest news of each body's contact point."""
    return {one.data.body: one for one in sorted(reports, key=lambda one: (one.time, one.id))}


def vacant(read: Reading, country: str) -> bool:
    """Return whether a country had contact points and has none now (its other bodies are deputies)."""
    latest = latest_of(read.about(points(country))).values()
    return bool(latest) and not any(isinstance(one.data, ContactPointDesignated) for one in latest)


def first(owners: Sequence[str], pointer: str) -> str:
    """Return the one of those that may be meant which was known first."""
    del pointer
    return owners[0]


def stands(before: Standing[Any], after: Standing[Any] | None, name: str) -> None:
    """Refuse to amend what others have already acted on, but for details of it: what `name` holds stays."""
    if after is None or getattr(after.data, name) != getattr(before.data, name):
        raise Refused(Problem("/data/supersedes", "not_amendable", "others have acted on it: report what undoes it"))
