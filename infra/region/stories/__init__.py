"""What happens in the region: one function per story, and how countries answer what reaches their mailbox.

A new event type needs a function that yields it and a line in the `STORIES` of its service's module.
"""

from infra.region.scene import Story
from infra.region.stories import answers, faults, intel, legal, training, victims

STORIES: tuple[Story, ...] = (
    *intel.STORIES,
    *victims.STORIES,
    *legal.STORIES,
    *training.STORIES,
    *faults.STORIES,
)
ANSWERS = answers.ANSWERS
