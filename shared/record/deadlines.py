"""Deadlines: events that will happen by themselves when they are due, unless they are taken away in time.

Whoever takes the row takes it in the transaction of what follows: an answer and its overdue can never both win.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import structlog

from shared import contracts
from shared.record.log import Draft, Log
from shared.run import crash, database
from shared.run.clock import Clock
from shared.run.database import SWEEP, Connection, Queried, Row
from shared.run.telemetry import ASIDE, DEADLINE, DEADLINES, RECEIVED

log = structlog.get_logger()

POLL_S = 0.2
BATCH_MAX = 200
SHOWN_S = 10.0
"""How often it is counted what has failed."""


async def sweep(log_: Log) -> None:
    """Fire what is due, for ever; one sweeper is active per service."""
    while True:
        try:
            async with database.elected(log_.pool, log_.service, SWEEP) as connection:
                shown = 0.0
                while True:
                    if time.monotonic() > shown + SHOWN_S:
                        failing = await connection.fetchval("select count(*) from deadline where tries > 0")
                        ASIDE.labels(log_.service, DEADLINE, "failed").set(failing)
                        DEADLINES.labels(log_.service).set(await connection.fetchval("select count(*) from deadline"))
                        shown = time.monotonic()
                    fired = await _fired(log_, connection, BATCH_MAX)
                    if fired:
                        crash.point("fired")
                    if fired < BATCH_MAX:
                        await log_.clock.pause(POLL_S)
        except database.LOST as error:
            log.warning("deadlines wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def late_s(queried: Queried, clock: Clock) -> float:
    """Return for how many seconds of real time the first deadline has been due; 0: none is.

    Those that failed and wait for their next try are left out: they are told of as set aside.
    """
    due = await queried.fetchval("select min(due) from deadline where retry_at <= now() and due <= $1", clock.now())
    return max(0.0, clock.real_s(clock.now() - due)) if due else 0.0


async def _fired(log_: Log, connection: Connection, most: int) -> int:
    """Record what is due; where the database does not take it all together, one after the other."""
    some = "select exists (select from deadline where due <= $1 and retry_at <= now())"
    if not await connection.fetchval(some, log_.clock.now()):
        return 0
    try:
        async with connection.transaction():
            fired = await fire(log_, connection, most)
            if fired:
                crash.point("firing")
    except database.LOST:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one deadline's
        if most > 1:
            return sum([await _fired(log_, connection, 1) for _ in range(most)])
        async with connection.transaction():
            for row in await _taken(connection, log_.clock.now(), 1):
                await _put_back(log_.service, connection, row, error)
        return 1
    return fired


async def _taken(connection: Connection, now: datetime, most: int) -> list[Row]:
    """Take away the deadlines that are due, the first so many."""
    return await connection.fetch(
        "delete from deadline where id in"
        " (select id from deadline where due <= $1 and retry_at <= now() order by due, id limit $2)"
        " returning id, due, event, tries",
        now,
        most,
    )


async def fire(log_: Log, connection: Connection, most: int = BATCH_MAX) -> int:
    """Record the events that are due, at most so many, in the caller's transaction; return how many."""
    await database.turn(connection, log_.service)
    rows = await _taken(connection, log_.clock.now(), most)
    if not rows:  # another replica recorded them, or the clock was set back
        return 0
    drafts, failed = _read(sorted(rows, key=lambda row: (row["due"], row["id"])))
    outcomes = await log_.record_within(connection, [draft for _, draft in drafts])
    failed += [(row, one) for (row, _), one in zip(drafts, outcomes, strict=True) if one is not None]
    for row, error in failed:
        await _put_back(log_.service, connection, row, error)
    return len(rows)


def _read(rows: Sequence[Row]) -> tuple[list[tuple[Row, Draft]], list[tuple[Row, Exception]]]:
    """Return the events that are to be recorded, and what cannot be read: no deadline holds up another."""
    drafts: list[tuple[Row, Draft]] = []
    failed: list[tuple[Row, Exception]] = []
    for row in rows:
        try:
            drafts.append((row, Draft(contracts.decode(row["event"]))))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are due as well
            failed.append((row, error))
    return drafts, failed


async def _put_back(service: str, connection: Connection, row: Row, error: Exception) -> None:
    """Have the deadline tried again later, each time after twice as long, at most a minute."""
    RECEIVED.labels(service, DEADLINE, "failed").inc()
    log.error("deadline failed and is tried again", type=type(error).__name__, tries=row["tries"] + 1)
    await connection.execute(
        "insert into deadline (id, due, event, tries, retry_at)"
        " values ($1, $2, $3, least($4, 1000), now() + make_interval(secs => least(60, 2 ^ least($4, 6))))"
        " on conflict (id) do nothing",  # what was recorded meanwhile may have set it anew
        row["id"],
        row["due"],
        row["event"],
        row["tries"] + 1,
    )
