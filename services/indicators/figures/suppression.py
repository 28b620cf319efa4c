"""Small numbers of persons stay unpublished, and so does what would give them away by subtraction.

Published are a tree of figures: the total, the region's figure per combination of labels, and each
country's. Whoever knows a sum and all but some of its parts knows how much these are together. So wherever parts are
hidden below a published sum, they are at least k together. Parts of 0 are hidden like all small ones, whether anything
was ever reported of them or not: so nobody can tell whether what is hidden is one part that is large enough, or many.

What is published is rounded to multiples of the rule's base, so that whoever compares two periods, or a sum and its
parts, never sees a difference smaller than that.
"""

from collections.abc import Iterable, Mapping

from services.indicators.planned.persons import Rule
from shared.contracts.vocabulary import MEMBERS, REGION

RULE = Rule()
Key = tuple[str, ...]
Counts = tuple[int, ...]
"""The numbers behind one cell (a count; or numerator and denominator): all are published or none."""


def rounded(counts: Counts, rule: Rule = RULE) -> Counts:
    """Return each number as the nearest multiple of the base; 0 for what is too small to be published."""
    base = rule.base
    return tuple((count + base // 2) // base * base if count >= rule.k else 0 for count in counts)


class Guard:
    """What of a row about persons stays unpublished."""

    def __init__(self, cells: Mapping[Key, Counts], rule: Rule = RULE) -> None:
        self.rule = rule
        self._cells, self._sums, self.total = hidden(cells, rule.k)

    def hides(self, key: Key) -> bool:
        """Say whether a cell (country, or `REG`, and labels) is left out."""
        return key[1:] in self._sums if key[0] == REGION else key in self._cells

    def small(self, counts: Counts) -> bool:
        """Say whether any of the numbers is too small to be published."""
        return small(counts, self.rule.k)


def hidden(cells: Mapping[Key, Counts], k: int = RULE.k) -> tuple[set[Key], set[Key], bool]:
    """Return what stays unpublished: cells (country, *labels), regional sums (labels), and whether the total too."""
    regions: dict[Key, dict[Key, Counts]] = {}
    for key, counts in cells.items():
        regions.setdefault(key[1:], {})[key] = counts
    sums = {labels: added(parts.values()) for labels, parts in regions.items()}
    total = added(sums.values())
    if not total or small(total, k):
        return set(cells), set(sums), True
    # Of labels there may be more than anybody has reported of; of countries there are so many.
    hidden_sums = _hide(sums, k, all_told=sums.keys() == {()})
    hidden_cells: set[Key] = set()
    for labels, parts in regions.items():
        # Below a hidden sum all is hidden: its parts would give it back.
        every = {key[0] for key in parts} >= {*MEMBERS}
        hidden_cells |= set(parts) if labels in hidden_sums else _hide(parts, k, all_told=every)
    return hidden_cells, hidden_sums, False


def added(parts: Iterable[Counts]) -> Counts:
    """Return the sums, place by place."""
    return tuple(map(sum, zip(*parts, strict=True)))


def small(counts: Counts, k: int = RULE.k) -> bool:
    """Say whether any of the numbers is too small to be published; 0 is."""
    return min(counts) < k


def _hide(parts: Mapping[Key, Counts], k: int, *, all_told: bool) -> set[Key]:
    """Return the parts to hide below one published sum: the small ones, and the smallest others until that is safe.

    `all_told`: there are no other parts; else those that are not told are 0, and hidden.
    """
    out = {key for key, counts in parts.items() if small(counts, k)}
    if all_told and not out:
        return out
    others = sorted((key for key in parts if key not in out), key=lambda key: (parts[key], key))
    # Never one alone, which would be the difference: where not all are told, there is another in any case.
    while not out or (all_told and len(out) == 1) or small(added(parts[key] for key in out), k):
        if not others:
            return set(parts)
        out.add(others.pop(0))
    return out
