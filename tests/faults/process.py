"""A service's own process under test: a clock that the test can move, and defects put in on purpose.

`python -m tests.faults.process intel early_acknowledgement` runs the service as `python -m services.intel` does, with
one defect of `tests.faults.defects`. Nothing of this is in the services.
"""

import importlib
import mmap
import os
import struct
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import shared.run.clock
import shared.running
from shared.service import run

OFFSET = struct.Struct("dd")
"""What the file named by FAULTS_CLOCK holds: by how many seconds this process's clock is wrong, and the database's."""


def moved_clock(file: str) -> None:
    with Path(file).open("r+b") as held:
        offset = mmap.mmap(held.fileno(), OFFSET.size)
    honest = shared.running.astray_s

    def offsets() -> tuple[float, float]:
        return OFFSET.unpack(offset[: OFFSET.size])

    async def astray_s(queried) -> float:
        return await honest(queried) - offsets()[1]

    shared.run.clock.time = SimpleNamespace(time=lambda: time.time() + offsets()[0])
    shared.running.astray_s = astray_s


def main(name: str, *defects: str) -> None:
    if file := os.environ.get("FAULTS_CLOCK"):
        moved_clock(file)
    service = importlib.import_module(f"services.{name}.__main__").SERVICE
    if defects:
        known = importlib.import_module("tests.faults.defects")
        for defect in defects:
            if name in known.CONCERNS[defect]:
                service = getattr(known, defect)(service) or service
    run(service)


if __name__ == "__main__":
    main(*sys.argv[1:])
