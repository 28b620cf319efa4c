"""The witnesses of open cases, and those of them under protection (Plan row VA-6.1b).

No report names a witness without protection. So the witnesses of a case are those who ever came under protection in it,
and a witness whose protection ended while the case is open is one without. A case is open until it is resolved or its
proceedings are closed, as its latest report says; also where its opening was not reported.

What a report changes is how the numbers go with it less how they go without it, given all other reports on record. So
adding up gives the exact numbers of every day, in whatever order reports, corrections and retractions come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from services.legal import store
from services.legal.store import CaseAct
from shared.contracts import Data, Event
from shared.contracts.tallies import Step
from shared.database import Connection

WITNESSES, PROTECTED = "open_witnesses", "open_protected"
OPENING = ("opened", "protected", "reviewed")
Jumps: TypeAlias = Counter[tuple[datetime, str]]
"""(time, field of the number that changes then) -> by how much."""


async def on_case_act(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Say what the report changes of the numbers."""
    return [await counted(event, connection)]


async def counted(event: Event[Any], connection: Connection) -> Event[Any]:
    """Return a report of a case, its fact kept, with what it changes of the numbers."""
    _, others = await _acts(event, event.data, connection)
    return msgspec.structs.replace(event, data=_told(event, event.data, others))


async def amend_case_act(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Say what the report changed as it stood, judged by what is on record now, and what it changes as amended."""
    kept, others = await _acts(root, previous, connection)
    if kept:  # else it is older than the count
        previous = _told(root, previous, others)
    if new is not None:
        _, others = await _acts(root, new, connection)
        new = _told(root, new, others)
    return previous, new


async def _acts(event: Event[Any], data: Any, connection: Connection) -> tuple[bool, list[CaseAct]]:
    """Return whether a report is among the acts of the case that it names, and the others."""
    acts = await store.case_acts(connection, event.country, data.case_id)
    others = [one for one in acts if (one.event_id, one.source) != (event.id, event.source)]
    return len(others) < len(acts), others


def _told(event: Event[Any], data: Any, others: Sequence[CaseAct]) -> Any:
    """Return the data of a report with what it changes beside the other acts."""
    opens = event.name.rpartition(".")[2] in OPENING
    own = CaseAct(event.id, event.source, getattr(data, "witness_pid", None), event.time, opens)
    jumps = numbers([*others, own])
    jumps.subtract(numbers(others))
    steps = [(field, Step(at=at, by=by)) for (at, field), by in sorted(jumps.items()) if by]
    told = {name: tuple(step for field, step in steps if field == name) or None for name in (WITNESSES, PROTECTED)}
    return msgspec.structs.replace(data, **told)


def numbers(acts: Sequence[CaseAct]) -> Jumps:
    """Return how the numbers of one case go: its witnesses, and those under protection, while it is open."""
    is_open, protected, now = True, dict[str, bool](), {WITNESSES: 0, PROTECTED: 0}
    jumps: Jumps = Counter()
    # Of two at the same time, what ends comes last.
    for act in sorted(acts, key=lambda one: (one.at, not one.opens)):
        if act.witness is None:
            is_open = act.opens
        else:
            protected[act.witness] = act.opens
        before = now
        now = {WITNESSES: len(protected) * is_open, PROTECTED: sum(protected.values()) * is_open}
        jumps.update({(act.at, name): now[name] - before[name] for name in now})
    return jumps
