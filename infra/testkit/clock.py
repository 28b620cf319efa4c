"""A clock that a test sets forward, for all processes of its system at once."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.run.clock import Clock

START = datetime(2004, 3, 1, 12, tzinfo=UTC)
"""Where a fresh system's clock starts: behind the dates in the contracts' examples."""
UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
SPAN = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")


def span(text: str | timedelta) -> timedelta:
    """Return how long a text such as "3d", "8h" or "1d12h" says (weeks, days, hours, minutes, seconds).

    ValueError where it says nothing of the kind.
    """
    if isinstance(text, timedelta):
        return text
    found = SPAN.findall(text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise ValueError("a span of time is written as 3d, 8h, 90m or 1d12h")
    return sum((timedelta(**{UNITS[unit]: float(number)}) for number, unit in found), timedelta())


@dataclass
class SetClock:
    """Runs as fast as real time does, and is set forward by a file that all processes look at."""

    file: Path
    """Its content: how far (plan seconds) the clock is set forward."""
    start: datetime = START
    epoch: datetime = field(default_factory=lambda: datetime.now(UTC))
    ahead_s: float = 0.0
    _clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self._clock = Clock(self.start, self.epoch, 1.0, self.file)
        self._write()

    def now(self) -> datetime:
        """Return what all processes of the system take for the present."""
        return self._clock.now()

    def env(self) -> dict[str, str]:
        """Return the settings of a process that looks at this clock."""
        return {
            "CRM_CLOCK_START": self.start.isoformat(),
            "CRM_CLOCK_EPOCH": self.epoch.isoformat(),
            "CRM_CLOCK_AHEAD_FILE": str(self.file),
        }

    def set_forward(self, by: timedelta) -> None:
        """Set it forward at once; it never goes back."""
        self.ahead_s += max(0.0, by.total_seconds())
        self._write()

    def _write(self) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self.ahead_s))
        fresh.replace(self.file)
