"""Walks a service's log and stream side by side: positions, hash chain, columns, and each message against its row."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from nats.aio.client import Client

from infra.nats import mailbox
from infra.nats.asking import ask
from infra.recovery import recount
from infra.recovery.reading import Message, messages
from infra.recovery.recount import Recount, Witnessed
from shared import contracts
from shared.contracts import Event
from shared.flow.relay import subject
from shared.flow.streams import MAILBOX, stream_of
from shared.record import tree
from shared.record.chain import GENESIS, chained
from shared.run.database import Connection, Row

ROWS = 1000
COPIED_S = 5.0
"""How long a stream may rest before its log's end: then the relay does not copy."""
SHOWN = 10
NOTHING = Witnessed()


class _Told(Struct, frozen=True):
    """As much of a payload as its row says in columns."""

    id: str
    source: str
    type: str
    country: str
    sequence: int = 0
    subject: str = ""


_told = msgspec.json.Decoder(_Told)
_decoders: dict[str, Callable[[bytes], Event[Any]]] = {}
"""Of the contracts that there are, by type."""


@dataclass(slots=True)
class Comparison:
    """What was found; the lists hold positions, in rising order."""

    service: str
    table: str = "log"
    """Which: the whole log, or one partition of it."""
    first: int = 1
    """The position from which on it was looked at."""
    rows: int = 0
    position: int = 0
    """Of the log's last row."""
    sequence: int = 0
    """The stream's last, read before the log, so that what is being recorded meanwhile is never a fault."""
    exists: bool = True
    """Whether there is a stream at all."""
    begun: int = 1
    """The sequence that the stream was made to begin with: what is before stands in the archive."""
    archived: int = 0
    """Up to where the database knows that the log is archived."""
    messages: int = 0
    """How many messages it had then."""
    behind: int = 0
    """Rows that the stream does not get, though it was waited for."""
    head: bytes = GENESIS
    """The last row's hash: who notes it can prove later that nothing before it was changed."""
    other: list[int] = field(default_factory=list)
    """The row before the first, if it has not the hash that it had when it was verified."""
    gaps: list[int] = field(default_factory=list)
    """Rows that follow a missing one."""
    broken: list[int] = field(default_factory=list)
    """Rows whose hash is not that of the row before and their payload."""
    crooked: list[int] = field(default_factory=list)
    """Rows whose columns (id, source, type, country, entity) do not say what their payload says."""
    unnamed: list[int] = field(default_factory=list)
    """Rows that are not found under their id: it could be recorded again."""
    refused: list[int] = field(default_factory=list)
    """Rows that the published decoder refuses: readers set them aside."""
    missing: list[int] = field(default_factory=list)
    """Sequences, up to the stream's last, at which the stream has no message."""
    differing: list[int] = field(default_factory=list)
    """Sequences at which subject or payload are not the row's."""
    tree: Recount | None = None
    """The Merkle tree as the rows give it; not of one partition."""
    unmailed: list[int] = field(default_factory=list)
    """Sequences that MAILBOX lacks, though it has earlier and later ones (it keeps them for 90 days)."""

    @property
    def ahead(self) -> int:
        """How many messages the stream has beyond the log's last row."""
        return max(0, self.sequence - self.position)

    @property
    def log_whole(self) -> bool:
        """Whether the log proves itself."""
        return not (self.other or self.gaps or self.broken)

    @property
    def stream_true(self) -> bool:
        """Whether the stream, from where it begins, is a true copy as far as both reach."""
        return self.exists and not (self.missing or self.differing)

    @property
    def stream_whole(self) -> bool:
        """Whether it also begins where it should: at the first row, or behind what is archived."""
        return self.stream_true and not (self.rows and self.begun > self.archived + 1)

    def wrong(self) -> bool:
        """Whether anything is wrong with the rows looked at so far, or with their copies."""
        rows = (self.other, self.gaps, self.broken, self.crooked, self.unnamed, self.refused)
        return any((*rows, self.missing, self.differing, self.tree and (self.tree.untrue or self.tree.faults)))

    def faults(self) -> list[str]:
        """Tell in words what is wrong, with the first ten positions; empty: nothing."""
        named = {
            "log: not the row that was verified before, at": self.other,
            "log: a row is missing before": self.gaps,
            "log: the hash chain breaks at": self.broken,
            "log: columns differ from what was recorded at": self.crooked,
            "log: not found under its id, at": self.unnamed,
            "log: the contract does not decode": self.refused,
            "stream: no message at": self.missing,
            "stream: not the log's row at": self.differing,
            "MAILBOX: does not have": self.unmailed,
        }
        if self.tree:
            named["tree: a tile of leaves is not of the rows from"] = self.tree.untrue
        said = [f"{what} {_some(found)}" for what, found in named.items() if found]
        if self.tree:
            said += [f"tree: the tile {one} is not of the rows" for one in self.tree.crooked[:SHOWN]]
            said += self.tree.faults[:SHOWN]
        if self.begun > self.archived + 1:
            border = f"it begins at {self.begun}, and what is before {self.begun} is not archived"
            said.append(f"stream: {border}: run `crm restore {self.service}`")
        if not self.exists:
            said.append("stream: there is none")
        elif self.position and not self.messages:
            said.append(f"stream: empty, the log has {self.rows} rows: run `crm restore {self.service}`")
        if self.behind:
            said.append(f"stream: {self.behind} rows are not copied: the service's relay stands or does not run")
        if self.ahead:
            said.append(f"stream: {self.ahead} messages beyond the log, which ends at {self.position}")
        return said


