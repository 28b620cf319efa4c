"""Arrests and what follows from them; cases resolved; laws amended. Treaty acts are history, not stories."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.region.scene import AT_ONCE, Scene, Step, Story, person

LAWS = 3
"""Laws of each country that certificates are aligned to."""
OFFENCES = {"som": 6, "tip": 3, "doc_fraud": 2, "corruption": 0.6, "other": 0.6}
OFFENDERS = {"male": 78, "female": 21, "other": 1}
ROLES = {
    "RecruiterOrIntermediary": 5,
    "Transporter": 6,
    "Smuggler": 6,
    "Exploiter": 3,
    "Leader": 1,
    "DocumentForger": 1,
}
METHODS = ("false_job_offer", "hidden_compartment", "forged_visa", "overland_guide", "sham_marriage", "safe_house")
NATIONALITIES = ("GTM", "MEX", "HND", "SLV", "NIC", "DOM", "CRI", "PAN", "COL", "ECU", "USA", "XXX")
SECURED = 0.72
"""The share of suspects with a telephone or address book whose book was secured (Plan IE 1.2.3 asks for all)."""


def law(scene: Scene, number: int | None = None) -> dict[str, str]:
    """Return one of the country's laws, in the version of the year."""
    chosen = number or scene.random.randint(1, LAWS)
    return {"law_id": f"{scene.country}-law-{chosen}", "version": f"{scene.now.year}-1"}


def arrest(scene: Scene) -> Iterator[Step]:
    """Tell of a presumed trafficker who is detained, loses the telephone book, and may be tried."""
    offence = scene.pick(OFFENCES)
    who = person(scene, OFFENDERS, 0.02)
    nationality = {"nationality": scene.one((scene.country, *NATIONALITIES))}
    pid, band = scene.name("tr"), scene.name("band")
    detected: dict[str, Any] = {
        "trafficker_pid": pid,
        "offences": [offence, *(["doc_fraud"] if offence != "doc_fraud" and scene.chance(0.2) else [])],
        "role": scene.pick(ROLES),
        "modus_operandi": scene.some(METHODS, 2),
        "srceval": scene.pick({"A": 2, "B": 5, "C": 2, "X": 1}),
        "infoeval": scene.pick({"1": 2, "2": 3, "3": 4, "4": 1}),
        "tlp": scene.pick({"amber": 5, "green": 3, "red": 1}),
        **({"band_id": band} if scene.chance(0.3) else {}),
        **who,
        **nationality,
        "reported_by": scene.pick({"police": 4, "immigration": 4, "joint_task_force": 1}),
    }
    yield scene.report("intel.trafficker.detected", detected)
    if scene.chance(0.75):
        yield from _detention(scene, pid, offence, who | nationality)


def _detention(scene: Scene, pid: str, offence: str, who: dict[str, str]) -> Iterator[Step]:
    detention, after = scene.name("det"), scene.days(0, 3)
    secured = scene.chance(SECURED) if scene.chance(0.93) else None
    detained = {
        "detention_id": detention,
        "person_pid": pid,
        "offence": offence,
        "phonebook_secured": secured,
        "smuggled_migrant": False,
        **who,
        "reported_by": scene.pick({"police": 4, "immigration": 2}),
    }
    yield scene.report("legal.person.detained", detained, after=after)
    if secured:
        yield _phonebook(scene, detention, pid, after + scene.days(0, 2))
    if scene.chance(0.3):
        yield _resolution(scene, [offence], scene.days(40, 110))


def _phonebook(scene: Scene, detention: str, pid: str, after: timedelta) -> Step:
    seizure = scene.name("sz")
    data = {
        "seizure_id": seizure,
        "detention_id": detention,
        "holder_pid": pid,
        "media": scene.pick({"book": 5, "phone": 5, "sim": 2, "other": 1}),
        "entries_count": scene.random.randint(4, 400),
        "hashes_ref": f"urn:crm:vault:{scene.country}:{seizure}",
        "reported_by": "police",
    }
    return scene.report("intel.phonebook.seized", data, after=after)


def case(scene: Scene) -> Iterator[Step]:
    """Tell of a case that ends, with or without the care of its witnesses on record."""
    yield _resolution(scene, scene.some(("tip", "som", "doc_fraud"), 2), AT_ONCE)


def _resolution(scene: Scene, offences: list[str], after: timedelta) -> Step:
    others = scene.some(scene.facts.neighbours, 2) if scene.chance(0.4) else []
    data: dict[str, Any] = {
        "case_id": scene.name("case"),
        "outcome": scene.pick({"convicted": 6, "acquitted": 2, "dismissed": 2, "other": 0.5}),
        "countries": [scene.country, *others],
        "offences": offences,
        "witness_care_documented": scene.chance(0.65),
        "victims_count": scene.random.randint(0, 14),
        "assets_confiscated": scene.chance(0.25),
        "reported_by": "court",
    }
    return scene.report("legal.case.resolved", data, after=after)


def amendment(scene: Scene) -> Iterator[Step]:
    """Tell of a law amended: the certificates aligned to it go stale."""
    number = scene.random.randint(1, LAWS)
    data = {
        **law(scene, number),
        "version": f"{scene.now.year}-{scene.now.month + 1}",
        "country": scene.country,
        "effective_from": scene.day(scene.random.randint(10, 90)),
        "crime_types": scene.some(("tip", "som", "doc_fraud"), 2),
        "articles": [f"art-{scene.random.randint(100, 400)}"],
        "reported_by": "legislature",
    }
    yield scene.report("legal.law.amended", data)


STORIES = (
    Story(arrest, 12),
    Story(case, 4, growth=1.15),
    Story(amendment, 3, pace=lambda _, years: 1.3 * years),
)
