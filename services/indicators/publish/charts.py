"""Curves as SVG: where the points of a chart lie, and what is written beside them."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from services.indicators.publish.words import STEPS, TIME, Words

WIDTH, HEIGHT = 640, 200
"""The drawing's own units."""
LEFT, RIGHT, TOP, BOTTOM = 70, 34, 12, 28
"""Room for what is written around the curve."""
TICKS = 4
"""At most so many lines above the lowest one."""
NAMES_MAX = 8
"""So many points have their name below the curve."""
Point = tuple[str, float | None]
"""(what it is called, its figure; None: no data, or not published)"""


def curve(  # noqa: PLR0913 - all that a curve is drawn of
    said: Words,
    unit: str,
    points: Sequence[Point],
    target: float | None = None,
    baseline: float | None = None,
    *,
    decimals: int = 1,
    running: bool = False,
) -> dict[str, Any] | None:
    """Return a curve through `points`, broken where there is no figure; None: fewer than two points have one.

    `baseline`: what a trend is a multiple of. `running`: the last point's period is not over; the way to it is dashed,
    so that nobody takes half a quarter for a fall.
    """
    known = [value for _, value in points if value is not None]
    if len(known) < len(("one", "another")):
        return None
    step, low, high = _scale([*known, *(one for one in (target, baseline) if one is not None)], unit)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    def x(number: int) -> float:
        return round(LEFT + number / max(1, len(points) - 1) * (WIDTH - LEFT - RIGHT), 1)

    placed = [(number, value) for number, (_, value) in enumerate(points)]
    over = placed[:-1] if running else placed
    so_far = placed[-2:] if running and all(value is not None for _, value in placed[-2:]) else []
    runs = [[*run] for there, run in groupby(over, key=lambda one: one[1] is not None) if there]
    every = math.ceil(len(points) / NAMES_MAX)

    def line(run: Sequence[tuple[int, float | None]]) -> str:
        return " ".join(f"{x(number)},{y(value)}" for number, value in run if value is not None)

    return {
        "lines": [line(run) for run in runs],
        "so_far": line(so_far),
        "dots": [
            {
                "x": x(number),
                "y": y(value),
                "said": f"{name}{said.text['colon']} {said.number(value, unit, decimals=decimals)}",
                "running": running and number == len(points) - 1,
            }
            for number, (name, value) in enumerate(points)
            if value is not None
        ],
        "target": None if target is None else y(target),
        "baseline": None if baseline is None else y(baseline),
        "ticks": [
            {"y": y(at), "said": said.number(at, unit if at or unit != TIME else "", short=True, decimals=decimals)}
            for at in (low + number * step for number in range(round((high - low) / step) + 1))
        ],
        "names": [{"x": x(number), "said": name} for number, (name, _) in enumerate(points) if number % every == 0],
    }


SMALL_WIDTH, SMALL_HEIGHT = 120, 36


def small(line: Sequence[float | None], top: float) -> dict[str, Any]:
    """Return a curve without words, from 0 to `top` whether that lies above or below, and the place of its end."""
    low, high = min(0.0, *(value for value in line if value is not None)), max(top, 1e-9)

    def at(number: int, value: float) -> tuple[float, float]:
        x = 3 + number / max(1, len(line) - 1) * (SMALL_WIDTH - 6)
        return round(x, 1), round(SMALL_HEIGHT - 3 - (value - low) / (high - low) * (SMALL_HEIGHT - 6), 1)

    placed = [(number, value) for number, value in enumerate(line)]
    runs = [[*run] for there, run in groupby(placed, key=lambda one: one[1] is not None) if there]
    points = [[at(number, value) for number, value in run if value is not None] for run in runs]
    return {"paths": [" ".join(f"{x},{y}" for x, y in run) for run in points], "end": points[-1][-1]}


def _scale(values: Sequence[float], unit: str) -> tuple[float, float, float]:
    """Return (step, lowest, highest) of an axis: 1, 2 or 5 times a power of ten a step, with 0 on it.

    Of a time so many whole days, or hours where it is less than two days, and so on: that is said in few words.
    """
    if unit == TIME:
        span = max(0.0, *values) - min(0.0, *values)
        length = next((one for _, one, _ in STEPS if span >= 2 * one), 1)
        step, low, high = _scale([value / length for value in values], "")
        whole = max(1.0, step)
        return whole * length, math.floor(low / whole) * whole * length, math.ceil(high / whole) * whole * length
    low, high = min(0.0, *values), max(0.0, *values)
    rough = (high - low) / TICKS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough * (1 - 1e-9))
    return step, math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step or step
