"""Referrals that nobody answered, told to the presidency for a meeting's agenda: for the presidency's own eyes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

import msgspec
from msgspec import Struct

from services.indicators.folded.state import State
from services.indicators.publish.following import Following
from services.indicators.publish.recalling import Recall
from services.indicators.publish.said import Said

SERVICE, KIND = "victims", "agenda_item"


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
    _known: dict[str, tuple[list[Escalated], Following]] = field(default_factory=dict)
    """Country -> what was addressed to it."""

    async def to(self, country: str, meeting: date) -> list[Escalated]:
        """Return what a country was told for the meeting of a day; refuses (503) where the streams do not answer."""
        if country not in self._known:
            fresh: list[Escalated] = []
            subjects = {SERVICE: [f"crm.evt.{SERVICE}.alert.issued.{country}"]}
            self._known[country] = fresh, Following(self.recall, self.state, subjects, partial(_note, fresh))
        mine, following = self._known[country]
        await following.look()
        return [one for one in mine if one.meeting == meeting]


def _note(mine: list[Escalated], event: Said) -> None:
    one = _alert.decode(event.data)
    if one.kind == KIND and one.due:
        mine.append(Escalated(one.entity, one.owner, one.due.date()))
