"""The fold: one recorded event in, the state moved on. No clock, no I/O, the same cost for every event."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from services.indicators import checks, fields, steps
from services.indicators.plan import Plan, Row, Term
from services.indicators.state import REPORTS, State, Sums
from services.indicators.steps import Moment, Step

COUNTRY_SOURCE = "urn:crm:country:"
AMENDING = ("corrected", "retracted")
REJECTED = ("report", "rejected")
_Change = tuple[list[Step], Any, Moment, int]
"""(steps, data, when, 1 to put in or -1 to take out)"""


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
    decoder: "msgspec.json.Decoder[Any] | None" = None
    steps: list[Step] = field(default_factory=list)


_envelopes = msgspec.json.Decoder(_Recorded)
_amendments = msgspec.json.Decoder(_Amendment)
_rejections = msgspec.json.Decoder(_Rejection)


class Fold:
    """A plan compiled to one short list of functions per event type, over one state."""

    def __init__(self, plan: Plan, state: State | None = None) -> None:
        self.plan = plan
        self.state = state or State(plan.digest)
        self._reports = self.state.sums.setdefault(REPORTS, Sums())
        self._types: dict[str, _Compiled] = {}
        """What has come so far; most types of the catalogue are rare."""
        self._terms: dict[str, list[tuple[Row, Term]]] = {}
        for row in plan.rows.values():
            for term in row.term:
                self._terms.setdefault(term.event, []).append((row, term))
        self._always: list[Step] = [
            steps.term_step(self.state, row, term) for row, term in self._terms.get(checks.ANY_REPORT, [])
        ]

    def apply(self, service: str, sequence: int, payload: bytes) -> None:
        """Fold the event at `sequence` of the service's stream.

        MsgspecError if it is not an event; then nothing has changed.
        """
        event = _envelopes.decode(payload)
        compiled = self._types.get(event.type) or self._compile(event.type)
        moment = (_utc(event.time), _utc(event.recordedtime))
        changes = self._changes(compiled, event, moment)
        refused = _rejections.decode(event.data).problems if compiled.name[1:] == REJECTED else ()
        # From here on nothing can fail, so that a repeat does not count twice.
        country = event.country
        self._types[event.type] = compiled
        compiled.counts[country] = compiled.counts.get(country, 0) + 1
        if event.source.startswith(COUNTRY_SOURCE):
            self._hear(country, compiled.name[0], moment)
        for chain, data, when, sign in changes:
            for step in chain:
                step(data, country, when, sign)
        for code in {problem.code for problem in refused}:
            key = (compiled.name[0], country, code)
            self.state.rejected[key] = self.state.rejected.get(key, 0) + 1
        self.state.sequences[service] = sequence

    def _changes(self, compiled: _Compiled, event: _Recorded, moment: Moment) -> list[_Change]:
        """Return what goes in, and for an amendment what goes out, decoded."""
        if compiled.decoder is not None:
            return [(compiled.steps, compiled.decoder.decode(event.data), moment, 1)]
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
        time = _utc(amendment.original_time)
        moment = (time, _utc(amendment.original_recordedtime or time))
        parts = ((amendment.previous, -1), (amendment.data, 1))
        return [(compiled.steps, compiled.decoder.decode(raw), moment, sign) for raw, sign in parts if raw != _ABSENT]

    def _hear(self, country: str, service: str, moment: Moment) -> None:
        last = self.state.heard.get((country, service))
        if last is None or last < moment[1]:
            self.state.heard[country, service] = moment[1]
        self._reports.add((country,), moment[1].toordinal(), 1)
        for step in self._always:
            step(None, country, moment, 1)

    def _compile(self, wire: str) -> _Compiled:
        event = wire[4:].rpartition(".")[0]
        service, _, rest = event.partition(".")
        name = (service, rest.partition(".")[0], rest.partition(".")[2])
        compiled = _Compiled(name, self.state.events.setdefault(name, {}))
        wanted: list[str] = []
        for row, term in self._terms.get(event, []):
            compiled.steps.append(steps.term_step(self.state, row, term))
            wanted += steps.paths(row, term)
        for milestone in self.plan.milestones.values():
            for done in milestone.done:
                if done.event == event:
                    compiled.steps.append(steps.milestone_step(self.state, milestone, done))
                    wanted += [*done.where, *([done.distinct] if done.distinct else [])]
        if any(m.after and m.after.event == event for m in self.plan.milestones.values()):
            compiled.steps.append(steps.group_step(self.state.groups.setdefault(event, {}), steps.by_country))
        if event == steps.BASELINE_SET:
            compiled.steps.append(steps.baseline_step(self.state))
            wanted += ["indicator", "since", "until"]
        if compiled.steps:
            compiled.decoder = msgspec.json.Decoder(fields.partial(event, frozenset(wanted)))
        return compiled


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo is UTC else time.astimezone(UTC)
