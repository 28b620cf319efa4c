import asyncio
import signal

import asyncpg

from shared.run.database import RELAY
from tests.harness.system import PATIENCE_S, until

FLAGGED = {
    "doc_code": "PP",
    "issuing": "HND",
    "fraud_type": "photo_substitution",
    "detected_by": "second_line",
    "reported_by": "immigration",
}


async def test_a_report_is_recorded_and_stands_in_the_stream(system):
    system.start("intel")
    await system.ready()
    gtm = await system.country("GTM")
    await gtm.publish(gtm.report("intel.document.flagged", FLAGGED, subject="doc-1"))
    (event,) = await system.recorded("intel", "intel.document.flagged")
    assert event.sequence == 1
    assert event.country == "GTM"
    async for received in gtm.mailbox(idle_s=10):
        assert received.id == event.id
        break


async def test_a_stop_leaves_the_stream_a_copy_of_the_whole_log(system):
    connection = await asyncpg.connect(system.region.database_url())
    try:
        await connection.execute("select pg_advisory_lock(hashtext('intel'), $1)", RELAY)  # as another replica's relay
        system.start("intel")
        await system.ready()
        gtm = await system.country("GTM")
        await gtm.publish(gtm.report("intel.document.flagged", FLAGGED, subject="doc-1"))
        await system.recorded("intel", "intel.document.flagged")
        system.processes["intel"].send_signal(signal.SIGTERM)
        await until(lambda: "stopping" in [line["event"] for line in system.output("intel")], "the stop to begin")
        await connection.execute("select pg_advisory_unlock(hashtext('intel'), $1)", RELAY)
        assert await asyncio.to_thread(system.processes["intel"].wait, PATIENCE_S) == 0
    finally:
        await connection.close()
    operator = await system.region.connect("operator")
    stream = await operator.jetstream().stream_info("INTEL")
    assert stream.state.last_seq == len(await system.log("intel")) == 1
