"""Victims identified, cared for, and referred to the country that they come from."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from infra.region.scene import Scene, Step, Story, person

VICTIMS = {
    "tip": ({"female": 70, "male": 27, "other": 1}, 0.35),
    "som": ({"female": 38, "male": 61, "other": 1}, 0.2),
}
"""By offence: sexes, and the share of minors."""
HARMS = {"SexualExploitation": 6, "ForcedLabour": 6, "ChildLabour": 2, "ForcedBegging": 1, "Servitude": 2}
PURPOSES = {
    "SexualExploitation": "sexual_exploitation",
    "ForcedLabour": "forced_labour",
    "ChildLabour": "forced_labour",
    "ForcedBegging": "practices_similar_to_slavery",
    "Servitude": "servitude",
}
MEANS = ("deception", "fraud", "threat", "coercion", "abuse_of_vulnerability", "force", "payments_or_benefits")
CONTROLS = (
    "DebtBondage",
    "WithholdsDocuments",
    "PsychologicalAbuse",
    "RestrictsMovement",
    "FalsePromises",
    "TakesEarnings",
)
RECRUITED = ("ThroughFriendsOrSocialEvents", "ThroughFamilyOrFamilyEvents", "ThroughANewspaperAdvert", "AtWork")
INDUSTRIES = ("A_AgricultureForestryAndFishing", "F_Construction", "I_AccommodationAndFoodServiceActivities")
SERVICES = {"medical": 5, "shelter": 6, "food": 5, "communication": 4, "Legal": 3, "SocialCare": 3, "hospital": 1}
PROVIDERS = {"ngo": 5, "shelter": 4, "health_service": 3, "immigration": 2, "international_organisation": 1}
FINDERS = {"immigration": 4, "law_enforcement": 4, "ngo": 4, "consulate": 2, "health": 1, "hotline": 1, "self": 1}
REPORTERS = {"prosecution": 3, "immigration": 4, "ngo": 3, "consulate": 2, "police": 3}
REFERRED = 0.45


def victim(scene: Scene) -> Iterator[Step]:
    """Tell of a person identified as a victim, helped, and perhaps referred home."""
    offence = scene.pick({"tip": 6, "som": 4})
    who = person(scene, *VICTIMS[offence])
    pid = scene.name("vic")
    yield scene.report("victims.victim.identified", _identified(scene, pid, offence, who))
    for service in scene.some(list(SERVICES), 4):
        yield _service(scene, pid, offence, service, who)
    if scene.chance(REFERRED):
        yield from _referral(scene, offence, who)


def _identified(scene: Scene, pid: str, offence: str, who: dict[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "victim_pid": pid,
        "offence": offence,
        "status": "SmuggledMigrantHarmed",
        "decided_by": scene.pick({"Police": 3, "NGO": 3, "CourtOrProsecution": 2}),
        "mechanism": scene.pick({"statement": 5, "documentation": 2, "diplomatic_representation": 1}),
        "identified_by": scene.pick(FINDERS),
        "occurred_to": scene.day(-scene.random.randint(0, 20)),
        "occurred_from": scene.day(-scene.random.randint(30, 500)),
        **who,
        "reported_by": scene.pick(REPORTERS),
    }
    return data | _trafficked(scene) if offence == "tip" else data


def _trafficked(scene: Scene) -> dict[str, Any]:
    harm = scene.pick(HARMS)
    statuses = {"ActualVictimOfTrafficking": 6, "PossibleVictimOfTrafficking": 4, "NotAVictimOfTrafficking": 0.4}
    data: dict[str, Any] = {
        "status": scene.pick(statuses),
        "act": scene.some(("recruitment", "transportation", "harbouring", "receipt"), 2),
        "means": scene.some(MEANS, 3),
        "purpose": [PURPOSES[harm]],
        "exploitation": [harm],
        "control": scene.some(CONTROLS, 3),
        "recruitment": scene.some(RECRUITED, 1),
        "duration_band": scene.pick({"0--12": 6, "13--24": 2, "25+": 1}),
        "exploitation_country": scene.country,
    }
    if harm == "ForcedLabour":
        data["industry"] = scene.one(INDUSTRIES)
    return data


def _service(scene: Scene, pid: str, offence: str, service: str, who: dict[str, str]) -> Step:
    after = scene.days(0.1, 25)
    provider = scene.pick(PROVIDERS)
    data = {"victim_pid": pid, "offence": offence, "service": service, "provider_type": provider, **who}
    data["started"] = (scene.now + after).isoformat()
    return scene.report("victims.service.provided", {**data, "reported_by": provider}, after=after)


def _referral(scene: Scene, offence: str, who: dict[str, str]) -> Iterator[Step]:
    """Ask the victim's own country to take over; once it agrees, the victim is taken home."""
    home = scene.one(scene.facts.victims_from)
    referral, case = scene.name("ref"), scene.name("case")
    urgency = "child" if who["age_band"] == "minor" else scene.pick({"standard": 7, "danger": 1})
    consent: dict[str, Any] = {"consent_id": scene.name("con")}
    if urgency == "child":
        consent = {"override": {"reason": "child", "authority": "child_welfare"}}
    data: dict[str, Any] = {
        "referral_id": referral,
        "case_id": case,
        "from": scene.country,
        "to": home,
        "reason": scene.pick({"Repatriation": 7, "AdditionalServicesRequired": 2, "WitnessProtection": 1}),
        "urgency": urgency,
        "needs": scene.some(("shelter", "Legal", "medical", "SocialCare", "Education"), 3),
        "preview": {**who, "offence": offence},
        "dataref": f"urn:crm:vault:{scene.country}:{referral}",
        **consent,
        "reported_by": "child_welfare" if urgency == "child" else "consulate",
    }
    sent = scene.days(1, 12)
    yield scene.report("victims.referral.sent", data, after=sent)
    if scene.chance(0.03):
        revoked = {"referral_id": referral, "reason": "consent_withdrawn", "reported_by": data["reported_by"]}
        yield scene.report("victims.referral.revoked", revoked, after=sent + timedelta(hours=1))
    yield msgspec.structs.replace(_homecoming(scene, data, who, sent), awaits=referral)


def _homecoming(scene: Scene, referral: dict[str, Any], who: dict[str, str], sent: timedelta) -> Step:
    data = {
        **{name: referral[name] for name in ("referral_id", "case_id", "from", "to")},
        "voluntary": scene.chance(0.92),
        "risk_assessment": scene.chance(0.8),
        "escort": scene.pick({"consulate": 3, "immigration": 3, "international_organisation": 2}),
        **who,
        "reported_by": "consulate",
    }
    return scene.report("victims.repatriation.completed", data, after=sent + scene.days(4, 20))


STORIES = (Story(victim, 14, growth=0.88),)
