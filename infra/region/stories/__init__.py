"""What happens in the region: one function per story, and how countries answer what reaches their mailbox.

A new event type needs a function that yields it and a line in the `STORIES` of its service's module.
"""

from collections.abc import Mapping

from infra.region.scene import Story
from infra.region.stories import (
    answers,
    care,
    courses,
    documents,
    faults,
    integrity,
    intel,
    laws,
    legal,
    network,
    training,
    victims,
)

STORIES: tuple[Story, ...] = (
    *intel.STORIES,
    *documents.STORIES,
    *network.STORIES,
    *victims.STORIES,
    *care.STORIES,
    *legal.STORIES,
    *laws.STORIES,
    *training.STORIES,
    *courses.STORIES,
    *integrity.STORIES,
    *faults.STORIES,
)
ANSWERS = answers.ANSWERS
UNTOLD: Mapping[str, str] = {
    "legal.treaty.withdrawn": "treaty acts are real here, and nobody withdrew",
    "legal.treaty.reserved": "treaty acts are real here, and our record of them has no reservations",
    "indicators.key.added": "each country says it before anything else (infra/signing.py)",
    "indicators.key.revoked": "the played region's keys are nobody's secret",
}
"""Reported types that are not told, with the reason."""
