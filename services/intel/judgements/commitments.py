"""Commitments of the meetings: kept in time, or the presidency hears of it (Plan row IE-2.1b)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.intel.judgements.notices import SERVICE, IntelJudgement, alert
from services.intel.judgements.owners import looked_up, named, used
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.identity import Owners
from shared.contracts.intel import (
    COMMITMENT_REMIND_DAYS,
    CommitmentAgreed,
    CommitmentFulfilled,
    CommitmentOverdue,
)
from shared.contracts.vocabulary import REGION, Seat
from shared.record.judgement import Notice, Reading, Standing, Unknown, derive

REMIND = timedelta(days=COMMITMENT_REMIND_DAYS)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a country owes, and the country whose body recorded that."""

    event_id: str
    country: str
    agreed_by: str
    due: datetime
    known: datetime
    """Since when this service knows of it."""


class Commitments(IntelJudgement):
    """A commitment is waited for to be kept (Plan row IE-2.1b); the country or who recorded it may say that it was."""

    reports = (CommitmentAgreed, CommitmentFulfilled)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the commitment."""
        yield commitment(identity.key(report.data, "commitment_id"))
        if isinstance(report.data, CommitmentAgreed):
            yield from used(report, "commitment_id")

    def owners(self, report: Standing[Any], read: Reading) -> Owners:
        """Return whose commitment it is: its own, or one that the country owes."""
        if isinstance(report.data, CommitmentAgreed):
            return named(report, read, "commitment_id")

        def told(one: Standing[Any]) -> tuple[str, bool] | None:
            agreed = isinstance(one.data, CommitmentAgreed)
            concerned = agreed and report.country in {one.data.country, one.country}
            return (one.country, one.country == report.country) if concerned else None

        return looked_up("commitment_id", report, read, commitment, told)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Unknown of a commitment that was not agreed, Refused of another country's."""
        if isinstance(report.data, CommitmentAgreed):
            return
        agreed = _agreed(read, commitment(identity.key(report.data, "commitment_id")))
        if not agreed:
            raise Unknown("/data/commitment_id")
        _owing(report, agreed, "/data/country")

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Raise Refused of a correction that says that another country's was kept."""
        del before
        if after and isinstance(after.data, CommitmentFulfilled) and not read.again:
            agreed = _agreed(read, commitment(identity.key(after.data, "commitment_id")))
            _owing(after, agreed, "/data/data/country")

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Note whether it was kept late."""
        return _with_lateness(report, read)

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Note it by what was agreed as it stands now."""
        return _with_lateness(report, read)

    def taken_out(self, report: Standing[Any], read: Reading) -> Data:
        """Take it out as it was put in."""
        del read
        return report.data  # type: ignore[no-any-return]  # of any type

    def counts_anew(self, report: Standing[Any], read: Reading) -> Iterable[Standing[Any]]:
        """Return what was told of the commitment's being kept, where another date makes it late, or not."""
        if isinstance(report.data, CommitmentAgreed):
            for one in read.about(commitment(identity.key(report.data, "commitment_id"))):
                if _with_lateness(one, read) != one.data:
                    yield one

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the commitment."""
        del read
        yield commitment(identity.key(report.data, "commitment_id"))

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Remind of each, unless it was kept in time."""
        kept = min((one.time for one in read.about(scope) if isinstance(one.data, CommitmentFulfilled)), default=None)
        commitment_id = scope.removeprefix("commitment/")
        for one in _agreed(read, scope):
            yield from reminder(scope, commitment_id, one, kept)
            yield from owed(scope, commitment_id, one, kept=kept is not None and kept <= one.due)


def commitment(commitment_id: str) -> str:
    """Return the thing that a commitment is."""
    return f"commitment/{commitment_id}"


def _agreed(read: Reading, thing: str) -> list[Commitment]:
    """Return what was agreed under a commitment's id."""
    agreed = [one for one in read.about(thing) if isinstance(one.data, CommitmentAgreed)]
    return [
        Commitment(one.id, one.data.country, one.country, one.data.due, one.known)
        for one in sorted(agreed, key=lambda x: x.id)
    ]


def _owing(report: Standing[CommitmentFulfilled], agreed: Sequence[Commitment], at: str) -> None:
    """Refuse a report of another country's commitment; `at`: where it says whose it is."""
    if agreed and report.data.country not in {one.country for one in agreed}:
        raise Refused(Problem(at, "wrong_reference", "the commitment is another country's"))


