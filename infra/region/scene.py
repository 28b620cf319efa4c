"""How a story is told: reports to come, made from nothing but a seed, a country and a number."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from infra.region.countries import Facts
from shared.contracts.vocabulary import Country

T = TypeVar("T")
NAMESPACE = uuid.UUID("0d4ee86c-1b0c-5d55-8f6a-5f4d7a1c2003")
AT_ONCE = timedelta()
YEAR = timedelta(days=365.25)


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One report to come: who reports what, and when it happens."""

    due: datetime
    country: Country
    name: str
    id: str
    data: dict[str, Any]
    subject: str | None = None
    awaits: str = ""
    """The referral that the other country must accept first."""
    careless: bool = False
    """Sent as it is, by a system that does not check what it sends."""
    envelope: dict[str, Any] = {}
    """What a careless system gets wrong around the data."""

    def __lt__(self, other: "Step") -> bool:
        return (self.due, self.id) < (other.due, other.id)


def named_id(*parts: object) -> str:
    """Return the report id that these parts always give."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


@dataclass(slots=True)
class Scene:
    """Where and when a story begins; the same key always gives the same chances, names and ids."""

    facts: Facts
    now: datetime
    patience: timedelta
    """No step comes later than this: a story ends while somebody may still be watching."""
    key: str
    random: Random = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.key)  # noqa: S311 - invents people, guards nothing

    @property
    def country(self) -> Country:
        """The country that tells."""
        return self.facts.code

    def chance(self, share: float) -> bool:
        """Return true in that share of cases."""
        return self.random.random() < share

    def one(self, values: Sequence[T]) -> T:
        """Return any of the values."""
        return values[self.random.randrange(len(values))]

    def some(self, values: Sequence[T], most: int) -> list[T]:
        """Return one to `most` different values."""
        return self.random.sample(list(values), self.random.randint(1, min(most, len(values))))

    def pick(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, by weight."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def name(self, prefix: str) -> str:
        """Return a new pseudonym: `vic-1f0c…`."""
        return f"{prefix}-{self.random.getrandbits(48):012x}"

    def post(self) -> str:
        """Return one of the country's border posts."""
        return f"{self.country}-BCP-{self.random.randint(1, self.facts.posts)}"

    def days(self, least: float, most: float) -> timedelta:
        """Return a span between the two, cut to `patience`."""
        return min(timedelta(days=self.random.uniform(least, most)), self.patience)

    def day(self, ahead_days: int = 0) -> date:
        """Return today, or a day before or after it."""
        return (self.now + timedelta(days=ahead_days)).date()

    def report(
        self,
        name: str,
        data: dict[str, Any],
        *,
        after: timedelta = AT_ONCE,
        subject: str | None = None,
        by: Country | None = None,
    ) -> Step:
        """Return the story's next step, `after` its beginning, told by its country or `by` another."""
        self.steps += 1
        step_id = named_id(self.key, self.steps)
        return Step(due=self.now + after, country=by or self.country, name=name, id=step_id, data=data, subject=subject)


Tell: TypeAlias = Callable[[Scene], Iterator[Step]]
Pace: TypeAlias = Callable[[Facts, float], float]
"""(country, years played) -> how often the story may have been told there by then."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story with how often it is told."""

    tell: Tell
    weight: float
    pace: Pace | None = None
    """For what does not grow with the traffic: officials, laws, specimens. Without one, by weight alone."""
    growth: float = 1.0
    """Factor on the weight for each year played."""

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.tell.__name__


def person(scene: Scene, sexes: Mapping[str, float], minors: float) -> dict[str, str]:
    """Return sex and age band of somebody; unknown where the country's records are incomplete."""
    if not scene.chance(scene.facts.complete):
        return {"sex": scene.one(("unknown", scene.pick(sexes))), "age_band": "unknown"}
    return {"sex": scene.pick(sexes), "age_band": "minor" if scene.chance(minors) else "adult"}
