"""What countries get wrong: reports corrected or retracted later, and now and then one that cannot be accepted."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from infra.region.scene import Scene, Step, Story, Tell
from infra.region.stories import documents, intel, laws, legal, training, victims
from shared.contracts.vocabulary import MEMBERS

AMENDED: tuple[tuple[Tell, str, tuple[Any, ...]], ...] = (
    (intel.false_document, "fraud_type", ("counterfeit", "data_alteration", "impostor")),
    (intel.place, "venue", ("factory", "hotel", "market")),
    (legal.arrest, "role", ("Transporter", "Leader", "Exploiter")),
    (victims.victim, "identified_by", ("ngo", "consulate", "immigration")),
    (training.enrolment_in_migration, "sex", ("female", "male")),
)
"""A story, and the field of its first report that is put right."""
CLOSED = ("sex", "offence", "role", "doc_code", "kind", "outcome", "topic", "detected_by", "institution_type")
Spoil = Callable[[Scene, Step], Step]


def second_thought(scene: Scene) -> Iterator[Step]:
    """Tell of a report that is corrected, or withdrawn, some days after."""
    tell, field, values = scene.one(AMENDED)
    first = next(tell(scene))
    yield first
    entity = first.name.rpartition(".")[0]
    said = {"supersedes": first.id, "reported_by": first.data["reported_by"]}
    if scene.chance(0.7):
        data = {**first.data, field: scene.one([value for value in values if value != first.data[field]])}
        yield scene.report(f"{entity}.corrected", {**said, "data": data}, after=scene.days(1, 12))
    else:
        reason = scene.pick({"mistaken": 5, "duplicate": 4, "unlawful": 1})
        yield scene.report(f"{entity}.retracted", {**said, "reason": reason}, after=scene.days(1, 12))


def withdrawn_lesson(scene: Scene) -> Iterator[Step]:
    """Tell of the lesson of an operation, which asks for training, taken back before anybody was trained."""
    data = {
        "operation_id": scene.name("op"),
        "kind": "ordinary",
        "rating": "regular",
        "lessons": ["technology_tools"],
        "reported_by": "immigration",
    }
    said = scene.report("intel.operation.evaluated", data)
    yield said
    retraction = {"supersedes": said.id, "reason": "duplicate", "reported_by": "immigration"}
    yield scene.report("intel.operation.retracted", retraction, after=scene.days(0.2, 2))


def withdrawn_amendment(scene: Scene) -> Iterator[Step]:
    """Tell of an amended law that was announced by mistake: what followed for certificates is taken back."""
    said = next(laws.amendment(scene))
    yield said
    retraction = {"supersedes": said.id, "reason": "mistaken", "reported_by": "legislature"}
    yield scene.report("legal.law.retracted", retraction, after=scene.days(3, 12))


def careless(scene: Scene) -> Iterator[Step]:
    """Tell of an old system that sends something without checking it first."""
    tell = scene.one((intel.false_document, intel.place, legal.arrest, legal.case, victims.victim, training.workforce))
    spoilt = scene.one(SPOILERS)(scene, next(tell(scene)))
    yield msgspec.structs.replace(spoilt, careless=True)


def _misspelt(_: Scene, step: Step) -> Step:
    wrong = next((name for name in CLOSED if name in step.data), "reported_by")
    return _said(step, {wrong: f"{step.data[wrong]}s"})


def _left_out(scene: Scene, step: Step) -> Step:
    missing = scene.one(("reported_by", *(name for name in CLOSED if name in step.data)))
    return msgspec.structs.replace(step, data={name: v for name, v in step.data.items() if name != missing})


def _added(_: Scene, step: Step) -> Step:
    return _said(step, {"remarks": "see file"})


def _mistyped(_: Scene, step: Step) -> Step:
    return msgspec.structs.replace(step, name=step.name.removesuffix("ed") + "d")


def _local_time(_: Scene, step: Step) -> Step:
    return msgspec.structs.replace(step, envelope={"time": step.due.replace(tzinfo=None).isoformat()})


def _elsewhere(scene: Scene, _: Step) -> Step:
    """Deposit another country's specimen."""
    other = scene.one([code for code in MEMBERS if code != scene.country])
    return _said(next(documents.specimen(scene)), {"issuing": other})


def _said(step: Step, data: dict[str, Any]) -> Step:
    return msgspec.structs.replace(step, data={**step.data, **data})


SPOILERS: tuple[Spoil, ...] = (_misspelt, _left_out, _added, _mistyped, _local_time, _elsewhere)

STORIES = (
    Story(second_thought, 3),
    Story(withdrawn_lesson, 0.3),
    Story(withdrawn_amendment, 2, pace=lambda _, years: 0.6 * years),
    Story(careless, 2),
)
