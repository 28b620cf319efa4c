"""Notices that legal gives to countries."""

from typing import Any

from shared.contracts import Event
from shared.contracts.notice import Alert
from shared.record.judgement import derive

SERVICE = "legal"


def about(event: Event[Any], kind: str, entity: str | None, reason: str | None = None) -> Alert:
    """Return what asks for attention to an event: what for, and for which entity."""
    return Alert(kind=kind, about=event.id, about_type=event.type, entity=entity, reason=reason)


def alert(event: Event[Any], kind: str, entity: str | None, reason: str | None = None) -> Event[Any]:
    """Ask the country that an event came from for its attention."""
    told = about(event, kind, entity, reason)
    return derive(SERVICE, told, cause=event, to=event.country, key=kind, subject=entity or event.id)
