"""What the cells of a row are for the region: by labels, and in one figure."""

from collections.abc import Callable

import msgspec

from services.indicators.figures.kinds import Counted, Span, clean, counted, trend, upto, values_there
from services.indicators.figures.suppression import Counts, added
from services.indicators.folded.state import State
from services.indicators.folded.sums import Key
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from shared.contracts.vocabulary import MEMBERS


def regional(plan: Plan, row: Row, state: State, span: Span, cells: Counted) -> tuple[Counted, Counts | None]:
    """Return the region's numbers by labels, and those behind the row's one figure (None: no data)."""
    if row.kind == "distinct" and not row.each:
        values = {value for _, value in values_there(plan, row, state, span)}
        total = (len(values), row.of) if row.of else (len(values),)
        return {(): total}, total if cells or row.of else None
    combine = _latest if row.kind == "age" else added
    if row.once:
        span = msgspec.structs.replace(span, region=True)
        parts = counted(plan, row, state, span)
    else:
        parts = _told_once(plan, row, state, span, cells)
    by_labels: dict[Key, list[Counts]] = {}
    for key, counts in parts.items():
        by_labels.setdefault(key[1:], []).append(counts)
    none = (0,) if clean(plan, row, state, span) else None
    summed = _one(plan, row, state, span) or _headline(row, parts, combine) or none
    return {labels: combine(those) for labels, those in by_labels.items()}, summed


def _one(plan: Plan, row: Row, state: State, span: Span) -> Counts | None:
    """Return what the row's one figure counts, where a thing stands in more than one cell; None: nothing says so."""
    if row.kind == "trend":
        compared = [*trend(plan, row, state, span, "one").values()]
        return added(compared) if compared else None
    amounts = [amount for _, amount in upto(plan, row, "one", state, span)]
    return (sum(amounts),) if amounts else None


def _told_once(plan: Plan, row: Row, state: State, span: Span, cells: Counted) -> Counted:
    """Return the cells that make up the region: where there are terms for it, what those count for their labels."""
    once = {key: (amount,) for key, amount in upto(plan, row, "region", state, span)}
    replaced = {key[1:] for key in once}
    return {key: counts for key, counts in cells.items() if key[1:] not in replaced} | once


def _latest(parts: list[Counts]) -> Counts:
    return min(parts)


def _headline(row: Row, cells: Counted, combine: Callable[[list[Counts]], Counts]) -> Counts | None:
    names = list(row.labels)
    wanted = [(1 + names.index(name), value) for name, value in row.headline.items()]
    chosen = {key: n for key, n in cells.items() if all(key[place] == value for place, value in wanted)}
    if not chosen:
        return None
    if row.kind == "countries" and row.every:
        return (sum(all((country, value) in chosen for value in row.every) for country in MEMBERS),)
    if row.kind == "countries":
        return (len({key[0] for key in chosen}),)
    return combine(list(chosen.values()))
