"""A published report made anew from the logs that it rests on, and each log's hash at its end."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.recovery import recount
from services.indicators.folded.fold import Fold
from services.indicators.publish import reports
from services.indicators.publish.reports import Report
from services.indicators.settings import current
from shared.contracts import SERVICES
from shared.record.archive import rows
from shared.record.chain import GENESIS, chained
from shared.run import database
from shared.run.database import Connection

ROWS = 1000


class _Old(Struct, frozen=True):
    """What a report of any version says of itself."""

    quarter: str
    revision: int
    events: dict[str, int] = {}
    hashes: dict[str, str] = {}
    digest: str = ""
    checkpoints: dict[str, str] = {}


class Refolded(Struct, frozen=True):
    """What came of it."""

    quarter: str
    revision: int
    published: str
    """SHA-256 (hex) of the bytes as published."""
    heads: dict[str, tuple[int, str]]
    """Service -> the position at which the report was made, and the hash (hex) of the log's row there."""
    faults: list[str]


async def refolded(database_url: str, published: bytes, archive: Path | None = None) -> Refolded:
    """Fold the logs up to the positions that a report names, and compare.

    Raises what the database raises, and ArchiveError.

    `archive`: the folder that holds the first months of logs whose rows are not in the database any more.
    """
    old = msgspec.json.decode(published, type=_Old)
    faults: list[str] = []
    heads: dict[str, tuple[int, str]] = {}
    checksum = hashlib.sha256(published).hexdigest()
    positions = old.events or await _positions(database_url, old)
    if not positions:
        faults.append("the report does not say at which positions it was made: it cannot be folded again")
        return Refolded(old.quarter, old.revision, checksum, heads, faults)
    if unknown := sorted({*positions} - {*SERVICES}):
        faults.append(f"the report names logs that there are not: {', '.join(unknown)}")
        return Refolded(old.quarter, old.revision, checksum, heads, faults)
    fold = Fold(current())
    connection = await database.connected(database_url)
    try:
        for service, position in positions.items():
            head = await _folded(connection, fold, service, position, archive, faults)
            heads[service] = position, head.hex()
            if old.hashes.get(service, head.hex()) != head.hex():
                faults.append(f"{service}: the report names another hash of the log at {position}")
            if service in old.checkpoints:
                faults += await recount.signed(connection, service, position, old.checkpoints[service])
    finally:
        await connection.close()
    if old.digest and old.digest != fold.plan.digest:
        faults.append("the report was made under another plan (CRM_PLAN_FOLDER): its bytes cannot be the same")
    elif not faults:
        faults += _differing(published, reports.content(_made(fold, old)), old)
    return Refolded(old.quarter, old.revision, checksum, heads, faults)


async def _positions(database_url: str, old: _Old) -> dict[str, int]:
    """Return at which positions a report was made: beside it, for they are not public."""
    connection = await database.connected(database_url)
    try:
        query = "select folded from indicators.report where quarter = $1 and revision = $2"
        found = await connection.fetchval(query, old.quarter, old.revision)
    finally:
        await connection.close()
    return msgspec.json.decode(found, type=dict[str, int]) if found else {}


def _made(fold: Fold, old: _Old) -> Report:
    made = reports.report(fold.plan, fold.state, old.quarter, old.revision)
    return msgspec.structs.replace(made, checkpoints=old.checkpoints)


def _differing(published: bytes, anew: bytes, old: _Old) -> list[str]:
    if not old.digest:
        # Published before reports said under which plan and named the logs' hashes: what they show is compared.
        shown = msgspec.structs.replace(msgspec.json.decode(anew, type=Report), hashes={}, digest="")
        anew = reports.content(shown)
    if anew == published:
        return []
    told = f"folded anew it has other bytes: SHA-256 {hashlib.sha256(anew).hexdigest()}"
    return [told if old.digest else f"{told}; it does not say under which plan it was made, which may be another"]


async def _folded(  # noqa: PLR0913, PLR0917 - a log, how far, and where what is found goes
    connection: Connection, fold: Fold, service: str, last: int, archive: Path | None, faults: list[str]
) -> bytes:
    """Fold a log's rows from the first to `last`; return the hash recomputed there."""
    head, at = GENESIS, 0
    async for position, payload, said in _rows(connection, service, last, archive):
        if position != at + 1:
            faults.append(f"{service}: rows {at + 1} to {position - 1} are not in the log; name the --archive")
            return head
        fold.take(service, position, payload)
        head, at = chained(head, payload), position
        if said != head:
            faults.append(f"{service}: the hash of row {position} is not that of the rows up to it")
            return head
    if at < last:
        faults.append(f"{service}: the log ends at {at}, before {last}")
    return head


async def _rows(
    connection: Connection, service: str, last: int, archive: Path | None
) -> AsyncIterator[tuple[int, bytes, bytes]]:
    at = 0
    for kept in rows(archive, service) if archive else ():
        if kept.position > last:
            return
        at = kept.position
        yield kept.position, kept.payload, kept.hash
    while found := await connection.fetch(
        f"select position, payload, hash from {service}.log"  # noqa: S608 - a service's name
        " where position > $1 and position <= $2 order by position limit $3",
        at,
        last,
        ROWS,
    ):
        for row in found:
            yield row["position"], row["payload"], row["hash"]
        at = found[-1]["position"]
