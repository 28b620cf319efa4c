"""What all of intel's judgements say alike: alerts, and how what no longer holds is taken back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.intel.gate import Marking
from shared.contracts import Event, identity
from shared.contracts.intel import NoticeRetracted
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import REGION, Seat
from shared.record.judgement import Announcement, Judgement, Notified, NotReady, Reading, derive

SERVICE = "intel"


class IntelJudgement(Judgement):
    """A judgement of intel: who was told of what no longer holds is told so, and figures are put right."""

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return that a notice no longer holds, and what takes it out of the figures."""
        if not notified.is_alert:
            event = read.event(notified.event_id)
            if event is None:
                raise NotReady("/data/supersedes")
            yield _retraction(read.cause, event)
        if notified.country != REGION:
            data = Alert(
                kind="taken_back", about=notified.event_id, about_type=notified.type, entity=notified.entity or None
            )
            key = f"taken_back/{notified.event_id}"
            yield derive(SERVICE, data, cause=read.cause, to=notified.country, key=key)


class IntelAnnouncement(IntelJudgement, Announcement):
    """The same of reports each by itself."""


def alert(  # noqa: PLR0913 - the facts of an alert
    kind: str,
    about: tuple[str, str],
    entity: str | None,
    *,
    due: datetime | None = None,
    reason: str | None = None,
    country: str | None = None,
    owned: bool = False,
    marked: Marking | None = None,
    body: Seat | None = None,
) -> Alert:
    """Return the alert about an event (id, contract name); it carries how the report behind it is marked.

    Of an `owned` entity the whole identifier is given: it is told plain, with its owner beside it.
    """
    owner, named = identity.parted(entity) if entity and owned else ("", entity)
    return Alert(
        kind=kind,
        about=about[0],
        about_type=f"crm.{about[1]}.v1",
        entity=named or None,
        owner=owner or None,  # type: ignore[arg-type]  # a member's code
        due=due,
        reason=reason,
        country=country,  # type: ignore[arg-type]  # read back as it was written
        body=body,
        tlp=marked.tlp if marked else None,
        handling=marked.handling if marked else None,
    )


def _retraction(cause: Event[Any], event: Event[Any]) -> Event[Any]:
    """Return what has the figures subtract an event that counted in them."""
    data = NoticeRetracted.of(event, original_id=event.id, original_source=event.source)
    return derive(SERVICE, data, cause=cause, to=event.country, key=event.id, subject=event.subject)
