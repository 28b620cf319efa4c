"""The witnesses of open cases, and those of them under protection (Plan row VA-6.1b).

No report names a witness without protection. So the witnesses of a case are those who ever came under protection in it,
and a witness whose protection ended while the case is open is one without. A case is open until it is resolved or its
proceedings are closed, as its latest report says; also where its opening was not reported.

What a report changes is how the numbers go with it less how they go without it, given all other reports on record. So
adding up gives the exact numbers of every day, in whatever order reports, corrections and retractions come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from shared.contracts import Data
from shared.contracts.legal import (
    CaseResolved,
    ProceedingClosed,
    ProceedingOpened,
    WitnessEnded,
    WitnessProtected,
    WitnessReviewed,
)
from shared.contracts.tallies import Step
from shared.record.judgement import Judgement, Reading, Standing

WITNESSES, PROTECTED = "open_witnesses", "open_protected"
OPENING = ("opened", "protected", "reviewed")
Jumps: TypeAlias = Counter[tuple[datetime, str]]
"""(time, field of the number that changes then) -> by how much."""


@dataclass(frozen=True, slots=True)
class CaseAct:
    """A report that opens or closes a case, or (with `witness`) the protection of its witness."""

    witness: str | None
    at: datetime
    opens: bool


class Numbers(Judgement):
    """What a report changes of the numbers of its case."""

    reports = (CaseResolved, ProceedingClosed, ProceedingOpened, WitnessEnded, WitnessProtected, WitnessReviewed)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the case."""
        yield case(report.country, report.data.case_id)

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Say what it changes beside the case's other reports."""
        return _with_steps(report, _counted(report, read))

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Say it by what is on record now; a report that is older than the count never changed anything."""
        older = read.about(uncounted(report.country, report.data.case_id))
        if any(one.position == report.position for one in older):
            return report.data  # type: ignore[no-any-return]  # of any type
        return self.fill(report, read)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return nothing: it is told in the report."""
        del report, read
        return ()


def case(country: str, case_id: str) -> str:
    """Return the thing that a case is."""
    return f"case/{country}/{case_id}"


def uncounted(country: str, case_id: str) -> str:
    """Return the thing that the reports of a case are that are older than the count (migration 0008 says which)."""
    return f"uncounted/{country}/{case_id}"


def _counted(report: Standing[Any], read: Reading) -> list[CaseAct]:
    """Return what is counted of the case, without the report."""
    key = report.country, report.data.case_id
    older = {one.position for one in read.about(uncounted(*key))}
    return [_act(one) for one in read.about(case(*key)) if one.position not in older]


def _act(report: Standing[Any]) -> CaseAct:
    return CaseAct(getattr(report.data, "witness_pid", None), report.time, report.verb in OPENING)


def _with_steps(report: Standing[Any], others: Sequence[CaseAct]) -> Data:
    """Return the data of a report with what it changes beside the other acts."""
    jumps = numbers([*others, _act(report)])
    jumps.subtract(numbers(others))
    steps = [(field, Step(at=at, by=by)) for (at, field), by in sorted(jumps.items()) if by]
    told = {name: tuple(step for field, step in steps if field == name) or None for name in (WITNESSES, PROTECTED)}
    filled: Data = msgspec.structs.replace(report.data, **told)
    return filled


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
