"""The floor: what the libraries and servers take by themselves, with no logic between them."""

import time

import asyncpg
from nats.errors import TimeoutError as NothingInTimeError

from shared.flow.batch import publish_batch
from shared.flow.bus import last_sequence
from tests.bench.reports import fill
from tests.harness.servers import Region

BATCH = 500


async def rate(region: Region, number: int) -> float:
    """Return reports a second: fetched, inserted by COPY in one commit a batch, published in one atomic batch."""
    await fill(region, number)
    client = await region.connect("intel")
    subscription = await client.jetstream().pull_subscribe_bind(
        durable="intel", stream="INTAKE_GTM", inbox_prefix=b"_INBOX_intel."
    )
    database = await asyncpg.connect(region.database_url())
    await database.execute("create table bench_floor (position bigint primary key, payload bytea not null)")
    done = await last_sequence(client, "INTEL")
    begun = time.perf_counter()
    while done < number:
        try:
            messages = await subscription.fetch(BATCH, timeout=1)
        except NothingInTimeError:
            continue
        rows = [(done + i, message.data) for i, message in enumerate(messages, start=1)]
        async with database.transaction():
            await database.copy_records_to_table("bench_floor", records=rows, columns=["position", "payload"])
        subject = "crm.evt.intel.document.flagged.GTM"
        done = await publish_batch(client, [(subject, message.data) for message in messages], done)
        for message in messages:
            await message.ack()
    elapsed = time.perf_counter() - begun
    await database.close()
    return number / elapsed
