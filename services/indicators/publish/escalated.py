"""Referrals that nobody answered, told to the presidency for a meeting's agenda: for the presidency's own eyes."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec
from msgspec import Struct

from services.indicators.folded.state import State
from services.indicators.publish.recalling import Recall
from services.indicators.publish.said import read

SERVICE, KIND = "victims", "agenda_item"
LIMIT_S = 2.0
"""So long is read for one answer; the next one goes on from there."""


class Escalated(Struct, frozen=True):
    """A referral on the agenda of the meeting of a day."""

    referral: str
    """As its sender names it."""
    sender: str
    meeting: date


class _Alert(Struct, frozen=True):
    kind: str
    entity: str = ""
    owner: str = ""
    due: datetime | None = None


_alert = msgspec.json.Decoder(_Alert)


@dataclass(slots=True)
class Escalations:
    """What presidencies were told for their agendas; each look reads only what has come since the one before."""

    recall: Recall
    state: Callable[[], State]
    _found: dict[str, list[Escalated]] = field(default_factory=dict)
    """Country -> what was addressed to it."""
    _reached: dict[str, int] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def to(self, country: str, meeting: date) -> list[Escalated]:
        """Return what a country was told for the meeting of a day; refuses (503) where the streams do not answer."""
        mine = self._found.setdefault(country, [])

        def take(_service: str, _sequence: int, payload: bytes) -> bool:
            with contextlib.suppress(msgspec.ValidationError):  # of a version of the contracts that is not known here
                one = _alert.decode(read(payload).data)
                if one.kind == KIND and one.due:
                    mine.append(Escalated(one.entity, one.owner, one.due.date()))
            return True

        async with self._turn:
            after, until = ({SERVICE: of} for of in (self._reached.get(country, 0), self._last()))
            subjects = {SERVICE: [f"crm.evt.{SERVICE}.alert.issued.{country}"]}
            found = await self.recall.read(subjects, after, until, take, LIMIT_S)
            self._reached[country] = found.reached[SERVICE]
        return [one for one in mine if one.meeting == meeting]

    def _last(self) -> int:
        return self.state().sequences.get(SERVICE, 0)
