"""Whether anything is still on its way: between intakes, logs, streams, services and mailboxes."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from nats.aio.client import Client

from infra.nats.asking import ask
from infra.nats.rights import CENTRAL
from infra.testkit.servers import Region
from shared.contracts import SERVICES
from shared.flow.streams import MAILBOX, stream_of

Streams = dict[str, Any]


def look(region: Region) -> Streams:
    """Return the state of every stream and of the services' durables on it: name -> sequences and what waits."""
    address = f"{region.nats.monitor}/jsz?acc={CENTRAL}&consumers=true"
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own address
        (account,) = json.load(answer)["account_details"]
    return {stream["name"]: stream for stream in account["stream_detail"]}


def service_durables(stream: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a stream's durables that are services'."""
    return [one for one in stream.get("consumer_detail", []) if one["name"] in SERVICES]


def waiting(streams: Streams) -> list[tuple[str, str]]:
    """Return the durables (stream, name) that have not handled everything."""
    durables = [(name, one) for name, stream in streams.items() for one in service_durables(stream)]
    return [(name, one["name"]) for name, one in durables if one["num_pending"] or one["num_ack_pending"]]


@dataclass
class Settling:
    """Looks at one system, in which all five services run."""

    region: Region
    now: Callable[[], datetime]
    database: "asyncpg.Connection[asyncpg.Record]"
    operator: Client
    aside: str = "true"
    """Which rows of what is set aside count as on their way: an SQL condition."""

    async def quiet(self) -> bool:
        """Return whether every durable is empty, the relays are at their ends, and nothing is due."""
        before = look(self.region)
        if waiting(before):
            return False
        heads = ", ".join(
            f"(select coalesce(max(position), 0) from {service}.log) as {service},"  # noqa: S608 - names of services
            f" (select count(*) from {service}.deadline where due <= $1) as due_{service},"
            f" (select count(*) from {service}.aside where {self.aside}) as aside_{service}"
            for service in SERVICES
        )
        row = await self.database.fetchrow(f"select {heads}", self.now())
        assert row
        after = look(self.region)
        sequences = {stream_of(service): row[service] for service in SERVICES}
        return (
            not waiting(after)
            and not any(row[f"due_{service}"] or row[f"aside_{service}"] for service in SERVICES)
            and all(found["state"]["last_seq"] == before[name]["state"]["last_seq"] for name, found in after.items())
            and all(after[name]["state"]["last_seq"] == last for name, last in sequences.items())
            and after[MAILBOX]["state"]["messages"] == sum(sequences.values())
            and not await self._unreceipted()
        )

    async def _unreceipted(self) -> bool:
        """Return whether a referral is acknowledged in its receiver's mailbox, and the sender not told so."""
        rows = await self.database.fetch(
            "select r.receiver, min(l.position) as first from victims.referral as r"
            " join victims.log as l on l.entity = r.referral_id and l.type like 'crm.victims.referral.offered.%'"
            " where r.delivered is null and r.state in ('pending', 'overdue') group by r.receiver"
        )
        return any([await self._acknowledged(row["receiver"]) >= row["first"] for row in rows])

    async def _acknowledged(self, country: str) -> int:
        """Return the position of the last offer that a country, which rejects nothing, has acknowledged."""
        floor = (await ask(self.operator, f"CONSUMER.INFO.{MAILBOX}.{country}"))["ack_floor"]["stream_seq"]
        if not floor:
            return 0
        wanted = {"multi_last": [f"crm.evt.victims.referral.offered.{country}"], "up_to_seq": floor}
        found = await self.operator.request(f"$JS.API.DIRECT.GET.{MAILBOX}", json.dumps(wanted).encode(), timeout=5)
        origin = (found.headers or {}).get("Nats-Stream-Source", "")
        return int(origin.split()[1]) if origin else 0

    async def next_due(self) -> datetime | None:
        """Return when the next deadline of any service is due; None: there is none."""
        each = " union all ".join(f"select min(due) as due from {service}.deadline" for service in SERVICES)  # noqa: S608
        due: datetime | None = await self.database.fetchval(f"select min(due) from ({each}) as each")  # noqa: S608
        return due
