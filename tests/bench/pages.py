"""What scrape, board and API cost: kept, worked out anew as before figures were kept, and prometheus_client alone."""

import asyncio
import gc
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.publish.app import app
from services.indicators.publish.metrics import Indicators
from shared.run import garbage
from tests.bench.figure import Result, of
from tests.bench.reading import Folding, played

PAGES = {"scrape": "/metrics", "board": "/", "API, all indicators": "/api/indicators"}
EVENTS = (0, 1, 200)


async def asked(application: Callable, path: str) -> bytes:
    """Ask an application within this process; return what it answers."""
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": []}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}}
    body, status = [], 0

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        nonlocal status
        status = message.get("status", status)
        body.append(message.get("body", b""))

    await application(scope, receive, send)
    assert status == 200, (path, status)
    return b"".join(body)


def alone(text: str) -> CollectorRegistry:
    """Return a registry of prometheus_client's own that has as many series as a text, with the same labels."""
    registry, gauges = CollectorRegistry(), {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, *sorted(sample.labels)
            if key not in gauges:
                name = f"{sample.name}_{len(gauges)}"
                gauges[key] = Gauge(name, family.documentation or "-", sorted(sample.labels), registry=registry)
            one = gauges[key]
            (one.labels(**sample.labels) if sample.labels else one).set(sample.value)
    return registry


def pages(rounds: int) -> list[Result]:
    """Milliseconds of processor time, by how many events came since the last time, in turns with its peers."""
    rows = played()
    folding, found = Folding(rows), []
    folding.take(len(rows))
    view = folding.view()
    kept, plain = app(view), CollectorRegistry(auto_describe=False)
    plain.register(Indicators(view.plan, view.state, view.streams, view.now, view.closed[False]))
    loop = asyncio.new_event_loop()
    garbage.settle()  # as the service does with what stays

    def ms(work: Callable[[], object]) -> float:
        begun = time.process_time()
        work()
        return (time.process_time() - begun) * 1e3

    text = loop.run_until_complete(asked(kept, "/metrics")).decode()
    series = sum(not line.startswith("#") for line in text.splitlines())
    registry, where = alone(text), f"{series:,} series, the played region's two years"
    for name, path in PAGES.items():
        times: dict[str, list[float]] = {}
        loop.run_until_complete(asked(kept, path))  # the first one compiles templates
        for _ in range(rounds):
            for number in EVENTS:
                folding.take(number)
                times.setdefault(f"{name}, {number} events since", []).append(
                    ms(lambda path=path: loop.run_until_complete(asked(kept, path)))
                )
            anew = app(folding.view())
            former = times.setdefault(f"{name}, all worked out anew (the former way)", [])
            if name == "scrape":
                former.append(ms(lambda: generate_latest(plain)))
                own = times.setdefault(f"{name}, prometheus_client's own registry", [])
                own.append(ms(lambda: generate_latest(registry)))
            else:
                former.append(ms(lambda path=path, anew=anew: loop.run_until_complete(asked(anew, path))))
        found += [
            of("pages", what, "ms CPU", values, conditions=where, curve="pages", line=what)
            for what, values in times.items()
        ]
    loop.close()
    gc.unfreeze()
    return found