Looked: TypeAlias = Row | Mapping[str, Any]
"""A row as `_rows` asks for it."""
Tell: TypeAlias = Callable[[Comparison], None]


async def compare(  # noqa: PLR0913 - of what, by whom, and from where
    connection: Connection,
    nc: Client,
    service: str,
    partition: int = 0,
    witnessed: Witnessed = NOTHING,
    *,
    first: int = 1,
    known: bytes = b"",
    tell: Tell = lambda _: None,
    mailed: bool = True,
) -> Comparison:
    """Compare a service's log and stream, the whole of them, or one partition (by its first position) and its copy.

    Both may be in use. The whole log is held against all that was signed of it as well. With `first`, the rows before
    are believed, but for the hash `known` of the last of them; what is signed of later ones holds only if the tree over
    them was right. `tell` is called now and then with what was found so far. Where not `mailed`,
    the caller looks at MAILBOX, for several services at once.

    `connection` needs to read `<service>.log`, `nc` to ask about the stream and get its messages.
    Raises nats.errors.Error or OSError when a server is away.
    """
    found = Comparison(service, f"log_{partition}" if partition else "log")
    if not partition:
        found.tree = await recount.begun(connection, nc, service, witnessed)
    if known:
        stored = await connection.fetchval(f"select hash from {service}.log where position = $1", first - 1)  # noqa: S608
        found.other = [] if stored == known else [first - 1]
    if (begin := partition or _whole_tiles(first)) > 1:
        await _begin(connection, found, begin)
        if found.tree:
            await found.tree.skip(begin - 1)
    info = await ask(nc, f"STREAM.INFO.{stream_of(service)}")
    state = info.get("state")
    found.begun = max(1, info.get("config", {}).get("first_seq", 1))
    found.archived = await connection.fetchval(
        f"select coalesce(max(last), 0) from {service}.archived"  # noqa: S608 - our own names
    )
    found.exists = state is not None
    found.sequence = int(state["last_seq"]) if state else 0
    found.messages = int(state["messages"]) if state else 0
    await _walked(connection, nc, found, tell)
    if found.tree:
        await found.tree.done()
    if not partition:
        found.behind = await _behind(nc, found) if found.exists else 0
        found.unmailed = (await unmailed(nc, [service]))[service] if mailed else []
    return found


async def _walked(connection: Connection, nc: Client, found: Comparison, tell: Tell) -> None:
    """Look at the rows, each with its message."""
    async with aclosing(messages(nc, stream_of(found.service), found.position + 1)) as stream:
        await _beside(connection, found, tell, stream)


async def _beside(connection: Connection, found: Comparison, tell: Tell, stream: AsyncGenerator[Message, None]) -> None:
    message = await anext(stream, None) if found.sequence else None
    reading = asyncio.ensure_future(_rows(connection, found))
    try:
        while rows := await reading:
            # The next rows come from the server while these are looked at.
            reading = asyncio.ensure_future(_rows(connection, found, rows[-1]["position"]))
            for row in rows:
                if found.begun <= row["position"] <= found.sequence:
                    while message is not None and message.sequence < row["position"]:
                        message = await anext(stream, None)
                look(found, row, message)
            tell(found)
    finally:
        reading.cancel()


def look(found: Comparison, row: Looked, message: Message | None) -> None:
    """Look at the next row, and at the message at its position or behind it."""
    _chain(found, row)
    _read(found, row)
    if found.tree:
        found.tree.add(row["position"], row["payload"], row["signature"] or b"")
    if found.begun <= row["position"] <= found.sequence:
        _copy(found, row, message)


def _whole_tiles(first: int) -> int:
    """Return the position at or before `first` from which the tree's tiles go on."""
    return max(0, first - 1) // tree.WIDTH * tree.WIDTH + 1


