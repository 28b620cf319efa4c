"""What waits for one country, for its own eyes: referrals to be answered, its refused reports, and notices to it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec import Struct

from services.indicators.folded.state import State
from services.indicators.publish.following import Following
from services.indicators.publish.recalling import Recall
from services.indicators.publish.said import Said
from shared.contracts import SERVICES, sender_of

VICTIMS = "victims"
ANSWERS, BY_OTHERS = ("accepted", "rejected"), ("revoked", "lapsed")
CLOSING = (*ANSWERS, *BY_OTHERS)
"""With these an offer no longer waits: it was answered, taken back by its sender, or is too old."""
REFUSED_KEPT = NOTICES_KEPT = 20
"""So many refused reports and notices are shown, the latest; all of them are in the country's mailbox."""
TAKEN_BACK = "taken_back"


class Offer(Struct, frozen=True):
    """A referral that the country has not answered."""

    referral: str
    """As its sender names it."""
    sender: str
    due: datetime


class Refusal(Struct, frozen=True):
    """A report of the country that was refused."""

    report: str
    """Its id; empty: it had none that could be read."""
    type: str
    at: datetime
    problems: Sequence[tuple[str, str, str]]
    """(where, code, why): RFC 6901 pointer, and the reason in English; none quotes what was sent."""


class Told(Struct, frozen=True):
    """A notice that was given to the country, and still holds."""

    id: str
    kind: str
    at: datetime
    due: datetime | None = None
    entity: str = ""
    """What it is about, as its owner names it."""
    country: str = ""
    """The other country in the matter; empty: there is none."""
    reason: str = ""
    """Of a target that was crossed: reached or lost."""


class Waits(Struct, frozen=True):
    """All of it."""

    offers: Sequence[Offer] = ()
    """By due time."""
    refused: Sequence[Refusal] = ()
    """The latest first."""
    notices: Sequence[Told] = ()
    """The latest first."""


class _Alert(Struct, frozen=True):
    kind: str
    about: str
    due: datetime | None = None
    entity: str | None = None
    country: str | None = None
    reason: str | None = None


class _Offered(Struct, frozen=True):
    referral_id: str
    due: datetime
    sender: str


class _Closed(Struct, frozen=True):
    referral_id: str
    sender: str | None = None


class _Problem(Struct, frozen=True):
    pointer: str
    code: str
    message: str


class _Rejected(Struct, frozen=True):
    problems: list[_Problem]
    report_id: str | None = None
    report_type: str | None = None


_offered = msgspec.json.Decoder(_Offered)
_closed = msgspec.json.Decoder(_Closed)
_alert = msgspec.json.Decoder(_Alert)
_rejected = msgspec.json.Decoder(_Rejected)


@dataclass(slots=True)
class _Country:
    code: str
    offers: dict[tuple[str, str], Offer] = field(default_factory=dict)
    """(sender, referral) -> the offer that stands."""
    refused: deque[Refusal] = field(default_factory=lambda: deque(maxlen=REFUSED_KEPT))

    notices: dict[str, Told] = field(default_factory=dict)
    """Id -> notice, in the order in which they were given."""

    def take(self, event: Said) -> None:
        """Note one event."""
        _, service, entity, verb, _ = event.type.split(".")
        if entity == "report" and event.country == self.code:
            told = _rejected.decode(event.data)
            why = [(one.pointer, one.code, one.message) for one in told.problems]
            self.refused.append(Refusal(told.report_id or "", told.report_type or "", event.recordedtime, why))
        elif entity == "alert" and event.country == self.code:
            self._notice(event)
        elif (service, entity) != (VICTIMS, "referral"):
            return
        elif verb == "offered" and event.country == self.code:
            one = _offered.decode(event.data)
            self.offers[one.sender, one.referral_id] = Offer(one.referral_id, one.sender, one.due)
        elif verb in CLOSING:
            done = _closed.decode(event.data)
            self.offers.pop((done.sender or sender_of(event.source), done.referral_id), None)

    def _notice(self, event: Said) -> None:
        """Keep a notice, and forget what it takes back."""
        one = _alert.decode(event.data)
        if one.kind == TAKEN_BACK:
            self.notices.pop(one.about, None)
            return
        at, other = event.recordedtime, one.country or ""
        self.notices[event.id] = Told(event.id, one.kind, at, one.due, one.entity or "", other, one.reason or "")
        if len(self.notices) > NOTICES_KEPT:
            del self.notices[next(iter(self.notices))]


@dataclass(slots=True)
class Waiting:
    """What waits for each country that asked; each look reads only what has come since the one before."""

    recall: Recall
    state: Callable[[], State]
    _known: dict[str, tuple[_Country, Following]] = field(default_factory=dict)

    async def on(self, country: str) -> Waits:
        """Return what waits for a country; refuses (503) where the streams do not answer."""
        if country not in self._known:
            fresh = _Country(country)
            self._known[country] = fresh, Following(self.recall, self.state, _subjects(country), fresh.take)
        known, following = self._known[country]
        await following.look()
        offers = sorted(known.offers.values(), key=lambda one: one.due)
        notices = sorted(known.notices.values(), key=lambda one: one.at, reverse=True)
        return Waits(offers, [*reversed(known.refused)], notices)


def _subjects(country: str) -> dict[str, list[str]]:
    """Return under what stands what waits for a country, or ends that."""
    each = ("report.rejected", "alert.issued")
    subjects = {one: [f"crm.evt.{one}.{what}.{country}" for what in each] for one in SERVICES}
    mine = [f"crm.evt.{VICTIMS}.referral.{verb}.{country}" for verb in ("offered", *ANSWERS)]
    subjects[VICTIMS] += [*mine, *(f"crm.evt.{VICTIMS}.referral.{verb}.*" for verb in BY_OTHERS)]
    return subjects
