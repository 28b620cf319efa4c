"""Writing closed months of a log to the archive, and taking from the stream what is safe there."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.record import archive
from shared.record.archive import Archived, ArchiveError, Manifest, Writing
from shared.record.log import head
from shared.run.database import Connection

ROWS = 1000

Tell = Callable[[str], None]


class _When(Struct, frozen=True):
    recordedtime: datetime


_when = msgspec.json.Decoder(_When)


async def write(connection: Connection, folder: Path, service: str, until: str, tell: Tell) -> list[Manifest]:
    """Write each closed month that is not archived yet, up to the month `until` (empty: all); return what was written.

    `connection` is the owner's, on the service's schema. A month is closed when a row of a later one is on record.
    Each file is read back, row by row, before it counts. Raises ArchiveError; the files written until then are good.
    """
    await noted(connection, folder, service)
    written = []
    after = archive.end(folder, service)
    last, _ = await head(connection)
    while after[0] < last:
        first = await _recorded(connection, after[0] + 1)
        month = _month(first)
        if (until and month > until) or month >= _month(await _recorded(connection, last)):
            break
        writing = Writing(folder, service, month, after)
        one = await _write(connection, writing, after[0], await _end(connection, month, after[0] + 1, last))
        await _note(connection, one)
        tell(f"{service} {one.month}: {one.last - one.first + 1} rows, {one.bytes} bytes, up to position {one.last}")
        written.append(one)
        after = one.last, bytes.fromhex(one.head)
    return written


async def noted(connection: Connection, folder: Path, service: str) -> None:
    """Hold what the database knows of the archive against the archive, and note what it does not know yet.

    Raises ArchiveError where they contradict each other: it is another archive, or another log.
    """
    found = archive.manifests(folder, service)
    known = {row["first"]: row for row in await connection.fetch("select first, last, head, sha256 from archived")}
    for one in found:
        row = known.pop(one.first, None)
        if row and (row["last"], row["head"].hex(), row["sha256"].hex()) != (one.last, one.head, one.sha256):
            raise ArchiveError(f"{service} {one.month}: the archive does not hold what was archived of this log")
        in_log = await connection.fetchval("select hash from log where position = $1", one.last)
        if in_log is not None and in_log.hex() != one.head:
            raise ArchiveError(
                f"{service} {one.month}: the log has another row at {one.last}: it is another log's archive"
            )
        if row is None:
            await _note(connection, one)
    if known:
        raise ArchiveError(f"{service}: the archive has no file from position {min(known)} on, though it was written")


async def _note(connection: Connection, one: Manifest) -> None:
    await connection.execute(
        "insert into archived (first, last, month, previous, head, sha256) values ($1, $2, $3, $4, $5, $6)",
        one.first,
        one.last,
        one.month,
        *(bytes.fromhex(digits) for digits in (one.previous, one.head, one.sha256)),
    )


async def _write(connection: Connection, writing: Writing, after: int, last: int) -> Manifest:
    """Write the rows behind a position up to another."""
    try:
        while after < last:
            rows = await connection.fetch(
                "select position, payload, hash, said, signature, source, id, type, country, entity from log"
                " where position > $1 and position <= $2 order by position limit $3",
                after,
                last,
                ROWS,
            )
            if not rows:
                raise ArchiveError(f"{writing.service}: there is no row behind {after}")
            for row in rows:
                position, payload, hashed, said, signature, *columns = row
                recorded = _time(payload)
                kept = None if recorded else tuple(columns)
                writing.add(Archived(position, payload, hashed, said, kept, signature), recorded)
            after = rows[-1]["position"]
        return writing.done()
    finally:
        writing.discard()


async def _recorded(connection: Connection, position: int) -> datetime:
    """Return when the row at a position was recorded; where it does not tell, the first one behind it that does."""
    rows = "select payload from log where position >= $1 order by position limit $2"
    for number in (1, ROWS):
        for row in await connection.fetch(rows, position, number):
            if recorded := _time(row["payload"]):
                return recorded
    raise ArchiveError(f"no row from position {position} on tells when it was recorded")


def _time(payload: bytes) -> datetime | None:
    try:
        return _when.decode(payload).recordedtime
    except msgspec.DecodeError:
        return None


def _month(recorded: datetime) -> str:
    return f"{recorded:%Y-%m}"


async def _end(connection: Connection, month: str, first: int, last: int) -> int:
    """Return the last position of a month that has the row `first`, and not the later row `last`."""
    while last - first > 1:
        middle = (first + last) // 2
        if _month(await _recorded(connection, middle)) <= month:
            first = middle
        else:
            last = middle
    return first
