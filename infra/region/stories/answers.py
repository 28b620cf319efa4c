"""How a country answers what its mailbox brings: mostly, mostly in time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from infra.region.scene import AT_ONCE, Scene, Step
from infra.region.stories.training import certified
from shared.contracts import Event

Answer: TypeAlias = Callable[[Scene, Event[Any]], Iterator[Step]]


def referral_offered(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Accept the referral, reject it, or stay silent."""
    if not scene.chance(scene.facts.answers):
        return
    data = {"referral_id": event.data.referral_id, "reported_by": "consulate"}
    after = _before(scene, event.data.due, scene.random.uniform(0.05, 0.95))
    if scene.chance(0.86):
        accepted = {**data, "receiving_org": scene.pick({"shelter": 4, "child_welfare": 2, "ngo": 3})}
        yield scene.report("victims.referral.accepted", accepted, after=after)
    else:
        reason = scene.pick({"no_capacity": 4, "not_competent": 2, "incomplete": 3, "other": 1})
        yield scene.report("victims.referral.rejected", {**data, "reason": reason}, after=after)


def review_opened(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Review the protection of the case's witnesses, sometimes after the review was due."""
    if not scene.chance(scene.facts.answers):
        return
    data = {
        "witness_pid": scene.name("wit"),
        "case_id": event.data.case_id,
        "measures": scene.some(("relocation", "escort", "identity_protection", "remote_testimony"), 2),
        "risk_level": scene.pick({"low": 4, "medium": 4, "high": 2, "extreme": 0.3}),
        "next_review": scene.day(180),
        "reported_by": "prosecution",
    }
    after = _before(scene, event.data.due, scene.random.uniform(0.1, 1.15))
    yield scene.report("legal.witness.reviewed", data, after=after)


def certificate_staled(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Certify the officer anew, on the law as it is now."""
    if scene.chance(0.7):
        yield certified(scene, event.data.topic, event.data.institution_type, scene.days(15, 80))


def need_raised(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Train officers of the border post in what it needs."""
    for _ in range(scene.random.randint(1, 3)):
        yield certified(scene, event.data.topic, "migration", scene.days(10, 60))


def _before(scene: Scene, due: datetime, share: float) -> timedelta:
    """Return that share of the time until it is due; at once when it is past."""
    return min(max(AT_ONCE, (due - scene.now) * share), scene.patience)


ANSWERS: Mapping[str, Answer] = {
    "victims.referral.offered": referral_offered,
    "legal.witness.review_opened": review_opened,
    "training.certification.staled": certificate_staled,
    "training.need.raised": need_raised,
}
