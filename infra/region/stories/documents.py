"""Papers: listed by their issuers and met at borders, specimens that age, entry rules that change."""

from collections.abc import Iterator
from typing import Any

from infra.region.scene import AT_ONCE, Scene, Step, Story

DOCUMENTS = {"PP": 8, "V": 5, "entry_stamp": 3, "ID": 2, "residence_permit": 2, "birth_certificate": 2, "PD": 0.5}
LISTED = {"stolen": 6, "lost": 5, "revoked": 1, "invalid": 1, "stolen_blank": 1}
FEATURES = ("watermark", "intaglio", "optically_variable_ink", "microprint", "uv_fibres")
RULED = ("COL", "PER", "CUB", "HTI", "IND", "BGD", "PAK", "NGA", "ETH", "IRQ", "BRA", "BOL", "KOR", "ZAF")


def listed(scene: Scene) -> Iterator[Step]:
    """Tell of a passport that its issuer lists, that a neighbour meets (or thinks so), and that may be found again."""
    document = {"doc_ref": scene.name("doc"), "issuing": scene.country, "doc_code": "PP"}
    entry = {**document, "status": scene.pick(LISTED), "reported_by": "civil_registry"}
    yield scene.report("intel.document.listed", entry)
    if scene.chance(0.35):
        met = {**document, "fraud_type": "impostor", "detected_by": "first_line", "reported_by": "immigration"}
        after, neighbour = scene.days(4, 40) / 2, scene.one(scene.facts.neighbours)
        flag = scene.report("intel.document.flagged", met, after=after, by=neighbour)
        yield flag
        if scene.chance(0.4):
            mistake = {"supersedes": flag.id, "reason": "mistaken", "reported_by": "immigration"}
            yield scene.report("intel.document.retracted", mistake, after=2 * after, by=neighbour)
    if scene.chance(0.3):
        yield scene.report("intel.document.delisted", entry, after=scene.days(41, 90))


def specimen(scene: Scene) -> Iterator[Step]:
    """Tell of another specimen that the issuing country deposits; some are replaced or withdrawn later."""
    named, kind = scene.name("sp"), scene.pick(DOCUMENTS)
    yield _deposited(scene, named, kind)
    if scene.chance(0.25):
        newer = scene.name("sp")
        after = scene.days(60, 110)
        gone = {"specimen_id": named, "issuing": scene.country, "superseded_by": newer, "reported_by": "immigration"}
        yield _deposited(scene, newer, kind, after)
        yield scene.report("intel.specimen.superseded", gone, after=after)
    elif scene.chance(0.3):
        gone = {"specimen_id": named, "issuing": scene.country, "reason": "mistaken", "reported_by": "immigration"}
        yield scene.report("intel.specimen.withdrawn", gone, after=scene.days(5, 60))


def _deposited(scene: Scene, named: str, kind: str, after: Any = AT_ONCE) -> Step:
    data = {
        "specimen_id": named,
        "issuing": scene.country,
        "doc_code": kind,
        "series": f"{scene.now.year}-{scene.one('ABCDEF')}",
        "tier": scene.pick({"officer": 5, "expert": 3, "public": 1}),
        "valid_from": scene.day(-scene.random.randint(30, 900)),
        "features": scene.some(FEATURES, 4),
        "reported_by": "immigration",
    }
    return scene.report("intel.specimen.deposited", data, after=after)


def entry_rule(scene: Scene) -> Iterator[Step]:
    """Tell whether one more nationality needs an authorisation to enter; at times the rule changes at short notice."""
    data = {
        "destination": scene.country,
        "nationality": scene.one(RULED),
        "authorisation_required": scene.chance(0.7),
        "doc_codes": scene.some(("PP", "V", "ID"), 2),
        "effective_from": scene.day(scene.random.randint(20, 60)),
        "reported_by": scene.pick({"immigration": 3, "foreign_ministry": 2}),
    }
    yield scene.report("intel.entryrequirement.declared", data)
    if scene.chance(0.35):
        after = scene.days(70, 110)
        change = {
            "authorisation_required": not data["authorisation_required"],
            "effective_from": scene.day(after.days + scene.random.randint(8, 80)),
        }
        yield scene.report("intel.entryrequirement.changed", data | change, after=after)


STORIES = (
    Story(listed, 3, pace=lambda _, years: 18 * years),
    Story(specimen, 3, pace=lambda _, years: 3 * years),
    Story(entry_rule, 4, pace=lambda _, years: 6 * max(0.0, years - 0.5)),
)
