"""Small numbers about victims stay unpublished, and so does what would give them away by subtraction.

Published are a tree of figures: the total, the region's figure per combination of labels, and each
country's. Whoever knows a sum and all but one of its parts knows the last one. So wherever parts are
hidden below a published sum, they are at least two, and together they are at least k themselves.

What is published is rounded to multiples of k, so that whoever compares two days, or two looks, never sees a
difference smaller than k.
"""

from collections.abc import Iterable, Mapping

from shared.contracts.vocabulary import REGION

K = 11
"""The least number of victims in a published cell (practice of the Counter Trafficking Data Collaborative)."""

Key = tuple[str, ...]
Counts = tuple[int, ...]
"""The numbers behind one cell (a count; or numerator and denominator): all are published or none."""


def rounded(counts: Counts, k: int = K) -> Counts:
    """Return each number as the nearest multiple of k."""
    return tuple((count + k // 2) // k * k for count in counts)


class Guard:
    """What of a row about victims stays unpublished."""

    def __init__(self, cells: Mapping[Key, Counts]) -> None:
        self._cells, self._sums, self.total = hidden(cells)

    def hides(self, key: Key) -> bool:
        """Say whether a cell (country, or `REG`, and labels) is left out."""
        return key[1:] in self._sums if key[0] == REGION else key in self._cells

    def hides_country(self, country: str) -> bool:
        """Say whether any cell of a country is left out."""
        return any(key[0] == country for key in self._cells)


def hidden(cells: Mapping[Key, Counts], k: int = K) -> tuple[set[Key], set[Key], bool]:
    """Return what stays unpublished: cells (country, *labels), regional sums (labels), and whether the total too."""
    regions: dict[Key, dict[Key, Counts]] = {}
    for key, counts in cells.items():
        regions.setdefault(key[1:], {})[key] = counts
    sums = {labels: added(parts.values()) for labels, parts in regions.items()}
    total = added(sums.values())
    if small(total, k) or not any(total):
        return set(cells), set(sums), True
    hidden_sums = _hide(sums, k)
    hidden_cells: set[Key] = set()
    for labels, parts in regions.items():
        # Below a hidden sum all is hidden: its parts would give it back.
        hidden_cells |= set(parts) if labels in hidden_sums else _hide(parts, k)
    return hidden_cells, hidden_sums, False


def added(parts: Iterable[Counts]) -> Counts:
    """Return the sums, place by place."""
    return tuple(sum(place) for place in zip(*parts, strict=True))


def small(counts: Counts, k: int = K) -> bool:
    """Say whether any of the numbers is too small to be published."""
    return any(0 < count < k for count in counts)


def _hide(parts: Mapping[Key, Counts], k: int) -> set[Key]:
    """Return the parts to hide below one published sum: the small ones, and the smallest others until that is safe."""
    out = {key for key, counts in parts.items() if small(counts, k)}
    others = sorted((key for key in parts if key not in out and any(parts[key])), key=lambda key: (parts[key], key))
    while out and (len(out) == 1 or small(added(parts[key] for key in out), k)):
        if not others:
            return set(parts)
        out.add(others.pop(0))
    return out
