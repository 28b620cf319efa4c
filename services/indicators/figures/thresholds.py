"""Targets reached, and lost again: told once each time, by the figures that are published."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from services.indicators.figures.figures import Figures
from services.indicators.figures.verdicts import meets
from services.indicators.planned.rows import Row


class Crossing(Struct, frozen=True):
    """The region's figure of a row came to its target, or fell behind it again."""

    row: Row
    old: float
    new: float


def crossings(found: Iterable[Figures], told: Mapping[str, float]) -> list[Crossing]:
    """Return the rows that are on another side of their target than when it was last `told` (row -> its figure then).

    A row of which nothing was told counts as not met; one without a publishable figure is left as it is.
    """
    crossed = []
    for one in found:
        value = one.headline.value if one.headline else None
        if value is None or one.met is None:
            continue
        before = told.get(one.row.id)
        if one.met != bool(meets(one.row, before)):
            crossed.append(Crossing(one.row, before or 0.0, value))
    return crossed
