"""What scrape, board and API cost, and figures of other times.

Beside them: all worked out anew, as before figures were kept, and prometheus_client alone.
"""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.planned.plan import load
from services.indicators.publish.app import app
from services.indicators.publish.metrics import Indicators
from shared.run import garbage
from tests.bench.figure import Result, of, percentile
from tests.bench.fold import events, fed
from tests.bench.reading import Folding, played, spread

PAGES = {"scrape": "/metrics", "board": "/", "API, all indicators": "/api/indicators"}
EVENTS = (0, 1, 200)
TEN = 10
QUARTERS = ("01-01 03-31", "04-01 06-30", "07-01 09-30", "10-01 12-31")
PERIODS = [[f"{year}-{day}" for day in quarter.split()] for year in (2003, 2004) for quarter in QUARTERS]


async def asked(application: Callable, path: str) -> bytes:
    """Ask an application within this process; return what it answers."""
    path, _, query = path.partition("?")
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": []}
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


def times(rounds: int) -> Iterator[Result]:
    """Milliseconds by the clock of one look, an event before each: at now, at other times, at ten years by month.

    Rows, days and quarters are drawn; a row that is made of others needs all of them.
    """
    plan, chance = load(), random.Random(1)
    ten = spread(events(fed(plan), plan), TEN)
    row = lambda: chance.choice([*plan.rows])  # noqa: E731
    day = lambda: chance.choice(PERIODS)[1]  # noqa: E731
    looks = {
        "board": lambda: "/",
        "API, all indicators": lambda: "/api/indicators",
        "API, one": lambda: f"/api/indicators/{row()}",
        "a series by month": lambda: f"/api/indicators/{row()}/series?by=month&since=1995-04-01&until=2005-03-31",
        "all, as of a day": lambda: f"/api/indicators?as_of={day()}",
        "all, known on its day": lambda: f"/api/indicators?as_of={(last := day())}&known_on={last}",
        "all, of a period": lambda: "/api/indicators?since={}&until={}".format(*chance.choice(PERIODS)),
    }
    for where, rows in (("the played region's two years", played()), ("20,000 events in ten years", ten)):
        folding = Folding(rows)
        folding.take(len(rows))
        ask = app(folding.view())
        garbage.settle()
        # Not by asyncio.Runner: it writes out each answer as it puts back who hears of Ctrl-C.
        loop = asyncio.new_event_loop()
        for name, path in looks.items():
            took = []
            loop.run_until_complete(asked(ask, path()))  # the first one compiles templates
            for _ in range(rounds):
                folding.take(1)
                begun = time.perf_counter()
                loop.run_until_complete(asked(ask, path()))
                took.append((time.perf_counter() - begun) * 1e3)
            yield of("times", f"{name}, {where}", "ms", took, conditions=f"p99 {percentile(took, 0.99):.1f} ms")
        loop.close()
        gc.unfreeze()


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
