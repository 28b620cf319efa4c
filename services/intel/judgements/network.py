"""Contact points (choreography 11, intel's side), information asked and given, commitments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from services.intel.gate import Marking, Relation, marking, may_know
from services.intel.judgements import places
from services.intel.judgements.notices import SERVICE, IntelAnnouncement, IntelJudgement, alert
from services.intel.judgements.owners import looked_up, named, used
from services.intel.policy import POLICY
from shared import contracts
from shared.contracts import Data, Event, Problem, Refused, identity
from shared.contracts.identity import Owners
from shared.contracts.intel import (
    CommitmentAgreed,
    CommitmentFulfilled,
    CommitmentOverdue,
    ContactPointDesignated,
    ContactPointReplaced,
    ContactPointVacated,
    FeedbackGiven,
    InformationAnswered,
    InformationRefused,
    InformationRequested,
    InformationShared,
    ManualApproved,
    ManualPresented,
    OperationExecuted,
    OperationPlanned,
)
from shared.contracts.vocabulary import MEMBERS, REGION, Seat
from shared.record.judgement import Notice, Reading, Standing, Unknown, derive

REQUESTED = "intel.information.requested"


@dataclass(frozen=True, slots=True)
class Request:
    """Information that one country asked of another."""

    event_id: str
    exchange_id: str
    asker: str
    asked: str
    due: datetime
    marking: Marking


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, or its refusal."""

    event_id: str
    act: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a country owes, and the country whose body recorded that."""

    event_id: str
    country: str
    agreed_by: str
    due: datetime


class ContactPoints(IntelAnnouncement):
    """The network is told who is its contact, or that there is none; a newcomer gets what is still open."""

    reports = (ContactPointDesignated, ContactPointReplaced, ContactPointVacated)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the country's posts."""
        yield posts(report.data.country)

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Return again what the country was told and has not answered: places and requests, first due first."""
        if not isinstance(report.data, ContactPointDesignated) or not _is_latest(report, read):
            return []
        country = report.data.country
        waiting = [(one.due, notice) for one, notice in places.reoffered(read, country)]
        waiting += [(one.due, _request("", one)) for one in _unanswered(read, country)]
        waiting.sort(key=lambda pair: (pair[0], pair[1].identity))
        return [derive(SERVICE, one.data, cause=read.cause, to=one.to, key=one.identity) for _, one in waiting]

    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell the others, unless there is later news of the post."""
        if not _is_latest(report, read):
            return []
        data, since = report.data, holds_from(report)
        due = since if since > report.time else None
        about = report.id, report.name
        said = alert(
            f"contact_point_{report.verb}", about, report.event.subject, due=due, reason=data.body, country=data.country
        )
        return [Notice(to=one, data=said, scope=scope) for one in MEMBERS if one != data.country]


def posts(country: str) -> str:
    """Return the thing that a country's contact points are."""
    return f"contact/{country}"


def holds_from(report: Standing[Any]) -> datetime:
    """Return from when on a report about a contact point holds: from its first day on, if that is still to come."""
    first = report.data.valid_from if isinstance(report.data, ContactPointDesignated) else None
    return max(report.time, datetime.combine(first, time.min, UTC)) if first else report.time


def _is_latest(report: Standing[Any], read: Reading) -> bool:
    """Say whether nothing later holds of a contact point's post by now."""
    since = holds_from(report)
    same = [one for one in read.about(posts(report.data.country)) if one.data.body == report.data.body]
    return not any(since < holds_from(one) <= read.now for one in same)


class Exchanges(IntelJudgement):
    """A request for information is passed on, and its answer, or the lack of one, told to who asked."""

    reports = (InformationAnswered, InformationRefused, InformationRequested)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the exchange between two countries; of a request also who is asked, for a new contact point."""
        yield _exchange(report)
        if isinstance(report.data, InformationRequested):
            yield f"requests/{report.data.to}"

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Unknown of an answer to what was not asked."""
        if isinstance(report.data, InformationRequested):
            return
        if not any(isinstance(one.data, InformationRequested) for one in read.about(_exchange(report))):
            raise Unknown("/data/exchange_id")

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the exchange."""
        del read
        yield _exchange(report)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell both countries what becomes of each request."""
        requests, replies = _asked_and_answered(read, scope)
        return [notice for request in requests for notice in exchange(scope, request, replies)]


def _exchange(report: Standing[Any]) -> str:
    data = report.data
    asker, asked = (data.sender, data.to) if isinstance(data, InformationRequested) else (data.to, data.sender)
    return f"exchange/{asker}/{asked}/{data.exchange_id}"


def _asked_and_answered(read: Reading, scope: str) -> tuple[list[Request], list[Reply]]:
    """Return the requests under an exchange's id, between two countries, and what was answered."""
    about = sorted(read.about(scope), key=lambda one: one.id)
    requests = [_asked(one) for one in about if isinstance(one.data, InformationRequested)]
    replies = [
        Reply(one.id, one.verb, one.data.reason if isinstance(one.data, InformationRefused) else None)
        for one in about
        if not isinstance(one.data, InformationRequested)
    ]
    return requests, replies


def _asked(report: Standing[InformationRequested]) -> Request:
    """Return a request for information; it is due as it says, or by its urgency."""
    data = report.data
    within = POLICY.answered_within_urgent if data.urgency in {"child", "danger"} else POLICY.answered_within
    due = data.due or report.known + within
    return Request(report.id, data.exchange_id, data.sender, data.to, due, marking(data))


def _unanswered(read: Reading, country: str) -> list[Request]:
    """Return what a country was asked for, may know of, and has not answered.

    All that it ever was asked for is read: a post is filled a few times in a year.
    """
    asked = [(_exchange(one), _asked(one)) for one in read.about(f"requests/{country}")]
    asked = [(scope, one) for scope, one in asked if may_know(one.marking, Relation.NAMED)]
    return [one for scope, one in asked if not _asked_and_answered(read, scope)[1]]


