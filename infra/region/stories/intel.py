"""False documents, routes and ways of working, places, operations and bands."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from infra.region.scene import AT_ONCE, Scene, Step, Story
from infra.region.stories.documents import DOCUMENTS
from shared.contracts.vocabulary import FRAUD_TYPES

FRAUDS = dict(zip(FRAUD_TYPES, (5, 5, 4, 2, 3, 4, 1, 1, 1), strict=True))
DETECTORS = {"first_line": 5, "second_line": 6, "consulate": 2, "carrier": 1, "police": 1, "automated_gate": 0.5}
TECHNIQUES = ("inkjet_printing", "laminate_lifted", "page_resewn", "mrz_altered", "toner_printing")
ORIGINS = ("ECU", "CHN", "PER", "COL", "CUB", "HTI", "IND", "BRA", "DOM", "HND", "SLV", "NIC", "GTM")
MODES = {"bus": 5, "land_foot": 4, "truck": 4, "taxi": 2, "boat": 3, "plane": 2, "train": 2, "land_vehicle": 3}
VENUES = {"bar": 4, "farm": 4, "private_home": 3, "construction_site": 2, "fishing_vessel": 1, "workshop": 2}
EXPLOITED_AS = {"SexualExploitation": 6, "ForcedLabour": 5, "ChildLabour": 2, "ForcedBegging": 1, "Servitude": 2}
WAYS = ("false_job_offer", "hidden_compartment", "forged_visa", "overland_guide", "sham_marriage", "false_tour_group")
LESSONS = ("regional_security", "false_document_detection", "human_rights", "technology_tools")


def false_document(scene: Scene) -> Iterator[Step]:
    """Tell of a document held to be false; mostly the laboratory agrees."""
    pattern = _pattern(scene)
    yield from _detection(scene, pattern, scene.post(), AT_ONCE, confirmed=scene.chance(0.55))


def wave(scene: Scene) -> Iterator[Step]:
    """Tell of the same fake three times at one border post within 30 days: its officers need training."""
    pattern, post = _pattern(scene), scene.post()
    yield from _detection(scene, pattern, post, AT_ONCE, confirmed=True)
    for _ in range(2):
        yield from _detection(scene, pattern, post, scene.days(2, 16), confirmed=True)


def _pattern(scene: Scene) -> dict[str, Any]:
    issuing = scene.one((scene.country, *scene.facts.neighbours, *scene.facts.victims_from))
    return {"issuing": issuing, "doc_code": scene.pick(DOCUMENTS), "fraud_type": scene.pick(FRAUDS)}


def _detection(
    scene: Scene, pattern: dict[str, Any], post: str, after: timedelta, *, confirmed: bool
) -> Iterator[Step]:
    document = scene.name("doc")
    data = {**pattern, "doc_ref": document, "bcp": post, "detected_by": scene.pick(DETECTORS)}
    if pattern["doc_code"].startswith("P"):
        data["mrz_check"] = {"doc": scene.chance(0.6), "composite": scene.chance(0.5)}
    flagged = scene.report("intel.document.flagged", {**data, "reported_by": "immigration"}, after=after)
    yield flagged
    if confirmed:
        found = {"technique": scene.one(TECHNIQUES), "forensic_level": scene.pick({1: 3, 2: 5, 3: 1})}
        yield scene.report(
            "intel.document.confirmed",
            {**pattern, "bcp": post, "flag_id": flagged.id, **found, "reported_by": "forensic_laboratory"},
            after=after + scene.days(1, 10),
        )
    elif scene.chance(0.4):
        found = {"flag_id": flagged.id, "technique": "spectral_comparison", "reported_by": "forensic_laboratory"}
        yield scene.report("intel.document.cleared", found, after=after + scene.days(1, 10))


def route(scene: Scene) -> Iterator[Step]:
    """Tell of a route of two or three legs."""
    places = [scene.one(ORIGINS), *scene.some(scene.facts.neighbours, 2), scene.country]
    legs = [
        {"from": start, "to": end, "mode": scene.pick(MODES), "point_kind": scene.pick({"Transit": 5, "SafeHouse": 2})}
        for start, end in pairwise(places)
    ]
    legs[-1]["point_kind"] = scene.pick({"BorderCrossingPoint": 3, "BetweenBCPs": 3, "Exploitation": 1})
    data: dict[str, Any] = {"route_id": scene.name("rt"), "legs": legs, "reported_by": "immigration"}
    if scene.chance(0.6):
        data["fee"] = {"amount": scene.random.randrange(500, 9000, 250), "currency": "USD"}
    data |= {
        "first_seen": scene.day(-scene.random.randint(60, 700)),
        "last_seen": scene.day(-scene.random.randint(0, 40)),
    }
    yield scene.report("intel.route.reported", data)
    known = {"route_id": data["route_id"], "reported_by": "immigration"}
    if scene.chance(0.3):
        yield scene.report(
            "intel.route.confirmed", known, after=scene.days(10, 60), by=scene.one(scene.facts.neighbours)
        )
    if scene.chance(0.25):
        yield scene.report("intel.route.retired", known, after=scene.days(70, 110))


def modality(scene: Scene) -> Iterator[Step]:
    """Tell of a way of working that became known."""
    data = {
        "modality": scene.one(WAYS),
        "offence": scene.pick({"som": 6, "tip": 4}),
        "info_class": scene.pick({"concealment": 3, "routes": 3, "travel_documents": 2}),
        "reported_by": scene.pick({"police": 3, "immigration": 3}),
    }
    yield scene.report("intel.modality.reported", data)


def place(scene: Scene) -> Iterator[Step]:
    """Tell of a place where victims are suspected, often in another country."""
    target = scene.one((scene.country, *scene.facts.neighbours))
    data = {
        "place_ref": scene.name("place"),
        "venue": scene.pick(VENUES),
        "suspected_exploitation": scene.pick(EXPLOITED_AS),
        "target_country": target,
        "ack_by": scene.now + timedelta(days=7),
        "reported_by": scene.pick({"ngo": 4, "consulate": 3, "labour_inspection": 2, "hotline": 2}),
    }
    yield scene.report("intel.location.reported", data)


def operation(scene: Scene) -> Iterator[Step]:
    """Tell of an operation, mostly with neighbours: planned, carried out, judged; now and then a band is broken up."""
    partners = scene.some(scene.facts.neighbours, 3) if scene.chance(0.65) else []
    planned: dict[str, Any] = {
        "operation_id": scene.name("op"),
        "kind": scene.pick({"ordinary": 4, "extraordinary": 1}),
        "participants": [scene.country, *partners],
        "reported_by": scene.pick({"immigration": 3, "police": 2, "customs": 1}),
    }
    after = scene.days(4, 30)
    started = scene.now + after - timedelta(hours=scene.random.randint(6, 72))
    yield scene.report("intel.operation.planned", {**planned, "started": started})
    if scene.chance(0.15):
        return
    results = {"detentions": scene.random.randint(0, 9), "victims": scene.random.randint(0, 12)}
    data = {
        **planned,
        "started": started,
        "ended": scene.now + after,
        "results": {**results, "documents": scene.random.randint(0, 20)},
    }
    yield scene.report("intel.operation.executed", data, after=after)
    if scene.chance(0.7):
        yield _judged(scene, planned, after + scene.days(5, 30))
    if scene.chance(0.35):
        yield from _band(scene, [scene.country, *partners], after)


def _judged(scene: Scene, planned: dict[str, Any], after: timedelta) -> Step:
    data = {
        **{name: planned[name] for name in ("operation_id", "kind", "reported_by")},
        "rating": scene.pick({"excelente": 2, "bueno": 5, "regular": 3, "deficiente": 1}),
        "lessons": scene.some(LESSONS, 1) if scene.chance(0.12) else [],
    }
    return scene.report("intel.operation.evaluated", data, after=after)


def _band(scene: Scene, countries: list[Any], after: timedelta) -> Iterator[Step]:
    """Tell of a band that the operation brought to notice; most are broken up, a few are at work again later."""
    data = {
        "band_id": scene.name("band"),
        "scope": "regional" if len(countries) > 1 else "local",
        "members_count": scene.random.randint(3, 22),
        "offences": scene.some(("som", "tip", "doc_fraud"), 2),
        "countries": countries,
        "reported_by": "police",
    }
    yield scene.report("intel.band.identified", data, after=after)
    if scene.chance(0.6):
        broken = after + scene.days(5, 60)
        yield scene.report("intel.band.dismantled", data, after=broken)
        if scene.chance(0.15):
            yield scene.report("intel.band.reactivated", data, after=broken + scene.days(20, 60))


STORIES = (
    Story(false_document, 14, growth=1.1),
    Story(wave, 1.2),
    Story(route, 3),
    Story(place, 4),
    Story(operation, 5, growth=1.35),
    Story(modality, 1.5),
)
