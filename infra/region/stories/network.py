"""The network of contact points: who speaks for a country, what is exchanged, agreed and counted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.region.scene import Scene, Step, Story

KINDS = {"operational": 6, "statistical": 2, "tactical": 2}
CLASSES = {"routes": 5, "groups": 4, "travel_documents": 4, "concealment": 2, "legislation": 1, "technology": 1}
HANDLING = {"H0": 5, "H1": 3, "H2": 1, "H3": 0.3}
FIGURES = {
    "inspections": (4000, 30000),
    "refusals": (20, 300),
    "facilitators": (0, 25),
    "illegal_stay": (30, 400),
    "clandestine": (20, 350),
    "returns": (40, 600),
}


def contact_point(scene: Scene) -> Iterator[Step]:
    """Tell of a change of the permanent contact point; now and then the post stands empty for some weeks."""
    post = {"country": scene.country, "body": "immigration", "reported_by": "foreign_ministry"}
    filled: dict[str, Any] = {
        **post,
        "officer_ref": f"urn:crm:vault:{scene.country}:{scene.name('contact')}",
        "channel": scene.pick({"liaison_network": 3, "telephone": 1, "mail": 2}),
    }
    if scene.chance(0.4):
        after = scene.days(8, 40)
        yield scene.report("intel.contactpoint.vacated", post)
        filled["valid_from"] = scene.day(after.days)
        yield scene.report("intel.contactpoint.replaced", filled, after=after)
    else:
        filled["valid_from"] = scene.day()
        yield scene.report("intel.contactpoint.replaced", filled)


def exchange(scene: Scene) -> Iterator[Step]:
    """Tell of information given to a neighbour, or asked of one; the other answers when it reads its mailbox."""
    data: dict[str, Any] = {
        "exchange_id": scene.name("ex"),
        "from": scene.country,
        "to": scene.one(scene.facts.neighbours),
        "info_class": scene.pick(CLASSES),
        "kind": scene.pick(KINDS),
        "handling": scene.pick(HANDLING),
        "reported_by": scene.pick({"immigration": 3, "police": 3, "customs": 1}),
    }
    if scene.chance(0.55):
        yield scene.report("intel.information.shared", data)
    else:
        yield scene.report("intel.information.requested", {**data, "due": scene.now + timedelta(days=7)})


def commitment(scene: Scene) -> Iterator[Step]:
    """Tell of what the presidency's meeting agreed that a country do by a date."""
    owner = scene.one((scene.country, *scene.facts.neighbours))
    data = {
        "commitment_id": scene.name("co"),
        "country": owner,
        "due": scene.now + scene.random.randint(20, 90) * timedelta(days=1),
        "text_ref": f"urn:crm:vault:MEX:{scene.name('minutes')}",
        "reported_by": "ppt",
    }
    yield scene.report("intel.commitment.agreed", data, by="MEX")


def commission(scene: Scene) -> Iterator[Step]:
    """Tell of a session of the national commission."""
    data = {
        "body": "national_commission",
        "date": scene.day(),
        "attendees_count": scene.random.randint(5, 18),
        "reported_by": "interior_ministry",
    }
    yield scene.report("intel.commission.convened", data)


def control_figures(scene: Scene) -> Iterator[Step]:
    """Tell the figures of control of the last whole month; told again, they take the place of the first."""
    last = scene.now.date().replace(day=1) - timedelta(days=1)
    for kind, (least, most) in FIGURES.items():
        data = {
            "kind": kind,
            "count": round(scene.random.randint(least, most) * scene.facts.traffic / 10),
            "since": last.replace(day=1),
            "until": last,
            "reported_by": "immigration",
        }
        yield scene.report("intel.controlstat.reported", data)


STORIES = (
    Story(contact_point, 2, pace=lambda _, years: 0.9 * max(0.0, years - 0.3)),
    Story(exchange, 5, growth=1.2),
    Story(commitment, 1.2, pace=lambda facts, years: facts.traffic * 0.5 * years),
    Story(commission, 6, pace=lambda facts, years: 4 * facts.answers * max(0.0, years - 0.3)),
    Story(control_figures, 1.5, pace=lambda _, years: 6 * years),
)