def exchange(scope: str, request: Request, replies: Sequence[Reply]) -> list[Notice]:
    """Return who is told what of a request for information."""
    which = request.event_id, REQUESTED
    if not may_know(request.marking, Relation.NAMED):
        data = alert("not_passed_on", which, request.exchange_id, marked=request.marking)
        return [Notice(to=request.asker, data=data, scope=scope)]
    notices = [_request(scope, request)]
    if not replies:
        for to, other in ((request.asked, request.asker), (request.asker, request.asked)):
            late = alert("information_overdue", which, request.exchange_id, due=request.due, country=other)
            notices.append(Notice(to=to, data=late, scope=scope, due=request.due))
    for reply in replies:
        said = reply.event_id, f"intel.information.{reply.act}"
        data = alert(f"information_{reply.act}", said, request.exchange_id, reason=reply.reason, country=request.asked)
        notices.append(Notice(to=request.asker, data=data, scope=scope))
    return notices


def _request(scope: str, request: Request) -> Notice:
    which, asker = (request.event_id, REQUESTED), request.asker
    data = alert(
        "information_requested", which, request.exchange_id, due=request.due, country=asker, marked=request.marking
    )
    return Notice(to=request.asked, data=data, scope=scope)


class Shared(IntelAnnouncement):
    """The country that was given information is told, unless the marking leaves that to the giver."""

    reports = (InformationShared,)

    def notices(self, report: Standing[InformationShared], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell it, or the giver that it was not passed on."""
        del read
        data, marked = report.data, marking(report.data)
        passed = may_know(marked, Relation.NAMED)
        to, other = (data.to, report.country) if passed else (report.country, None)
        kind = "information_shared" if passed else "not_passed_on"
        said = alert(kind, (report.id, report.name), data.exchange_id, country=other, marked=marked)
        return [Notice(to=to, data=said, scope=scope)]


class Feedback(IntelAnnouncement):
    """The source of information is told what it was good for; of what this service drafted it tells by itself."""

    reports = (FeedbackGiven,)

    def notices(self, report: Standing[FeedbackGiven], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell it."""
        del read
        data = report.data
        if contracts.sender_of(report.source) == REGION or data.to == report.country:
            return []
        reason = data.used_for or ("useful" if data.useful else "not_useful")
        said = alert("feedback", (report.id, report.name), data.exchange_id, reason=reason, country=report.country)
        return [Notice(to=data.to, data=said, scope=scope)]


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
        if report.data.country not in {one.country for one in agreed}:
            raise Refused(Problem("/data/country", "wrong_reference", "the commitment is another country's"))

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Note whether it was kept late."""
        if isinstance(report.data, CommitmentAgreed):
            return report.data
        agreed = _agreed(read, commitment(identity.key(report.data, "commitment_id")))
        filled: Data = msgspec.structs.replace(report.data, late=report.time > max(one.due for one in agreed))
        return filled

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the commitment."""
        del read
        yield commitment(identity.key(report.data, "commitment_id"))

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Remind of each, unless it was kept in time."""
        kept = min((one.time for one in read.about(scope) if isinstance(one.data, CommitmentFulfilled)), default=None)
        commitment_id = scope.removeprefix("commitment/")
        for one in _agreed(read, scope):
            yield from owed(scope, commitment_id, one, kept=kept is not None and kept <= one.due)


def commitment(commitment_id: str) -> str:
    """Return the thing that a commitment is."""
    return f"commitment/{commitment_id}"


def _agreed(read: Reading, thing: str) -> list[Commitment]:
    """Return what was agreed under a commitment's id."""
    agreed = [one for one in read.about(thing) if isinstance(one.data, CommitmentAgreed)]
    return [
        Commitment(one.id, one.data.country, one.country, one.data.due) for one in sorted(agreed, key=lambda x: x.id)
    ]


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


class Manuals(IntelAnnouncement):
    """Every country is told of the manual that was presented or approved (IE 1.1.1, "con los países miembros")."""

    reports = (ManualApproved, ManualPresented)

    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        about = report.id, report.name
        data = alert(f"manual_{report.verb}", about, report.data.version, reason=report.data.reported_by)
        return [Notice(to=to, data=data, scope=scope) for to in MEMBERS]


class PlannedOperations(IntelAnnouncement):
    """The other participants of a planned operation are told (Plan PC 1, "difundir"), and nobody else.

    Where its marking leaves that to the planner, the planner is told so.
    """

    reports = (OperationPlanned,)

    def notices(self, report: Standing[OperationPlanned], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        data, marked, which = report.data, marking(report.data), (report.id, report.name)
        others = sorted({str(one) for one in data.participants} - {report.country})
        if others and not may_know(marked, Relation.NAMED):
            kept = alert("not_passed_on", which, data.operation_id, marked=marked)
            return [Notice(to=report.country, data=kept, scope=scope)]
        said = alert(
            "operation_planned", which, data.operation_id, due=data.started, country=report.country, marked=marked
        )
        return [Notice(to=to, data=said, scope=scope) for to in others]


class JointOperations(IntelJudgement):
    """An operation is joint when two or more countries took part (Plan rows IE-3.1iii, PC-1a)."""

    reports = (OperationExecuted,)

    def fill(self, report: Standing[OperationExecuted], read: Reading) -> Data:
        """Mark it."""
        del read
        return msgspec.structs.replace(report.data, joint=len(report.data.participants) > 1)

    def refill(self, report: Standing[OperationExecuted], read: Reading) -> Data:
        """Mark it anew."""
        return self.fill(report, read)


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
