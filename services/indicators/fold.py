"""The fold: one recorded event in, the state moved on. No clock, no I/O, the same cost for every event."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from services.indicators import fields
from services.indicators.plan import Plan
from services.indicators.state import REPORTS, State
from services.indicators.steps import Moment, Reading, Target

COUNTRY_SOURCE = "urn:crm:country:"
AMENDING = ("corrected", "retracted")
REJECTED = ("report", "rejected")
_Change = tuple[Target, Any, Moment, int]
"""(where it goes, data, when, 1 to put in or -1 to take out)"""


class _Recorded(Struct, frozen=True, gc=False):
    """As much of a recorded event as every type needs; `data` waits for what its type needs."""

    type: str
    time: datetime
    country: str
    source: str
    recordedtime: datetime
    data: Raw


_ABSENT = Raw(b"null")


class _Amendment(Struct, frozen=True):
    """What corrections and retractions say of the event that they amend."""

    original: str | None = None
    original_time: datetime | None = None
    original_recordedtime: datetime | None = None
    previous: Raw = _ABSENT
    data: Raw = _ABSENT


class _Refused(Struct, frozen=True):
    code: str


class _Rejection(Struct, frozen=True):
    problems: list[_Refused] = []


@dataclass(slots=True)
class _Compiled:
    """What the plan wants of one event type, made ready."""

    name: tuple[str, str, str]
    counts: dict[str, int]
    reading: Reading
    decoder: "msgspec.json.Decoder[Any] | None"
    """None: the plan wants nothing."""

    def change(self, country: str, data: Raw, moment: Moment, sign: int) -> _Change:
        assert self.decoder is not None
        decoded = self.decoder.decode(data)
        return self.reading.target(country, self.reading.said(decoded)), decoded, moment, sign


_envelopes = msgspec.json.Decoder(_Recorded)
_amendments = msgspec.json.Decoder(_Amendment)
_rejections = msgspec.json.Decoder(_Rejection)


class Fold:
    """A plan over one state: for each event type what it reads, made ready when the first one comes."""

    def __init__(self, plan: Plan, state: State | None = None) -> None:
        self.plan = plan
        self.state = state or State(plan.digest)
        self._reports = self.state.sums[REPORTS]
        self._types: dict[str, _Compiled] = {}
        """What has come so far; most types of the catalogue are rare."""

    def apply(self, service: str, sequence: int, payload: bytes) -> None:
        """Fold the event at `sequence` of the service's stream.

        MsgspecError if it is not an event; then nothing has changed.
        """
        event = _envelopes.decode(payload)
        compiled = self._types.get(event.type) or self._compile(event.type)
        moment = _moment(event.time, event.recordedtime)
        changes = self._changes(compiled, event, moment)
        refused = _rejections.decode(event.data).problems if compiled.name[1:] == REJECTED else ()
        # From here on nothing can fail, so that a repeat does not count twice.
        country = event.country
        self._types[event.type] = compiled
        compiled.counts[country] = compiled.counts.get(country, 0) + 1
        if event.source.startswith(COUNTRY_SOURCE):
            self._hear(country, compiled.name[0], moment)
        for (cells, effects), data, when, sign in changes:
            for cell, clock in cells:
                cell.days[when.days[clock]] += sign
                cell.total += sign
            for effect in effects:
                effect(data, when, sign)
        if refused:
            self._refuse(country, compiled.name[0], {problem.code for problem in refused})
        self.state.sequences[service] = sequence

    def _changes(self, compiled: _Compiled, event: _Recorded, moment: Moment) -> list[_Change]:
        """Return what goes in, and for an amendment what goes out, decoded."""
        if compiled.decoder is not None:
            return [compiled.change(event.country, event.data, moment, 1)]
        return self._amendment(event) if compiled.name[2] in AMENDING else []

    def _amendment(self, event: _Recorded) -> list[_Change]:
        """Take the previous data out at the times of the original, and put the corrected data in at the same place."""
        amendment = _amendments.decode(event.data)
        if amendment.original is None or amendment.original_time is None:
            return []
        compiled = self._types.get(amendment.original) or self._compile(amendment.original)
        if compiled.decoder is None:
            return []
        self._types[amendment.original] = compiled
        moment = _moment(amendment.original_time, amendment.original_recordedtime or amendment.original_time)
        parts = ((amendment.previous, -1), (amendment.data, 1))
        return [compiled.change(event.country, raw, moment, sign) for raw, sign in parts if raw != _ABSENT]

    def _hear(self, country: str, service: str, moment: Moment) -> None:
        last = self.state.heard.get((country, service))
        if last is None or last < moment.recorded:
            self.state.heard[country, service] = moment.recorded
        self._reports[(country,)].add(moment.days[1], 1)

    def _refuse(self, country: str, service: str, codes: set[str]) -> None:
        for code in codes:
            key = (service, country, code)
            self.state.rejected[key] = self.state.rejected.get(key, 0) + 1

    def _compile(self, wire: str) -> _Compiled:
        event = wire[4:].rpartition(".")[0]
        service, _, rest = event.partition(".")
        name = (service, rest.partition(".")[0], rest.partition(".")[2])
        reading = Reading(self.plan, self.state, event)
        decoder = msgspec.json.Decoder(fields.partial(event, reading.wanted)) if reading else None
        return _Compiled(name, self.state.events.setdefault(name, {}), reading, decoder)


def _moment(time: datetime, recorded: datetime) -> Moment:
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    if recorded.tzinfo is not UTC:
        recorded = recorded.astimezone(UTC)
    return Moment(time, recorded, (time.toordinal(), recorded.toordinal()))