def _with_lateness(report: Standing[Any], read: Reading) -> Data:
    """Return a report as it says whether the commitment was kept late, by what is on record of it."""
    data: Data = report.data
    agreed = _agreed(read, commitment(identity.key(data, "commitment_id")))
    if isinstance(data, CommitmentAgreed) or not agreed:
        return data
    return msgspec.structs.replace(data, late=report.time > max(one.due for one in agreed))


class Presidency(IntelJudgement):
    """The presidency, which follows commitments up, is told of one that was agreed or kept.

    Of one kept who recorded it is told, too. Who reported it, or owes it, knows.
    """

    reports = (CommitmentAgreed, CommitmentFulfilled)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return what the presidency is told of the report."""
        yield _presidency(report)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the same, and what was told of the commitment's being kept: who recorded it may be another now."""
        kept = read.about(commitment(identity.key(report.data, "commitment_id")))
        return [_presidency(report), *(_presidency(one) for one in kept if isinstance(one.data, CommitmentFulfilled))]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        report = next(iter(read.about(scope)), None)
        if report is None:
            return
        data, commitment_id = report.data, identity.key(report.data, "commitment_id")
        told: dict[str, Seat | None] = {read.mailbox("ppt", report.known): "ppt"}
        due = None
        if isinstance(data, CommitmentAgreed):
            told.pop(data.country, None)
            due = data.due
        else:
            told = {one.agreed_by: None for one in _agreed(read, commitment(commitment_id))} | told
        which, kind = (report.id, report.name), f"commitment_{report.verb}"
        for to, body in sorted(told.items()):
            if to not in {report.country, REGION}:
                said = alert(kind, which, commitment_id, country=data.country, owned=True, due=due, body=body)
                yield Notice(to=to, data=said, scope=scope)


def _presidency(report: Standing[Any]) -> str:
    return f"presidency/{report.own_scope}"


class OverdueCommitments(IntelJudgement):
    """Who presides when a commitment is overdue is told, unless it owes it, or recorded it and is told as such."""

    reports = (CommitmentOverdue,)

    def sets_off(self, report: Standing[CommitmentOverdue], read: Reading) -> Iterable[Event[Any]]:
        """Tell it."""
        data = report.data
        to = read.mailbox("ppt", report.time)
        if to in {REGION, data.country, (data.owners or {}).get("commitment_id")}:
            return
        said = alert(
            "commitment_overdue",
            (report.id, report.name),
            identity.key(data, "commitment_id"),
            country=data.country,
            owned=True,
            due=data.due,
            body="ppt",
        )
        yield derive(SERVICE, said, cause=report.event, to=to, key="presidency")


def reminder(scope: str, commitment_id: str, commitment: Commitment, kept: datetime | None) -> list[Notice]:
    """Return the reminder of who owes a commitment, some days before it is due, unless it was kept by then.

    What was known only later than that needs none: its country was told of it just now.
    """
    at = commitment.due - REMIND
    if at <= commitment.known or (kept is not None and kept <= at):
        return []
    which = (commitment.event_id, "intel.commitment.agreed")
    data = alert("commitment_due", which, commitment_id, country=commitment.agreed_by, owned=True, due=commitment.due)
    return [Notice(to=commitment.country, data=data, scope=scope, due=at)]


def owed(scope: str, commitment_id: str, commitment: Commitment, *, kept: bool) -> list[Notice]:
    """Return who is told of a commitment: who owes it, at once and when it is overdue, and then who recorded it.

    One that was `kept` in time was never overdue, also where that is told late.
    """
    which, by = (commitment.event_id, "intel.commitment.agreed"), commitment.agreed_by
    notices = []
    if commitment.country != commitment.agreed_by:
        data = alert("commitment_agreed", which, commitment_id, country=by, owned=True, due=commitment.due)
        notices.append(Notice(to=commitment.country, data=data, scope=scope))
    if kept:
        return notices
    owned = bool(identity.parted(commitment_id)[0])  # else it is of before: two bodies' reports may have the same id
    name = f"{scope}/{commitment.event_id}" if owned else commitment.event_id
    overdue = CommitmentOverdue(
        commitment_id=identity.written(commitment_id, by),
        owners={"commitment_id": by} if owned else None,
        country=commitment.country,  # type: ignore[arg-type]  # read back as it was written
        due=commitment.due,
    )
    notices.append(Notice(to=commitment.country, data=overdue, scope=scope, name=name, due=commitment.due))
    if commitment.country != commitment.agreed_by:
        late = alert(
            "commitment_overdue", which, commitment_id, country=commitment.country, owned=True, due=commitment.due
        )
        notices.append(Notice(to=commitment.agreed_by, data=late, scope=scope, due=commitment.due))
    return notices
