"""The training service on a machine whose clock is off by the seconds in the file `SHIFT_FILE`."""

import os
import runpy
import time
from pathlib import Path

_real = time.time


def shifted() -> float:
    return _real() + float(Path(os.environ["SHIFT_FILE"]).read_text())


if __name__ == "__main__":
    time.time = shifted
    runpy.run_module("services.training", run_name="__main__")
