"""How a country answers what its mailbox brings: mostly, mostly in time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from infra.region.scene import AT_ONCE, Scene, Step
from infra.region.stories.care import reintegration
from infra.region.stories.courses import given
from infra.region.stories.legal import witness_of
from infra.region.stories.network import CLASSES, KINDS
from infra.region.stories.training import certified, officer_of
from infra.region.stories.victims import found_at
from shared.contracts import Event

Answer: TypeAlias = Callable[[Scene, Event[Any]], Iterator[Step]]


def referral_offered(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Accept the referral, at times late, reject it, or stay silent; who comes home needs a new start."""
    if not scene.chance(scene.facts.answers):
        return
    data = {"referral_id": event.data.referral_id, "reported_by": "consulate"}
    share = scene.random.uniform(1.1, 2.5) if scene.chance(0.08) else scene.random.uniform(0.05, 0.95)
    after = _before(scene, event.data.due, share)
    if scene.chance(0.86):
        accepted = {**data, "receiving_org": scene.pick({"shelter": 4, "child_welfare": 2, "ngo": 3})}
        yield scene.report("victims.referral.accepted", accepted, after=after)
        preview = getattr(event.data, "preview", None)  # or it is sealed, and victims did not answer
        sex = preview.sex if preview else "unknown"
        if scene.chance(0.75):
            home = after + scene.days(8, 25)
            yield from reintegration(scene, event.data.referral_id, scene.name("vic"), sex, home)
        if scene.chance(0.6):
            completed = {**data, "reported_by": "ngo"}
            yield scene.report("victims.referral.completed", completed, after=after + scene.days(30, 100))
    else:
        reason = scene.pick({"no_capacity": 4, "not_competent": 2, "incomplete": 3, "other": 1})
        yield scene.report("victims.referral.rejected", {**data, "reason": reason}, after=after)


def review_opened(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Review the protection of the case's witnesses, sometimes after the review was due."""
    if not scene.chance(scene.facts.answers):
        return
    data = {
        "witness_pid": witness_of(event.data.case_id),
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
        officer = officer_of(event.data.cert_id)
        yield certified(scene, event.data.topic, event.data.institution_type, scene.days(15, 80), officer)


def need_raised(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Train officers of the border post, or of any, in what it needs: a course, and certificates after it."""
    if not scene.chance(scene.facts.answers):
        return
    yield from given(scene, [event.data.topic], event.data.bcp or scene.post(), scene.days(3, 15))
    for _ in range(scene.random.randint(1, 3)):
        yield certified(scene, event.data.topic, "migration", scene.days(50, 80))


def place_reported(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Take note of a suspected place, and look at it."""
    if not scene.chance(scene.facts.answers) or not event.data.entity:
        return
    place = {"place_ref": event.data.entity, "reported_by": scene.pick({"police": 4, "labour_inspection": 2})}
    after = scene.days(0.2, 5)
    yield scene.report("intel.location.acknowledged", place, after=after)
    after += scene.days(2, 30)
    if scene.chance(0.45):
        found = {**place, "victims_found": scene.random.randint(0, 9)}
        yield scene.report("intel.location.verified", found, after=after)
        if found["victims_found"] and scene.chance(0.7):
            owner = f"{event.data.owner}:" if event.data.owner else ""
            yield found_at(scene, f"{owner}{event.data.entity}", after + scene.days(1, 10))
    elif scene.chance(0.6):
        yield scene.report("intel.location.cleared", place, after=after)


def information_requested(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Answer the request, or refuse it with a reason."""
    if not scene.chance(scene.facts.answers) or not (event.data.entity and event.data.country):
        return
    answer: dict[str, Any] = {
        "exchange_id": event.data.entity,
        "from": scene.country,
        "to": event.data.country,
        "info_class": scene.pick(CLASSES),
        "kind": scene.pick(KINDS),
        "reported_by": "police",
    }
    after = _before(scene, event.data.due, scene.random.uniform(0.05, 1.2)) if event.data.due else scene.days(1, 9)
    if scene.chance(0.85):
        yield scene.report("intel.information.answered", answer, after=after)
    else:
        refused = {**answer, "reason": scene.pick({"not_found": 3, "not_competent": 2, "not_lawful": 1})}
        yield scene.report("intel.information.refused", refused, after=after)


def information_shared(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Take in what another country gave, and tell it what it was good for."""
    if not (event.data.entity and event.data.country):
        return
    received = {
        "exchange_id": event.data.entity,
        "from": event.data.country,
        "to": scene.country,
        "info_class": scene.pick(CLASSES),
        "kind": scene.pick(KINDS),
        "gathered": scene.day(-scene.random.randint(1, 40)),
        "reported_by": "police",
    }
    after = scene.days(0.1, 4)
    yield scene.report("intel.information.received", received, after=after)
    if scene.chance(0.7):
        feedback = {"exchange_id": event.data.entity, "to": event.data.country, "useful": scene.chance(0.75)}
        feedback |= {"used_for": scene.one(("operation", "analysis", "border_check")), "reported_by": "police"}
        yield scene.report("intel.feedback.given", feedback, after=after + scene.days(1, 30))


def commitment_agreed(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Keep what was agreed: mostly, and mostly in time."""
    told = event.data.body is not None  # it presides, and somebody else owes it
    if not told and scene.chance(scene.facts.answers) and event.data.entity and event.data.due:
        kept = {"commitment_id": event.data.entity, "country": scene.country, "reported_by": "immigration"}
        after = _before(scene, event.data.due, scene.random.uniform(0.3, 1.2))
        yield scene.report("intel.commitment.fulfilled", kept, after=after)


def erasure_asked(scene: Scene, event: Event[Any]) -> Iterator[Step]:
    """Erase what was held under a consent, and say so."""
    if scene.chance(scene.facts.answers) and event.data.entity:
        erased = {"consent_id": event.data.entity, "victim_pid": scene.name("vic"), "reported_by": "consulate"}
        yield scene.report("victims.consent.erased", erased, after=scene.days(0.5, 20))


def _before(scene: Scene, due: datetime, share: float) -> timedelta:
    """Return that share of the time until it is due; at once when it is past."""
    return min(max(AT_ONCE, (due - scene.now) * share), scene.patience)


ANSWERS: Mapping[str, Answer] = {
    "victims.referral.offered": referral_offered,
    "legal.witness.review_opened": review_opened,
    "training.certification.staled": certificate_staled,
    "training.need.raised": need_raised,
    "intel.alert.issued/location_reported": place_reported,
    "intel.alert.issued/information_requested": information_requested,
    "intel.alert.issued/information_shared": information_shared,
    "intel.alert.issued/commitment_agreed": commitment_agreed,
    "victims.alert.issued/erase_data": erasure_asked,
}
