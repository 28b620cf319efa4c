"""Victims identified, cared for, and referred to the country that they come from."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from infra.region.scene import AT_ONCE, Scene, Step, Story, person
from infra.region.stories.care import evaluation

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
    """Tell of a person identified as a victim, put on record, helped, and perhaps referred home."""
    offence = scene.pick({"tip": 6, "som": 4})
    who = person(scene, *VICTIMS[offence])
    pid = scene.name("vic")
    identified = _identified(scene, pid, offence, who)
    yield scene.report("victims.victim.identified", identified)
    yield from _on_record(scene, pid, offence, who)
    for service in scene.some(list(SERVICES), 4):
        yield from _served(scene, pid, offence, service, who)
    if identified["status"] == "PossibleVictimOfTrafficking" and scene.chance(0.6):
        yield _decided(scene, pid)
    if scene.chance(0.02):
        relations = [{"relation": scene.one(("parent", "child", "spouse"))}]
        deceased = {"victim_pid": pid, "indirect_victims": relations, "reported_by": "consulate"}
        died = scene.days(2, 60)
        yield scene.report("victims.victim.deceased", deceased, after=died)
        kin = {"victim_pid": scene.name("kin"), "offence": offence, "relation": relations[0]["relation"]}
        helped = {**kin, "service": "SocialCare", **person(scene, *VICTIMS[offence]), "reported_by": "ngo"}
        yield scene.report("victims.service.provided", helped, after=died + scene.days(1, 20))
    elif scene.chance(REFERRED):
        yield from _referral(scene, pid, offence, who)
    elif scene.chance(0.5):
        resolved = {"outcome": scene.pick({"regularised": 4, "repatriated": 3, "asylum": 1, "other": 1})}
        resolved |= {"victim_pid": pid, "reported_by": "immigration"}
        yield scene.report("victims.migrationstatus.resolved", resolved, after=scene.days(20, 110))


def two_records(scene: Scene) -> Iterator[Step]:
    """Tell of one person put on record twice, which is found out later: a merge."""
    first, second = scene.name("vic"), scene.name("vic")
    offence = scene.pick({"tip": 6, "som": 4})
    who = person(scene, *VICTIMS[offence])
    for after, pid in ((AT_ONCE, first), (scene.days(2, 20), second)):
        yield _registered(scene, pid, offence, who, after)
        service = {"victim_pid": pid, "offence": offence, "service": "food", **who, "reported_by": "ngo"}
        yield scene.report("victims.service.provided", service, after=after)
    said = {"into": second, "reported_by": "consulate"}
    yield scene.report("victims.victim.merged", said, after=scene.days(21, 60), subject=first)


def _on_record(scene: Scene, pid: str, offence: str, who: dict[str, str]) -> Iterator[Step]:
    yield _registered(scene, pid, offence, who, scene.days(0, 5))
    if scene.chance(0.3):
        completeness = {"core_filled": scene.random.randint(15, 22), "core_total": 22}
        data = {"victim_pid": pid, "completeness": completeness, "reported_by": "consulate"}
        yield scene.report("victims.victim.updated", data, after=scene.days(6, 60))


def _registered(scene: Scene, pid: str, offence: str, who: dict[str, str], after: timedelta) -> Step:
    filled = round(22 * scene.facts.complete) - scene.random.randint(1, 8)
    data = {
        "victim_pid": pid,
        "offence": offence,
        "citizenship": scene.one((*scene.facts.victims_from, "COL", "ECU")),
        "completeness": {"core_filled": filled, "core_total": 22},
        **who,
        "reported_by": scene.pick({"consulate": 3, "immigration": 4}),
    }
    return scene.report("victims.victim.registered", data, after=after)


def _decided(scene: Scene, pid: str) -> Step:
    to = scene.pick({"ActualVictimOfTrafficking": 7, "NotAVictimOfTrafficking": 2})
    data = {"victim_pid": pid, "from": "PossibleVictimOfTrafficking", "to": to, "decided_by": "CourtOrProsecution"}
    return scene.report(
        "victims.victim.status_changed", {**data, "reported_by": "prosecution"}, after=scene.days(8, 70)
    )


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
    if offence == "tip":
        return data | _trafficked(scene)
    return data | {"harm": scene.some(("physical", "moral", "patrimonial", "other"), 2)} if scene.chance(0.9) else data


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


def _served(scene: Scene, pid: str, offence: str, service: str, who: dict[str, str]) -> Iterator[Step]:
    """Tell of a service: asked for, mostly given, at times not; a stay in a shelter ends."""
    after, provider = scene.days(0.1, 25), scene.pick(PROVIDERS)
    named = {"victim_pid": pid, "service": service, "reported_by": provider}
    if scene.chance(0.25):
        yield scene.report("victims.service.requested", named, after=after)
        after += scene.days(0.5, 6)
    if scene.chance(0.07):
        refused = {**named, "reason": scene.pick({"no_capacity": 4, "not_eligible": 1, "victim_declined": 3})}
        yield scene.report("victims.service.refused", refused, after=after)
        return
    given = {**named, "offence": offence, "provider_type": provider, **who, "started": scene.now + after}
    yield scene.report("victims.service.provided", given, after=after)
    if service == "shelter" and scene.chance(0.7):
        after += scene.days(10, 90)
        yield scene.report("victims.service.ended", {**named, "ended": scene.now + after}, after=after)


def found_at(scene: Scene, place_ref: str, after: timedelta) -> Step:
    """Tell of a victim identified because of a place that was reported."""
    who = person(scene, *VICTIMS["tip"])
    found = _identified(scene, scene.name("vic"), "tip", who) | {"place_ref": place_ref}
    return scene.report("victims.victim.identified", found, after=after)


def _referral(scene: Scene, pid: str, offence: str, who: dict[str, str]) -> Iterator[Step]:
    """Ask the victim's own country to take over; once it agrees, the victim is taken home."""
    home = scene.one(scene.facts.victims_from)
    referral, case = scene.name("ref"), scene.name("case")
    urgency = "child" if who["age_band"] == "minor" else scene.pick({"standard": 7, "danger": 1})
    sent = scene.days(1, 12)
    given = {"consent_id": scene.name("con"), "victim_pid": pid, "reported_by": "ngo"}
    consent: dict[str, Any] = {"consent_id": given["consent_id"]}
    if urgency == "child":
        consent = {"override": {"reason": "child", "authority": "child_welfare"}}
    else:
        said = {"scope": "referral", "purpose": "repatriation", "guardian": False}
        yield scene.report("victims.consent.recorded", {**given, **said}, after=sent)
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
    sent += timedelta(minutes=5)
    yield scene.report("victims.referral.sent", data, after=sent)
    if scene.chance(0.03):
        revoked = {"referral_id": referral, "reason": "moved_on", "reported_by": data["reported_by"]}
        yield scene.report("victims.referral.revoked", revoked, after=sent + timedelta(hours=1))
    elif urgency != "child" and scene.chance(0.06):
        yield scene.report("victims.consent.withdrawn", given, after=sent + scene.days(0.1, 30))
    for step in _way_home(scene, data, pid, who, sent):
        yield msgspec.structs.replace(step, awaits=referral)


