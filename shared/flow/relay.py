"""The relay: copies the log to the service's stream, so that the message at sequence n is the row at position n.

It has no state of its own: it asks the stream where it ends and goes on from there. One relay is active per
service; one that has lost its place without knowing is refused by the stream (expected last sequence).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from nats.aio.client import Client
from nats.js.errors import APIError

from shared.contracts.signing import HEADER
from shared.flow import batch, bus
from shared.flow.lost import LOST
from shared.record.log import head
from shared.run import crash, database, tracing
from shared.run.database import RELAY, Connection, Pool, Row

log = structlog.get_logger()

IDLE_S = 1.0
"""How long the relay sleeps when nobody wakes it: a lost notification costs this much, never an event."""
CATCHING_UP_S = 0.05


class DivergedError(Exception):
    """Stream and log are not copies of each other; only `crm restore` may mend that."""


@dataclass(slots=True)
class Relay:
    """The relay of one replica: active when it holds the lock, else waiting for it."""

    service: str
    pool: Pool
    client: Client
    position: int = -1
    """The stream's last sequence as far as known; -1: not known."""
    diverged: str = ""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stream(self) -> str:
        """The stream that is the log's copy."""
        return self.service.upper()

    def wake(self, *_: object) -> None:
        """Tell the relay that rows were appended."""
        self._wake.set()

    async def run(self) -> None:
        """Relay for ever; what is away is waited for."""
        while True:
            try:
                async with database.elected(self.pool, self.service, RELAY) as connection:
                    await connection.add_listener(self.service, self.wake)
                    try:
                        await self._active(connection)
                    finally:
                        if not connection.is_closed():
                            await connection.remove_listener(self.service, self.wake)
            except DivergedError as error:
                self.diverged = str(error)
                log.critical("log and stream differ; run `crm restore`", reason=self.diverged)
            except LOST as error:
                log.warning("relay waits", error=type(error).__name__)
            await asyncio.sleep(IDLE_S)

    async def caught_up(self) -> None:
        """Return when the stream has all that is in the log now, whichever replica copies it; raises one of `LOST`."""
        position, _ = await head(self.pool)
        while await bus.last_sequence(self.client, self.stream) < position:
            self.wake()
            await asyncio.sleep(CATCHING_UP_S)

    async def _active(self, connection: Connection) -> None:
        self.position = await self.compared(connection)
        self.diverged = ""
        while True:
            self._wake.clear()
            while await self.copy(connection):
                pass
            try:
                await asyncio.wait_for(self._wake.wait(), IDLE_S)
            except TimeoutError:
                await connection.fetchval("select 1")  # a lock held over a dead connection is not held

    async def compared(self, connection: Connection) -> int:
        """Return where the stream ends; raises DivergedError when it is not a beginning of the log."""
        begun, _, last = await bus.ends(self.client, self.stream)
        position, _ = await head(connection)
        if last > position:
            raise DivergedError(f"stream {self.stream} ends at {last}, the log at {position}")
        if last >= begun:
            payload = await connection.fetchval("select payload from log where position = $1", last)
            message = await self.client.jetstream().get_msg(self.stream, last, direct=True)
            if message.data != payload:
                raise DivergedError(f"stream {self.stream} and log differ at {last}")
        return last

    async def copy(self, connection: Connection) -> bool:
        """Copy the next rows; return whether there may be more."""
        rows = await connection.fetch(
            "select position, type, country, payload, signature from log"
            " where position > $1 order by position limit $2",
            self.position,
            batch.BATCH_MAX,
        )
        if not rows:
            return False
        messages = _fitting(rows)
        since = time.time_ns()
        crash.point("publishing")
        try:
            self.position = await batch.publish_batch(self.client, messages, self.position)
        except APIError as error:
            if error.err_code not in batch.WRONG_LAST_SEQUENCE:
                raise
            # A batch whose answer was lost, or another relay: the stream knows.
            self.position = await self.compared(connection)
            return True
        crash.point("published")
        for _, payload, *_ in messages if tracing.tracing() else ():
            tracing.stepped(payload, "relay", since)
        return len(messages) < len(rows) or len(rows) == batch.BATCH_MAX


def _fitting(rows: Sequence[Row]) -> list[batch.Message]:
    """Return the messages of as many rows as one atomic batch takes."""
    messages: list[batch.Message] = []
    size = 0
    for row in rows:
        message = (subject(row["type"], row["country"]), row["payload"], signed(row["signature"]))
        size += batch.bytes_of(message)
        if messages and size > batch.BATCH_BYTES_MAX:
            break
        messages.append(message)
    return messages


def signed(signature: bytes | None) -> Mapping[str, str]:
    """Return the headers that a row has in the stream: its sender's signature, with what was signed.

    What is no text that a header can hold was put there by somebody else, and is left out: `crm verify` tells.
    """
    text = (signature or b"").decode(errors="replace")
    return {HEADER: text} if text and text.isascii() and text.isprintable() else {}


def subject(event_type: str, country: str) -> str:
    """Return the stream subject of an event: crm.intel.document.flagged.v1, GTM -> crm.evt.intel.….flagged.GTM."""
    name = event_type[len("crm.") :].rpartition(".")[0]
    return f"crm.evt.{name}.{country}"
