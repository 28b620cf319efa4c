"""Courses, attendance, surveys, and the regional school."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from shared.contracts import Count, Hours, Problem, Ref, Share, contract
from shared.contracts.aggregates import Aggregate
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Once, Opens, Parts, Shifts, Tallied, Tally
from shared.contracts.training.certificates import Alignment
from shared.contracts.vocabulary import (
    Aspect,
    Country,
    CoursePlace,
    InstitutionType,
    Listed,
    OneOrMore,
    Rating,
    Seat,
    SurveyPhase,
    Topic,
)

COURSE_TOLD = Once("course", ("course_id",), said=("place", "topics", "provider"), parts=("provider",), reporter=True)
"""Who gives a course and where it is given may both tell of it, by the identifier of whoever gave it: `USA:crs-1`."""
SCHOOL: tuple[Seat, ...] = ("regional_school", "ppt", "st")
"""Who tells of the regional school (Plan IP 5.1.1): itself, and the bodies that created it."""


@contract(
    "training.plan.approved",
    good={
        "plan_id": "tp-2004",
        "courses": 12,
        "bcps": ["GTM-TECUN-UMAN"],
        "since": "2004-01-01",
        "until": "2004-12-31",
        "reported_by": "immigration",
    },
    bad=("courses", "a dozen"),
    unseated=("regional_school",),
    entity="plan_id",
    aggregate=Aggregate(("plan_id",)),
    rows=(
        "IE-3.1.1",
        "MS-IE-6",
    ),
)
class TrainingPlanApproved(Fact, frozen=True, kw_only=True):
    """A provider of training set its calendar (Plan IE 3.1.1)."""

    plan_id: Ref
    courses: Count
    bcps: Listed[Ref] = ()
    since: date | None = None
    until: date | None = None


class Course(Fact, frozen=True, kw_only=True):
    """A course that is or was given."""

    course_id: Ref
    topics: OneOrMore[Topic]
    provider: Country
    place: CoursePlace
    bcp: Ref | None = None
    hours: Hours | None = None
    plan_id: Ref | None = None
    aligned_to: Listed[Alignment] = ()
    once: Parts | None = None
    """What it changes for each country that took part, and for the region."""


COURSE = {
    "course_id": "crs-1",
    "topics": ["false_document_detection"],
    "provider": "USA",
    "place": "bcp",
    "bcp": "GTM-TECUN-UMAN",
    "hours": 16,
    "reported_by": "immigration",
}


@contract(
    "training.course.scheduled",
    good=COURSE,
    bad=("place", "x"),
    entity="course_id",
    tallies=(COURSE_TOLD,),
    rows=("IE-3.1.1",),
)
class CourseScheduled(Course, frozen=True, kw_only=True):
    """A course was set."""


@contract(
    "training.course.delivered",
    good=COURSE,
    bad=("topics", []),
    entity="course_id",
    tallies=(
        Tally(
            "border_course",
            ("course_id",),
            opens=Opens("place", ("bcp",), others_close=False),
            regional=True,
            shifts="at_border",
            said=("topics", "plan_id"),
        ),
        COURSE_TOLD,
    ),
    rows=(
        "IE-3.1.1",
        "IP-2.1.1",
    ),
)
class CourseDelivered(Course, frozen=True, kw_only=True):
    """A course was given."""

    at_border: Shifts | None = None
    """What it changes of the number of courses given at land borders, each once (Plan IE 3.1.1)."""
    by_label: ByLabel | None = None


@contract(
    "training.attendance.recorded",
    good={
        "officer_pid": "of-7",
        "course_id": "crs-1",
        "topics": ["false_document_detection"],
        "country": "GTM",
        "institution_type": "migration",
        "completed": True,
        "reported_by": "immigration",
    },
    bad=("completed", "nearly"),
    unseated=("regional_school",),
    privacy="P",
    owner="country",
    behalf=SCHOOL,
    entity="officer_pid",
    derived=("first_attendance_this_year",),
    tallies=(
        Tally(
            "attendance",
            ("country", "officer_pid"),
            "change",
            period="year",
            regional=True,
            flag="first_attendance_this_year",
            said=("institution_type",),
        ),
        Once("attendance", ("country", "officer_pid", "course_id"), said=("topics", "completed"), parts=("country",)),
    ),
    rows=("IE-3.2",),
)
class AttendanceRecorded(Fact, frozen=True, kw_only=True):
    """An officer attended a course (Plan IE 3.2)."""

    officer_pid: Ref
    course_id: Ref
    topics: OneOrMore[Topic]
    country: Country
    """The officer's."""
    institution_type: InstitutionType
    completed: bool
    first_attendance_this_year: bool | None = None
    change: Tallied | None = None
    once: Parts | None = None
    by_label: ByLabel | None = None


