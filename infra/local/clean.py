"""`make clean`: take away a copy's data, wherever they lie. Needs nothing but Python, so that it always works."""

import shutil
import sys
from pathlib import Path

from infra.local.lock import hold
from infra.local.postgres import remove
from infra.local.process import StartError


def clean(state: Path) -> None:
    """Remove the state folder and what it recorded to lie elsewhere; StartError while a copy runs on it."""
    if not state.exists():
        return
    if not (state / "lock").exists():
        raise StartError(f"{state} is not a state folder of this system: left as it is")
    hold(state)
    remove(state / "postgres")
    shutil.rmtree(state)


if __name__ == "__main__":
    try:
        clean(Path(sys.argv[1]))
    except StartError as error:
        sys.exit(str(error))
