"""Training needs: raised by what happened, planned by a course, met by certificates after it, or overdue.

Where a need stands, its own events say. What it comes from stands in the notice that raised it: under the scope of what
raised it, and under that of the open needs of its country and topic, or once it is met its own, until it is withdrawn.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

from msgspec.structs import replace

from services.training.judgements.notices import SERVICE, TrainingJudgement, owner
from services.training.policy import POLICY
from shared.contracts import Data, Event, identity
from shared.contracts.intel import EntryRequirementChanged, OperationEvaluated
from shared.contracts.legal import ProcedureIssued
from shared.contracts.training import (
    CourseDelivered,
    CourseScheduled,
    NeedMet,
    NeedOverdue,
    NeedPlanned,
    NeedRaised,
    NeedRetracted,
    NeedWithdrawn,
    OfficerCertified,
)
from shared.contracts.vocabulary import Priority, Topic
from shared.record.judgement import Notice, Notified, NotReady, Reading, Standing, derive, derived_id

ENTRY_RULES: Topic = "crm_member_policies"
RAISED, MET = "crm.training.need.raised.v1", "crm.training.need.met.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What officers need to be trained in, where, by when."""

    topic: Topic
    due: datetime
    priority: Priority = "normal"
    bcp: str | None = None
    since: datetime | None = None
    """From when on training meets it; by default, from when it was asked for."""
    detected: datetime | None = None
    """When the first of what it comes from was seen, likewise."""


@dataclass(frozen=True, slots=True)
class Need:
    """A need that was raised, and what became of it."""

    row: Notified
    said: NeedRaised
    known: datetime
    planned: Standing[NeedPlanned] | None
    """What told that a course was set, and was not taken back."""
    met: datetime | None
    withdrawn: bool

    @property
    def since(self) -> datetime:
        """From when on training meets it."""
        return datetime.fromisoformat(self.row.key.split("/")[-2])

    @property
    def detected(self) -> datetime:
        """When the first of what it comes from was seen."""
        return datetime.fromisoformat(self.row.key.split("/")[-1])

    @property
    def asking(self) -> str:
        """The scope of what raised it; empty: it was raised before that was noted."""
        return "/".join(self.row.key.split("/")[2:-2])

    @property
    def about(self) -> dict[str, Any]:
        """What each of its events says."""
        return {"need_id": self.said.need_id, "topic": self.said.topic, "bcp": self.said.bcp}

    def courses(self, kind: str) -> str:
        """Return the thing that the courses are, set or given, which may meet it."""
        post = f"/{self.said.bcp}" if self.said.bcp else ""
        return f"{kind}/{self.row.country}/{self.said.topic}{post}"


def of_entry_rule(report: Standing[EntryRequirementChanged]) -> list[Wanted]:
    """Ask for training in an entry rule that takes effect soon (choreography 16)."""
    effective = datetime.combine(report.data.effective_from, time.min, UTC)
    if effective - report.time > POLICY.entry_rule_notice:
        return []
    due = max(effective, report.known + POLICY.entry_rule_trained_within)
    return [Wanted(topic=ENTRY_RULES, due=due, priority="high")]


def of_procedure(report: Standing[ProcedureIssued]) -> list[Wanted]:
    """Ask for training in a procedure's topic."""
    return _in_time(report, [report.data.topic] if report.data.topic else [])


def of_operation(report: Standing[OperationEvaluated]) -> list[Wanted]:
    """Ask for training in the lessons of an operation."""
    return _in_time(report, report.data.lessons)


def _in_time(report: Standing[Any], topics: Iterable[Topic]) -> list[Wanted]:
    return [Wanted(topic=topic, due=report.known + POLICY.trained_within) for topic in topics]


Asking: TypeAlias = Callable[[Standing[Any]], list[Wanted]]
ASKING: Mapping[type[Data], Asking] = {
    EntryRequirementChanged: of_entry_rule,
    OperationEvaluated: of_operation,
    ProcedureIssued: of_procedure,
}
"""Which reports of other services ask for training, each by itself; forgeries do so by their number."""


