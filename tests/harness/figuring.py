"""The exact figures of an indicator, as some recorded events alone make them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from services.indicators.figures.figures import Figures, figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from shared.contracts import Event

PLAN = load()


def folded(row: str, events: Iterable[Event[Any]], today: date, *, as_of: bool = False) -> Figures:
    """All that is known by `today`; or (`as_of`) only what had happened by its end."""
    fold = Fold(PLAN)
    for event in events:
        fold.apply(event.name.partition(".")[0], event.sequence, msgspec.json.encode(event))
    return figures(PLAN, PLAN.rows[row], fold.state, Span.as_of(today) if as_of else Span.now(today), closed=None)