async def _rows(connection: Connection, found: Comparison, after: int | None = None) -> list[Row]:
    rows = await connection.fetch(
        "select l.position, l.id, l.source, l.type, l.country, l.entity, l.payload, l.hash, l.signature,"  # noqa: S608 - our own
        f" r.position as named from {found.service}.{found.table} as l"
        f" left join {found.service}.recorded as r on r.id = l.id and r.source = l.source"
        " where l.position > $1 order by l.position limit $2",
        found.position if after is None else after,
        ROWS,
    )
    if found.tree and rows:
        await found.tree.load(rows[0]["position"], rows[-1]["position"])
    return rows


async def _begin(connection: Connection, found: Comparison, first: int) -> None:
    """Begin at a position, with the hash of the row before it."""
    found.first, found.position = first, first - 1
    before = f"select hash from {found.service}.log where position = $1"  # noqa: S608 - our own
    found.head = await connection.fetchval(before, found.position) or b""


async def _behind(nc: Client, found: Comparison) -> int:
    """Return how many rows the stream still lacks when it is not filled any more."""
    last, since = found.sequence, time.monotonic()
    while last < found.position and time.monotonic() - since < COPIED_S:
        await asyncio.sleep(COPIED_S / 50)
        state = (await ask(nc, f"STREAM.INFO.{stream_of(found.service)}")).get("state") or {"last_seq": 0}
        if state["last_seq"] != last:
            last, since = int(state["last_seq"]), time.monotonic()
    return max(0, found.position - last)


def _read(found: Comparison, row: Looked) -> None:
    """Hold the columns against the payload, and the payload against the contract."""
    if row["named"] == row["position"] and _plainly(row):
        return
    try:
        told = _told.decode(row["payload"])
    except Exception:  # noqa: BLE001 - whatever it is, the rows behind it are looked at as well
        found.refused.append(row["position"])
        return
    columns = (row["position"], row["id"], row["source"], row["type"], row["country"], row["entity"])
    if columns != (told.sequence, told.id, told.source, told.type, told.country, told.subject):
        found.crooked.append(row["position"])
    if row["named"] != row["position"]:
        found.unnamed.append(row["position"])
    try:
        contracts.decode(row["payload"])
    except Exception:  # noqa: BLE001 - as above
        found.refused.append(row["position"])


def _plainly(row: Looked) -> bool:
    """Say whether the contract that the row names decodes its payload, and that says what the columns do.

    Then nothing is wrong. Where not, what is wrong is found in steps.
    """
    decode = _decoders.get(row["type"])
    if decode is None:
        if (agreed := contracts.registry().get(row["type"])) is None:
            return False
        decode = _decoders[row["type"]] = contracts.event_decoder(agreed).decode
    try:
        told = decode(row["payload"])
    except Exception:  # noqa: BLE001 - whatever it is, it is found again, and told
        return False
    columns = (row["position"], row["id"], row["source"], row["type"], row["country"], row["entity"])
    return columns == (told.sequence, told.id, told.source, told.type, told.country, told.subject)


async def unmailed(nc: Client, services: Iterable[str]) -> dict[str, list[int]]:
    """Return by service what is missing in MAILBOX between the first and the last of its events there.

    Of several services all of MAILBOX is read, once: to have the server choose takes it three times as long a message.
    """
    found: dict[str, list[list[int]]] = {service: [] for service in services}
    filtered = f"crm.evt.{next(iter(found))}.>" if len(found) == 1 else ">"
    async for message in messages(nc, MAILBOX, 1, filtered):
        crm, evt, service, *_ = *message.subject.split(".", 3), "", "", ""
        if (held := found.get(service)) is None or (crm, evt) != ("crm", "evt"):
            continue
        at = mailbox.origin(message.source, message.payload)
        if held and at == held[-1][1] + 1:
            held[-1][1] = at
        else:
            held.append([at, at])
    return {service: _between(held) for service, held in found.items()}


def _between(held: list[list[int]]) -> list[int]:
    """Return what is missing between spans (first, last), in whatever order they are."""
    missing, last = list[int](), min(held)[0] - 1 if held else 0
    for begin, end in sorted(held):
        missing += range(last + 1, begin)
        last = max(last, end)
    return missing


def _chain(found: Comparison, row: Looked) -> None:
    if row["position"] != found.position + 1:
        found.gaps.append(row["position"])
    elif found.head and row["hash"] != chained(found.head, row["payload"]):
        found.broken.append(row["position"])
    found.rows += 1
    found.position, found.head = row["position"], row["hash"]


def _copy(found: Comparison, row: Looked, message: Message | None) -> None:
    if message is None or message.sequence != row["position"]:
        found.missing.append(row["position"])
    elif (message.subject, message.payload, message.signature.encode()) != (
        subject(row["type"], row["country"]),
        row["payload"],
        row["signature"] or b"",
    ):
        found.differing.append(row["position"])


def _some(positions: list[int]) -> str:
    shown = ", ".join(map(str, positions[:SHOWN]))
    return f"{shown} and {len(positions) - SHOWN} more" if len(positions) > SHOWN else shown
