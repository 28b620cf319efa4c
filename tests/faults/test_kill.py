"""kill -9 in mid-traffic: whatever dies, nothing is lost, nothing is counted twice, log and stream stay copies."""

import asyncio
import hashlib
import itertools
import random
import urllib.request
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from shared import contracts
from shared.streams import stream_of
from tests.harness.system import free_port, until

NOW = datetime(2004, 3, 1, tzinfo=UTC)
TYPES = (
    "intel.trafficker.detected",
    "intel.document.confirmed",
    "victims.victim.identified",
    "victims.service.provided",
    "legal.person.detained",
    "legal.case.resolved",
    "training.official.enrolled",
    "training.officer.certified",
)
SERVICES = contracts.SERVICES
KILLS = 10
PATIENCE_S = 120


class Traffic:
    """Reports of one country, every acknowledged one noted: the ledger that the system is held against."""

    def __init__(self, country, seed):
        self.country = country
        self.random = random.Random(seed)
        self.acknowledged = {}
        self.numbers = itertools.count()
        self.stopped = False

    def report(self):
        number = f"{self.country.country}-{next(self.numbers)}"
        name = self.random.choice(TYPES)
        agreed = contracts.registry()[f"crm.{name}.v1"]
        data = dict(agreed.good) | {agreed.entity: number}
        return self.country.report(name, data, id=number, time=NOW)

    async def run(self):
        while not self.stopped:
            reports = [self.report() for _ in range(self.random.choice((1, 1, 20)))]
            if len(reports) == 1:
                await self.country.publish(reports[0])
            else:
                await self.country.publish_all(reports)
            self.acknowledged |= {report["id"]: report["type"].split(".")[1] for report in reports}
            if self.random.random() < 0.1:
                await self.country.publish(reports[0])  # the same again: recorded once
            await asyncio.sleep(0.02)


async def test_killing_any_service_in_mid_traffic_loses_and_doubles_nothing(system):
    port = await start_all(system)
    traffic = [Traffic(await system.country(name), name) for name in ("GTM", "MEX", "SLV")]
    running = [asyncio.create_task(one.run()) for one in traffic]
    order = random.Random("kills")
    for number in range(KILLS):
        victim = SERVICES[number % len(SERVICES)]
        await asyncio.sleep(order.uniform(0.2, 0.6))
        system.kill(victim)
        if victim == "indicators":
            port = free_port()
            system.start(victim, CRM_HTTP_PORT=str(port))
        else:
            system.start(victim)
    for one in traffic:
        one.stopped = True
    await asyncio.gather(*running)
    await system.ready(patience_s=PATIENCE_S)
    acknowledged = {key: service for one in traffic for key, service in one.acknowledged.items()}
    assert len(acknowledged) > 100
    await until(lambda: settled(system, acknowledged, port), "all to be recorded, relayed and folded", PATIENCE_S)
    for service in SERVICES:
        await assert_is_copied(system, service)
        ids = [event.id for event in await system.log(service) if event.source.endswith(":test")]
        assert sorted(ids) == sorted(key for key, owner in acknowledged.items() if owner == service)


async def start_all(system):
    port = free_port()
    system.start(*(name for name in SERVICES if name != "indicators"))
    system.start("indicators", CRM_HTTP_PORT=str(port))
    await system.ready(patience_s=PATIENCE_S)
    return port


async def settled(system, acknowledged, port):
    """Every acknowledged report recorded; each log as long as its stream and as the events counted."""
    heads = {}
    for service in SERVICES:
        (row,) = await system.rows(service, "select count(*) as rows, coalesce(max(position), 0) as head from log")
        assert row["rows"] == row["head"]
        heads[service] = row["rows"]
        (own,) = await system.rows(service, "select count(*) as rows from log where source like '%:test'")
        if own["rows"] != sum(1 for owner in acknowledged.values() if owner == service):
            return False
    operator = await system.region.connect("operator")
    for service in SERVICES:
        info = await operator.jetstream().stream_info(stream_of(service))
        if info.state.last_seq != heads[service]:
            return False
    return await asyncio.to_thread(counted, port) == {key: value for key, value in heads.items() if value}


def counted(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        totals = {}
        for family in families:
            for sample in family.samples:
                if sample.name == "crm_events_total":
                    service = sample.labels["service"]
                    totals[service] = totals.get(service, 0) + int(sample.value)
    return totals


async def assert_is_copied(system, service):
    """Message n of the stream is row n of the log, byte for byte, and the rows are chained."""
    rows = await system.rows(service, "select position, payload, hash from log order by position")
    operator = (await system.region.connect("operator")).jetstream()
    previous = bytes(32)
    for row in rows:
        previous = hashlib.sha256(previous + row["payload"]).digest()
        assert row["hash"] == previous, f"{service}: the chain breaks at {row['position']}"
        message = await operator.get_msg(stream_of(service), row["position"], direct=True)
        assert message.data == row["payload"], f"{service}: message {row['position']} is not row {row['position']}"
