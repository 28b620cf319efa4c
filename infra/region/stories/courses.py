"""Courses and who attends them, what is learned, what attendants think, and the mobile regional school."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

from infra.region.scene import AT_ONCE, Scene, Step, Story
from infra.region.stories.training import TOPICS
from shared.contracts.vocabulary import MEMBERS, Aspect, Country, Topic

EVERY_TOPIC: tuple[str, ...] = get_args(Topic)
RATINGS = {"excelente": 4, "bueno": 5, "regular": 2, "deficiente": 0.5, "no_contesto": 0.5}


def course(scene: Scene) -> Iterator[Step]:
    """Tell of a course: scheduled, mostly given, attended, and judged by some who were there."""
    topics = scene.some(EVERY_TOPIC, 2)
    yield from given(scene, topics, scene.post(), AT_ONCE)


def given(scene: Scene, topics: list[str], post: str, after: timedelta) -> Iterator[Step]:
    """Tell of a course at a border post."""
    data: dict[str, Any] = {
        "course_id": scene.name("crs"),
        "topics": topics,
        "provider": scene.pick({"USA": 3, "CAN": 3, "MEX": 3, scene.country: 4}),
        "place": "bcp",
        "bcp": post,
        "hours": scene.random.randrange(8, 40, 4),
        "reported_by": "immigration",
    }
    yield scene.report("training.course.scheduled", data, after=after)
    if scene.chance(0.1):
        return
    held = after + scene.days(5, 30)
    yield scene.report("training.course.delivered", data, after=held)
    for _ in range(scene.random.randint(1, 4)):
        yield _attended(scene, data, held)
    for aspect in scene.some(get_args(Aspect), 3):
        judged = {"event_ref": data["course_id"], "aspect": aspect, "rating": scene.pick(RATINGS)}
        yield scene.report("training.evaluation.submitted", {**judged, "reported_by": "immigration"}, after=held)


def _attended(scene: Scene, course_: dict[str, Any], after: timedelta) -> Step:
    data = {
        "officer_pid": scene.name("of"),
        "course_id": course_["course_id"],
        "topics": course_["topics"],
        "country": scene.country,
        "institution_type": scene.pick({"migration": 7, "other": 3}),
        "completed": scene.chance(0.9),
        "reported_by": "immigration",
    }
    return scene.report("training.attendance.recorded", data, after=after)


SEATED: Country = "PAN"
"""Who speaks for the regional school (shared/seats.toml)."""


def survey(scene: Scene) -> Iterator[Step]:
    """Tell of a survey of what officials know of a topic, before and after they were trained."""
    topic, known = scene.pick(TOPICS), scene.random.uniform(0.35, 0.6)
    for phase, begins, mean in (("before", AT_ONCE, known), ("after", scene.days(40, 70), known + 0.2)):
        round_ = {"survey_id": scene.name("sv"), "topic": topic, "phase": phase, "reported_by": "school"}
        asked = scene.random.randint(8, 30)
        yield scene.report("training.survey.opened", {**round_, "asked": asked}, after=begins)
        scores = [min(1.0, max(0.0, scene.random.gauss(mean, 0.12))) for _ in range(scene.random.randint(3, 6))]
        for score in scores:
            said = {**round_, "score": round(score, 2)}
            yield scene.report("training.survey.answered", said, after=begins + scene.days(0.1, 9))
        closed = {**round_, "score": round(sum(scores) / len(scores), 2), "n": len(scores)}
        yield scene.report("training.survey.closed", closed, after=begins + scene.days(10, 12))


def session(scene: Scene) -> Iterator[Step]:
    """Tell of a session of the mobile regional school in a country, and of who finished it."""
    after = scene.days(0, 5)
    held = (scene.now + after).date()
    data = {
        "session_id": scene.name("se"),
        "host": scene.one(MEMBERS),
        "topics": scene.some(EVERY_TOPIC, 3),
        "date": scene.day(),
        "reported_by": "regional_school",
    }
    yield scene.report("training.session.held", data, by=SEATED)
    for _ in range(scene.random.randint(3, 9)):
        graduated = {name: data[name] for name in ("session_id", "topics", "reported_by")}
        graduated |= {"officer_pid": scene.name("of"), "year": held.year}
        yield scene.report("training.student.graduated", graduated, after=after, by=SEATED)


STORIES = (
    Story(course, 4, growth=1.2, pace=lambda facts, years: 9 * facts.tempo * max(0.0, years - 0.4)),
    Story(survey, 1, pace=lambda facts, years: 2 * facts.tempo * max(0.0, years - 0.5)),
    Story(session, 1, pace=lambda facts, years: 1.3 * facts.tempo * max(0.0, years - 0.5)),
)
