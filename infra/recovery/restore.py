"""Making a service's stream anew from its log, or bringing its log to where its stream ends."""

import importlib
from collections.abc import Callable
from pathlib import Path

import asyncpg
from nats.aio.client import Client

from infra.nats import mailbox
from infra.nats.asking import ask, ok
from infra.nats.config import seed_file
from infra.nats.connection import connected
from infra.nats.provision import provision, stream_config
from infra.nats.redelivery import again
from infra.nats.rights import PROVISIONER
from infra.recovery import recount
from infra.recovery.history import History
from infra.recovery.recount import Witnessed
from infra.recovery.replay import Replay
from infra.recovery.verify import NOTHING, Comparison, compare, unmailed
from shared.flow import checkpoints
from shared.flow.provisioned import intakes, retired
from shared.flow.relay import Relay
from shared.flow.streams import CHECKPOINTS, MAILBOX, read_by, stream_configs, stream_of, tuned
from shared.record import upgrading
from shared.record.log import head
from shared.run import database
from shared.run.database import Connection, Pool, session
from shared.service import Service

Tell = Callable[[str], None]


class UnrestorableError(RuntimeError):
    """Neither log nor stream can serve to make the other; the message says what is wrong with each."""


async def restore(  # noqa: PLR0913, PLR0917 - where all of it is
    service: str,
    database_url: str,
    nats_url: str,
    creds: Path,
    tell: Tell,
    archive: Path | None = None,
    witnessed: Witnessed = NOTHING,
) -> list[str]:
    """Make log and stream of `service` copies of each other again, from whichever holds more.

    `database_url` is the service's own address, `creds` holds the keys of the provisioner and of the service, `archive`
    what the stream may no longer have (`crm archive`), `witnessed` what others kept of the log. Return what the
    judgements give now that was not recorded, and what was signed that the log does not have, in words. Raises
    UnrestorableError; nothing is changed then.
    """
    async with (
        connected(nats_url, seed_file(creds, PROVISIONER), PROVISIONER) as nc,
        connected(nats_url, seed_file(creds, service), service) as own,
        asyncpg.create_pool(
            database_url, connect=database.connected, min_size=1, max_size=2, server_settings=session(service)
        ) as pool,
    ):
        async with pool.acquire() as connection:
            found = await compare(connection, nc, service)
        tell(f"{service}: log {found.position}, stream {found.sequence}")
        if not found.log_whole or (found.ahead and not found.stream_true):
            raise UnrestorableError("; ".join(found.faults()))
        differences: list[str] = []
        if found.ahead:
            differences = await _log(service, pool, nc, tell, History(nc, archive))
        else:
            await _stream(found, pool, nc, own, tell)
        for line in await provision(nc):
            tell(line)
        for sequence in (await unmailed(nc, [service]))[service]:
            await mailbox.fill(nc, stream_of(service), sequence)
            tell(f"{MAILBOX} has {stream_of(service)} {sequence} again")
        async with pool.acquire() as connection:
            differences += await recount.gone(connection, nc, service, witnessed)
            return differences or await _signed_again(connection, own, service, witnessed, tell)


async def _signed_again(
    connection: Connection, own: Client, service: str, witnessed: Witnessed, tell: Tell
) -> list[str]:
    """Where CHECKPOINTS has nothing of the log, put there what was signed last, so that its service signs again.

    Only if the countries were asked whether they know of more: return in words that they were not.
    """
    last = await connection.fetchrow("select size, signed from checkpoint order by size desc limit 1")
    if last is None or await checkpoints.published(own, service) is not None:
        return []
    if not witnessed.asked:
        lost = f"{CHECKPOINTS} has nothing of {service}: more than {last['size']} rows may have been signed"
        return [f"{lost}; name with --checkpoints the folder of what countries kept (empty, if none keeps any)"]
    await own.jetstream().publish(checkpoints.subject(service), last["signed"].encode())
    tell(f"{CHECKPOINTS} has what was signed of {last['size']} rows again")
    return []


async def _log(service: str, pool: Pool, nc: Client, tell: Tell, history: History) -> list[str]:
    """Bring the log to the stream's end, then have everything delivered again that was acknowledged meanwhile."""
    process: Service = importlib.import_module(f"services.{service}.__main__").SERVICE
    await upgrading.take_over(pool, service, process.judged(), process.folder)
    async with pool.acquire() as connection:
        replay = Replay(history, connection, service, process.judged())
        await replay.run()
    tell(f"{replay.rows} rows from the stream, and what followed from them")
    taken = [(stream, service) for stream in (*intakes(), *await retired(nc, service))]
    await again(nc, [*taken, *read_by(service)])
    return replay.differences


async def _stream(found: Comparison, pool: Pool, nc: Client, own: Client, tell: Tell) -> None:
    """Make the stream anew where it is not a true copy, and copy all rows; MAILBOX waits meanwhile."""
    if not found.stream_whole:
        purged = await pool.fetchval("select coalesce(max(last), 0) from archived where purged is not null")
        await remade(nc, found.service, purged + 1)
        tell(f"stream {stream_of(found.service)} made anew")
    await copied(found.service, pool, own, tell)


async def remade(nc: Client, service: str, first: int) -> None:
    """Make a service's stream anew, to begin with a sequence; MAILBOX no longer reads it until `provision`."""
    name = stream_of(service)
    wanted, before = stream_configs()[name], await stream_config(nc, name)
    await mailbox.detach(nc, name)
    if before is not None:
        ok(f"stream {name}", await ask(nc, f"STREAM.DELETE.{name}"))
    kept = {key: before[key] for key in tuned(name) if key in before} if before else {}
    ok(f"stream {name}", await ask(nc, f"STREAM.CREATE.{name}", {**wanted, **kept, "first_seq": first}))


async def copied(service: str, pool: Pool, own: Client, tell: Tell) -> None:
    """Copy to the stream what it lacks of the log."""
    relay = Relay(service, pool, own)
    async with pool.acquire() as connection:
        relay.position = await relay.compared(connection)
        begun = relay.position
        # A relay of the service may copy at the same time: the stream takes each row once.
        while relay.position < (await head(connection))[0]:
            await relay.copy(connection)
    tell(f"{relay.position - begun} rows copied to the stream, which ends at {relay.position}")
