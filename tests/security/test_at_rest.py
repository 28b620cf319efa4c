"""What NATS stores stands encrypted on the disk, also what it stored before; whoever has the disk reads nothing."""

import signal

import nats

from infra.local.nats import Nats
from infra.local.process import stop
from infra.nats.config import at_rest

CANARY = b"canary-7f3a-of-a-witness"


async def stored(server: Nats, name: str) -> None:
    client = await nats.connect(server.url)
    stream = client.jetstream()
    await stream.add_stream(name=name, subjects=[f"{name}.>"])
    await stream.publish(f"{name}.x", CANARY)
    await client.close()


async def read(server: Nats, name: str) -> bytes:
    client = await nats.connect(server.url)
    try:
        return (await client.jetstream().get_msg(name, 1)).data
    finally:
        await client.close()


def on_disk(server: Nats) -> bool:
    files = [file for file in (server.home / "jetstream").rglob("*") if file.is_file()]
    assert files
    return any(CANARY in file.read_bytes() for file in files)


async def test_what_is_stored_is_encrypted_also_what_was_stored_before(tmp_path):
    server = Nats(tmp_path / "nats")
    server.start({})
    await stored(server, "BEFORE")
    stop(server.process, signal.SIGTERM)
    assert on_disk(server), "the control: in clear it is found"

    server.at_rest = at_rest(tmp_path)
    server.start({})
    try:
        await stored(server, "AFTER")
        assert await read(server, "BEFORE") == await read(server, "AFTER") == CANARY
    finally:
        stop(server.process, signal.SIGTERM)
    assert not on_disk(server)
    assert (tmp_path / "streams.key").stat().st_mode & 0o777 == 0o600