class SurveyRound(Fact, frozen=True, kw_only=True):
    """A survey of what officials know of a topic (Plan IP: "encuestas periódicas")."""

    survey_id: Ref
    topic: Topic
    phase: SurveyPhase


SURVEY = {"survey_id": "sv-1", "topic": "human_rights", "phase": "before", "reported_by": "school"}


ROUND = Aggregate(("survey_id", "topic", "phase"))
SURVEYS: dict[str, Any] = {"entity": "survey_id"}


@contract(
    "training.survey.opened",
    good=SURVEY | {"asked": 40},
    bad=("asked", ...),
    unseated=("regional_school",),
    **SURVEYS,
    aggregate=ROUND,
    rows=("IP-c",),
)
class SurveyOpened(SurveyRound, frozen=True, kw_only=True):
    """A survey began."""

    asked: Count
    """How many were asked."""


@contract(
    "training.survey.answered",
    good=SURVEY | {"score": 0.7},
    bad=("score", 7),
    unseated=("regional_school",),
    **SURVEYS,
    rows=("IP-c",),
)
class SurveyAnswered(SurveyRound, frozen=True, kw_only=True):
    """Someone answered; anonymous."""

    score: Share


@contract(
    "training.survey.closed",
    good=SURVEY | {"score": 0.7, "n": 31},
    bad=("phase", "x"),
    unseated=("regional_school",),
    **SURVEYS,
    aggregate=ROUND,
    rows=("IP-c",),
)
class SurveyClosed(SurveyRound, frozen=True, kw_only=True):
    """A survey ended."""

    score: Share
    """The mean."""
    n: Count
    """How many answered."""

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.score and not self.n:
            yield contradiction("score", "nobody answered, so there is no mean")


@contract(
    "training.evaluation.submitted",
    good={"event_ref": "crs-1", "aspect": "organización", "rating": "excelente", "reported_by": "immigration"},
    bad=("aspect", "food"),
    rows=("XC-5",),
)
class TrainingEvaluationSubmitted(Fact, frozen=True, kw_only=True):
    """Someone who attended judged one aspect (the questionnaire of the Plan's Cuadro 2)."""

    event_ref: Ref
    aspect: Aspect
    rating: Rating


@contract(
    "training.session.held",
    good={
        "session_id": "se-1",
        "host": "PAN",
        "topics": ["ethics"],
        "date": "2003-10-20",
        "reported_by": "regional_school",
    },
    bad=("host", "EU"),
    by=SCHOOL,
    entity="session_id",
    tallies=(Once("session", ("session_id",), said=("host",)),),
    rows=("IP-5.1.1",),
)
class SessionHeld(Fact, frozen=True, kw_only=True):
    """The mobile regional school held a session in a country (Plan IP 5.1.1)."""

    happened: ClassVar[tuple[str, ...]] = ("date",)

    session_id: Ref
    host: Country
    topics: OneOrMore[Topic]
    date: date
    once: Parts | None = None


@contract(
    "training.student.graduated",
    good={
        "officer_pid": "of-7",
        "session_id": "se-1",
        "topics": ["ethics"],
        "year": 2003,
        "reported_by": "regional_school",
    },
    bad=("year", "2003"),
    privacy="P",
    by=SCHOOL,
    entity="officer_pid",
    tallies=(Tally("student", ("officer_pid", "year"), "change", said=("topics",)),),
    rows=("IP-d",),
)
class StudentGraduated(Fact, frozen=True, kw_only=True):
    """An official finished the regional school's course (Plan IP: per year)."""

    happened: ClassVar[tuple[str, ...]] = ("year",)

    officer_pid: Ref
    session_id: Ref
    topics: OneOrMore[Topic]
    year: Annotated[int, Meta(ge=2003, le=2100)]
    change: Tallied | None = None
    by_label: ByLabel | None = None
