"""The plain way, as tutorials have it, only for comparison: a handler, a model and an INSERT for every event."""

import asyncio
import time
from datetime import datetime
from typing import Literal

import asyncpg
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.security import NatsNKey
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel

from tests.bench.reports import fill
from tests.harness.servers import Region


class Flagged(BaseModel):
    doc_code: str
    issuing: str
    fraud_type: str
    detected_by: str
    reported_by: str


class Report(BaseModel):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    data: Flagged


async def rate(region: Region, number: int) -> float:
    """Return reports a second handled one by one by FastStream, one commit each."""
    await fill(region, number)
    pool = await asyncpg.create_pool(region.database_url(), min_size=1, max_size=4)
    await pool.execute(
        "create table bench_plain (id text, source text, type text, time timestamptz, body jsonb,"
        " primary key (id, source))"
    )
    counter = Counter("bench_events", "Events handled.", ["type"], registry=CollectorRegistry())
    broker = NatsBroker(
        region.nats.url,
        security=NatsNKey.from_seed(region.seed("intel").read_text().strip()),
        inbox_prefix="_INBOX_intel",
        logger=None,
    )
    done = asyncio.Event()
    handled = 0

    @broker.subscriber(
        "crm.in.GTM.intel.*.*",
        durable="intel",
        stream=JStream("INTAKE_GTM", declare=False),
        pull_sub=PullSub(batch_size=100, timeout=0.5),
        inbox_prefix=b"_INBOX_intel.",
    )
    async def on_flagged(report: Report) -> None:
        nonlocal handled
        await pool.execute(
            "insert into bench_plain (id, source, type, time, body) values ($1, $2, $3, $4, $5)",
            report.id,
            report.source,
            report.type,
            report.time,
            report.data.model_dump_json(),
        )
        counter.labels(report.type).inc()
        handled += 1
        if handled == number:
            done.set()

    begun = time.perf_counter()
    await broker.start()
    await done.wait()
    elapsed = time.perf_counter() - begun
    await broker.stop()
    await pool.close()
    return number / elapsed
