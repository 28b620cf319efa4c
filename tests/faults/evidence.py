"""All that the system holds after a run, read past every service: the checker's evidence."""

import asyncio
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from infra.recovery.history import History
from infra.recovery.replay import Replay
from infra.recovery.verify import Comparison, compare
from shared import contracts
from shared.contracts import SERVICES, Event
from shared.contracts.vocabulary import MEMBERS
from shared.flow.provisioned import intakes
from shared.flow.streams import stream_of
from shared.flow.taken import taken
from tests.faults.deadlines import Deadline, stood, watched
from tests.faults.draining import folded
from tests.faults.ledger import POISON, Ledger, Report
from tests.faults.stand import BEGIN, EMPTY, PATIENCE_S, SPEED, Stand
from tests.harness.scraping import scraped
from tests.harness.servers import root
from tests.harness.system import until

MARK = re.compile(rb"poison-\w+-\d+")
SWEPT_WITHIN_S = timedelta(seconds=10)
"""Real time in which what falls due is fired, also on a machine that is busy."""


@dataclass(frozen=True)
class Stored:
    """A message of a stream."""

    sequence: int
    subject: str
    payload: bytes
    headers: dict[str, str]
    at: str
    """When it was stored, as the service writes it into its names of messages."""

    @property
    def sender(self) -> str:
        """Whose it is: the token behind `crm.in`, `crm.bad`."""
        return self.subject.split(".")[2]


@dataclass
class Row:
    """A row of a log."""

    position: int
    payload: bytes
    event: Event


@dataclass
class Evidence:
    """Logs, streams and what else there is."""

    logs: dict[str, list[Row]] = field(default_factory=dict)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    intake: list[Stored] = field(default_factory=list)
    quarantine: list[Stored] = field(default_factory=list)
    mailbox: list[Stored] = field(default_factory=list)
    due_by: datetime = BEGIN
    """What was due by then must have fired."""
    deadlines_due: dict[str, list[str]] = field(default_factory=dict)
    """Those that have not."""
    deadlines: dict[str, list[Deadline]] = field(default_factory=dict)
    """All that stood at some time, where it could all be judged again."""
    snapshot: bytes = b""
    metrics: str = ""
    metrics_at: datetime = BEGIN
    """Plan time (the day is right) at which that page was made."""
    replayed: dict[str, list[str]] = field(default_factory=dict)
    """Where the judgements, made again on what was recorded, give something else."""

    def events(self) -> list[Event]:
        return [row.event for rows in self.logs.values() for row in rows]

    def rubbish(self, ledger: Ledger) -> Iterator[tuple[Stored, Report]]:
        """Yield the rubbish that is stored in an intake, with what the ledger knows of it."""
        marked = {report.id.encode(): report for report in ledger.of(POISON)}
        for message in self.intake:
            mark = MARK.search(message.payload)
            if mark and (report := marked.get(mark[0])):
                yield message, report


async def gather(stand: Stand) -> Evidence:
    """Stop the system, which has drained, in order, and read everything."""
    found = Evidence(due_by=stand.now() - SWEPT_WITHIN_S * SPEED)
    found.metrics, found.metrics_at = await stopped(stand)
    async with stand.operator() as nc:
        for service in SERVICES:
            async with stand.database(service) as connection:
                found.comparisons[service] = await compare(connection, nc, service)
                rows = await connection.fetch("select position, payload from log order by position")
                found.logs[service] = [
                    Row(row["position"], row["payload"], contracts.decode(row["payload"])) for row in rows
                ]
                (stand.folder / f"{service}.jsonl").write_bytes(b"\n".join(row["payload"] for row in rows))
                due = await connection.fetch("select id from deadline where due <= $1", found.due_by)
                found.deadlines_due[service] = [row["id"] for row in due]
                if service == "indicators":
                    found.snapshot = bytes(await connection.fetchval("select state from snapshot") or b"")
            async with stand.database(service, EMPTY) as connection:
                found.replayed[service], found.deadlines[service] = await _replayed(nc, connection, service)
        reader = await root(stand.nats.url)
        jetstream = reader.jetstream()
        found.intake = [one for name in intakes() for one in await _read(jetstream, name)]
        found.quarantine = await _read(jetstream, "QUARANTINE")
        found.mailbox = [one for one in await _read(jetstream, "MAILBOX") if one.subject.rpartition(".")[2] in MEMBERS]
        await reader.close()
    return found


async def stopped(stand: Stand) -> tuple[str, datetime]:
    """Stop the system in order; return its last page of figures, and a time of the plan's day of that page."""
    page, at = "", stand.now()
    await asyncio.gather(*(_ended(stand, name) for name in stand.replicas if name != "indicators"))
    if "indicators" in stand.replicas:
        await until(lambda: _folded(stand), "the fold to catch up", PATIENCE_S)
        while not page or stand.now().date() != at.date():
            at = stand.now()
            page = await asyncio.to_thread(scraped, stand.board)
        await _ended(stand, "indicators")
    return page, at


async def _replayed(nc, connection, service: str) -> tuple[list[str], list[Deadline]]:
    """Judge the stream of a service again in an empty database.

    Return what differs from what was recorded, and the deadlines that stood.
    """
    process = importlib.import_module(f"services.{service}.__main__").SERVICE
    replay = Replay(History(nc), connection, service, process.judged(), piece=1)
    await watched(connection)
    try:
        await replay.run()
    except Exception as error:  # noqa: BLE001 - a stream that is no log's copy cannot be replayed
        return [*replay.differences, type(error).__name__], []
    return replay.differences, await stood(connection)


async def _folded(stand: Stand) -> bool:
    """Tell whether all is folded; a relay may have been stopped with rows to copy, and then they stay uncopied."""
    done = await asyncio.to_thread(folded, stand.board)
    async with stand.operator() as nc:
        lasts = [(await nc.jetstream().stream_info(stream_of(name))).state.last_seq for name in SERVICES]
    return all(done[name] >= last for name, last in zip(SERVICES, lasts, strict=True))


async def _ended(stand: Stand, name: str) -> None:
    """Stop a process in order, and keep it down."""
    stand.held.add(name)
    child = stand.children[name]
    child.process.terminate()
    await asyncio.to_thread(child.process.wait, PATIENCE_S)


async def _read(jetstream, stream: str) -> list[Stored]:
    """Return every message of a stream, by a consumer that leaves nothing behind."""
    last = (await jetstream.stream_info(stream)).state.messages
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True, inactive_threshold=60
    )
    reading = await jetstream.pull_subscribe(">" if stream == "MAILBOX" else "", stream=stream, config=config)
    found: list[Stored] = []
    while len(found) < last:
        for message in await reading.fetch(1000, timeout=5):
            data = message.metadata
            found.append(
                Stored(
                    data.sequence.stream,
                    message.subject,
                    message.data,
                    dict(message.headers or {}),
                    taken(message).stored_at.isoformat(),  # nats-py's own time may be a microsecond later
                )
            )
    await reading.unsubscribe()
    return found