class Asked(TrainingJudgement):
    """A report that asks for training raises needs; those that it asks for no more are withdrawn."""

    reports = (*ASKING, NeedRetracted)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the report itself."""
        if not isinstance(report.data, NeedRetracted):
            yield f"asked/{report.own_scope}"

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the report; what raised a need for which nothing is done any more, too."""
        if isinstance(report.data, NeedRetracted):
            return [one for one in asking(report, read) if one.startswith("asked/")]
        return self.things(report)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Keep the needs that it asks for, and those for which something was done; raise the others."""
        report = next(iter(read.about(scope)), None)
        asked = {one.topic: one for one in (ASKING[type(report.data)](report) if report else ())}
        for need in raised_before(scope, read):
            if need.said.topic not in asked and not need.planned and not need.met:
                yield withdrawn(scope, need)
            else:
                asked.pop(need.said.topic, None)
                yield kept(need)
        for number, wanted in enumerate(asked.values()):
            assert report is not None
            yield from raised(scope, report, wanted, read, number)


class Needs(TrainingJudgement):
    """A need is met by a course of its topic and a certificate after it, and overdue without them (IE-3.1.1).

    The course is given at the need's post (without one: anywhere in its country) after what the need comes from. Of all
    courses and certificates only the first after an instant is read. Needs that were met are looked at again only when
    a course or certificate is amended.
    """

    reports = (
        CourseDelivered,
        CourseScheduled,
        NeedMet,
        NeedPlanned,
        NeedRaised,
        NeedRetracted,
        NeedWithdrawn,
        OfficerCertified,
    )

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the need, or what certificates and courses there are, as given in the country of the border post."""
        data = report.data
        if isinstance(data, OfficerCertified):
            yield f"certified/{report.country}/{data.topic}"
        elif isinstance(data, CourseDelivered | CourseScheduled):
            for topic in data.topics:
                yield f"{report.verb}/{owner(data.bcp, report.country)}/{topic}"
                if data.bcp:
                    yield f"{report.verb}/{owner(data.bcp, report.country)}/{topic}/{identity.parted(data.bcp)[1]}"
        else:
            yield _need(data.need_id)
        if isinstance(data, NeedMet):
            yield _met_in(report.country, data.topic)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the open needs of the country in the topics; those met, too, where what may meet them is amended."""
        data = report.data
        if isinstance(data, CourseDelivered | CourseScheduled):
            whose = [(owner(data.bcp, report.country), topic) for topic in data.topics]
        else:
            whose = [] if isinstance(data, NeedPlanned | NeedRetracted) else [(report.country, data.topic)]
        for one in whose:
            yield _open(*one)
            if not read.arriving:
                yield from (_met(met.data.need_id) for met in read.about(_met_in(*one)))

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell which needs are planned and which are met, by what is on record now."""
        overdue = {one.entity: one for one in read.notified(scope) if one.scheduled}
        for need in raised_before(scope, read):
            if not need.withdrawn:
                yield from _as_it_stands(need, overdue.get(need.said.need_id), read)

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return that a need is not met, or not by this certificate."""
        if notified.type == MET and notified.scope.startswith("met/"):
            event = read.event(notified.event_id)
            if event is None:
                raise NotReady("/data/supersedes")
            data = NeedRetracted.of(event, need_id=event.data.need_id)
            yield derive(SERVICE, data, cause=read.cause, to=event.country, key=event.id, subject=data.need_id)


def _as_it_stands(need: Need, overdue: Notified | None, read: Reading) -> Iterable[Notice]:
    """Return what is told of a need; `overdue`: that it is, or would be, overdue."""
    read.notified(_met(need.said.need_id))  # if it is met now, that is told there: it is read with the rest
    given = next(iter(read.about(need.courses("delivered"), since=need.since, most=1)), None)
    certified = next(iter(read.about(_certified(need), since=given.time, most=1)), None) if given else None
    scope = _met(need.said.need_id) if certified else _open(need.row.country, need.said.topic)
    yield replace(kept(need), scope=scope)
    if given and certified:
        yield _of_met(scope, need, given, certified, read)
    # Of one met in time nothing is to fall due; of one met late it is known that it did, if it is opened again.
    reopened = not certified and need.row.scope != scope
    if (overdue and not (certified and read.pending(overdue.key))) or (reopened and need.said.due):
        yield _overdue(scope, need.row.country, need.said)
    course = next(iter(read.about(need.courses("scheduled"), since=need.since, most=1)), None)
    if need.planned and not course:
        yield _taken_back(scope, need.planned)
    elif course and not need.planned and not certified:
        yield _now(scope, need, NeedPlanned(**need.about, course_id=course.data.course_id))


def _of_met(scope: str, need: Need, given: Standing[Any], certified: Standing[Any], read: Reading) -> Notice:
    """Return that a need is met, by which certificate: by another, it is told anew."""
    latency_s = max(0, int((certified.time - need.detected) / timedelta(seconds=1)))
    told = _now(scope, need, NeedMet(**need.about, latency_s=latency_s))
    known = None if read.arriving else max(given.known, certified.known, need.known)
    return replace(told, key=f"{told.key}/{certified.stream}/{certified.position}", time=known)


def raised_before(scope: str, read: Reading) -> list[Need]:
    """Return the needs that were raised under a scope."""
    needs = []
    for row in read.notified(scope):
        known = read.about(_need(row.entity)) if row.type == RAISED else ()
        back = {one.data.supersedes for one in known if isinstance(one.data, NeedRetracted)}
        told = {type(one.data): one for one in known if one.id not in back}
        if NeedRaised in told:
            met = told[NeedMet].known if NeedMet in told else None
            raised = told[NeedRaised]
            needs.append(Need(row, raised.data, raised.known, told.get(NeedPlanned), met, NeedWithdrawn in told))
    return needs


def asking(report: Standing[NeedRetracted], read: Reading) -> Iterable[str]:
    """Return the scope of what raised a need, of which something was taken back, where it is open now."""
    of = next((one for one in read.about(_need(report.data.need_id)) if isinstance(one.data, NeedRaised)), None)
    for need in raised_before(_open(of.country, of.data.topic), read) if of else ():
        if need.said.need_id == report.data.need_id and need.asking:
            yield need.asking


def raised(scope: str, asking: Standing[Any], wanted: Wanted, read: Reading, number: int = 0) -> Iterable[Notice]:
    """Raise a need on account of a report, and let it be overdue in time."""
    need_id = derived_id("need", read.cause.source, read.cause.id, wanted.topic)
    since, detected = wanted.since or asking.time, wanted.detected or asking.time
    named: dict[str, Any] = {"need_id": need_id, "topic": wanted.topic, "bcp": wanted.bcp}
    country: Any = asking.country
    for about in (scope, _open(country, wanted.topic)):
        yield Notice(
            to=country,
            data=NeedRaised(**named, priority=wanted.priority, due=wanted.due),
            scope=about,
            key=f"{number:03}/{need_id}/{scope}/{since.isoformat()}/{detected.isoformat()}",
            event_key=need_id,
        )
    yield _overdue(_open(country, wanted.topic), country, NeedRaised(**named, priority=wanted.priority, due=wanted.due))


def withdrawn(scope: str, need: Need) -> Notice:
    """Withdraw a need for which nothing was done yet."""
    return _now(scope, need, NeedWithdrawn(**need.about))


def kept(need: Need) -> Notice:
    """Let a need stay as it was raised."""
    row = need.row
    return Notice(to=row.country, data=need.said, scope=row.scope, key=row.key, event_id=row.event_id)


def _overdue(scope: str, country: str, said: NeedRaised) -> Notice:
    """Let a need be overdue in time."""
    due: Any = said.due
    data = NeedOverdue(need_id=said.need_id, topic=said.topic, bcp=said.bcp, due=due)
    return Notice(to=country, data=data, scope=scope, key=_need(said.need_id), event_key=said.need_id, due=due)


def _now(scope: str, need: Need, data: Data) -> Notice:
    """Return what a need now is."""
    need_id = need.said.need_id
    return Notice(
        to=need.row.country, data=data, scope=scope, key=f"{need_id}/{type(data).__name__}", event_key=need_id
    )


def _taken_back(scope: str, told: Standing[NeedPlanned]) -> Notice:
    """Take back that a course was set."""
    event, need_id = told.event, told.data.need_id
    data = NeedRetracted.of(event, need_id=need_id)
    return Notice(to=event.country, data=data, scope=scope, key=f"{event.id}/back", event_key=event.id, subject=need_id)


def _need(need_id: str) -> str:
    return f"need/{need_id}"


def _open(country: str, topic: str) -> str:
    return f"needs/{country}/{topic}"


def _met(need_id: str) -> str:
    return f"met/{need_id}"


def _met_in(country: str, topic: str) -> str:
    return f"met/{country}/{topic}"


def _certified(need: Need) -> str:
    return f"certified/{need.row.country}/{need.said.topic}"
