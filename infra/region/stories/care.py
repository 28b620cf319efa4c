"""Complaints of those harmed, programmes and work of those who returned, projects, campaigns, evaluations."""

from collections.abc import Iterator
from datetime import timedelta

from infra.region.scene import AT_ONCE, Scene, Step, Story

PROGRAMMES = {"Livelihood": 5, "Education": 4, "SocialCare": 3, "Health": 2}
SECTORS = ("A_AgricultureForestryAndFishing", "I_AccommodationAndFoodServiceActivities", "G_WholesaleAndRetailTrade")
RATINGS = {"excelente": 2, "bueno": 5, "regular": 3, "deficiente": 1}
CHANNELS = {"hotline": 5, "in_person": 4, "consulate": 2, "letter": 1, "online": 1}


def complaint(scene: Scene) -> Iterator[Step]:
    """Tell of somebody who reports smuggling or trafficking."""
    data = {
        "complaint_id": scene.name("cm"),
        "reporter": scene.pick({"potential_victim": 5, "relative": 3, "public": 2, "ngo": 2}),
        "channel": scene.pick(CHANNELS),
        "offence": scene.pick({"tip": 5, "som": 5}),
        "reported_by": scene.pick({"hotline": 4, "police": 3, "consulate": 2}),
    }
    yield scene.report("victims.complaint.filed", data)


def definition_applied(scene: Scene) -> Iterator[Step]:
    """Tell of a case in which the Plan's definition of a victim was applied."""
    data = {
        "definition": scene.pick({"tip": 6, "som": 4}),
        "case_id": scene.name("case"),
        "reported_by": scene.pick({"court": 3, "prosecution": 3}),
    }
    yield scene.report("victims.definition.applied", data)


def service_judged(scene: Scene) -> Iterator[Step]:
    """Tell what a victim, or an organisation that helps, thinks of a service."""
    yield evaluation(scene, "service", None)


def evaluation(scene: Scene, subject: str, case_id: str | None, after: timedelta = AT_ONCE) -> Step:
    """Return the report of somebody's judgement."""
    data = {
        "subject": subject,
        "rating": scene.pick(RATINGS),
        "evaluator": scene.pick({"victim": 5, "ngo": 3, "country": 2}),
        "reported_by": scene.pick({"ngo": 4, "consulate": 2}),
        **({"case_id": case_id} if case_id else {}),
    }
    return scene.report("victims.evaluation.submitted", data, after=after)


def reintegration(scene: Scene, referral: str, pid: str, sex: str, after: timedelta) -> Iterator[Step]:
    """Tell of somebody who returned: a programme, and whether there is work after some months."""
    programme = {"victim_pid": pid, "programme": scene.pick(PROGRAMMES), "reported_by": "ngo"}
    joined = after + scene.days(12, 50)
    yield scene.report("victims.programme.enrolled", {**programme, "referral_id": referral}, after=joined)
    if scene.chance(0.3):
        data = {**programme, "months": scene.random.randint(1, 3)}
        yield scene.report("victims.programme.left", data, after=joined + scene.days(30, 90))
    person = {"victim_pid": pid, "sex": sex, "reported_by": "intersectoral_commission"}
    for months, share in ((3, 0.35), (6, 0.45), (12, 0.55)):
        due = after + timedelta(days=30 * months)
        if due > scene.patience or scene.chance(0.25):
            return
        work = {"occupied": True, "sector": scene.one(SECTORS)} if scene.chance(share) else {"occupied": False}
        assessed = {**person, "months_since_return": months, **work}
        yield scene.report("victims.occupation.assessed", assessed, after=due)


def project(scene: Scene) -> Iterator[Step]:
    """Tell of a project of reintegration: presented, mostly approved, started, and at times ended."""
    data = {
        "project_id": scene.name("pj"),
        "places": scene.random.randrange(10, 60, 5),
        "sector": scene.one(SECTORS),
        "reported_by": "intersectoral_commission",
    }
    yield scene.report("victims.project.presented", data)
    if scene.chance(0.75):
        approved, started = scene.days(20, 60), scene.days(10, 30)
        yield scene.report("victims.project.approved", data, after=approved)
        yield scene.report("victims.project.started", data, after=approved + started)
        if scene.chance(0.4):
            yield scene.report("victims.project.closed", data, after=approved + started + scene.days(60, 110))


STORIES = (
    Story(complaint, 6, growth=1.25),
    Story(definition_applied, 1.5, growth=1.2),
    Story(service_judged, 1.5),
    Story(project, 0.8, pace=lambda _, years: 1.5 * max(0.0, years - 0.6)),
)
