"""False documents, routes, places, operations; who is the contact; which documents and entry rules are in force."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from infra.region.scene import AT_ONCE, Scene, Step, Story
from shared.contracts.vocabulary import FRAUD_TYPES

DOCUMENTS = {"PP": 8, "V": 5, "entry_stamp": 3, "ID": 2, "residence_permit": 2, "birth_certificate": 2, "PD": 0.5}
FRAUDS = dict(zip(FRAUD_TYPES, (5, 5, 4, 2, 3, 4, 1, 1, 1), strict=True))
DETECTORS = {"first_line": 5, "second_line": 6, "consulate": 2, "carrier": 1, "police": 1, "automated_gate": 0.5}
TECHNIQUES = ("inkjet_printing", "laminate_lifted", "page_resewn", "mrz_altered", "toner_printing")
ORIGINS = ("ECU", "CHN", "PER", "COL", "CUB", "HTI", "IND", "BRA", "DOM", "HND", "SLV", "NIC", "GTM")
MODES = {"bus": 5, "land_foot": 4, "truck": 4, "taxi": 2, "boat": 3, "plane": 2, "train": 2, "land_vehicle": 3}
VENUES = {"bar": 4, "farm": 4, "private_home": 3, "construction_site": 2, "fishing_vessel": 1, "workshop": 2}
EXPLOITED_AS = {"SexualExploitation": 6, "ForcedLabour": 5, "ChildLabour": 2, "ForcedBegging": 1, "Servitude": 2}
RULED = ("COL", "PER", "CUB", "HTI", "IND", "BGD", "PAK", "NGA", "ETH", "IRQ", "BRA", "BOL", "KOR", "ZAF")


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
    """Tell of an operation, mostly with neighbours, that now and then breaks up a band."""
    joint = scene.chance(0.65)
    partners = scene.some(scene.facts.neighbours, 3) if joint else []
    ended = scene.now
    results = {"detentions": scene.random.randint(0, 9), "victims": scene.random.randint(0, 12)}
    data = {
        "operation_id": scene.name("op"),
        "kind": scene.pick({"ordinary": 4, "extraordinary": 1}),
        "participants": [scene.country, *partners],
        "started": ended - timedelta(hours=scene.random.randint(6, 72)),
        "ended": ended,
        "results": {**results, "documents": scene.random.randint(0, 20)},
        "reported_by": scene.pick({"immigration": 3, "police": 2, "joint_task_force": 1}),
    }
    yield scene.report("intel.operation.executed", data)
    if scene.chance(0.3):
        yield _dismantled(scene, [scene.country, *partners])


def _dismantled(scene: Scene, countries: list[Any]) -> Step:
    data = {
        "band_id": scene.name("band"),
        "scope": "regional" if len(countries) > 1 else "local",
        "members_count": scene.random.randint(3, 22),
        "offences": scene.some(("som", "tip", "doc_fraud"), 2),
        "countries": countries,
        "reported_by": "police",
    }
    return scene.report("intel.band.dismantled", data, after=scene.days(1, 30))


def specimen(scene: Scene) -> Iterator[Step]:
    """Tell of another specimen that the issuing country deposits."""
    document = scene.pick(DOCUMENTS)
    data = {
        "specimen_id": scene.name("sp"),
        "issuing": scene.country,
        "doc_code": document,
        "series": f"{scene.now.year}-{scene.one('ABCDEF')}",
        "tier": scene.pick({"officer": 5, "expert": 3, "public": 1}),
        "valid_from": scene.day(-scene.random.randint(30, 900)),
        "features": scene.some(("watermark", "intaglio", "optically_variable_ink", "microprint", "uv_fibres"), 4),
        "reported_by": "immigration",
    }
    yield scene.report("intel.specimen.deposited", data)


def entry_rule(scene: Scene) -> Iterator[Step]:
    """Tell whether one more nationality needs an authorisation to enter."""
    data = {
        "destination": scene.country,
        "nationality": scene.one(RULED),
        "authorisation_required": scene.chance(0.7),
        "doc_codes": scene.some(("PP", "V", "ID"), 2),
        "effective_from": scene.day(scene.random.randint(20, 120)),
        "reported_by": scene.pick({"immigration": 3, "foreign_ministry": 2}),
    }
    yield scene.report("intel.entryrequirement.declared", data)


def contact_point(scene: Scene) -> Iterator[Step]:
    """Tell of a new permanent contact point."""
    data = {
        "country": scene.country,
        "body": scene.pick({"immigration": 4, "foreign_ministry": 1, "police": 1}),
        "officer_ref": f"urn:crm:vault:{scene.country}:{scene.name('contact')}",
        "channel": scene.pick({"liaison_network": 3, "telephone": 1, "mail": 2}),
        "valid_from": scene.day(),
        "reported_by": "foreign_ministry",
    }
    yield scene.report("intel.contactpoint.designated", data)


STORIES = (
    Story(false_document, 14, growth=1.1),
    Story(wave, 1.2),
    Story(route, 3),
    Story(place, 4),
    Story(operation, 5, growth=1.35),
    Story(specimen, 3, pace=lambda _, years: 3 * years),
    Story(entry_rule, 4, pace=lambda _, years: 6 * max(0.0, years - 0.5)),
    Story(contact_point, 2, pace=lambda _, years: 0.4 * max(0.0, years - 0.5)),
)
