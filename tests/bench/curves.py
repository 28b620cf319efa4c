"""The pictures of the benchmark suite, as SVG that reads in light and dark: a line for each series, or bars."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from tests.bench.figure import Figure, number

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 70, 230, 56, 46
HEIGHT = 340
BAR = 34
"""Pixels from one bar to the next."""
LOG_FROM = 30.0
"""Where the greatest value is so many times the least, the axis is logarithmic."""
APART = 16
"""Pixels between two lines' names at least."""
STYLE = """
svg { font: 13px system-ui, sans-serif } text { fill: #0b0b0b } .ground { fill: #fcfcfb } .quiet { fill: #52514e }
.title { font-weight: 600 }
.grid { stroke: #e1e0d9 } .c0 { color: #2a78d6 } .c1 { color: #eb6834 } .c2 { color: #1baf7a } .c3 { color: #8a4fc4 }
.line { fill: none; stroke: currentColor; stroke-width: 2 } .spread { stroke: currentColor; stroke-width: 1 }
.mark { fill: currentColor } .ink { stroke: #0b0b0b }
@media (prefers-color-scheme: dark) {
  text { fill: #ffffff } .ground { fill: #1a1a19 } .quiet { fill: #c3c2b7 } .grid { stroke: #2c2c2a }
  .c0 { color: #3987e5 } .c1 { color: #d95926 } .c2 { color: #199e70 } .c3 { color: #b48ae0 } .ink { stroke: #ffffff }
}
"""


def drawn(title: str, axis: str, figures: Sequence[Figure]) -> str:
    """Return the picture of one curve's figures: of those that have a place on an axis lines, else bars."""
    if all(one.at is not None for one in figures):
        return _whole(title, HEIGHT, _lines(axis, figures))
    return _whole(title, TOP + BAR * len(figures) + 16, _bars(figures))


def _whole(title: str, height: int, parts: Iterator[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
            _text(16, 24, title, "title"),
            *parts,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


class Scale:
    """From values to pixels, linear from 0 or by decades."""

    def __init__(self, values: Sequence[float], first: float, last: float, *, log: bool) -> None:
        least, most = min(values), max(values)
        self.log, self.first, self.last = log, first, last
        if log:
            self.low, self.high = math.floor(math.log10(least)), max(math.ceil(math.log10(most)), 1)
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0**power for power in range(self.low, self.high + 1)]
            return
        rough = most / 5 or 1
        power = 10 ** math.floor(math.log10(rough))
        step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough)
        self.low, self.high = 0, math.ceil(most / step) * step or 1
        self.ticks = [step * count for count in range(round(self.high / step) + 1)]

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        at = math.log10(value) if self.log else value
        return self.first + (at - self.low) / (self.high - self.low) * (self.last - self.first)


def _lines(axis: str, figures: Sequence[Figure]) -> Iterator[str]:
    places = sorted({one.at or 0 for one in figures})
    across = Scale(places, LEFT, WIDTH - RIGHT, log=len(places) > 1)
    across.low, across.high = math.log10(places[0]), math.log10(places[-1]) if len(places) > 1 else places[0] or 1
    values = [value for one in figures for value in (one.low, one.median, one.high)]
    up = Scale(values, HEIGHT - BOTTOM, TOP, log=min(values) > 0 and max(values) / min(values) > LOG_FROM)
    yield _text(16, TOP - 12, figures[0].unit, "quiet")
    for tick in up.ticks:
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        yield _text(LEFT - 8, up(tick) + 4, f"{tick:,.12g}", "quiet", "end")
    for place in places:
        yield _text(across(place), HEIGHT - BOTTOM + 18, f"{place:,.12g}", "quiet", "middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, axis, "quiet", "middle")
    names = list(dict.fromkeys(one.line for one in figures))
    ends = []
    for colour, name in enumerate(names):
        points = sorted((one for one in figures if one.line == name), key=lambda one: one.at or 0)
        yield f'<g class="c{colour % 4}">'
        spots = " ".join(f"{across(one.at or 0):.1f},{up(one.median):.1f}" for one in points)
        yield f'<polyline class="line" points="{spots}"/>'
        for one in points:
            x = across(one.at or 0)
            yield f'<line class="spread" x1="{x:.1f}" x2="{x:.1f}" y1="{up(one.low):.1f}" y2="{up(one.high):.1f}"/>'
            yield f'<circle class="mark" r="4" cx="{x:.1f}" cy="{up(one.median):.1f}"/>'
        yield "</g>"
        ends.append((up(points[-1].median), across(points[-1].at or 0), colour, f"{name}: {number(points[-1].median)}"))
    lowest = TOP - APART
    for y, x, colour, said in sorted(ends):
        lowest = max(y, lowest + APART)
        yield f'<g class="c{colour % 4}"><circle class="mark" r="4" cx="{x + 16:.1f}" cy="{lowest:.1f}"/></g>'
        yield _text(x + 25, lowest + 4, said)


def _bars(figures: Sequence[Figure]) -> Iterator[str]:
    long = Scale([one.high for one in figures] + [0], 16, WIDTH - 150, log=False)
    for row, one in enumerate(figures):
        y = TOP + row * BAR
        yield _text(16, y, one.line or one.name)
        yield '<g class="c0">'
        yield f'<rect class="mark" x="16" y="{y + 6}" height="10" width="{max(1, long(one.median) - 16):.1f}" rx="2"/>'
        yield "</g>"
        yield f'<line class="ink" x1="{long(one.low):.1f}" x2="{long(one.high):.1f}" y1="{y + 11}" y2="{y + 11}"/>'
        yield _text(long(one.high) + 8, y + 15, f"{number(one.median)} {one.unit}")
