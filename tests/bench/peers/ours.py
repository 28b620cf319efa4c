"""This system's part beside Pathway: the whole plan's fold over events in NDJSON; prints JSON: `ours.py EVENTS`."""

import json
import sys
import time
from pathlib import Path

from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load


def main() -> None:
    """Fold all there is, print."""
    begun, fold = time.process_time(), Fold(load())
    with Path(sys.argv[1]).open("rb") as lines:
        for sequence, line in enumerate(lines, 1):
            service = line.partition(b'"type":"crm.')[2].partition(b".")[0].decode()
            fold.apply(service, sequence, line)
    told = {
        "cpu_s": time.process_time() - begun,
        "events": sequence,
        "mb": held_mb(),
    }
    print(json.dumps(told))


def held_mb() -> float:
    """Return the most memory (MB) that this process has held; what `resource` tells has that of who started it."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
