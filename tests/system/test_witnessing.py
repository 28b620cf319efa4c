"""Countries as witnesses of a running service: checkpoints are heard, proven and cosigned; a receipt comes at once."""

import asyncio
import time

import pytest

from infra.witnessing import logs_file
from shared.client.witness import Witness
from shared.record import note
from tests.harness.speaking import example

COUNTRIES = ("GTM", "HND", "SLV")


@pytest.fixture
async def witnesses(system, tmp_path):
    """Three countries that watch the log of training."""
    system.start("training")
    await system.ready()
    found, tasks = {}, []
    for country in COUNTRIES:
        client = await system.country(country)
        found[country] = Witness.of(system.region.keys.folder, country, tmp_path / country), client
        tasks.append(asyncio.create_task(found[country][0].watch(client)))
    yield found
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended


async def test_a_receipt_with_the_cosignatures_of_all_who_watch(system, witnesses):
    witness, client = witnesses["GTM"]
    took = []
    for number in range(3):
        report = client.report("training.official.enrolled", example("training.official.enrolled"))
        begun = time.monotonic()
        await client.publish(report)
        receipt = await asyncio.wait_for(
            witness.receipt(client, "training", report["id"], cosigned=len(COUNTRIES)), timeout=60
        )
        took.append(round(time.monotonic() - begun, 2))
        assert {one.name for one in witness.received("training", receipt)} == {
            f"crm.region/witness/{country}" for country in COUNTRIES
        }
        assert report["id"].encode() in receipt.covered, number
    print(f"receipts with {len(COUNTRIES)} cosignatures after {took} s")
    seen = {one.seen("training") for one, _ in witnesses.values()}
    sizes = {note.checkpoint(note.opened(text, note.verifiers_in(logs_file(system.region.keys.folder)))[0]).size
             for text in seen}  # fmt: skip
    assert sizes <= {1, 2, 3}
    audited = await system.rows("training", "select count(*) from audit")
    assert audited[0][0] == 0, "what is asked of the log all the time is not what audits are for"


async def test_each_of_two_systems_that_number_alike_gets_its_own_receipt(witnesses):
    witness, client = witnesses["GTM"]
    for name in ("first", "other"):
        report = client.report("training.official.enrolled", example("training.official.enrolled"), id="r-1")
        await client.publish(report | {"source": f"urn:crm:country:GTM:{name}"})
    for name in ("first", "other"):
        source = f"urn:crm:country:GTM:{name}"
        receipt = await asyncio.wait_for(witness.receipt(client, "training", "r-1", source=source), timeout=60)
        assert source.encode() in receipt.covered


async def test_a_log_that_was_rewritten_beneath_a_running_service_is_signed_no_more(system, witnesses):
    _, client = witnesses["GTM"]
    for _ in range(2):
        await client.publish(client.report("training.official.enrolled", example("training.official.enrolled")))
    await system.recorded("training", "training.official.enrolled", 2)

    async def signed():
        rows = await system.rows("training", "select coalesce(max(size), 0) from checkpoint")
        return rows[0][0]

    while await signed() < 2:
        await asyncio.sleep(0.05)
    await system.rows("training", "update log set payload = payload || ' ' where position = 1")
    await client.publish(client.report("training.official.enrolled", example("training.official.enrolled")))
    await system.recorded("training", "training.official.enrolled", 3)
    while not any(line["event"] == "the log is not signed" for line in system.output("training")):
        await asyncio.sleep(0.05)
    assert await signed() == 2
