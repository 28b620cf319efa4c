"""Officials enrolled and certified, towards and past the Plan's 50 % and 30 %; headcounts declared anew."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.region.countries import Facts
from infra.region.scene import AT_ONCE, Pace, Scene, Step, Story
from infra.region.stories.laws import law

SYSTEM_READY_YEARS = 0.15
"""Nobody enrols before the system is designed (the Plan: second half of June 2003)."""
ENROLLED_PER_YEAR = {"migration": 0.315, "other": 0.19}
"""At tempo 1: 58 % and 35 % after two years, a little past the Plan's 50 % and 30 %."""
CERTIFIED_PER_YEAR = 0.36
MOST = 0.92
VALID = {365: 3, 730: 7}
"""Days that a certificate is valid, by weight."""
TOPICS = {
    "human_rights": 3,
    "international_conventions": 3,
    "victim_treatment_coordination": 3,
    "false_document_detection": 5,
    "regional_security": 2,
    "technology_tools": 2,
    "returnee_assistance": 1,
    "crm_member_policies": 2,
    "ethics": 3,
    "land_border_control": 4,
}
REPORTERS = {"migration": "immigration", "other": "interior_ministry"}


def enrolment_in_migration(scene: Scene) -> Iterator[Step]:
    """Tell of a migration official who joins the system."""
    yield from _enrolment(scene, "migration")


def enrolment_elsewhere(scene: Scene) -> Iterator[Step]:
    """Tell of an official of another institution who joins the system."""
    yield from _enrolment(scene, "other")


def _enrolment(scene: Scene, institution: str) -> Iterator[Step]:
    data = {
        "officer_pid": scene.name("of"),
        "institution_type": institution,
        "sex": scene.pick({"female": 44, "male": 55, "other": 1}),
        "reported_by": REPORTERS[institution],
    }
    yield scene.report("training.official.enrolled", data)
    if scene.chance(0.03):
        yield scene.report("training.official.withdrawn", data, after=scene.days(30, 115))


def certificate_in_migration(scene: Scene) -> Iterator[Step]:
    """Tell of a migration officer's certificate, mostly aligned to a law."""
    yield certified(scene, scene.pick(TOPICS), "migration")


def certificate_elsewhere(scene: Scene) -> Iterator[Step]:
    """Tell of a certificate of an officer of another institution."""
    yield certified(scene, scene.pick(TOPICS), "other")


def certified(scene: Scene, topic: str, institution: str, after: timedelta = AT_ONCE, officer: str = "") -> Step:
    """Return the report of a new certificate; whose it is can be told from its first one."""
    start = scene.now + after
    cert_id = scene.name("ce")
    aligned: list[dict[str, str]] = []
    if scene.chance(0.6):
        aligned = [law(scene)]
    elif scene.chance(0.5):
        aligned = [{"instrument": scene.one(("UNTOC", "TIP", "SOM"))}]
    data: dict[str, Any] = {
        "cert_id": cert_id,
        "officer_pid": officer or officer_of(cert_id),
        "topic": topic,
        "institution_type": institution,
        "score": round(scene.random.uniform(0.6, 1), 2),
        "valid_from": start.date(),
        "valid_until": (start + timedelta(days=scene.pick(VALID))).date(),
        "aligned_to": aligned,
        "reported_by": scene.pick({"immigration": 2, "school": 3, "international_organisation": 1}),
    }
    return scene.report("training.officer.certified", data, after=after)


def officer_of(cert_id: str) -> str:
    """Return who holds a certificate that was the officer's first."""
    return f"of{cert_id.removeprefix('ce')}"


def workforce(scene: Scene) -> Iterator[Step]:
    """Tell of a country that counts its officials again."""
    institution = scene.one(("migration", "other"))
    staff = scene.facts.staff(institution)
    headcount = round(staff.headcount * scene.random.uniform(0.98, 1.04))
    data = {
        "institution_type": institution,
        "headcount": headcount,
        "technical_headcount": min(staff.technical, headcount),
        "as_of": scene.day(-scene.random.randint(1, 30)),
        "reported_by": REPORTERS[institution],
    }
    yield scene.report("training.workforce.declared", data)


def _enrolled(institution: str) -> Pace:
    def pace(facts: Facts, years: float) -> float:
        share = facts.tempo * ENROLLED_PER_YEAR[institution] * max(0.0, years - SYSTEM_READY_YEARS)
        return facts.staff(institution).headcount * min(MOST, share)

    return pace


def _certified(institution: str) -> Pace:
    def pace(facts: Facts, years: float) -> float:
        share = facts.tempo * CERTIFIED_PER_YEAR * max(0.0, years - SYSTEM_READY_YEARS)
        return facts.staff(institution).technical * min(MOST, share)

    return pace


STORIES = (
    Story(enrolment_in_migration, 120, pace=_enrolled("migration")),
    Story(enrolment_elsewhere, 100, pace=_enrolled("other")),
    Story(certificate_in_migration, 30, pace=_certified("migration")),
    Story(certificate_elsewhere, 25, pace=_certified("other")),
    Story(workforce, 4, pace=lambda _, years: 2 * max(0.0, years - 0.5)),
)
