"""How exactly a figure is told: as briefly as may be, and never as if it met a target that it misses."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from services.indicators.figures.verdicts import MEETS

PLACES_MAX = 8
"""Decimals at most, of whatever a figure is told in."""


class Aim(Struct, frozen=True):
    """A target, and on which side of it one is to be."""

    target: float | None = None
    direction: str = "at_least"

    def met(self, value: Decimal) -> bool | None:
        """Say whether a figure meets it; None: there is none."""
        return None if self.target is None else MEETS[self.direction](float(value), self.target)


def told(values: Sequence[float], aim: Aim, places: int) -> tuple[list[Decimal], int]:
    """Return figures rounded to so many decimals, or to as many more as it takes, and how many these are.

    None is then on another side of the target than it is, and what differs still differs.
    """
    exact = [Decimal(repr(float(value))) for value in values]
    for many in range(places, PLACES_MAX + 1):
        found = [_rounded(one, many) for one in exact]
        if [*map(aim.met, found)] == [*map(aim.met, exact)] and len({*found}) == len({*exact}):
            return found, many
    away = ROUND_FLOOR if aim.direction in {"at_least", "above"} else ROUND_CEILING
    return [_rounded(one, places, away) for one in exact], places


def _rounded(value: Decimal, places: int, how: str = ROUND_HALF_EVEN) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=how)
