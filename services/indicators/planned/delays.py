"""What rows may ask of any report, whatever its type: the service it went to, and how late the region knew of it."""

from bisect import bisect_left
from collections.abc import Mapping

from shared.contracts import SERVICES

MINUTE, HOUR, DAY = 60, 3600, 86_400
BOUNDS_S: Mapping[str, int] = {
    "1m": MINUTE,
    "10m": 10 * MINUTE,
    "1h": HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "7d": 7 * DAY,
    "14d": 14 * DAY,
    "30d": 30 * DAY,
    "60d": 60 * DAY,
    "90d": 90 * DAY,
    "180d": 180 * DAY,
    "365d": 365 * DAY,
}
"""A delay's word -> the most seconds that it stands for; in rising order. It is more than the word before it."""
LONGER = "longer"
"""The word of what took longer than all of them."""
WORDS = (*BOUNDS_S, LONGER)
ENVELOPE: Mapping[str, tuple[str, ...]] = {"delay": WORDS, "service": SERVICES}
"""Field -> its values. `delay` is the time from `time` to `recordedtime`."""
_BOUNDS = [*BOUNDS_S.values()]


def word(seconds: int) -> str:
    """Return the word of a delay in whole seconds."""
    return WORDS[bisect_left(_BOUNDS, seconds)]
