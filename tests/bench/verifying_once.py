"""One run of `crm verify` for tests/bench/verifying.py, of the version that is on the path; prints JSON."""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

from infra.cli.verify import Part, _compared
from infra.recovery.recount import Witnessed
from shared.contracts import SERVICES

TICK = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def used(pid: int) -> float:
    """Seconds of processor time of a process and its children, those that ended among them."""
    total = 0.0
    for one in (pid, *children(pid)):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:13] if one != pid else fields[11:15])) / TICK
    return total


def own() -> float:
    kinds = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in kinds)


async def measured(given: dict) -> dict[str, float]:
    """All services' logs; but for one of them they are empty."""
    url, seed, principal = given["nats"]
    witnessed = Witnessed.of(Path(given["keys"]))
    servers_before = {name: used(pid) for name, pid in given["pids"].items()}
    own_before, begun = own(), time.perf_counter()
    found = await _compared((url, Path(seed), principal), given["database"], [*SERVICES], Part(), witnessed)
    took, own_after = time.perf_counter() - begun, own()
    await asyncio.sleep(1)  # the database's process of the session is gone: what it used is its parent's
    servers_after = {name: used(pid) for name, pid in given["pids"].items()}
    assert not [one["faults"] for one in found if one["faults"]], found
    rows = sum(one["rows"] for one in found)
    return {
        "rows_per_s": rows / took,
        "verify_us": (own_after - own_before) / rows * 1e6,
        **{f"{name}_us": (servers_after[name] - servers_before[name]) / rows * 1e6 for name in given["pids"]},
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(json.loads(sys.argv[1])))))