def _way_home(scene: Scene, referral: dict[str, Any], pid: str, who: dict[str, str], sent: timedelta) -> Iterator[Step]:
    """Tell of the return that follows when the other country takes the victim on: planned, and mostly made."""
    journey = {
        **{name: referral[name] for name in ("referral_id", "case_id", "from", "to")},
        "reported_by": "consulate",
    }
    if scene.chance(0.1):
        del journey["referral_id"]  # nobody wrote down which it was
    planned, home = scene.days(3, 6), scene.days(7, 24)
    ahead = {**journey, "planned_for": scene.day((sent + home).days)}
    yield scene.report("victims.repatriation.planned", ahead, after=sent + planned)
    if scene.chance(0.08):
        reason = scene.pick({"victim_declined": 4, "documents": 3, "risk": 2, "logistics": 1})
        yield scene.report("victims.repatriation.failed", {**journey, "reason": reason}, after=sent + home)
        return
    yield _homecoming(scene, journey, who, sent + home)
    resolved = {"victim_pid": pid, "outcome": "repatriated", "reported_by": "immigration"}
    yield scene.report("victims.migrationstatus.resolved", resolved, after=sent + home)
    if scene.chance(0.75):
        yield evaluation(scene, "repatriation", referral["case_id"], sent + home + scene.days(10, 80))


def _homecoming(scene: Scene, journey: dict[str, Any], who: dict[str, str], after: timedelta) -> Step:
    data = {
        **journey,
        "voluntary": scene.chance(0.92),
        "risk_assessment": scene.chance(0.8),
        "escort": scene.pick({"consulate": 3, "immigration": 3, "international_organisation": 2}),
        **who,
    }
    return scene.report("victims.repatriation.completed", data, after=after)


STORIES = (Story(victim, 14, growth=0.88), Story(two_records, 0.6))
