"""Deciding what a batch records, event after event, in memory: pure but for what it reads through `tables`.

An event is recorded, then everything that it sets off, each with what that sets off in turn, before the next event. An
event that is refused, or waits, or fails, leaves nothing behind.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Contract, Corrected, Event, Merged, Refused, Retracted
from shared.contracts.indicators import SeatAssigned
from shared.contracts.keys import KeyAdded, KeyRevoked
from shared.contracts.report import authority
from shared.contracts.vocabulary import MEMBERS, REGION
from shared.record import amending, merging, periods, seats, signers
from shared.record.judgement import Judgement, Notice, Notified, Standing, Unknown, derive
from shared.record.reading import Reads, place
from shared.record.tables import At, Heard, Logged

DEPTH_MAX = 8
"""How far events may set off events within one batch; more is a loop in the judgements."""


@dataclass(slots=True)
class Deciding(Reads):
    """A batch that is being decided."""

    def restart(self) -> None:
        """Forget all that was decided: it is decided anew."""
        self.events.clear()
        self.reports.clear()
        self.failed.clear()
        self.tables.again()

    def decide(  # noqa: PLR0913 - what is known of a draft
        self,
        number: int,
        event: Event[Any],
        heard: At | None,
        fits: Callable[[list[Event[Any]]], bool] | None = None,
        *,
        key: str | None = None,
        sent: int | None = None,
    ) -> bool:
        """Record an event, or act on one heard, with all that it sets off; raises what is wrong with it.

        `key`: the public key that made its signature, which fits; `sent`: when the intake stored it. Return whether it
        was done: not where what is to be recorded does not fit, as `fits` says.
        """
        before, reports, self.draft, self.sent = len(self.events), len(self.reports), number, sent
        self._misses, self.guessed = self.tables.misses(), False
        try:
            if heard:
                self._hear(event, heard, key)
            else:
                self.admit_signature(event, key)
                # An amendment is held to the time of the report that it amends.
                self.admit_seat(event, None if isinstance(event.data, Corrected | Retracted) else event.time)
                self.record(event)
                self.reports.append(self.events[before][0])
            done = fits is None or fits([event for event, _ in self.events[before:]])
        except BaseException:
            self._undo(before, reports)
            raise
        if not done:
            self._undo(before, reports)
            return False
        self.tables.keep()
        return True

    def _undo(self, events: int, reports: int) -> None:
        del self.events[events:], self.reports[reports:]
        self.tables.undo()

    def late(self, number: int, event: Event[Any]) -> None:
        """Record what follows from a report under an identifier merged before, or for a period told before."""
        before, reports, self.draft = len(self.events), len(self.reports), number
        self._misses, self.guessed = self.tables.misses(), False
        try:
            for amendment in (*merging.late(self, event), *periods.late(self, event), *self._anew(event)):
                self._record_if_may(amendment)
        except BaseException:
            self._undo(before, reports)
            raise
        self.tables.keep()

    def _anew(self, event: Event[Any]) -> Iterator[Event[Any]]:
        """Yield the corrections by which reports are counted anew because of one that was recorded, or amended."""
        counted = set()
        wire, versions = self._versions(event)
        judgements = self.judgements.get(contracts.registry()[wire].data, ())
        for one in (
            one for judgement in judgements for report in versions for one in judgement.counts_anew(report, self)
        ):
            root = amending.reported_in(self, self.row(one.position))
            if root and not root.retracted and root.position not in counted:
                counted.add(root.position)
                yield periods.corrected(event, root, root.latest)

    def _versions(self, event: Event[Any]) -> tuple[str, list[Standing[Any]]]:
        """Return (its type, a report, or of one that is amended how it stood and how it stands)."""
        if not isinstance(event.data, Corrected | Retracted):
            return event.type, [Standing("", event.sequence, event)]
        root = amending.reported_in(self, self.row(event.sequence))
        if root is None or event.data.previous is None:
            return event.type, []
        stood = root.standing.saying(msgspec.convert(event.data.previous, type(root.latest)))
        return root.event.type, [stood] if root.retracted else [stood, root.standing]

    def _record_if_may(self, amendment: Event[Any]) -> None:
        """Record an amendment that the service itself makes; what may not be amended stands."""
        events, since = len(self.events), len(self.tables.journal)
        try:
            self.record(amendment)
        except Refused:
            del self.events[events:]
            self.tables.undo(since)

    def record(self, event: Event[Any]) -> None:
        """Append an event of this service, and all that it sets off."""
        agreed = contracts.registry().get(event.type)
        if self._depth > DEPTH_MAX:
            raise RuntimeError(f"judgements of {event.type} set each other off more than {DEPTH_MAX} deep")
        self._depth += 1
        outer = getattr(self, "cause", None)
        self.cause = event
        try:
            if agreed is None:
                self.append(event)
            elif isinstance(event.data, Corrected | Retracted):
                amending.amend(self, event)
            elif isinstance(event.data, Merged):
                merging.merge(self, event)
            else:
                self._report(agreed, event)
        finally:
            self._depth -= 1
            if outer is not None:
                self.cause = outer

    def _report(self, agreed: Contract, event: Event[Any]) -> None:
        report = Standing("", self.next_position, event)
        judgements = self.judgements.get(agreed.data, ())
        sent = contracts.sender_of(event.source) != REGION
        if agreed.aggregate and sent:
            periods.claim(self, agreed, event)
        for judgement in judgements:
            if sent and not self.again and (owners := judgement.owners(report, self)):
                report = report.saying(msgspec.structs.replace(report.data, owners=owners))
        for judgement in judgements:
            try:
                judgement.admit(report, self)
                report = report.saying(judgement.fill(report, self))
                report = report if sent else _addressed(report, judgement.addressee(report, self))
            except Exception:
                if self.sure():
                    raise  # else it says nothing yet: what is wanted is read, and it is decided anew
        self.cause = report.event
        self.append(report.event)
        if judgements:
            self.index(judgements, None, report)
            self.judge(judgements, report, report, arriving=True)
        if isinstance(event.data, SeatAssigned):
            self._seat(event)
        if isinstance(event.data, KeyAdded | KeyRevoked):
            self._signer(event)

    def _hear(self, event: Event[Any], at: At, key: str | None = None) -> None:
        """Act on another service's event."""
        self.cause = event
        agreed = contracts.registry().get(event.type)
        self.tables.heard.put(at, Heard())
        if agreed is None:
            return
        if isinstance(event.data, SeatAssigned):
            self._seat(event)
        if isinstance(event.data, KeyAdded | KeyRevoked) and self._by_root(event, key):
            self._signer(event)
        if isinstance(event.data, Corrected | Retracted):
            amending.hear(self, event, at)
            return
        judgements = self.judgements.get(agreed.data, ())
        if judgements:
            report = Standing(*at, event)
            for judgement in judgements:
                report = report.saying(judgement.fill(report, self))
            self.keep(judgements, at, report)
            self.index(judgements, None, report)
            self.judge(judgements, report, report, arriving=True)

    def keep(
        self, judgements: Sequence[Judgement], at: At, report: Standing[Any] | None, amended: int | None = None
    ) -> None:
        """Keep that another service's report was heard and, if it is about some thing, the report as it stands."""
        self.tables.heard.put(at, Heard(report if report and things(judgements, report) else None, amended))

    def judge(
        self, judgements: Sequence[Judgement], report: Standing[Any], now: Standing[Any] | None, *, arriving: bool
    ) -> None:
        """Bring what was told of the scopes of `report` to what should have been; `now`: as it stands, if it does."""
        if self.quiet:
            return
        set_off: list[Event[Any]] = []
        for judgement in judgements:
            self._judged, self._arriving = now, arriving
            if arriving:
                set_off += judgement.sets_off(report, self)
            scopes = [*dict.fromkeys(judgement.scopes(report, self))]
            if scopes:
                set_off += self._reconcile(judgement, scopes)
        for event in set_off:
            self.record(event)

    def _reconcile(self, judgement: Judgement, scopes: Sequence[str]) -> list[Event[Any]]:
        """Return what is told, and taken back, so that what was told about the scopes is what should have been."""
        wanted = {(one.scope, one.identity): one for scope in scopes for one in judgement.decide(scope, self)}
        told = {(one.scope, one.key): one for scope in scopes for one in self.tables.notified.get(scope)}
        for which in wanted.keys() & told.keys():
            self._move(wanted[which], told[which])
        changes = [
            *((which, self._tell(wanted[which], which[1])) for which in sorted(wanted.keys() - told.keys())),
            *((which, self._take_back(judgement, told[which])) for which in sorted(told.keys() - wanted.keys())),
        ]
        if judgement.in_order:
            changes.sort(key=lambda change: change[0])
        return [event for _, events in changes for event in events]

    def _tell(self, notice: Notice, key: str) -> list[Event[Any]]:
        event, known = self._noticed(notice, key), self.tables.by_key.get(key)
        self.tables.by_key.put(key, known | {notice.scope})
        self._note(notice, key, event)
        if known:
            return []
        if notice.due is None:
            return [event]
        self.tables.deadlines.put(key, (notice.due, event))
        return []

    def _move(self, notice: Notice, told: Notified) -> None:
        """Have a notice that is still to be told happen when it is due now; one with a cause of its own, as it is now.

        Where one of another cause was told, it is put anew.
        """
        if not told.scheduled or notice.due is None:
            return
        waiting, event = self.tables.deadlines.get(told.key), self._noticed(notice, told.key)
        if notice.cause is None:
            same = waiting is None or waiting[0] == notice.due
        else:
            same = waiting == (notice.due, event) if waiting else told.event_id == event.id
        if not same:
            self.tables.deadlines.put(told.key, (notice.due, event))
            self._note(notice, told.key, event)

    def _note(self, notice: Notice, key: str, event: Event[Any]) -> None:
        scheduled = notice.due is not None
        fresh = Notified(notice.scope, key, event.id, event.type, event.country, event.subject, scheduled)
        rows = [one for one in self.tables.notified.get(notice.scope) if one.key != key]
        self.tables.notified.put(notice.scope, tuple(sorted((*rows, fresh), key=lambda one: one.key)))

    def _noticed(self, notice: Notice, key: str) -> Event[Any]:
        event = derive(
            self.service,
            notice.data,
            cause=notice.cause or self.cause,
            to=notice.to,
            subject=notice.subject,
            key=key if notice.event_key is None else notice.event_key,
            time=notice.time or notice.due,
        )
        return msgspec.structs.replace(event, id=notice.event_id) if notice.event_id else event

    def _take_back(self, judgement: Judgement, one: Notified) -> list[Event[Any]]:
        """Return what takes back a notice; nothing of one still to be told, or told about something else as well."""
        waiting = one.scheduled and self.tables.deadlines.get(one.key) is not None
        if one.scheduled and not waiting and one.is_alert:
            return []  # it fell due, and was told: it stays told
        if waiting:
            self.tables.deadlines.put(one.key, None)
        left = self.tables.by_key.get(one.key) - {one.scope}
        self.tables.by_key.put(one.key, left)
        rows = self.tables.notified.get(one.scope)
        self.tables.notified.put(one.scope, tuple(other for other in rows if other.key != one.key))
        return [] if left or waiting else [*judgement.take_back(one, self)]

    # How it is kept.

    @property
    def next_position(self) -> int:
        """The position of the event that is appended next."""
        return self.head + len(self.events) + 1

    def append(self, event: Event[Any]) -> int:
        """Put an event at the end of the log; return its position."""
        position = self.next_position
        numbered = msgspec.structs.replace(event, sequence=position)
        self.events.append((numbered, self.draft))
        self.tables.ids.add(event.id, position, Logged(position, event.source, event.country, event.type, numbered))
        self.tables.entities.add(event.subject, position, (position, event.id, event.country, event.type))
        return position

    def index(self, judgements: Sequence[Judgement], before: Standing[Any] | None, after: Standing[Any] | None) -> None:
        """Have a report found by its things as it stands now (`after`), no more by those of `before`."""
        groups = {
            group: thing
            for one in (before, after)
            if one
            for judgement in judgements
            for group, thing in judgement.firsts(one).items()
        }
        led = {group: self.about(group, most=1) for group in groups}
        old, new = things(judgements, before), things(judgements, after)
        for thing in sorted(old - new):
            assert before is not None
            self.tables.index.drop(thing, place(thing, before))
        for thing in sorted(new - old):
            assert after is not None
            self.tables.index.add(thing, place(thing, after), after)
        if after:
            self.tables.standing.put((after.stream, after.position), after)
            for thing in new & old:
                if place(thing, after) in self.tables.index.added.get(thing, {}):
                    self.tables.index.add(thing, place(thing, after), after)
        for group, thing in groups.items():
            was, now = led[group], self.about(group, most=1)
            for first in was if was != now else ():
                self.tables.index.drop(thing, place(thing, first))
            for first in now if was != now else ():
                self.tables.index.add(thing, place(thing, first), first)

    def admit_seat(self, event: Event[Any], at: datetime | None) -> None:
        """Raise Refused where a report is made in the name of a seat that was not its sender's at an instant."""
        if self.again or at is None or not seats.named(event):
            return
        agreed, sender = contracts.registry()[event.type], contracts.sender_of(event.source)
        if problems := authority(agreed, event.source, event.data, sender, self.holders(at)):
            raise Refused(*problems)

    def admit_signature(self, event: Event[Any], key: str | None) -> None:
        """Raise Refused where a country's report is not signed as it must be, Unknown where its key is not known."""
        if self.again or contracts.sender_of(event.source) not in MEMBERS:
            return
        policy, of_key = signers.policy(event.country), isinstance(event.data, KeyAdded | KeyRevoked)
        if policy.reports == "off" and not of_key:
            return
        keys = self.tables.signers.get(event.country) if key else ()
        problem = signers.amiss(event, key, policy, keys)
        if problem is signers.UNKNOWN:
            raise Unknown("", problem)
        if problem:
            raise Refused(problem)

    def _by_root(self, event: Event[Any], key: str | None) -> bool:
        """Say whether the country itself told this of its key, whatever the service says that recorded it."""
        return self.again or key in signers.policy(event.country).roots(event.recordedtime)

    def _signer(self, event: Event[Any]) -> None:
        """Put what a country says of a key into the table."""
        keys = self.tables.signers.get(event.country)
        self.tables.signers.put(event.country, signers.told(keys, event))

    def _seat(self, event: Event[SeatAssigned]) -> None:
        """Put an assignment into the table: of two for one day the one recorded later holds."""
        data, rows = event.data, self.tables.seats.get(None)
        since = seats.begins(data.effective_from)
        fresh = (since, data.body, data.holder, event.recordedtime, event.id)
        same = [one for one in rows if one[:2] == fresh[:2]]
        if all(one[3:] < fresh[3:] for one in same):
            self.tables.seats.put(None, (*(one for one in rows if one not in same), fresh))


def things(judgements: Sequence[Judgement], report: Standing[Any] | None) -> set[str]:
    """Return the things by which a report is found; one of another service also by its id, to be amended."""
    if report is None:
        return set()
    found = {thing for judgement in judgements for thing in judgement.things(report)}
    return found | {amending.heard_report(report.id, report.source)} if report.stream and found else found


def _addressed(report: Standing[Any], to: str) -> Standing[Any]:
    if to == report.country:
        return report
    event = msgspec.structs.replace(report.event, country=to)
    return Standing(report.stream, report.position, event)
