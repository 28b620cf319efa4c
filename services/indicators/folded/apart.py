"""Streams folded side by side, in processes of their own, from the archive and the streams; and put together.

A process (`services/indicators/folding.py`) folds some streams up to given sequences at least, tells on its standard
output how many events it has folded, and leaves the state in a file.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.indicators.folded.merging import merge
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from shared.service import ended

EVENTS_MIN = 50_000
"""Fewer are folded in less time than a process needs to start."""
PROCESSES_MAX = 4
PROGRAM = "services.indicators.folding"
CANCEL_S = 5.0


class ApartError(RuntimeError):
    """A process did not leave a state."""


@dataclass(frozen=True)
class Apart:
    """How to have streams folded in processes of their own."""

    plan: Plan
    env: Mapping[str, str]
    """The settings (`CRM_…`) of the indicators service."""
    archive: Path | None = None
    """Where closed months are, of which the streams may be rid (shared/record/archive.py)."""
    processes: int = min(os.cpu_count() or 1, PROCESSES_MAX)

    async def folded(self, streams: Mapping[str, int], told: Callable[[int], None]) -> State:
        """Return the state of these streams (service -> sequence); `told` is given how many events are folded by now.

        Raises ApartError when a process fails, StateError when it folds with another plan.
        """
        groups = shared_out(streams, self.processes)
        counts = [0] * len(groups)

        def counting(number: int) -> Callable[[int], None]:
            def count(folded: int) -> None:
                counts[number] = folded
                told(sum(counts))

            return count

        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / str(number) for number, _ in enumerate(groups)]
            tasks = [
                asyncio.create_task(self._process(file, group, counting(number)))
                for number, (file, group) in enumerate(zip(files, groups, strict=True))
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                await ended(tasks, CANCEL_S)
            state = State(self.plan.digest)
            for file in files:
                merge(state, State.load(file.read_bytes(), self.plan.digest))
                await asyncio.sleep(0)
        return state

    async def _process(self, file: Path, group: Mapping[str, int], told: Callable[[int], None]) -> None:
        words = [f"{service}={sequence}" for service, sequence in group.items()]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAM, str(file), *words),
            env={**os.environ, **self.env} | ({"CRM_ARCHIVE": str(self.archive)} if self.archive else {}),
            stdin=asyncio.subprocess.PIPE,  # its end tells the process that this one is gone
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                if line.startswith(b"folded "):
                    told(int(line.split()[1]))
            if code := await process.wait():
                raise ApartError(f"the process that folds {', '.join(group)} ended with {code}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def shared_out(streams: Mapping[str, int], processes: int) -> list[dict[str, int]]:
    """Share the streams out so that each process has about as many events; the longest go first."""
    groups: list[dict[str, int]] = [{} for _ in range(min(processes, len(streams)))]
    for service, sequence in sorted(streams.items(), key=lambda one: (-one[1], one[0])):
        min(groups, key=lambda group: sum(group.values()))[service] = sequence
    return groups
