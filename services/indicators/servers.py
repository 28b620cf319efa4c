"""What NATS and PostgreSQL say of themselves, for Prometheus: sizes, what is unread, errors, locks.

Neither has Prometheus metrics of its own. Of all processes this one asks both, and it runs once.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.flow.bus import LOST
from shared.flow.meddling import listed
from shared.flow.streams import MAILBOX
from shared.run import upkeep
from shared.run.database import LOST as DATABASE_LOST
from shared.run.database import Pool

log = structlog.get_logger()

LOOK_S = 10.0
STALE_S = 60.0
"""What was not seen for so long is told no more: an old number would look well."""
ASK_S = 5.0
SIZES = """
    select pg_database_size(current_database()) as bytes,
        (select count(*) from pg_stat_activity where datname = current_database()) as connections,
        current_setting('max_connections')::int as connections_max,
        (select count(*) from pg_locks where not granted) as waiting,
        (select count(*) from pg_stat_replication) as standbys
"""


class Servers(Collector):
    """Looks at both servers now and then; tells what it saw last."""

    def __init__(self, client: Client, pool: Pool, monitor: str, folder: Path | None) -> None:
        self._client, self._pool, self._monitor, self._folder = client, pool, monitor, folder
        self._seen: dict[str, tuple[float, Any]] = {}

    async def run(self) -> None:
        """Look, for ever."""
        REGISTRY.register(self)
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            REGISTRY.unregister(self)

    async def look(self) -> None:
        """Look once; what does not answer is left as it was, until that is stale."""
        looks: dict[str, Callable[[], Awaitable[Any]]] = {
            "streams": lambda: listed(self._client, "$JS.API.STREAM.LIST", "streams"),
            "mailboxes": lambda: listed(self._client, f"$JS.API.CONSUMER.LIST.{MAILBOX}", "consumers"),
            "postgres": lambda: self._pool.fetchrow(SIZES),
        }
        if self._monitor:
            looks["nats"] = lambda: asyncio.to_thread(self._asked)
        for what, ask in looks.items():
            try:
                self._seen[what] = time.monotonic(), await ask()
            except (*LOST, *DATABASE_LOST, ValueError, KeyError) as error:
                log.info("not seen", what=what, error=type(error).__name__)

    def describe(self) -> Iterable[Metric]:
        """Tell nothing in advance: there is nothing before the first look."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what was seen."""
        yield from streams(self._known("streams") or [])
        yield from mailboxes(self._known("mailboxes") or [])
        yield from nats(self._known("nats"))
        yield from postgres(self._known("postgres"))
        yield from kept(self._folder)

    def _known(self, what: str) -> Any:
        at, found = self._seen.get(what, (0.0, None))
        return found if time.monotonic() - at < STALE_S else None

    def _asked(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in ("jsz?config=true", "varz"):
            with urllib.request.urlopen(f"{self._monitor}/{path}", timeout=ASK_S) as answer:  # noqa: S310 - our setting
                found[path.partition("?")[0]] = json.load(answer)
        return found


def streams(found: Iterable[dict[str, Any]]) -> Iterator[Metric]:
    """Yield what each stream holds, and how much it may."""
    held = GaugeMetricFamily("crm_stream_bytes", "What a stream holds on disk", labels=["stream"])
    held_max = GaugeMetricFamily(
        "crm_stream_bytes_max", "How much a stream may hold; absent: no limit", labels=["stream"]
    )
    messages = GaugeMetricFamily("crm_stream_messages", "Messages that a stream holds", labels=["stream"])
    most = GaugeMetricFamily(
        "crm_stream_messages_max", "Messages that it may hold; absent: no limit", labels=["stream"]
    )
    arrived = CounterMetricFamily("crm_stream_arrived", "Messages that ever came into a stream", labels=["stream"])
    replicas = GaugeMetricFamily(
        "crm_stream_replicas", "Servers that are to have a copy of a stream", labels=["stream"]
    )
    current = GaugeMetricFamily("crm_stream_replicas_current", "Servers whose copy is whole now", labels=["stream"])
    for one in found:
        name, state, config = [one["config"]["name"]], one["state"], one["config"]
        held.add_metric(name, state["bytes"])
        messages.add_metric(name, state["messages"])
        arrived.add_metric(name, state["last_seq"])
        replicas.add_metric(name, config["num_replicas"])
        followers = (one.get("cluster") or {}).get("replicas") or []
        current.add_metric(name, 1 + sum(copy["current"] and not copy.get("offline") for copy in followers))
        if config.get("max_bytes", -1) > 0:
            held_max.add_metric(name, config["max_bytes"])
        if config.get("max_msgs", -1) > 0:
            most.add_metric(name, config["max_msgs"])
    yield from (held, held_max, messages, most, arrived, replicas, current)


def mailboxes(found: Iterable[dict[str, Any]]) -> Iterator[Metric]:
    """Yield what is unread in each mailbox, and how much was ever read."""
    unread = GaugeMetricFamily("crm_mailbox_unread_messages", "Events that a country has not read", labels=["country"])
    read = CounterMetricFamily("crm_mailbox_read", "Events that a country has read", labels=["country"])
    for one in found:
        unread.add_metric([one["name"]], one["num_pending"] + one["num_ack_pending"])
        read.add_metric([one["name"]], one["ack_floor"]["consumer_seq"])
    yield from (unread, read)


def nats(found: dict[str, Any] | None) -> Iterator[Metric]:
    """Yield what the NATS server says of itself."""
    jsz, varz = (found or {}).get("jsz", {}), (found or {}).get("varz", {})
    told: dict[str, tuple[str, Any]] = {
        "crm_nats_storage_bytes": ("JetStream's files on disk", jsz.get("storage")),
        "crm_nats_storage_max_bytes": (
            "How much of the disk JetStream may use",
            jsz.get("config", {}).get("max_storage"),
        ),
        "crm_nats_memory_bytes": ("Memory of the NATS server", varz.get("mem")),
        "crm_nats_connections": ("Connections to the NATS server", varz.get("connections")),
        "crm_nats_api_requests_total": ("Requests to JetStream's interface", jsz.get("api", {}).get("total")),
        "crm_nats_api_errors_total": (
            "Of these, answered with an error",
            jsz.get("api", {}).get("errors", 0) if jsz else None,
        ),
        "crm_nats_slow_consumers_total": ("Connections closed as too slow", varz.get("slow_consumers")),
    }
    yield from _single(told)


def postgres(found: Any) -> Iterator[Metric]:
    """Yield what PostgreSQL says of itself."""
    row = dict(found) if found else {}
    yield from _single(
        {
            "crm_postgres_bytes": ("Size of the database", row.get("bytes")),
            "crm_postgres_connections": ("Sessions in the database", row.get("connections")),
            "crm_postgres_connections_max": ("Sessions that the server takes", row.get("connections_max")),
            "crm_postgres_locks_waiting": ("Locks that somebody waits for", row.get("waiting")),
            "crm_postgres_standbys": ("Servers that follow this one; also a base backup", row.get("standbys")),
        }
    )


def kept(folder: Path | None) -> Iterator[Metric]:
    """Yield when the logs were last verified and backed up; where no folder is named, nothing."""
    name, what = "crm_upkeep_timestamp_seconds", "When it was done last; 0: never"
    done = GaugeMetricFamily(name, what, labels=["what"])
    found = GaugeMetricFamily("crm_upkeep_findings", "How much was found wrong then", labels=["what"])
    for one in upkeep.WHAT if folder else ():
        last = upkeep.last(folder, one) if folder else None
        done.add_metric([one], last.at.timestamp() if last else 0)
        found.add_metric([one], last.findings if last else 0)
    yield from (done, found)


def _single(told: dict[str, tuple[str, Any]]) -> Iterator[Metric]:
    for name, (what, value) in told.items():
        counter = name.endswith("_total")
        family = CounterMetricFamily(name, what) if counter else GaugeMetricFamily(name, what)
        if value is not None:
            family.add_metric([], value)
        yield family
