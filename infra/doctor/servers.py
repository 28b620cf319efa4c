"""What the two servers tell: reachable, set up as asked for, their clocks, room, lags, what is set aside or unread."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from nats.aio.client import Client

from infra.doctor.finding import Told, found, note, ok
from infra.nats.asking import ask
from infra.nats.provision import all_differences
from shared.contracts import SERVICES
from shared.flow.lost import LOST
from shared.flow.streams import MAILBOX, QUARANTINE, RECEIVERS, SENDERS, durables, intake_of, stream_of
from shared.run.clock import astray_s
from shared.run.database import connected as connected_database
from shared.run.database import migration_files

ASK_S = 5.0
FULL = 0.8
BEHIND = 1000
"""So many messages behind is a lag, and no moment's work."""
ASTRAY_S = 1.0
UNREAD = timedelta(days=1)
ROOT = Path(__file__).parents[2]
ZONE = re.compile(r"\.(\d{6})\d*")


def address(answer: str) -> Any:
    """Return the JSON at an address; raises OSError or ValueError."""
    with urllib.request.urlopen(answer, timeout=ASK_S) as found_:  # noqa: S310 - of the deployment asked for
        return json.load(found_)


def nats(monitor: str) -> Iterator[Told]:
    """Tell what the NATS server says of itself at its monitoring address."""
    if not monitor:
        yield note(
            "NATS",
            "its monitoring address is not known: synced writes and its disk are not looked at",
            "crm context add … --monitor",
        )
        return
    try:
        jsz, varz = address(f"{monitor}/jsz?config=true"), address(f"{monitor}/varz")
    except (OSError, ValueError) as error:
        yield found(
            "NATS",
            f"{monitor} does not answer ({type(error).__name__})",
            "is nats-server running? its log says why not",
        )
        return
    yield ok("NATS", f"version {varz.get('version')}, {varz.get('connections')} connections")
    if not jsz.get("config", {}).get("sync_always"):
        cure = "jetstream { sync_interval: always } in its configuration (crm provision --write-config)"
        yield found("NATS", "it acknowledges before a write is synced: a power cut loses reports", cure)
    used, most = jsz.get("storage", 0), jsz.get("config", {}).get("max_storage", 0)
    said = f"JetStream uses {used / 2**30:,.1f} GiB of {most / 2**30:,.1f} GiB"
    if most and used / most > FULL:
        yield found("NATS disk", said, "crm archive write, then crm archive purge; or a larger disk and max_file_store")
    else:
        yield ok("NATS disk", said)


async def streams(nc: Client) -> list[Told]:
    """Tell whether streams and durables are as asked for, how full they are, what waits in them, who does not read."""
    told = [found("provisioning", f"NATS: {one}", "crm provision") for one in await all_differences(nc)]
    told = told or [ok("provisioning", "streams, durables and rights are as the contracts ask for")]
    for name in (*map(intake_of, SENDERS), QUARANTINE):
        answer = await ask(nc, f"STREAM.INFO.{name}")
        state, config = answer.get("state", {}), answer.get("config", {})
        share = max(
            (
                state.get(held, 0) / config[most]
                for held, most in (("bytes", "max_bytes"), ("messages", "max_msgs"))
                if config.get(most, -1) > 0
            ),
            default=0,
        )
        if share > FULL:
            cure = "speak with who sends so much; crm intake purge, or a larger quota (shared/quotas.toml)"
            told.append(found("quotas", f"{name} is {share:.0%} full", cure))
        if name == QUARANTINE:
            told.append(
                ok("QUARANTINE", f"{state.get('messages', 0):,} refused reports are kept (crm quarantine list)")
            )
    return told + await _waiting(nc)


async def _waiting(nc: Client) -> list[Told]:
    told, now = [], datetime.now(UTC)
    for stream, wanted in durables().items():
        for name in wanted:
            info = await ask(nc, f"CONSUMER.INFO.{stream}.{name}")
            waiting = info.get("num_pending", 0) + info.get("num_ack_pending", 0)
            if stream == MAILBOX and name in RECEIVERS:
                last = info.get("ack_floor", {}).get("last_active") or info.get("created")
                if waiting and last and now - _time(last) > UNREAD:
                    said = f"{name} has read nothing since {last[:16]}; {waiting:,} events wait"
                    told.append(
                        found("mailboxes", said, "ask its system's people: nobody there hears of hits and due dates")
                    )
            elif waiting > BEHIND:
                cure = f"is {name} ready (below)? a flood of one sender delays that sender only"
                told.append(found("lags", f"{waiting:,} messages of {stream} are to be taken in by {name}", cure))
    return told


def _time(text: str) -> datetime:
    return datetime.fromisoformat(ZONE.sub(r".\1", text))


