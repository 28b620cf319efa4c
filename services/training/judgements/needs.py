"""Training needs: raised by what happened, planned by a course, met by certificates after it, or overdue.

Where a need stands, its own events say. That it is open, and what it comes from, stands in the notice that raised it:
under the scope of what raised it, and under that of its country and topic, until it is met or withdrawn.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

from services.training.judgements.notices import TrainingJudgement, owner
from services.training.policy import POLICY
from shared.contracts import Data, identity
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
from shared.record.judgement import Notice, Notified, Reading, Standing, derived_id

ENTRY_RULES: Topic = "crm_member_policies"
RAISED = "crm.training.need.raised.v1"


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

    reports = tuple(ASKING)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the report itself."""
        yield f"asked/{report.own_scope}"

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
    courses and certificates only the first after an instant is read.
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

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the open needs of the country in the topics."""
        del read
        data = report.data
        if isinstance(data, CourseDelivered | CourseScheduled):
            yield from (_open(owner(data.bcp, report.country), topic) for topic in data.topics)
        elif not isinstance(data, NeedPlanned | NeedRetracted):
            yield _open(report.country, data.topic)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell which needs are now planned, or no more, and which are met: these stay so."""
        overdue = {one.entity: one for one in read.notified(scope) if one.scheduled}
        for need in raised_before(scope, read):
            if need.met or need.withdrawn:
                continue
            given = read.about(need.courses("delivered"), since=need.since, most=1)
            if any(read.about(_certified(need), since=one.time, most=1) for one in given):
                latency_s = max(0, int((read.cause.time - need.detected) / timedelta(seconds=1)))
                yield _now(scope, need, NeedMet(**need.about, latency_s=latency_s))
                continue
            yield kept(need)
            if need.said.need_id in overdue:
                yield _kept(overdue[need.said.need_id], need.said)
            course = read.about(need.courses("scheduled"), since=need.since, most=1)
            if need.planned and not course:
                yield _taken_back(scope, need.planned)
            elif course and not need.planned:
                yield _now(scope, need, NeedPlanned(**need.about, course_id=course[0].data.course_id))


def raised_before(scope: str, read: Reading) -> list[Need]:
    """Return the needs that were raised under a scope."""
    needs = []
    for row in read.notified(scope):
        known = read.about(_need(row.entity)) if row.type == RAISED else ()
        back = {one.data.supersedes for one in known if isinstance(one.data, NeedRetracted)}
        told = {type(one.data): one for one in known if one.id not in back}
        if NeedRaised in told:
            met = told[NeedMet].known if NeedMet in told else None
            needs.append(Need(row, told[NeedRaised].data, told.get(NeedPlanned), met, NeedWithdrawn in told))
    return needs


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
            key=f"{number:03}/{need_id}/{since.isoformat()}/{detected.isoformat()}",
            event_key=need_id,
        )
    yield Notice(
        to=country,
        data=NeedOverdue(**named, due=wanted.due),
        scope=_open(country, wanted.topic),
        key=_need(need_id),
        event_key=need_id,
        due=wanted.due,
    )


def withdrawn(scope: str, need: Need) -> Notice:
    """Withdraw a need for which nothing was done yet."""
    return _now(scope, need, NeedWithdrawn(**need.about))


def kept(need: Need) -> Notice:
    """Let a need stay as it was raised."""
    return _kept(need.row, need.said)


def _kept(row: Notified, data: Data) -> Notice:
    return Notice(to=row.country, data=data, scope=row.scope, key=row.key)


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


def _certified(need: Need) -> str:
    return f"certified/{need.row.country}/{need.said.topic}"
