"""Delivery: a referral has arrived when its receiver's system has acknowledged it in its mailbox, before any answer.

The word is the mailbox's own: everything up to the acknowledgement floor of a country's durable on MAILBOX was
acknowledged by that country. What was acknowledged beyond the floor, out of order, waits until all before it was. Which
referrals that were is told by the last offer at or below the floor, for MAILBOX keeps the offers in the order of this
service's log and names the position of each. So nothing has to be remembered between two looks: a look repeated, after
a restart or by another replica, finds the same.
"""

import asyncio
import json

import structlog
from nats.aio.client import Client

from services.victims.rules.notices import SERVICE
from services.victims.store import referrals
from shared import contracts, crash, database
from shared.contracts import Event
from shared.contracts.victims import ReferralDelivered, ReferralOffered
from shared.database import RECEIPTS, Connection
from shared.log import Draft, Log
from shared.lost import LOST
from shared.rules import derive
from shared.streams import MAILBOX
from shared.telemetry import RECEIVED

log = structlog.get_logger()

POLL_S = 0.5
BATCH_MAX = 200
TIMEOUT_S = 5.0


async def sweep(log_: Log, client: Client) -> None:
    """Record what was delivered, for ever; one sweeper is active per service, and asks only while something is open."""
    while True:
        try:
            async with database.elected(log_.pool, log_.service, RECEIPTS) as connection:
                while True:
                    for country in await referrals.undelivered_to(connection):
                        last = await acknowledged(client, country)
                        while last and await deliver(log_, connection, country, last) == BATCH_MAX:
                            pass
                    await asyncio.sleep(POLL_S)
        except LOST as error:
            log.warning("receipts wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def acknowledged(client: Client, country: str) -> int:
    """Return the position (in this service's log) of the last offer that a country has acknowledged; 0: none yet.

    Raises nats.errors.Error when the server does not answer.
    """
    answer = await client.request(f"$JS.API.CONSUMER.INFO.{MAILBOX}.{country}", b"", timeout=TIMEOUT_S)
    floor = json.loads(answer.data).get("ack_floor", {}).get("stream_seq", 0)
    if not floor:
        return 0
    wanted = {"multi_last": [f"crm.evt.{SERVICE}.referral.offered.{country}"], "up_to_seq": floor}
    found = await client.request(f"$JS.API.DIRECT.GET.{MAILBOX}", json.dumps(wanted).encode(), timeout=TIMEOUT_S)
    # "<stream> <sequence there> …"; where there is no such message, the answer has a status and no origin.
    origin = (found.headers or {}).get("Nats-Stream-Source", "")
    return int(origin.split()[1]) if origin else 0


async def deliver(log_: Log, connection: Connection, country: str, last: int) -> int:
    """Record the delivery of what was offered to `country` up to position `last`; return how many, at most a batch."""
    async with connection.transaction():
        await database.turn(connection, log_.service)
        offers = await referrals.delivered_by(connection, country, last, BATCH_MAX)
        if not offers:
            return 0
        drafts = [Draft(_delivered(log_, contracts.decode(offer))) for offer in offers]
        failed = [outcome for outcome in await log_.record_within(connection, drafts) if outcome is not None]
        crash.point("delivering")
    for outcome in failed:
        RECEIVED.labels(log_.service, "receipt", "failed").inc()
        log.error("receipt failed and is tried again", type=type(outcome).__name__)
    return len(offers) - len(failed)


def _delivered(log_: Log, offered: Event[ReferralOffered]) -> Event[ReferralDelivered]:
    now = log_.clock.now()
    data = ReferralDelivered(referral_id=offered.data.referral_id, receiver=offered.country, delivered_at=now)  # type: ignore[arg-type]  # an offer goes to a country
    return derive(SERVICE, data, cause=offered, to=offered.data.sender, time=now)