async def postgres(database: "asyncpg.Connection[asyncpg.Record]") -> list[Told]:
    """Tell whether the database is as asked for: durable, migrated, with room for sessions, its clock ours."""
    version, fsync, size, open_, most, waiting = await database.fetchrow(
        "select current_setting('server_version'), current_setting('fsync'), pg_database_size(current_database()),"
        " (select count(*) from pg_stat_activity), current_setting('max_connections')::int,"
        " (select count(*) from pg_locks where not granted)"
    )  # type: ignore[misc]  # there is always one row
    told = [ok("PostgreSQL", f"version {version}, {size / 2**30:,.2f} GiB, {open_} of {most} sessions")]
    if fsync != "on":
        told.append(
            found(
                "PostgreSQL", "fsync is off: a power cut loses what was acknowledged", "fsync = on, and start it anew"
            )
        )
    if open_ > 0.9 * most:
        told.append(
            found(
                "PostgreSQL",
                f"{open_} of {most} sessions are in use",
                "raise max_connections, or lower CRM_DATABASE_CONNECTIONS_MAX",
            )
        )
    if waiting:
        told.append(note("PostgreSQL", f"{waiting} locks are waited for", "pg_blocking_pids() names who holds them"))
    off = await astray_s(database)
    if abs(off) > ASTRAY_S:
        told.append(
            found("clocks", f"this machine's clock is {off:+.1f} s from the database's", "chronyc makestep, on both")
        )
    else:
        told.append(ok("clocks", "this machine's and the database's agree to a second"))
    for service in SERVICES:
        told += await _service(database, service)
    return told


async def _service(database: "asyncpg.Connection[asyncpg.Record]", name: str) -> list[Told]:
    told = []
    applied = {row[0] for row in await database.fetch(f"select name from {name}.migration")}  # noqa: S608 - our own names
    wanted = [f"{file.parent.parent.name}/{file.name}" for file in migration_files(ROOT / "services" / name)]
    if missing := [one for one in wanted if one not in applied]:
        told.append(
            found("provisioning", f"{name} lacks {len(missing)} migrations, the first is {missing[0]}", "crm provision")
        )
    number = await database.fetchval(f"select count(*) from {name}.aside where kind = 'failed'")  # noqa: S608
    number += await database.fetchval(f"select count(*) from {name}.deadline where tries > 0")  # noqa: S608
    if number:
        cure = f"mend what the log of {name} names, and start it: it takes them in by itself"
        told.append(found("set aside", f"{name} could not handle {number:,} messages or deadlines", cure))
    return told


async def copied(database: "asyncpg.Connection[asyncpg.Record]", nc: Client) -> list[Told]:
    """Tell whether each stream is the log, copied to its end."""
    told = []
    for name in SERVICES:
        last = (await ask(nc, f"STREAM.INFO.{stream_of(name)}")).get("state", {}).get("last_seq", 0)
        head = await database.fetchval(f"select coalesce(max(position), 0) from {name}.log")  # noqa: S608
        if last > head:
            told.append(
                found("lags", f"the stream of {name} ends at {last:,}, its log at {head:,}", f"crm restore {name}")
            )
        elif head - last > BEHIND:
            told.append(
                found("lags", f"{head - last:,} rows of {name} are not in its stream", "is NATS's disk full or slow?")
            )
    return told or [ok("lags", "every log is copied to its stream")]


async def gathered(addresses: dict[str, Any]) -> list[Told]:
    """Tell all of both servers; what one does not answer holds up nothing else."""
    from infra.nats.connection import connected  # noqa: PLC0415 - late: one server may be all there is
    from infra.nats.rights import OPERATOR  # noqa: PLC0415

    told: list[Told] = []
    database = None
    try:
        if addresses["postgres"]:
            database = await connected_database(addresses["postgres"], timeout=ASK_S, command_timeout=ASK_S)
            told += await postgres(database)
        else:
            told.append(note("PostgreSQL", "its address is not known here", "crm context add … --database"))
    except (*LOST, asyncpg.PostgresError) as error:
        told.append(
            found(
                "PostgreSQL",
                f"it does not answer ({type(error).__name__})",
                "is it running? may `operator` get in from here (pg_hba.conf)?",
            )
        )
    try:
        async with (
            asyncio.timeout(60),
            connected(addresses["nats"], Path(addresses["creds"][OPERATOR]), OPERATOR) as nc,
        ):
            told += await streams(nc)
            if database and not database.is_closed():
                told += await copied(database, nc)
    except (*LOST, TimeoutError, ValueError) as error:
        cure = "is it running, and is the operator's key one of its own (crm provision --write-config, reload)?"
        told.append(
            found("NATS", f"{addresses['nats'] or 'without an address'} does not answer ({type(error).__name__})", cure)
        )
    if database:
        await database.close(timeout=ASK_S)
    return told
