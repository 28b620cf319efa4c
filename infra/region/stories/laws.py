"""Laws made, changed and set against the treaties; the work for ratification; means given."""

from collections.abc import Iterator
from typing import Any

from infra.region.scene import Scene, Step, Story
from shared.contracts.vocabulary import Country

LAWS = 3
"""Laws of each country that certificates are aligned to."""
ARTICLES = {
    "UNTOC": ("5", "6", "7", "8", "11", "12", "16", "18", "20", "24", "25", "26"),
    "TIP": ("5", "6", "7", "8", "9", "10", "11", "12", "13"),
    "SOM": ("5", "6", "8", "11", "12", "13", "15", "16", "18"),
}
GROUP: Country = "MEX"
"""Who speaks for the Technical Group (shared/seats.toml)."""
DEGREES = {"full": 6, "partial": 3, "none": 1}
ROWS = ("IP-5.1.1", "VA-2.1c", "LE-1.1.1", "IE-3.1.1", "IP-2.1.1")


def law(scene: Scene, number: int | None = None) -> dict[str, str]:
    """Return one of the country's laws, in the version of the year."""
    chosen = number or scene.random.randint(1, LAWS)
    return {"law_id": f"{scene.country}-law-{chosen}", "version": f"{scene.now.year}-1"}


def _said(scene: Scene, which: dict[str, str]) -> dict[str, Any]:
    least = scene.random.randrange(12, 72, 12)
    return {
        **which,
        "country": scene.country,
        "effective_from": scene.day(scene.random.randint(10, 90)),
        "crime_types": scene.some(("tip", "som", "doc_fraud"), 2),
        "articles": [f"art-{scene.random.randint(100, 400)}"],
        "penalty_min_months": least,
        "penalty_max_months": least + scene.random.randrange(24, 120, 12),
        "protects": scene.some(("women", "children"), 2) if scene.chance(0.5) else [],
        "reported_by": "legislature",
    }


def enactment(scene: Scene) -> Iterator[Step]:
    """Tell of a new law against one of the crimes; at times it is repealed later."""
    new = {"law_id": f"{scene.country}-{scene.name('act')}", "version": f"{scene.now.year}-1"}
    data = _said(scene, new)
    yield scene.report("legal.law.enacted", data)
    if scene.chance(0.6):
        yield scene.report("legal.law.repealed", data, after=scene.days(80, 115))


def amendment(scene: Scene) -> Iterator[Step]:
    """Tell of a law amended: the certificates aligned to it go stale."""
    changed = law(scene) | {"version": f"{scene.now.year}-{scene.now.month + 1}"}
    yield scene.report("legal.law.amended", _said(scene, changed))


def mapping(scene: Scene) -> Iterator[Step]:
    """Tell how far a law carries out an article of a treaty."""
    instrument = scene.one(tuple(ARTICLES))
    degree = scene.pick(DEGREES)
    data: dict[str, Any] = {
        "country": scene.country,
        "obligation": {"instrument": instrument, "article": scene.one(ARTICLES[instrument])},
        "degree": degree,
        "reported_by": scene.pick({"technical_group": 3, "foreign_ministry": 2}),
    }
    if degree != "none":
        data["law_id"] = law(scene)["law_id"]
    judge = GROUP if data["reported_by"] == "technical_group" else scene.country
    yield scene.report("legal.provision.mapped", data, by=judge)


def proposal(scene: Scene) -> Iterator[Step]:
    """Tell of a change of law that the Technical Group proposes, and that is adopted or not."""
    data = {
        "change_id": scene.name("ch"),
        "country": scene.country,
        "instrument": scene.pick({"TIP": 5, "SOM": 4, "UNTOC": 1}),
        "law_id": law(scene)["law_id"],
        "reported_by": "technical_group",
    }
    yield scene.report("legal.change.proposed", data, by=GROUP)
    if scene.chance(0.45):
        yield scene.report("legal.change.adopted", data, after=scene.days(60, 115), by=GROUP)


def procedure(scene: Scene) -> Iterator[Step]:
    """Tell of a procedure laid down for one of the two crimes."""
    data: dict[str, Any] = {
        "procedure_id": scene.name("pr"),
        "crime": scene.pick({"tip": 6, "som": 4}),
        "reported_by": scene.pick({"court": 2, "prosecution": 3}),
    }
    if scene.chance(0.3):
        data["topic"] = "victim_treatment_coordination"
    yield scene.report("legal.procedure.issued", data)


def effort(scene: Scene) -> Iterator[Step]:
    """Tell of governments that speak for ratification, abroad or at home."""
    data = {
        "country": scene.country,
        "instrument": scene.pick({"TIP": 5, "SOM": 5, "UNTOC": 2}),
        "institutions": scene.some(("legislature", "foreign_ministry", "interior_ministry", "prosecution"), 3),
        "reported_by": "foreign_ministry",
    }
    yield scene.report(scene.one(("legal.lobbying.conducted", "legal.coordination.held")), data)


def means(scene: Scene) -> Iterator[Step]:
    """Tell of means pledged for a row of the Plan, and mostly given."""
    service = scene.one(("intel", "victims", "legal", "training"))
    data: dict[str, Any] = {
        "country": scene.country,
        "row": scene.one(ROWS),
        "kind": scene.pick({"money": 4, "staff": 3, "venue": 2, "technical": 3}),
        "reported_by": "foreign_ministry",
    }
    if data["kind"] == "money":
        data["value"] = {"amount": scene.random.randrange(5000, 90000, 5000), "currency": "USD"}
    yield scene.report(f"{service}.resource.pledged", data)
    if scene.chance(0.6):
        yield scene.report(f"{service}.resource.delivered", data, after=scene.days(20, 100))


STORIES = (
    Story(enactment, 2, pace=lambda _, years: 0.8 * years),
    Story(amendment, 3, pace=lambda _, years: 1.3 * years),
    Story(mapping, 6, pace=lambda facts, years: 11 * facts.tempo * years),
    Story(proposal, 2, pace=lambda _, years: 2 * max(0.0, years - 0.4)),
    Story(procedure, 1.5, pace=lambda _, years: 2.5 * years),
    Story(effort, 2, pace=lambda facts, years: 4 * facts.answers * years),
    Story(means, 2, pace=lambda facts, years: 0.3 * facts.traffic * years),
)
