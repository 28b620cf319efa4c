"""The mailbox opens by the calls that client libraries have for a durable that exists: in the domain CRM."""

import pytest
from nats.js.errors import ServiceUnavailableError

from infra.nats.rights import DOMAIN

pytestmark = pytest.mark.long


async def test_a_client_opens_it_by_asking_what_it_is(crm_system):
    gtm = await crm_system.country("GTM")
    await gtm.tell("intel.document.flagged", issuing="HND")
    await crm_system.settled()
    nc = await crm_system.region.connect("GTM")
    stream = nc.jetstream(domain=DOMAIN)
    info = await stream.consumer_info("MAILBOX", "GTM")
    assert (info.name, info.ack_floor.consumer_seq) == ("GTM", 0)
    assert info.num_pending
    subscription = await stream.pull_subscribe("", durable="GTM", stream="MAILBOX")
    (message,) = await subscription.fetch(1, timeout=5)
    await message.ack_sync()
    assert (await stream.consumer_info("MAILBOX", "GTM")).ack_floor.consumer_seq == 1


async def test_of_nobody_elses_mailbox_and_nothing_more(crm_system):
    errors = []

    async def failed(error):
        errors.append(str(error))

    nc = await crm_system.region.connect("GTM", error_cb=failed)
    stream = nc.jetstream(domain=DOMAIN, timeout=1)
    for question in (
        stream.consumer_info("MAILBOX", "HND"),
        stream.consumers_info("MAILBOX"),
        stream.stream_info("MAILBOX"),
        stream.account_info(),
        stream.delete_consumer("MAILBOX", "GTM"),
    ):
        with pytest.raises((TimeoutError, ServiceUnavailableError)):
            await question
    assert sum("permissions violation" in error.lower() for error in errors) == 5
