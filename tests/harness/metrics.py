"""The metrics that the processes export, found by asking their code; for tests of rules and dashboards."""

import re
from datetime import UTC, datetime
from functools import cache

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from services.indicators import servers
from services.indicators.figures.figures import EXACT
from services.indicators.folded import delay
from services.indicators.folded.state import State
from services.indicators.planned import plan
from services.indicators.publish.metrics import Indicators
from shared.ask import admission, questions
from shared.run import telemetry

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
PROMETHEUS_OWN = {"up"}


@cache
def known_metrics() -> frozenset[str]:
    """Every sample name that a query may use."""
    loaded = plan.load()
    empty = Indicators(
        loaded, lambda: State(loaded.digest), dict, lambda: datetime(2003, 5, 9, tzinfo=UTC), lambda: EXACT
    )
    own = [
        one
        for module in (telemetry, questions, admission, delay)
        for one in vars(module).values()
        if isinstance(one, MetricWrapperBase)
    ]
    process = ProcessCollector(registry=CollectorRegistry())
    families = [family for collector in (empty, process, *own) for family in collector.collect()]
    families += [*servers.streams([]), *servers.mailboxes([]), *servers.nats(None), *servers.postgres(None)]
    families += servers.kept(None)
    names = {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}
    return frozenset(names | PROMETHEUS_OWN)


def metrics_in(expr: str) -> set[str]:
    """The metrics that a PromQL expression names."""
    bare = re.sub(r"\{[^}]*\}", "", re.sub(r'"[^"]*"', '""', expr))
    return set(re.findall(r"\b(?:crm[_:]|process_)[a-z0-9_:]+|\bup\b", bare))


def selectors_in(expr: str) -> set[str]:
    """The metrics that a PromQL expression names, with what it wants of their labels."""
    return set(re.findall(r"\b(?:(?:crm[_:]|process_)[a-z0-9_:]+|up\b)(?:\{[^}]*\})?", expr))
