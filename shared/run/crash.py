"""Crash points: where a test may end the process at once, to see that nothing is lost or doubled there.

Off unless `CRM_CRASH_AT` names one (`committed`, or `committed:3` for the third time past it); a service in production
refuses to start with it.
"""

import os
import signal

_wanted, _, _times = os.environ.get("CRM_CRASH_AT", "").partition(":")
_left = int(_times or 1)


def point(name: str) -> None:
    """End the process as `kill -9` would, if this is the point asked for."""
    global _left  # noqa: PLW0603 - one process, one crash
    if name != _wanted:
        return
    _left -= 1
    if not _left:
        os.kill(os.getpid(), signal.SIGKILL)


def asked() -> bool:
    """Tell whether a crash point is set."""
    return bool(_wanted)
