"""This system: the intel and indicators services as processes, one replica each, measured from outside."""

import asyncio
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.bench.reports import fill
from tests.harness.servers import Region
from tests.harness.system import System, free_port, until

SERIES = 'crm_events_total{country="GTM",entity="document",service="intel",verb="flagged"}'
LOOK_S = 0.25


async def rate(region: Region, number: int) -> float:
    """Return reports a second, from the first one recorded to the last one folded, start-up left out."""
    await fill(region, number)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        system = System(region, Path(folder))
        try:
            system.start("indicators", CRM_HTTP_PORT=str(port))
            await system.ready()
            system.start("intel")
            await until(lambda: folded(port), "the first report to be folded")
            first, begun = await asyncio.to_thread(folded, port), time.perf_counter()
            # Looking costs the fold time: seldom enough not to be measured itself.
            while await asyncio.to_thread(folded, port) < number:
                await asyncio.sleep(LOOK_S)
            return (number - first) / (time.perf_counter() - begun)
        finally:
            for name in list(system.processes):
                system.kill(name)


def folded(port: int) -> int:
    """Return how many of the reports the fold has counted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(SERIES):
                return int(float(line.rpartition(" ")[2]))
    return 0
