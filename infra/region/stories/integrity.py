"""The integrity of officials: what they report, complaints about them, the code that they sign."""

from collections.abc import Iterator
from datetime import timedelta

from infra.region.scene import Scene, Step, Story
from infra.region.stories.training import certified

CATEGORIES = {"bribery": 5, "abuse": 4, "abuse_of_function": 2, "embezzlement": 1, "other": 3}
SANCTIONS = {"warning": 4, "suspension": 3, "dismissal": 2}


def whistle(scene: Scene) -> Iterator[Step]:
    """Tell of an official who reports smuggling or trafficking."""
    data = {
        "report_id": scene.name("rp"),
        "offence": scene.pick({"som": 5, "tip": 4, "corruption": 2}),
        "channel": scene.pick({"hotline": 4, "in_person": 3, "letter": 2}),
        "institution_type": scene.pick({"migration": 7, "other": 3}),
        "reported_by": "mru",
    }
    yield scene.report("training.report.filed", data)


def complaint(scene: Scene) -> Iterator[Step]:
    """Tell of a complaint about an official: looked into, decided in time or late, at times with consequences."""
    data = {
        "complaint_id": scene.name("cp"),
        "category": scene.pick(CATEGORIES),
        "source": scene.pick({"migrant": 6, "public": 3, "official": 2}),
        "reported_by": "mru",
    }
    yield scene.report("training.complaint.received", data)
    looked_into = scene.days(1, 9)
    yield scene.report("training.complaint.investigated", data, after=looked_into)
    if scene.chance(0.1):
        return
    decided = looked_into + scene.days(5, 40)
    if scene.chance(0.6):
        yield scene.report("training.complaint.resolved", {**data, "outcome": "unfounded"}, after=decided)
        return
    held = certified(scene, "ethics", "migration", -scene.days(5, 60) if scene.chance(0.5) else timedelta())
    yield held
    guilty = {"outcome": "substantiated", "sanction": scene.pick(SANCTIONS), "officer_pid": held.data["officer_pid"]}
    yield scene.report("training.complaint.resolved", {**data, **guilty}, after=decided)


def signature(scene: Scene) -> Iterator[Step]:
    """Tell of an official who signs the code of conduct."""
    institution = scene.pick({"migration": 7, "other": 3})
    data = {
        "version": "2004-1",
        "officer_pid": scene.name("of"),
        "institution_type": institution,
        "reported_by": "immigration" if institution == "migration" else "interior_ministry",
    }
    yield scene.report("training.code.acknowledged", data)


STORIES = (
    Story(whistle, 2, growth=1.2),
    Story(complaint, 2.5),
    Story(
        signature, 9, pace=lambda facts, years: 0.25 * facts.tempo * facts.migration.headcount * max(0.0, years - 0.8)
    ),
)
