"""A country's mailbox, read again from its beginning or a date: the question `mailbox` to each service.

It is answered from the log, of which the mailbox is a copy. A country may not make consumers, and a right to read
the stream directly could not be limited to its own subjects; so it asks, and the service knows who asks.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.ask.questions import Asked
from shared.contracts.questions import Answered, MailboxAnswer
from shared.contracts.questions import MailboxAsk as Ask
from shared.record.log import head
from shared.run.database import Connection

EVENTS_MAX = 200
BYTES_MAX = 512 * 1024
"""What one answer holds; a NATS message takes twice that."""
ENVELOPED = 8
ROWS_MAX = 5_000
"""Positions looked through for one answer, so that no question keeps the others waiting."""


class _Recorded(msgspec.Struct):
    recordedtime: datetime


_recorded = msgspec.json.Decoder(_Recorded)


async def answered(asked: Sequence[Asked[Ask]], connection: Connection) -> Sequence[Answered]:
    """Answer each from the log; one round through `ROWS_MAX` positions takes some milliseconds."""
    last, _ = await head(connection)
    return [await _part(one, last, connection) for one in asked]


async def _part(asked: Asked[Ask], last: int, connection: Connection) -> MailboxAnswer:
    since = asked.ask.since
    after = asked.ask.after
    if since and not after:
        # Replicas take the time before they take the position: near one time, order may differ by some rows.
        after = max(0, await _before(since, last, connection) - ROWS_MAX // 2)
    end = min(after + ROWS_MAX, last)
    rows = await connection.fetch(
        "select position, payload, signature from log where position > $1 and position <= $2 and country = $3"
        " order by position limit $4",
        after,
        end,
        asked.country,
        EVENTS_MAX,
    )
    if len(rows) == EVENTS_MAX:
        end = rows[-1]["position"]
    events: list[msgspec.Raw] = []
    signatures: list[str] = []
    size = 0
    for row in rows:
        size += len(row["payload"]) + len(row["signature"] or b"")
        if events and size > BYTES_MAX:
            end = row["position"] - 1
            break
        if since is None or not _earlier(row["payload"], since):
            events.append(_told(row["payload"]))
            signatures.append((row["signature"] or b"").decode(errors="replace"))
    return MailboxAnswer(events=tuple(events), signatures=tuple(signatures), next=max(end, after), more=end < last)


def _told(payload: bytes) -> msgspec.Raw:
    """Return the event as it stands; where that is no JSON, `null`, so that the rest of the answer can be read."""
    try:
        # As deep as the answer puts it, and a little deeper.
        msgspec.json.decode(b"[" * ENVELOPED + payload + b"]" * ENVELOPED, type=msgspec.Raw)
    except Exception:  # noqa: BLE001 - whatever one row of an old version is, the others are told
        return msgspec.Raw(b"null")
    return msgspec.Raw(payload)


def _earlier(payload: bytes, since: datetime) -> bool:
    """Say whether it was recorded before; not so of what does not tell: better told twice than never."""
    try:
        return _recorded.decode(payload).recordedtime < since
    except Exception:  # noqa: BLE001 - whatever one row of an old version is, the others are told
        return False


async def _before(since: datetime, last: int, connection: Connection) -> int:
    """Return the last position recorded before `since`, by halving: positions are consecutive, times ascend."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        payload = await connection.fetchval("select payload from log where position = $1", middle)
        if _earlier(payload, since):
            low = middle
        else:
            high = middle - 1
    return low
