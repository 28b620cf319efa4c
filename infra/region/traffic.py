"""The synthetic traffic: which story is told next, where, and what becomes of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from infra.region.countries import Facts, facts
from infra.region.ledger import Ledger
from infra.region.scene import YEAR, Scene, Step, Story
from infra.region.stories import ANSWERS, STORIES
from shared.contracts import Event
from shared.contracts.vocabulary import Country

GROWTH_YEARS = 3.0
"""After the Plan's two years and a little more, the mix of stories stays as it is."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The region's imagination; what it has told is in the ledger."""

    ledger: Ledger
    seed: int
    patience: timedelta
    places: tuple[Facts, ...] = field(default_factory=lambda: tuple(facts().values()))

    def take(self, now: datetime, number: int) -> list[Step]:
        """Return the next `number` steps that happen by `now`: what stories still owe, then new stories."""
        steps: list[Step] = []
        while len(steps) < number:
            step = self.ledger.next(now)
            heard = facts()[step.country].heard(now) if step else now
            if step and heard > now:
                self.ledger.add(msgspec.structs.replace(step, due=heard, awaits=""))
            elif step:
                steps.append(step)
            else:
                self._tell(now)
        return steps

    def hear(self, country: Country, event: Event[Any], now: datetime) -> None:
        """Take in what reached a country's mailbox: it may answer, or go on with what waited for it."""
        if event.name == "victims.alert.issued" and event.data.entity:
            kind = event.data.kind
            if kind in ("referral_accepted", "referral_rejected"):
                self.ledger.answered(event.data.entity, now, accepted=kind == "referral_accepted")
        key = f"{event.name}/{event.data.kind}" if event.name.endswith(".alert.issued") else event.name
        answer = ANSWERS.get(key)
        if answer and facts()[country].heard(now) == now:
            for step in answer(self._scene(facts()[country], now, event.id), event):
                self.ledger.add(step)

    def _tell(self, now: datetime) -> None:
        """Begin the next story: the number alone decides where, the number and what was told before decide which."""
        self.ledger.number += 1
        number = self.ledger.number
        turn = Random(f"{self.seed}/{number}")  # noqa: S311 - invents people, guards nothing
        speaking = [one for one in self.places if one.heard(now) == now]
        place = turn.choices(speaking, [one.traffic for one in speaking])[0]
        years = (now - self.ledger.began) / YEAR
        open_ = [story for story in STORIES if self._may_be_told(story, place, years)]
        grown = min(years, GROWTH_YEARS)
        story = turn.choices(open_, [one.weight * one.growth**grown for one in open_])[0]
        if story.pace:
            key = f"{story.name}/{place.code}"
            self.ledger.told[key] = self.ledger.told.get(key, 0) + 1
        for step in story.tell(self._scene(place, now, number)):
            self.ledger.add(step)

    def _may_be_told(self, story: Story, place: Facts, years: float) -> bool:
        if story.pace is None:
            return True
        return self.ledger.told.get(f"{story.name}/{place.code}", 0) + 1 <= story.pace(place, years)

    def _scene(self, place: Facts, now: datetime, key: object) -> Scene:
        return Scene(place, now, self.patience, f"{self.seed}/{place.code}/{key}")
