"""One process per state folder."""

import fcntl
import os
from pathlib import Path

from infra.local.process import StartError


def hold(state: Path) -> int:
    """Hold the state folder for as long as this process lives; StartError when another does. Return the descriptor."""
    descriptor = os.open(state / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode() or "unknown"
        os.close(descriptor)
        raise StartError(
            f"{state} is in use by a running copy (process {holder}); stop it, or set CRM_STATE_DIR to another folder"
        ) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
