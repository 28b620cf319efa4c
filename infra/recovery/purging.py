"""Taking from a stream what stands in the archive: only what is proved there, and what nobody has still to read."""

from pathlib import Path

import msgspec
from nats.aio.client import Client

from infra.nats import mailbox
from infra.nats.asking import ask
from infra.nats.provision import provision
from infra.recovery.archiving import Tell, noted
from infra.recovery.restore import copied, remade
from shared.contracts import SERVICES
from shared.flow.streams import durables, stream_of
from shared.record import archive
from shared.record.archive import ArchiveError
from shared.run.database import Pool


async def purge(  # noqa: PLR0913, PLR0917 - where all of it is
    service: str, folder: Path, pool: Pool, nc: Client, own: Client, tell: Tell
) -> int:
    """Make the stream of a service begin behind what is archived; return how many messages it no longer has.

    `pool` is the owner's, on the service's schema; `nc` and `own` are the provisioner's and the service's connections.
    Raises ArchiveError with what stands against it; nothing is changed then. The log keeps all of its rows.
    """
    async with pool.acquire() as connection:
        await noted(connection, folder, service)
    upto, _ = archive.end(folder, service)
    info = await ask(nc, f"STREAM.INFO.{stream_of(service)}")
    begun, state = max(1, int(info["config"].get("first_seq", 1))), info["state"]
    if upto < begun:
        tell(f"{service}: the stream begins at {begun}, and nothing behind that is archived")
        return 0
    if faults := await hindrances(service, pool, nc, upto, last=state["last_seq"]):
        raise ArchiveError(f"{service}: nothing is purged: {'; '.join(faults)}")
    for one in archive.manifests(folder, service):
        archive.proved(folder, one)
    await pool.execute("update archived set purged = now() where last <= $1 and purged is null", upto)
    await remade(nc, service, upto + 1)
    await copied(service, pool, own, tell)
    for line in await provision(nc):
        tell(line)
    return upto + 1 - begun


async def hindrances(service: str, pool: Pool, nc: Client, upto: int, *, last: int) -> list[str]:
    """Tell in words who has still to read what the stream has up to a sequence; empty: nobody."""
    stream, found = stream_of(service), []
    if last <= upto:
        found.append(f"the stream ends at {last}: its last message stays")
    head = await pool.fetchval("select max(position) from log where position > $1", upto)
    if head is None:
        found.append(f"the log has no row behind {upto}")
    if (folded := await _folded(pool, service)) < upto:
        found.append(f"the figures are stored up to {folded} only")
    for name in durables().get(stream, {}):
        info = await ask(nc, f"CONSUMER.INFO.{stream}.{name}")
        waits = info["num_pending"] + info["num_ack_pending"]
        if waits and info["ack_floor"]["stream_seq"] < upto:
            found.append(f"{name} has {waits} messages still to take")
    for other in SERVICES:
        aside = f"select count(*) from {other}.aside where stream = $1 and sequence <= $2"  # noqa: S608 - our own names
        held = await pool.fetchval(aside, stream, upto)
        if held:
            found.append(f"{other} has {held} messages set aside that it reads there")
    if (delivered := await mailbox.delivered(nc, stream)) < upto:
        found.append(f"MAILBOX has read up to {delivered} only")
    return found


async def _folded(pool: Pool, service: str) -> int:
    state = await pool.fetchval("select state from indicators.snapshot")
    sequences = msgspec.json.decode(state).get("sequences", []) if state else []
    return int(dict(sequences).get(service, 0))
