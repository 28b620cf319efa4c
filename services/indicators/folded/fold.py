"""The fold: one recorded event in, the state moved on. No clock, no I/O, the same cost for every event."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from services.indicators.folded.accounts import DELAYS, PLACES
from services.indicators.folded.moves import Moment, Moves
from services.indicators.folded.state import DELAY_SECONDS, OPEN_REPORTS, REPORTS, Aside, State
from services.indicators.folded.steps import Reading
from services.indicators.folded.sums import Cell
from services.indicators.planned import delays, fields
from services.indicators.planned.persons import about_person
from services.indicators.planned.plan import Plan
from shared.contracts import registry
from shared.record.chain import GENESIS, chained

COUNTRY_SOURCE = "urn:crm:country:"
AMENDING = ("corrected", "retracted")
REJECTED = ("report", "rejected")
OF_KEYS = ("indicators", "key")
"""With which key a country signs is no report under the Plan: it ends no silence, and is neither early nor late."""
TYPE = re.compile(r"crm(\.[a-z][a-z0-9_]{0,63}){3}\.v[0-9]{1,9}", re.ASCII)
"""What names an event type, of whatever version of the contracts."""
FIRST, LAST = date(1900, 1, 1).toordinal(), date(2200, 1, 1).toordinal()
"""The region's own clock runs between these days."""
EARLIEST, LATEST = date(2, 1, 1).toordinal(), date(9900, 1, 1).toordinal()
"""An event that happened outside is not counted: what figures reckon from it would run over the calendar's edges."""


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
    code: Annotated[str, Meta(pattern="^[a-z0-9_]{1,64}$")]


class _Rejection(Struct, frozen=True):
    problems: list[_Refused] = []


class _Sender:
    """What is added up of a country's reports to a service, whatever they say."""

    def __init__(self, state: State, country: str, service: str, *, openly: bool) -> None:
        """Take them from the state; `openly`: those that are about no person are counted apart as well."""
        sums, self.key = state.sums, (country, service)
        self.heard = [state.heard, state.heard_openly] if openly else [state.heard]
        self.reports = [sums[name][(country,)] for name in ((REPORTS, OPEN_REPORTS) if openly else (REPORTS,))]
        self.seconds = [sums[DELAY_SECONDS][self.key]]
        self.delays: dict[str, list[Cell]] = {}
        """A delay's word -> the cells of the reports so late."""


@dataclass(slots=True)
class _Compiled:
    """What the plan wants of one event type, made ready."""

    name: tuple[str, str, str]
    about_person: bool
    amends: bool
    rejects: bool
    heard: bool
    """Whether a country that sends it has reported something."""
    counts: dict[str, int]
    reading: Reading
    decoder: "msgspec.json.Decoder[Any] | None"
    """None: the plan wants nothing."""
    senders: dict[str, _Sender]
    """By country."""

    def change(self, country: str, data: Raw, moment: Moment, sign: int, moves: Moves) -> None:
        """Put in what an event says (sign 1), or take it out (-1)."""
        assert self.decoder is not None
        decoded, reading = self.decoder.decode(data), self.reading
        counts, effects = reading.target(country, reading.said(decoded))
        for cells, clock in counts:
            moves.added.append((cells, moment.days[clock], sign))
        for effect in effects:
            effect(decoded, moment, sign, moves)


_envelopes = msgspec.json.Decoder(_Recorded)
_amendments = msgspec.json.Decoder(_Amendment)
_rejections = msgspec.json.Decoder(_Rejection)


