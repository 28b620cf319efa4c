"""Delivery: a referral has arrived when its receiver's system has acknowledged it in its mailbox, before any answer.

The word is the server's: RECEIPTS holds a receipt for each message of MAILBOX that a country acknowledged, and none for
one that it rejected (`+TERM`), gave back (`+NAK`) or let expire. A receipt that is lost, with a server or because the
stream was full, makes nothing delivered: the answer tells it then. A receipt is acknowledged when what it tells is
recorded; a batch repeated, after a restart or by another replica, finds the same.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.victims.rules.notices import SERVICE
from services.victims.store import referrals
from shared import contracts, crash, database
from shared.contracts import Event
from shared.contracts.victims import ReferralDelivered, ReferralOffered
from shared.database import RECEIPTS as LEADS
from shared.database import Connection
from shared.log import Draft, Log
from shared.lost import LOST
from shared.rules import derive
from shared.streams import MAILBOX, RECEIPTS
from shared.telemetry import RECEIVED

log = structlog.get_logger()

BATCH_MAX = 200
FETCH_S = 1.0
TIMEOUT_S = 5.0
AGAIN_S = 2.0


class Receipt(msgspec.Struct, frozen=True):
    """What the server tells of an acknowledgement."""

    consumer: str
    """The country."""
    stream_seq: Annotated[int, msgspec.Meta(ge=1)]
    """The message of MAILBOX."""
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    """When it was acknowledged."""


_receipts = msgspec.json.Decoder(Receipt)


async def sweep(log_: Log, client: Client) -> None:
    """Record what was delivered, for ever; one sweeper is active per service."""
    while True:
        try:
            async with database.elected(log_.pool, log_.service, LEADS) as connection:
                reader = await client.jetstream().pull_subscribe_bind(durable=SERVICE, stream=RECEIPTS)
                try:
                    while True:
                        await _batch(log_, client, connection, reader)
                finally:
                    await reader.unsubscribe()
        except LOST as error:
            log.warning("receipts wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def _batch(log_: Log, client: Client, connection: Connection, reader: JetStreamContext.PullSubscription) -> None:
    """Act on the receipts that have come."""
    try:
        messages = await reader.fetch(BATCH_MAX, timeout=FETCH_S)
    except TimeoutError:
        await connection.execute("select 1")  # who leads must notice that the database is away
        return
    told = {message.reply: _read(message) for message in messages}
    waiting = await referrals.undelivered_to(connection)
    failed: set[str] = set()
    for country in waiting:
        receipts = [one for one in told.values() if one and one.consumer == country]
        found = await asyncio.gather(*(_offer(client, one) for one in receipts))
        positions = [position for position in found if position]
        if positions and not await deliver(log_, connection, country, positions):
            failed.add(country)
    for message in messages:
        receipt = told[message.reply]
        await (message.nak(delay=AGAIN_S) if receipt and receipt.consumer in failed else message.ack())


def _read(message: Msg) -> Receipt | None:
    try:
        return _receipts.decode(message.data)
    except msgspec.MsgspecError:
        log.error("no receipt, passed over", sequence=message.metadata.sequence.stream)  # noqa: TRY400 - no traceback
        return None


async def _offer(client: Client, receipt: Receipt) -> int:
    """Return the position (in this service's log) of the offer that was acknowledged; 0: it was no offer.

    Raises nats.errors.Error when the server does not answer.
    """
    wanted = json.dumps({"seq": receipt.stream_seq}).encode()
    found = await client.request(f"$JS.API.DIRECT.GET.{MAILBOX}", wanted, timeout=TIMEOUT_S)
    headers = found.headers or {}
    if headers.get("Nats-Subject") != f"crm.evt.{SERVICE}.referral.offered.{receipt.consumer}":
        return 0
    if datetime.fromisoformat(headers["Nats-Time-Stamp"]) > receipt.timestamp:
        return 0  # MAILBOX was made anew: the receipt is for another message
    # "<stream> <sequence there> …"
    return int(headers["Nats-Stream-Source"].split()[1])


async def deliver(log_: Log, connection: Connection, country: str, positions: Sequence[int]) -> bool:
    """Record the delivery of what was offered to `country` at these positions; return whether all was recorded."""
    async with connection.transaction():
        await database.turn(connection, log_.service)
        offers = await referrals.offered_at(connection, country, positions)
        if not offers:
            return True
        drafts, failed = _drafts(log_, offers)
        failed += [outcome for outcome in await log_.record_within(connection, drafts) if outcome is not None]
        crash.point("delivering")
    for outcome in failed:
        RECEIVED.labels(log_.service, "receipt", "failed").inc()
        log.error("receipt failed and is tried again", type=type(outcome).__name__)
    return not failed


def _drafts(log_: Log, offers: Sequence[bytes]) -> tuple[list[Draft], list[Exception]]:
    """Return the deliveries to be recorded, and why others cannot be told: no offer holds up another's receipt."""
    drafts: list[Draft] = []
    failed: list[Exception] = []
    for offer in offers:
        try:
            drafts.append(Draft(_delivered(log_, contracts.decode(offer))))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this offer's
            failed.append(error)
    return drafts, failed


def _delivered(log_: Log, offered: Event[ReferralOffered]) -> Event[ReferralDelivered]:
    now = log_.clock.now()
    data = ReferralDelivered(referral_id=offered.data.referral_id, receiver=offered.country, delivered_at=now)  # type: ignore[arg-type]  # an offer goes to a country
    return derive(SERVICE, data, cause=offered, to=offered.data.sender, time=now)
