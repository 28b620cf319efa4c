"""Recovery, for real: a stream lost, a stream damaged, a log from an older backup; each made whole by `crm restore`."""

import asyncio
import random
import signal
import subprocess
from types import SimpleNamespace
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.nats import mailbox
from infra.nats.asking import ask
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from infra.recovery import verify
from infra.recovery.restore import restore
from infra.recovery.verify import compare
from tests.faults.breaking import flip_bit
from tests.harness.speaking import NOW, clock, example
from tests.harness.system import until

NAME = "training.official.enrolled"
PATIENCE_S = 240


async def reported(system, first, number=30):
    """Report so many officials, and wait until stream and MAILBOX have them; return the ids."""
    gtm = await system.country("GTM")
    ids = [f"officer-{n}" for n in range(first, first + number)]
    for key in ids:
        await gtm.publish(gtm.report(NAME, example(NAME, officer_pid=key), id=key, time=NOW))
    operator = await system.region.connect("operator")
    await until(lambda: stored(operator, first + number), "all to be in stream and mailbox", PATIENCE_S)
    return ids


async def stored(operator, number):
    states = [(await ask(operator, f"STREAM.INFO.{stream}")).get("state", {}) for stream in ("TRAINING", "MAILBOX")]
    return [state.get("messages") for state in states] == [number, number]


async def found(system):
    """What `crm verify` finds of the service."""
    connection = await asyncpg.connect(system.region.database_url())
    try:
        return await compare(connection, await system.region.connect("operator"), "training")
    finally:
        await connection.close()


async def restored(system):
    region, told = system.region, []
    url = region.database_url("training")
    return await restore("training", url, region.nats.url, region.keys.folder, told.append), told


async def read(system, number):
    """What the country's mailbox gives, each id once."""
    gtm = await system.country("GTM")
    seen = []
    async for event in gtm.mailbox(idle_s=15):
        seen.append(event.id)
        if len(seen) == number:
            break
    return seen


@pytest.fixture
async def running(system):
    system.start("training", **clock())
    await system.ready(patience_s=PATIENCE_S)
    return system


async def test_a_lost_stream_is_made_anew_with_the_same_sequences_and_mailboxes_go_on(running):
    before = await reported(running, 0)
    provisioner = await running.region.connect(PROVISIONER)
    assert (await ask(provisioner, "STREAM.DELETE.TRAINING"))["success"]
    assert not (await found(running)).exists
    differences, _ = await restored(running)
    assert differences == []
    whole = await found(running)
    assert (whole.faults(), whole.sequence, whole.position) == ([], 30, 30)
    after = await reported(running, 30)
    assert await read(running, 60) == before + after


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
async def test_a_flipped_bit_is_found_and_mended(running, stop):
    """After an orderly stop NATS misses one message; after a kill it drops all from there."""
    await reported(running, 0)
    nats, region = running.region.nats, running.region
    nats.process.send_signal(stop)
    await asyncio.to_thread(nats.process.wait)
    assert flip_bit(SimpleNamespace(nats=nats), "training", random.Random(1))
    nats.launch(region.accounts())
    await asyncio.to_thread(nats.wait)
    if stop is signal.SIGTERM:
        assert (await until(lambda: anything_wrong(running), "crm verify to find it", PATIENCE_S)).missing
    await restored(running)
    whole = await found(running)
    assert (whole.faults(), whole.sequence) == ([], 30)
    await reported(running, 30)


async def test_what_was_damaged_before_mailbox_read_it_comes_there_after_all(running):
    """MAILBOX goes on behind the damaged message, and is filled once the stream is whole again: nothing comes twice."""
    first = await reported(running, 0)
    provisioner, gtm = await running.region.connect(PROVISIONER), await running.country("GTM")
    assert await mailbox.detach(provisioner, "TRAINING")
    for key in (later := [f"officer-{n}" for n in range(30, 60)]):
        await gtm.publish(gtm.report(NAME, example(NAME, officer_pid=key), id=key, time=NOW))
    nats, region = running.region.nats, running.region
    await until(lambda: copied(provisioner, 60), "all to be in the stream", PATIENCE_S)
    nats.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(nats.process.wait)
    assert damaged(nats, "officer-40")
    nats.launch(region.accounts())
    await asyncio.to_thread(nats.wait)
    await provision(await region.connect(PROVISIONER))
    assert "MAILBOX: does not have 41" in await until(lambda: holes(running), "MAILBOX to go on", PATIENCE_S)
    await restored(running)
    assert await until(lambda: well(running), "nothing to be wrong", PATIENCE_S)
    assert sorted(await read(running, 60)) == sorted(first + later)


async def copied(nc, number):
    return (await ask(nc, "STREAM.INFO.TRAINING"))["state"]["messages"] == number


async def holes(system):
    return [fault for fault in (await found(system)).faults() if fault.startswith("MAILBOX")]


async def well(system):
    return not (await found(system)).faults()


def damaged(nats, text):
    """Flip a bit of a message that holds the text; nats-server is down."""
    for block in (nats.home / "jetstream").rglob("streams/TRAINING/msgs/*.blk"):
        data = bytearray(block.read_bytes())
        at = data.find(text.encode())
        if at >= 0:
            data[at] ^= 1
            block.write_bytes(data)
            return True
    return False


async def anything_wrong(system):
    one = await found(system)
    return one if one.faults() else None


async def test_a_log_from_an_older_backup_is_brought_to_where_its_stream_ends(running, tmp_path):
    await reported(running, 0)
    dump(running, tmp_path / "backup")
    await reported(running, 30)
    newest = await found(running)
    running.kill("training")
    await put_back(running, tmp_path / "backup")
    running.start("training", CRM_OPS_PORT="0", **clock())
    older = await found(running)
    assert (older.position, older.ahead) == (30, 30)
    differences, _ = await restored(running)
    assert differences == []
    again = await found(running)
    assert (again.faults(), again.head, again.position) == ([], newest.head, 60)
    await running.ready(patience_s=PATIENCE_S)
    await reported(running, 60)
    assert [event.id for event in await running.log("training")] == [f"officer-{n}" for n in range(90)]


def dump(system, file):
    """The documented backup."""
    run(system, "pg_dump", "--format=custom", f"--file={file}")


async def put_back(system, file):
    """The documented restore, into the same database."""
    run(
        system,
        "pg_restore",
        "--clean",
        "--if-exists",
        "--single-transaction",
        f"--dbname={system.region.database}",
        file,
    )


def run(system, program, *arguments):
    server = system.region.postgres.server
    url = urlsplit(system.region.database_url())
    address = ["--host=127.0.0.1", f"--port={url.port}", f"--username={url.username}"]
    target = [] if program == "pg_restore" else [f"--dbname={system.region.database}"]
    subprocess.run([server.bin / program, *address, *target, *arguments], env={"PGPASSWORD": url.password}, check=True)


async def test_what_mailbox_lacks_is_told(running, monkeypatch):
    await reported(running, 0)
    assert (await found(running)).faults() == []
    whole = verify.messages

    async def holed(nc, stream, *options):
        """Leave one out, as a server that lost it would: MAILBOX lets nobody delete."""
        async for message in whole(nc, stream, *options):
            if (stream, mailbox.origin(message.source, b"")) != ("MAILBOX", 15):
                yield message

    monkeypatch.setattr(verify, "messages", holed)
    assert (await found(running)).faults() == ["MAILBOX: does not have 15"]