class Fold:
    """A plan over one state: for each event type what it reads, made ready when the first one comes."""

    def __init__(self, plan: Plan, state: State | None = None) -> None:
        self.plan = plan
        self.state = state or State(plan.digest)
        self._types: dict[str, _Compiled] = {}
        """What has come so far; most types of the catalogue are rare."""

    def apply(self, service: str, sequence: int, payload: bytes) -> None:
        """Fold the event at `sequence` of the service's stream.

        Whatever it raises, for whatever reason: then nothing has changed.
        """
        moves = self.moves(payload)
        moves.puts.append((self.state.sequences, service, sequence))
        moves.puts.append((self.state.hashes, service, self._hash(service, payload)))
        moves.do()

    def moves(self, payload: bytes) -> Moves:
        """Work out what an event changes, wherever it stands; nothing has changed. Raises whatever it is."""
        event = _envelopes.decode(payload)
        moves, country = Moves(), event.country
        if country not in PLACES:
            raise ValueError("not a country of the region")
        compiled = self._types.get(event.type) or self._compile(event.type)
        moment = _moment(event.time, event.recordedtime)
        moves.recorded = moment.days[1]
        if compiled.decoder is not None:
            compiled.change(country, event.data, moment, 1, moves)
        elif compiled.amends:
            self._amend(event, moves)
        if compiled.rejects:
            self._refuse(country, compiled.name[0], _rejections.decode(event.data), moves)
        if compiled.heard and event.source.startswith(COUNTRY_SOURCE):
            self._hear(country, compiled, moment, moves)
        moves.puts.append((compiled.counts, country, compiled.counts.get(country, 0) + 1))
        return moves

    def take(self, service: str, sequence: int, payload: bytes) -> Exception | None:
        """Fold the event, or set it aside and return why: whatever it is, what comes behind it is folded."""
        try:
            self.apply(service, sequence, payload)
        except Exception as error:  # noqa: BLE001 - what this event does to us, no other has to wait for
            self.set_aside(service, sequence, type(error).__name__, payload)
            return error
        return None

    def set_aside(self, service: str, sequence: int, reason: str, payload: bytes | None = None) -> None:
        """Go on behind an event that is not counted; the state remembers which, and why in one word.

        Without its payload, as where the stream has none, the log's hash behind it is not known.
        """
        self.state.aside.setdefault(service, Aside()).add(sequence, reason)
        self.state.sequences[service] = sequence
        self.state.hashes[service] = self._hash(service, payload)

    def _hash(self, service: str, payload: bytes | None) -> bytes:
        """Return the log's own hash of its next row; empty: not known."""
        before = self.state.hashes.get(service, GENESIS)
        return b"" if payload is None or not before else chained(before, payload)

    def _amend(self, event: _Recorded, moves: Moves) -> None:
        """Take the previous data out at the times of the original, and put the corrected data in at the same place."""
        amendment = _amendments.decode(event.data)
        if amendment.original is None or amendment.original_time is None:
            return
        compiled = self._types.get(amendment.original) or self._compile(amendment.original)
        if compiled.decoder is None:
            return
        name = ".".join(compiled.name)
        moves.puts.append((self.state.amended, name, self.state.amended.get(name, 0) + 1))
        moment = _moment(amendment.original_time, amendment.original_recordedtime or amendment.original_time)
        for raw, sign in ((amendment.previous, -1), (amendment.data, 1)):
            if raw != _ABSENT:
                compiled.change(event.country, raw, moment, sign, moves)

    def _hear(self, country: str, compiled: _Compiled, moment: Moment, moves: Moves) -> None:
        sender = compiled.senders.get(country)
        if sender is None:
            sender = _Sender(self.state, country, compiled.name[0], openly=not compiled.about_person)
            compiled.senders[country] = sender
        recorded, day = moment.recorded, moment.days[1]
        for heard in sender.heard:
            last = heard.get(sender.key)
            if last is None or last < recorded:
                moves.puts.append((heard, sender.key, recorded))
        # When something was corrected says nothing of how soon it was first reported.
        if compiled.amends:
            moves.added.append((sender.reports, day, 1))
            return
        delay = recorded - moment.time
        delay_s = delay.days * delays.DAY + delay.seconds if delay.days >= 0 else 0
        word = delays.word(delay_s)
        late = sender.delays.get(word)
        if late is None:
            one = self.state.sums[DELAYS.name][country, word, compiled.name[0]]
            late = sender.delays[word] = [*sender.reports, one]
        moves.added.append((late, day, 1))
        moves.added.append((sender.seconds, day, delay_s))

    def _refuse(self, country: str, service: str, rejection: _Rejection, moves: Moves) -> None:
        for code in {problem.code for problem in rejection.problems}:
            key = (service, country, code)
            moves.puts.append((self.state.rejected, key, self.state.rejected.get(key, 0) + 1))

    def _compile(self, wire: str) -> _Compiled:
        if not TYPE.fullmatch(wire):
            raise ValueError("not the name of an event type")
        event = wire[4:].rpartition(".")[0]
        service, _, rest = event.partition(".")
        name = (service, rest.partition(".")[0], rest.partition(".")[2])
        reading = Reading(self.plan, self.state, event)
        agreed = registry().get(wire)
        # A service tells something of its own under this name, which the plan means: not the generic one behind it.
        wanted = reading and not (agreed and agreed.generic and agreed.version > 1)
        decoder = msgspec.json.Decoder(fields.partial(event, reading.wanted)) if wanted else None
        compiled = _Compiled(
            name,
            about_person=about_person(event),
            amends=name[2] in AMENDING,
            rejects=name[1:] == REJECTED,
            heard=name[:2] != OF_KEYS,
            counts=self.state.events.setdefault(name, {}),
            reading=reading,
            decoder=decoder,
            senders={},
        )
        self._types[wire] = compiled
        return compiled


def _moment(time: datetime, recorded: datetime) -> Moment:
    """Return when it was; ValueError or OverflowError if that is no time that figures can be reckoned from."""
    if time.tzinfo is not UTC or recorded.tzinfo is not UTC:  # nearly all are
        time, recorded = _utc(time), _utc(recorded)
    days = time.toordinal(), recorded.toordinal()
    if not (EARLIEST <= days[0] < LATEST and FIRST <= days[1] < LAST):
        raise ValueError("beyond what figures can be reckoned from")
    return Moment(time, recorded, days)


def _utc(time: datetime) -> datetime:
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        raise ValueError("a time without a time zone")
    return time.astimezone(UTC)
