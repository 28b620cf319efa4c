"""How far the region got: kept in a file, so that the next run goes on where this one stopped."""

import heapq
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.region.scene import Step

SILENCE = timedelta(days=60)
"""How long the end of a story waits for the other country's word before it is given up."""


class Ledger(Struct):
    """What has been told, and what is still to come."""

    began: datetime
    """Plan time of the first run."""
    number: int = 0
    """Stories told."""
    told: dict[str, int] = {}
    """How often each story with a pace was told, by `story/country`."""
    pending: list[Step] = []
    """Steps to come, as a heap by due time."""
    waiting: dict[str, list[Step]] = {}
    """Steps that wait for another country's word, by referral."""
    sealing: list[Step] = []
    """Steps that are due, to be told sealed, in order."""

    def add(self, step: Step) -> None:
        """Keep a step until it is due, or until the word comes that it awaits."""
        if step.awaits:
            self.waiting.setdefault(step.awaits, []).append(step)
        else:
            heapq.heappush(self.pending, step)

    def next(self, now: datetime) -> Step | None:
        """Take the next step that is due."""
        return heapq.heappop(self.pending) if self.pending and self.pending[0].due <= now else None

    def answered(self, referral: str, now: datetime, *, accepted: bool) -> None:
        """Let what waited for this answer go on, not before the answer, or drop it."""
        steps = self.waiting.pop(referral, [])
        late = max([timedelta(), *(now - step.due for step in steps[:1])])
        for step in steps if accepted else []:
            heapq.heappush(self.pending, msgspec.structs.replace(step, due=step.due + late))

    def forget(self, now: datetime) -> None:
        """Give up what no answer came for."""
        self.waiting = {referral: steps for referral, steps in self.waiting.items() if steps[0].due > now - SILENCE}


def load(file: Path, now: datetime) -> Ledger:
    """Return the ledger of the last run, or a new one that begins now."""
    if not file.exists():
        return Ledger(now)
    return msgspec.json.decode(file.read_bytes(), type=Ledger)


def save(ledger: Ledger, file: Path) -> None:
    """Write the ledger; the file is never half written."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(ledger))
    fresh.replace(file)
