"""Contact points (choreography 11, intel's side), and information asked and given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from services.intel.gate import Marking, Relation, marking, may_know
from services.intel.judgements import places
from services.intel.judgements.notices import SERVICE, IntelAnnouncement, IntelJudgement, alert
from services.intel.policy import POLICY
from shared import contracts
from shared.contracts import Event, Problem, Refused
from shared.contracts.intel import (
    ContactPointDesignated,
    ContactPointReplaced,
    ContactPointVacated,
    FeedbackGiven,
    InformationAnswered,
    InformationRefused,
    InformationRequested,
    InformationShared,
)
from shared.contracts.vocabulary import MEMBERS, REGION
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
        """Tell the others, unless there is later news of the post; what was told before that stays told."""
        data, since = report.data, holds_from(report)
        due = since if since > report.time else None
        about = report.id, report.name
        said = alert(
            f"contact_point_{report.verb}", about, report.event.subject, due=due, reason=data.body, country=data.country
        )
        found = [Notice(to=one, data=said, scope=scope) for one in MEMBERS if one != data.country]
        if _is_latest(report, read):
            return found
        told = {one.key for one in read.notified(scope)}
        return [one for one in found if one.identity in told]


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

    def admit(self, report: Standing[FeedbackGiven], read: Reading) -> None:
        """Refuse what a country tells itself: it would have reported for a row of what goes to others."""
        _to_another(report, read, "/data/to")

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse the same of a correction."""
        del before
        if after:
            _to_another(after, read, "/data/data/to")

    def notices(self, report: Standing[FeedbackGiven], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell it."""
        del read
        data = report.data
        if contracts.sender_of(report.source) == REGION or data.to == report.country:
            return []
        reason = data.used_for or ("useful" if data.useful else "not_useful")
        said = alert("feedback", (report.id, report.name), data.exchange_id, reason=reason, country=report.country)
        return [Notice(to=data.to, data=said, scope=scope)]


def _to_another(report: Standing[FeedbackGiven], read: Reading, at: str) -> None:
    if report.data.to == report.country and not read.again:
        raise Refused(Problem(at, "same_country", "feedback goes to another country"))
