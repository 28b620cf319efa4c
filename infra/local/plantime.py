"""The plan clock of a local copy: where it starts, how fast it runs, and where it stopped last time."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.run.clock import Clock

FIRST_DAY = datetime(2003, 5, 9, tzinfo=UTC)
"""The day from which the Plan is played."""
PLAYING_SPEED = 86_400.0
"""One day a second."""


@dataclass(frozen=True)
class PlanTime:
    """A running clock and the file that remembers it between runs."""

    clock: Clock
    file: Path
    real: bool
    """It shows real time: no service needs to be told."""

    @classmethod
    def begin(cls, file: Path, asked: str, speed: float | None) -> "PlanTime":
        """Start the clock at `asked` (RFC 3339, `now`, or empty for the Plan's first day), or where it stopped.

        It never goes back: what is recorded stays in the past. ValueError when `asked` is no time.
        """
        now = datetime.now(UTC)
        wanted = now if asked == "now" else _parsed(asked) if asked else FIRST_DAY
        stopped = _parsed(json.loads(file.read_text())["shown"]) if file.exists() else wanted
        speed = speed or (1.0 if asked == "now" else PLAYING_SPEED)
        real = asked == "now" and speed == 1.0 and stopped <= now
        return cls(Clock(max(wanted, stopped), now, speed), file, real)

    def env(self) -> dict[str, str]:
        """Return what tells a process to show the same time."""
        if self.real:
            return {}
        return {
            "CRM_CLOCK_START": self.clock.start.isoformat(),
            "CRM_CLOCK_EPOCH": self.clock.epoch.isoformat(),
            "CRM_SPEED": str(self.clock.speed),
        }

    def remember(self) -> None:
        """Write down the time shown now; the file is never half written."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"shown": self.clock.now().isoformat()}))
        os.replace(fresh, self.file)  # noqa: PTH105 - atomic, and says so


def _parsed(text: str) -> datetime:
    """Return the instant; a bare date is its first moment in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"CLOCK is a time such as 2003-05-09T00:00:00Z, or now; not {text!r}") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
