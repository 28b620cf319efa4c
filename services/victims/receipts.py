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

from services.victims.judgements.notices import SERVICE
from services.victims.judgements.standing import AnyOffer, Referral, named, referral
from shared import contracts
from shared.contracts import Event
from shared.contracts.victims import ReferralDelivered
from shared.flow.lost import LOST
from shared.flow.streams import MAILBOX, RECEIPTS
from shared.record.asking import about
from shared.record.judgement import derive
from shared.record.log import Draft, Log
from shared.run import crash, database
from shared.run.database import RECEIPTS as LEADS
from shared.run.database import Connection
from shared.run.telemetry import RECEIVED

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
    waiting = await undelivered_to(connection)
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
        offers, failed = await _offered_at(connection, country, positions)
        outcomes = await log_.record_within(connection, [Draft(_delivered(log_, offer)) for offer in offers])
        failed += [outcome for outcome in outcomes if outcome is not None]
        crash.point("delivering")
    for outcome in failed:
        RECEIVED.labels(log_.service, "receipt", "failed").inc()
        log.error("receipt failed and is tried again", type=type(outcome).__name__)
    return not failed


async def undelivered_to(connection: Connection) -> list[str]:
    """Return the countries that have open referrals before them whose delivery is not known.

    A referral is open as long as the last step of its ladder is still to come.
    """
    rows = await connection.fetch(
        "select distinct n.scope from deadline as d join notified as n on n.key = d.id"
        " where d.id like 'answer/%/end' and n.scope like 'referral/%'"
    )
    found = await _referrals(connection, [row["scope"] for row in rows])
    return sorted({one.receiver for one in found.values() if _undelivered(one)})


async def _referrals(connection: Connection, things: Sequence[str]) -> dict[str, Referral]:
    reports = await about(connection, things)
    return {thing: one for thing, found in reports.items() if (one := referral(found))}


def _undelivered(one: Referral) -> bool:
    return one.open and one.delivered is None


async def _offered_at(
    connection: Connection, country: str, positions: Sequence[int]
) -> tuple[list[Event[AnyOffer]], list[Exception]]:
    """Return the first offer, of those at these positions, of each of a country's open, undelivered referrals.

    And why others cannot be read: no offer holds up another's receipt.
    """
    rows = await connection.fetch(
        "select payload from log where position = any($1::bigint[]) and country = $2"
        " and type in ('crm.victims.referral.offered.v1', 'crm.victims.referral.offered.v2') order by position",
        list(positions),
        country,
    )
    first: dict[str, Event[AnyOffer]] = {}
    failed: list[Exception] = []
    for row in rows:
        try:
            offer = contracts.decode(row["payload"])
            first.setdefault(named(offer.data.sender, offer.data.referral_id), offer)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this offer's
            failed.append(error)
    found = await _referrals(connection, [*first])
    return [offer for thing, offer in first.items() if thing in found and _undelivered(found[thing])], failed


def _delivered(log_: Log, offered: Event[AnyOffer]) -> Event[ReferralDelivered]:
    now = log_.clock.now()
    data = ReferralDelivered(referral_id=offered.data.referral_id, receiver=offered.country, delivered_at=now)  # type: ignore[arg-type]  # an offer goes to a country
    return derive(SERVICE, data, cause=offered, to=offered.data.sender, time=now)
