"""A referral is delivered when the receiver's system acknowledges it in its mailbox: before any answer, and once."""

import asyncpg
import pytest

from infra.recovery.history import History
from infra.recovery.replay import Replay
from services.victims.__main__ import SERVICE
from tests.harness.speaking import clock, say
from tests.harness.system import until

pytestmark = pytest.mark.long

OFFERED, DELIVERED = "victims.referral.offered", "victims.referral.delivered"


def referral(sender, number, to="MEX", **changes):
    about = {"referral_id": f"ref-{number}", "from": sender.country, "to": to, "urgency": "standard"}
    return say(sender, "victims.referral.sent", **about | changes)


async def mailed(system, number, country="MEX"):
    """Wait until so many offers lie in a country's mailbox."""
    operator = await system.region.connect("operator")

    async def there():
        info = await operator.jetstream().stream_info("MAILBOX", subjects_filter=f"crm.evt.{OFFERED}.{country}")
        return sum((info.state.subjects or {}).values()) == number

    await until(there, f"{number} offers to be in the mailbox of {country}")


async def delivered(system):
    return [event.data.referral_id for event in await system.log("victims", DELIVERED)]


async def taken(country, number):
    """Take so many offers out of a mailbox, not acknowledged; whatever else comes with them is."""
    box = await country.client.jetstream().pull_subscribe_bind(durable=country.country, stream="MAILBOX")
    offers = []
    while len(offers) < number:
        for message in await box.fetch(20, timeout=5):
            if OFFERED in message.subject:
                offers.append(message)
            else:
                await message.ack_sync()
    await box.unsubscribe()
    return offers


async def test_delivered_when_read_told_once_and_by_nothing_less(system):
    system.start("victims", "victims-2", **clock())
    await system.ready()
    gtm, mex, nic = [await system.country(name) for name in ("GTM", "MEX", "NIC")]
    await gtm.publish(referral(gtm, 1))
    await gtm.publish(referral(gtm, 2, to="NIC"))
    await mailed(system, 1)
    await mailed(system, 1, "NIC")
    replayed = await mex.ask("victims", "mailbox")
    assert len(replayed.events) == 1, "read again from the log"
    seen = [event.name async for event in nic.mailbox(idle_s=0.5)]
    assert seen == [OFFERED]
    (told,) = await system.recorded("victims", DELIVERED)
    assert told.data.referral_id == "ref-2", "what lies unread, or was only looked at, is not delivered"
    (offered,) = [event for event in await system.log("victims", OFFERED) if event.country == "NIC"]
    (sent,) = [event for event in await system.log("victims", "victims.referral.sent") if event.data.to == "NIC"]
    assert (told.country, told.causationid, told.correlationid) == ("GTM", offered.id, sent.id)
    assert offered.recordedtime <= told.data.delivered_at == told.time <= told.recordedtime

    await nic.publish(say(nic, "victims.referral.accepted", referral_id="ref-2"))
    await mex.publish(say(mex, "victims.referral.rejected", referral_id="ref-1", reason="no_capacity"))
    answers = await system.recorded("victims", "victims.referral.rejected")
    told = await system.recorded("victims", DELIVERED, 2)
    assert [event.causationid for event in told[1:]] == [answers[0].id], "an answer shows delivery, too"
    await gtm.publish(referral(gtm, 3))
    await mailed(system, 2)
    assert [event.name async for event in mex.mailbox(idle_s=0.5)].count(OFFERED) == 2
    await system.recorded("victims", DELIVERED, 3)
    assert await delivered(system) == ["ref-2", "ref-1", "ref-3"]


async def test_what_is_acknowledged_out_of_order_is_delivered_and_what_lies_between_is_not(system):
    system.start("victims", **clock())
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for number in (1, 2, 3, 4):
        await gtm.publish(referral(gtm, number))
    await mailed(system, 4)
    first, second, third, fourth = await taken(mex, 4)
    await first.ack_sync()
    await system.recorded("victims", DELIVERED)
    await third.ack_sync()
    await system.recorded("victims", DELIVERED, 2)
    assert await delivered(system) == ["ref-1", "ref-3"]
    for message in (second, fourth):
        await message.ack_sync()
        await system.recorded("victims", DELIVERED, 3)
    await system.recorded("victims", DELIVERED, 4)
    assert await delivered(system) == ["ref-1", "ref-3", "ref-2", "ref-4"]


