"""Notices that a service gives: a report refused, a country's attention asked for, what it told taken back."""

from datetime import datetime
from typing import Annotated, Any, Self

from msgspec import Meta, to_builtins

from shared.contracts import Data, Event, EventId, Problem, Ref, Time, contract
from shared.contracts.vocabulary import Country, Handling, Seat, Tlp, Token


class Rejected(Data, frozen=True, kw_only=True):
    """Tells the sender of a refused report everything that was wrong with it; its bytes stand in QUARANTINE."""

    problems: list[Problem]
    intake_sequence: Annotated[int, Meta(ge=0)]
    """Where the refused message stands in its sender's intake."""
    report_id: EventId | None = None
    report_type: str | None = None
    """Only a type that exists."""


class Alert(Data, frozen=True, kw_only=True):
    """Asks the country it is addressed to for its attention: what for, about which event, until when."""

    kind: Token
    about: EventId
    about_type: str
    entity: Ref | None = None
    owner: Country | None = None
    """Whose identifier `entity` is, where it is a country's."""
    due: Time | None = None
    reason: Token | None = None
    """The reason that the event gives, where it gives one."""
    country: Country | None = None
    """The other country in the matter: whom to speak to."""
    body: Seat | None = None
    """The body of the region that it is for, where it is not for the country itself: its holder gets it."""
    tlp: Tlp | None = None
    handling: Handling | None = None
    """How the report behind the notice is marked: so far may it go, and no further."""


class TakenBack(Data, frozen=True, kw_only=True):
    """Takes back what a service told, because the reports that it rested on were amended; figures subtract it."""

    supersedes: EventId
    """The event taken back."""
    original: str
    """Its type; the rest is as in every retraction."""
    original_time: datetime
    original_recordedtime: datetime
    previous: dict[str, Any]

    @classmethod
    def of(cls, event: Event[Any], **more: Any) -> Self:
        """Return what takes an event back; `more`: what else this type says."""
        return cls(
            supersedes=event.id,
            original=event.type,
            original_time=event.time,
            original_recordedtime=event.recordedtime,
            previous=to_builtins(event.data),
            **more,
        )


TAKEN_BACK = {
    "supersedes": "0193a1b2-example",
    "original_time": "2004-06-01T00:00:00Z",
    "original_recordedtime": "2004-06-01T00:00:00Z",
}
"""What all examples of it have alike."""


def rejects(service: str) -> None:
    """Register that `service` answers refused reports."""
    problem = {"pointer": "/data/offence", "code": "missing_field", "message": "this field is required"}
    good = {"problems": [problem], "intake_sequence": 7}
    contract(f"{service}.report.rejected", good=good, bad=("problems", ...), rows=("XC-6",))(Rejected)


def alerts(service: str) -> None:
    """Register that `service` sends alerts."""
    about = {"about": "0193a1b2-example", "about_type": "crm.intel.location.reported.v1"}
    good = {"kind": "location_reported", **about, "entity": "place-1", "due": "2004-03-04T10:00:00Z"}
    contract(f"{service}.alert.issued", good=good, bad=("about", ...), entity="entity")(Alert)
