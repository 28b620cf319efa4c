"""What countries have agreed to do by a day (Plan row IE-2.1b), read again from the stream as it grows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from services.indicators.folded.state import State
from services.indicators.publish.following import Following
from services.indicators.publish.recalling import Recall
from services.indicators.publish.said import Said
from shared.contracts import identity, sender_of

SERVICE = "intel"
AGREED, KEPT = "crm.intel.commitment.agreed.v", "crm.intel.commitment.fulfilled.v"
SUBJECT = "crm.evt.intel.commitment.*.*"
How = Literal["overdue", "open", "kept", "kept_late"]


class Commitment(Struct, frozen=True):
    """What a country owes, as it stands."""

    id: str
    """As whoever recorded it names it; for that country, for who owes it, and for the presidency only."""
    recorded_by: str
    country: str
    """Who owes it."""
    agreed: datetime
    due: datetime
    kept: datetime | None
    minutes: str
    """Where the text is kept, as a reference that says nothing; empty: not told."""

    def how(self, now: datetime) -> How:
        """Say how it stands."""
        if self.kept is not None:
            return "kept_late" if self.kept > self.due else "kept"
        return "overdue" if self.due < now else "open"

    def known_to(self, country: str, presidency: str) -> bool:
        """Say whether a country may read the identifier and the reference: its own commitment, or it presides."""
        return bool(country) and country in {self.country, self.recorded_by, presidency}


class _Told(Struct, frozen=True):
    """As much of a report's data as is looked at."""

    commitment_id: str
    country: str
    owners: dict[str, str] | None = None
    due: datetime | None = None
    text_ref: str | None = None


class _Amended(Struct, frozen=True):
    supersedes: str
    original_id: str | None = None
    original_source: str | None = None
    data: _Told | None = None
    """What holds from now on; None: it was retracted."""


_told = msgspec.json.Decoder(_Told)
_amended = msgspec.json.Decoder(_Amended)


@dataclass(slots=True)
class Commitments:
    """All commitments on record; each look reads only what has come since the one before."""

    recall: Recall
    state: Callable[[], State]
    partly: bool = False
    """Some are missing: they are in the archive, or the next look reads them."""
    _archived: bool = False
    _reports: dict[tuple[str, str], tuple[bool, str, datetime, _Told]] = field(default_factory=dict)
    """Source and id of a report -> (whether it agrees, who sent it, when it happened, what it says)."""
    _following: Following = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the first event."""
        self._following = Following(self.recall, self.state, {SERVICE: [SUBJECT]}, self._note)

    async def now(self) -> list[Commitment]:
        """Return them by due time; refuses (503) where the streams do not answer."""
        looked = await self._following.look()
        self._archived = self._archived or bool(looked.archived)
        self.partly = self._archived or not looked.complete
        kept: dict[str, datetime] = {}
        for agrees, _, at, told in self._reports.values():
            if not agrees:
                key = identity.key(told, "commitment_id")
                kept[key] = min(at, kept.get(key, at))
        found = [
            Commitment(told.commitment_id, by, told.country, at, told.due, kept.get(key), told.text_ref or "")
            for agrees, by, at, told in self._reports.values()
            if agrees and told.due and (key := identity.key(told, "commitment_id"))
        ]
        return sorted(found, key=lambda one: (one.due, one.country, one.id))

    def _note(self, event: Said) -> None:
        if event.act == "reported":
            if event.type.startswith((AGREED, KEPT)):
                agrees, by = event.type.startswith(AGREED), sender_of(event.source)
                self._reports[event.source, event.id] = agrees, by, event.time, _told.decode(event.data)
            return
        amended = _amended.decode(event.data)
        whose = amended.original_source or event.source, amended.original_id or amended.supersedes
        had = self._reports.pop(whose, None)
        if had and amended.data:
            owners = amended.data.owners or had[-1].owners
            self._reports[whose] = (*had[:-1], msgspec.structs.replace(amended.data, owners=owners))