@pytest.mark.parametrize("service", ["there", "away"])
async def test_what_is_rejected_given_back_or_expired_is_not_delivered(system, service):
    """A client library's "reject" is `+TERM`, which moves the acknowledgement floor like an acknowledgement."""
    system.start("victims", **clock())
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for number in range(1, 8):
        await gtm.publish(referral(gtm, number))
    await mailed(system, 7)
    if service == "away":
        system.kill("victims")
    words = [b"+TERM", b"+TERM no such person", b"+NAK", b'-NAK {"delay": 1000000000}', b"+WPI", b"rubbish", b"+ACK"]
    for message, word in zip(await taken(mex, 7), words, strict=True):
        await mex.client.publish(message.reply, word)
    await mex.client.flush()
    if service == "away":
        system.start("victims", **clock())
        await system.ready()
    await system.recorded("victims", DELIVERED)
    again = [event.data.referral_id async for event in mex.mailbox(idle_s=2) if event.name == OFFERED]
    assert {"ref-1", "ref-2"}.isdisjoint(again)
    await system.recorded("victims", DELIVERED, 1 + len(set(again)))
    assert sorted(await delivered(system)) == sorted({"ref-7", *again})
    operator = await system.region.connect("operator")
    info = await operator.jetstream().consumer_info("MAILBOX", "MEX")
    assert info.ack_floor.stream_seq >= 2, "the floor went over what was rejected"


async def test_neither_lost_nor_doubled_when_the_service_is_killed_on_either_side(system):
    system.start("victims", CRM_CRASH_AT="delivering", **clock())
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for number in range(5):
        await gtm.publish(referral(gtm, number))
    await mailed(system, 5)
    assert len([event async for event in mex.mailbox(idle_s=0.5)]) == 5
    await until(lambda: system.processes["victims"].poll() is not None, "the service to die as it tells of it")
    assert await delivered(system) == []
    both = clock()
    system.start("victims", "victims-2", **both)
    await system.ready()
    await system.recorded("victims", DELIVERED, 5)
    for name in ("victims", "victims-2"):
        system.kill(name)
        system.start(name, **both)
        await system.ready(name)
    await gtm.publish(referral(gtm, 5))
    await mailed(system, 6)
    assert len([event async for event in mex.mailbox(idle_s=0.5)]) == 1
    await system.recorded("victims", DELIVERED, 6)
    assert sorted(await delivered(system)) == [f"ref-{number}" for number in range(6)]
    assert await replayed(system) == []


async def replayed(system):
    """What is judged otherwise than it was recorded, over the stream in an empty database; and the tables."""
    region = system.region
    nc = await region.connect("provisioner")
    tables = (
        "select thing, at, stream, position from about order by thing, at, stream, position",
        "select scope, key, event_id, scheduled from notified order by scope, key",
        "select id, due from deadline order by id",
    )
    async with region.postgres.lent() as database:
        connection = await asyncpg.connect(
            region.postgres.server.url(database=database), server_settings={"search_path": "victims"}
        )
        try:
            replay = Replay(History(nc), connection, "victims", SERVICE.judged())
            await replay.run()
            for table in tables:
                assert await connection.fetch(table) == await system.rows("victims", table)
        finally:
            await connection.close()
    return replay.differences


async def test_offered_again_to_a_newcomer_it_is_delivered_once(system):
    system.start("victims", "intel", **clock())
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    await gtm.publish(referral(gtm, 1))
    await mailed(system, 1)
    await mex.publish(
        say(mex, "intel.contactpoint.designated", country="MEX", officer_ref="urn:crm:vault:MEX:officer-1")
    )
    await mailed(system, 2)
    first, again = await taken(mex, 2)
    await first.ack_sync()
    (told,) = await system.recorded("victims", DELIVERED)
    await again.ack_sync()
    await gtm.publish(referral(gtm, 2))
    await mailed(system, 3)
    (other,) = await taken(mex, 1)
    await other.ack_sync()
    await system.recorded("victims", DELIVERED, 2)
    assert await delivered(system) == ["ref-1", "ref-2"]
    offers = [event for event in await system.log("victims", OFFERED) if event.data.referral_id == "ref-1"]
    assert told.causationid == offers[0].id
