"""As much of a recorded event as is told of it: when, whose, and which report it amends."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from services.indicators.publish.access import OPERATOR, PUBLIC

Act = Literal["reported", "corrected", "retracted"]


class _Amended(Struct, frozen=True):
    original: str | None = None
    original_id: str | None = None
    supersedes: str | None = None
    original_time: datetime | None = None
    original_recordedtime: datetime | None = None


class Said(Struct, frozen=True):
    """As much of a recorded event as is told of it."""

    id: str
    type: str
    source: str
    country: str
    time: datetime
    recordedtime: datetime
    data: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def act(self) -> Act:
        """What it does: tells something, or amends what was told."""
        verb = self.type.split(".")[3]
        return "corrected" if verb == "corrected" else "retracted" if verb == "retracted" else "reported"

    def seen_by(self, who: str) -> bool:
        """Say whether somebody may see that it exists: who sent it, to whom it was sent, the operator."""
        sent = self.source.startswith(f"urn:crm:country:{who}:")
        return who == OPERATOR or (who != PUBLIC and (sent or self.country == who))


read = msgspec.json.Decoder(Said).decode
"""Returns so much of a recorded event."""
_amended = msgspec.json.Decoder(_Amended)


class About(Struct, frozen=True):
    """What an event is about: of an amendment, the report that it amends."""

    amends: str
    type: str
    time: datetime
    recordedtime: datetime


def about(event: Said) -> About:
    """Return what an event is about."""
    if event.act == "reported":
        return About("", event.type, event.time, event.recordedtime)
    said = _amended.decode(event.data)
    when = said.original_time or event.time, said.original_recordedtime or event.recordedtime
    return About(said.original_id or said.supersedes or "", said.original or event.type, *when)
