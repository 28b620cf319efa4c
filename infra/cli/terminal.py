"""Ctrl-C under make: it is for us alone, so that make, which would call it a failure, does not see it."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1


@contextmanager
def ctrl_c_for_us() -> Iterator[None]:
    """Run the block in a process group of our own that has the terminal; without make or terminal, do nothing.

    Started by make, we also end with it: however make goes, nothing stays behind.
    """
    if "MAKELEVEL" not in os.environ:
        yield
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    ours = os.getpgrp()
    if not sys.stdin.isatty() or os.tcgetpgrp(0) != ours:
        yield
        return
    for number in (signal.SIGTTOU, signal.SIGTSTP):  # stopped, we would leave the terminal to nobody
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(0, ours)
