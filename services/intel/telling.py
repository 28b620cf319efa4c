"""Telling countries what concerns them, each thing once, and taking back what no longer holds.

A rule does not judge by the event that came last: it computes, from all that is on record about a thing (a scope),
which notices hold, and `settle` tells those that were not told yet and takes back those that hold no more. So the
order of arrival does not matter, and corrections and retractions are followed without any code of their own.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.intel.facts import told
from services.intel.facts.told import Told
from services.intel.gate import Marking
from shared import contracts, deadlines
from shared.contracts import Data, Event, identity
from shared.contracts.intel import NoticeRetracted
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import REGION, Addressee, Seat
from shared.database import Connection
from shared.rules import NotReady, derive, source

SERVICE = "intel"
ALERT = "crm.intel.alert.issued.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a country is to be told, now or, if it still holds then, at `due`."""

    to: Addressee | str
    data: Data
    scope: str
    """What it is about."""
    name: str = ""
    """What makes it the same notice as another; without one, all that it says."""
    due: datetime | None = None

    @property
    def key(self) -> str:
        """What tells it from every other notice."""
        said = self.name.encode() or msgspec.json.encode(self.data)
        kind = self.data.kind if isinstance(self.data, Alert) else type(self.data).__name__
        due = self.due.isoformat() if self.due else ""
        return f"{kind}/{self.to}/{hashlib.blake2b(said + due.encode(), digest_size=16).hexdigest()}"


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


async def settle(
    connection: Connection, cause: Event[Any], scopes: Sequence[str], notices: Iterable[Notice]
) -> list[Event[Any]]:
    """Return what is to be told, because of `cause`, so that what was told about `scopes` is what holds.

    An alert that fell due and was told stays told; what counts in figures is taken out of them.
    """
    wanted = {(notice.scope, notice.key): notice for notice in notices}
    standing = {(one.scope, one.key): one for one in await told.about(connection, scopes)}
    fresh = [wanted[which] for which in sorted(wanted.keys() - standing.keys())]
    known = await told.known(connection, [notice.key for notice in fresh]) if fresh else set()
    events = []
    for notice in fresh:
        event = _event(cause, notice)
        scheduled = notice.due is not None
        await told.add(
            connection, Told(notice.scope, notice.key, event.id, event.type, event.country, event.subject, scheduled)
        )
        if notice.key in known:
            continue
        known.add(notice.key)
        if notice.due is None:
            events.append(event)
        else:
            await deadlines.fire_at(connection, notice.key, notice.due, event)
    for which, one in standing.items():
        if which not in wanted:
            events += await _taken_back(connection, cause, one)
    return events


def _event(cause: Event[Any], notice: Notice) -> Event[Any]:
    return derive(SERVICE, notice.data, cause=cause, to=notice.to, key=notice.key, time=notice.due)  # type: ignore[arg-type]


async def _taken_back(connection: Connection, cause: Event[Any], one: Told) -> list[Event[Any]]:
    """Return that a notice no longer holds, and what takes it out of the figures; of one still to be told, nothing."""
    fired = one.scheduled and not await deadlines.clear(connection, one.key)
    if fired and one.type == ALERT:
        return []
    last = await told.drop(connection, one)
    if not last or (one.scheduled and not fired):
        return []
    events = [] if one.type == ALERT else [_retraction(cause, await _recorded(connection, one))]
    if one.country != REGION:
        data = Alert(kind="taken_back", about=one.event_id, about_type=one.type, entity=one.entity or None)
        events.append(derive(SERVICE, data, cause=cause, to=one.country, key=f"taken_back/{one.event_id}"))  # type: ignore[arg-type]
    return events


async def _recorded(connection: Connection, one: Told) -> Event[Any]:
    """Return the event that told something; raises NotReady in the very transaction that records it.

    What it counts is known only once it stands in the log.
    """
    payload = await told.recorded(connection, one.event_id, source(SERVICE))
    if payload is None:
        raise NotReady("/data/supersedes")
    return contracts.decode(payload)


def _retraction(cause: Event[Any], event: Event[Any]) -> Event[Any]:
    """Return what has the figures subtract an event that counted in them."""
    data = NoticeRetracted(
        supersedes=event.id,
        original=event.type,
        original_id=event.id,
        original_source=event.source,
        original_time=event.time,
        original_recordedtime=event.recordedtime,
        previous=msgspec.to_builtins(event.data),
    )
    return derive(SERVICE, data, cause=cause, to=event.country, key=event.id, subject=event.subject)
