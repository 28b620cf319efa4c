"""Arrests and what follows from them: address books, proceedings, witnesses, cases resolved."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.region.scene import AT_ONCE, Scene, Step, Story, person

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
KNOWN_NUMBERS = 400
"""Invented telephone numbers that stand in the books of several suspects."""
SECURED = 0.72
"""The share of suspects with a telephone or address book whose book was secured (Plan IE 1.2.3 asks for all)."""


def arrest(scene: Scene) -> Iterator[Step]:
    """Tell of a presumed trafficker who is detained, loses the telephone book, and may be tried."""
    offence = scene.pick(OFFENCES)
    who = person(scene, OFFENDERS, 0.02)
    nationality = {"nationality": scene.one((scene.country, *NATIONALITIES))}
    pid = scene.name("tr")
    yield scene.report("intel.trafficker.detected", _suspect(scene, pid, offence, who | nationality))
    if scene.chance(0.75):
        yield from _detention(scene, pid, offence, who | nationality)


def seen_again(scene: Scene) -> Iterator[Step]:
    """Tell of a suspect detected at home and, under another identifier, by a neighbour: one person, perhaps."""
    who = person(scene, OFFENDERS, 0.0) | {"nationality": scene.one(NATIONALITIES)}
    detected = _suspect(scene, scene.name("tr"), "som", who) | {"band_id": scene.name("band"), "tlp": "green"}
    yield scene.report("intel.trafficker.detected", detected)
    yield scene.report("intel.trafficker.detected", detected, after=scene.days(2, 20))
    again = {**detected, "trafficker_pid": scene.name("tr"), "srceval": "A", "infoeval": "1"}
    again["band_id"] = f"{scene.country}:{detected['band_id']}"  # the neighbour means the other's band
    neighbour = scene.one(scene.facts.neighbours)
    yield scene.report("intel.trafficker.detected", again, after=scene.days(5, 60), by=neighbour)


def _suspect(scene: Scene, pid: str, offence: str, who: dict[str, str]) -> dict[str, Any]:
    return {
        "trafficker_pid": pid,
        "offences": [offence, *(["doc_fraud"] if offence != "doc_fraud" and scene.chance(0.2) else [])],
        "role": scene.pick(ROLES),
        "modus_operandi": scene.some(METHODS, 2),
        "srceval": scene.pick({"A": 2, "B": 5, "C": 2, "X": 1}),
        "infoeval": scene.pick({"1": 2, "2": 3, "3": 4, "4": 1}),
        "tlp": scene.pick({"amber": 5, "green": 3, "red": 1}),
        **({"band_id": scene.name("band")} if scene.chance(0.3) else {}),
        **who,
        "reported_by": scene.pick({"police": 4, "immigration": 4, "customs": 1}),
    }


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
        yield from _phonebook(scene, detention, pid, after + scene.days(0, 2))
    if scene.chance(0.45):
        yield from _tried(scene, [offence], detention, after + scene.days(3, 40))


def _tried(scene: Scene, offences: list[str], detention: str, opened: timedelta) -> Iterator[Step]:
    """Tell of proceedings, of a witness who is protected meanwhile, and of how the case ends."""
    case_id = scene.name("case")
    proceeding = {
        "case_id": case_id,
        "offences": offences,
        "accused_count": scene.random.randint(1, 6),
        "detention_ids": [detention],
        "countries": [scene.country],
        "reported_by": "prosecution",
    }
    yield scene.report("legal.proceeding.opened", proceeding, after=opened)
    witness = {"witness_pid": witness_of(case_id), "case_id": case_id, "reported_by": "prosecution"}
    protected = scene.chance(0.5)
    if protected:
        measures = scene.some(("relocation", "escort", "identity_protection", "remote_testimony"), 2)
        data = {**witness, "measures": measures, "risk_level": scene.pick({"low": 2, "medium": 4, "high": 3})}
        yield scene.report("legal.witness.protected", data, after=opened + scene.days(1, 20))
    if scene.chance(0.6):
        closed = opened + scene.days(40, 110)
        yield scene.report("legal.proceeding.closed", proceeding, after=closed)
        yield _resolution(scene, offences, closed, case_id)
        if protected and scene.chance(0.7):
            reason = scene.pick({"case_resolved": 6, "risk_ended": 2, "witness_declined": 1})
            # The other two come while the case is open.
            after = closed + scene.days(5, 60) if reason == "case_resolved" else opened + scene.days(25, 40)
            yield scene.report("legal.witness.ended", {**witness, "reason": reason}, after=after)


def witness_of(case_id: str) -> str:
    """Return the witness of a case."""
    return f"wit{case_id.removeprefix('case')}"


def _phonebook(scene: Scene, detention: str, pid: str, after: timedelta) -> Iterator[Step]:
    """Tell of an address book, whose numbers' hashes mostly go to other countries; some numbers many suspects know."""
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
    yield scene.report("intel.phonebook.seized", data, after=after)
    if scene.chance(0.7):
        numbers = [scene.random.randrange(KNOWN_NUMBERS) for _ in range(2)] + [scene.random.getrandbits(40)]
        shared = {
            "seizure_id": seizure,
            "recipients": list(scene.facts.neighbours),
            "handling": scene.pick({"H0": 4, "H1": 3, "H2": 1}),
            "hashes": sorted(
                {hashlib.blake2b(f"number/{one}".encode(), digest_size=32).hexdigest() for one in numbers}
            ),
            "reported_by": "police",
        }
        yield scene.report("intel.phonebook.disseminated", shared, after=after + scene.days(0.5, 5))


def case(scene: Scene) -> Iterator[Step]:
    """Tell of a case that ends, with or without the care of its witnesses on record."""
    yield _resolution(scene, scene.some(("tip", "som", "doc_fraud"), 2), AT_ONCE)


def _resolution(scene: Scene, offences: list[str], after: timedelta, case_id: str = "") -> Step:
    others = scene.some(scene.facts.neighbours, 2) if scene.chance(0.4) else []
    data: dict[str, Any] = {
        "case_id": case_id or scene.name("case"),
        "outcome": scene.pick({"convicted": 6, "acquitted": 2, "dismissed": 2, "other": 0.5}),
        "countries": [scene.country, *others],
        "offences": offences,
        "witness_care_documented": scene.chance(0.65),
        "victims_count": scene.random.randint(0, 14),
        "assets_confiscated": scene.chance(0.25),
        "reported_by": "court",
    }
    return scene.report("legal.case.resolved", data, after=after)


STORIES = (
    Story(arrest, 12),
    Story(seen_again, 1),
    Story(case, 4, growth=1.15),
)
