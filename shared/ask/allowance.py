"""What one sender may ask of one process: so many questions a second, by what their answers cost."""

import time
from dataclasses import dataclass, field

ANSWER_BYTES = 32 * 1024
"""Bytes of an answer that count as one question more."""
DEBT_S = 2.0
"""Seconds' worth of questions that answers may cost beyond what there is; only then the next have to wait."""
TOLD_MAX = 50
"""How many more questions may be told to wait than are answered, until their sender is shut out."""
PAUSE_S, PAUSE_MAX_S = 1.0, 30.0
"""How long it is shut out the first time, and at most; each time in succession is twice the one before."""
QUIET_S = 60.0
"""Seconds after which a shut-out is forgotten."""
AGAIN = 20
"""Questions that are answered at once after a shut-out: it may go on as before."""


@dataclass(slots=True)
class Allowance:
    """The questions that one sender has left in one process."""

    per_s: int
    left: float = 0.0
    _filled: float = field(default_factory=time.monotonic)
    _told: int = 0
    _pause_s: float = 0.0
    _shut_until: float = float("-inf")

    def __post_init__(self) -> None:
        """Begin with a whole second's questions."""
        self.left = float(self.per_s)

    def wait_s(self, cost: int = 1) -> float:
        """Return 0 and count a question as `cost`; or return after how many seconds it may be asked again."""
        now = time.monotonic()
        if now < self._shut_until:
            return self._shut_until - now
        self._fill(now)
        if self.left >= 1:
            self.left -= cost
            self._told = max(0, self._told - 1)
            return 0.0
        self._told += 1
        if self._told < TOLD_MAX:
            return (1 - self.left) / self.per_s
        self.shut_out()
        return self._pause_s

    def charge(self, answer_bytes: int) -> None:
        """Count what an answer cost."""
        self.left -= answer_bytes / ANSWER_BYTES

    def owed_s(self) -> float:
        """Return 0; or, when shut out or far more was spent than there was, for how many seconds it is still so."""
        now = time.monotonic()
        if now < self._shut_until:
            return self._shut_until - now
        self._fill(now)
        return -self.left / self.per_s if self.left < -DEBT_S * self.per_s else 0.0

    def expected(self, within_s: float) -> int:
        """Return how many questions are to be heard until one looks again: those to answer and those to tell."""
        now = time.monotonic()
        if now < self._shut_until:
            return 0
        self._fill(now)
        return max(0, int(self.left)) + int(self.per_s * within_s) + TOLD_MAX

    def shut_out(self) -> None:
        """Answer and tell nothing more for a while; while that lasts, it changes nothing."""
        now = time.monotonic()
        if now < self._shut_until:
            return
        again = now < self._shut_until + QUIET_S
        self._pause_s = min(PAUSE_MAX_S, 2 * self._pause_s) if again else PAUSE_S
        self._shut_until = self._filled = now + self._pause_s
        self.left = min(AGAIN, self.left + self._pause_s * self.per_s)
        self._told = 0

    def _fill(self, now: float) -> None:
        if now > self._filled:
            self.left = min(self.per_s, self.left + (now - self._filled) * self.per_s)
            self._filled = now
