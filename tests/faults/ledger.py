"""The ledger, outside the system: what every publisher tried, what it was told, and what that lets it expect."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

GOOD, ANSWER, CORRECTION, POISON = "good", "answer", "correction", "poison"
"""A report that must be recorded; one that may come too late and is then refused; an amendment; rubbish."""


@dataclass
class Report:
    """One report and its fate as the publisher knows it."""

    id: str
    """For poison: the mark in its bytes."""
    country: str
    kind: str
    name: str
    source: str
    data: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    """The report that it amends or answers."""
    attempts: int = 0
    acknowledged: list[int] = field(default_factory=list)
    """Sequences in its intake, one for each acknowledgement (0: one of a batch, whose last only is told)."""

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]

    @property
    def key(self) -> tuple[str, str]:
        return self.id, self.source


class Ledger:
    """All reports by key, and a line in a file for each attempt and each answer, written before anything else."""

    def __init__(self, file: Path) -> None:
        self.reports: dict[tuple[str, str], Report] = {}
        self._file = file.open("w", buffering=1)
        self._begun = time.monotonic()

    def close(self) -> None:
        self._file.close()

    def attempt(self, reports: list[Report]) -> None:
        for one in reports:
            self.reports.setdefault(one.key, one)
            one.attempts += 1
        self._note("attempt", reports)

    def acknowledge(self, reports: list[Report], sequence: int) -> None:
        for one in reports:
            one.acknowledged.append(sequence if len(reports) == 1 else 0)
        self._note("acknowledged", reports, sequence=sequence)

    def unknown(self, reports: list[Report], error: Exception) -> None:
        self._note("unknown", reports, error=type(error).__name__)

    def fault(self, what: str, **more: Any) -> None:
        """Note what was done to the system, so that the file tells the whole story."""
        self._write({"what": "fault", "fault": what, **more})

    def of(self, *kinds: str) -> list[Report]:
        return [one for one in self.reports.values() if one.kind in kinds]

    def counts(self) -> dict[str, int]:
        """Return figures to print."""
        every = list(self.reports.values())
        return {
            "reports": len(every),
            "attempts": sum(one.attempts for one in every),
            "acknowledged": sum(1 for one in every if one.acknowledged),
            "unknown": sum(1 for one in every if not one.acknowledged),
            "repeated": sum(1 for one in every if len(one.acknowledged) > 1),
            **{kind: len(self.of(kind)) for kind in (GOOD, ANSWER, CORRECTION, POISON)},
        }

    def _note(self, what: str, reports: list[Report], **more: Any) -> None:
        for one in reports:
            told = asdict(one) if one.attempts == 1 and what == "attempt" else {"id": one.id, "source": one.source}
            self._write({"what": what, **told, **more})

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps({"at_s": round(time.monotonic() - self._begun, 3), **entry}, default=str) + "\n")
