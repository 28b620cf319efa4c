"""A service's checkpoints: what its log is, signed every second of activity, for the countries to hold it to that.

What was signed last is kept outside the database as well, in the stream CHECKPOINTS. So a log that comes back as an
older one, or as another, is not signed: the service says so and signs nothing. Where that stream is lost, too, only
countries may know what was signed: nothing is signed until `crm restore` has looked.
"""

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from shared.flow.lost import LOST
from shared.flow.streams import CHECKPOINTS
from shared.record import growing, note
from shared.record.growing import HoleError
from shared.record.log import head
from shared.record.note import Checkpoint, NoteError, Signer
from shared.record.tree import UnprovenError
from shared.run.database import Connection, Pool
from shared.run.settings import Settings

log = structlog.get_logger()

POLL_S = 0.2
THIN_S = 3600.0
"""How often those of before are thinned."""


class RewrittenError(RuntimeError):
    """The log is not what was signed before; the message says how."""


@dataclass(slots=True)
class Checkpoints:
    """The signing of one service, in one of its replicas."""

    service: str
    pool: Pool
    client: Client
    signer: Signer
    pace_s: float = 1.0
    """Not more often than this."""
    last: Checkpoint | None = None
    """The newest known that was signed, here or by another replica."""
    fault: str = ""
    """Why nothing is signed; empty: nothing is wrong."""
    _signed_at: float = field(default=-1e9)
    _thinned_at: float = field(default=-1e9)

    async def run(self) -> None:
        """Sign for ever."""
        while True:
            try:
                if self.last is None:
                    await self.begin()
                await self.look()
                self.fault = ""
                await self._thin()
            except LOST as error:
                log.warning("checkpoints wait", error=type(error).__name__)
            except (RewrittenError, HoleError, UnprovenError) as error:
                if str(error) != self.fault:
                    log.critical("the log is not signed", reason=str(error))
                self.fault = str(error)
                await asyncio.sleep(1)
            await asyncio.sleep(POLL_S)

    def faults(self) -> list[str]:
        """Say in words why nothing is signed; empty: nothing is wrong."""
        return [f"no checkpoint is signed: {self.fault}"] if self.fault else []

    async def begin(self) -> None:
        """Learn what was signed last; RewrittenError where that is lost outside the database."""
        if await published(self.client, self.service) is None and (size := await self._alone()):
            raise RewrittenError(
                f"{CHECKPOINTS} has nothing of it: only countries may know whether more than {size} rows were signed;"
                f" run `crm restore {self.service} --checkpoints`"
            )
        self.last = await self.published()

    async def published(self) -> Checkpoint | None:
        """Return the last checkpoint that stands outside the database, whoever holds that now."""
        return self._own(await published(self.client, self.service) or "")

    def _own(self, signed: str) -> Checkpoint | None:
        try:
            text, _ = note.opened(signed, [self.signer.verifier])
            return note.checkpoint(text)
        except ValueError:
            return None  # signed with a key of before, or by nobody

    async def _alone(self) -> int:
        """Return how many rows the database says were signed with this key, if that must stand elsewhere, too.

        A first one alone may be there because the process ended before it was published.
        """
        row = await self.pool.fetchrow(
            "select signed, (select count(*) from checkpoint) > 1 or exists (select from cosignature) as told"
            " from checkpoint order by size desc limit 1"
        )
        own = self._own(row["signed"]) if row and row["told"] else None
        return own.size if own else 0

    async def look(self) -> bool:
        """Sign what the log is now, if it has grown and it is time; return whether it was signed."""
        if time.monotonic() < self._signed_at + self.pace_s:
            return False
        position, _ = await head(self.pool)
        if position == (self.last.size if self.last else 0):
            return False
        while await self._grown(position):
            pass
        async with self.pool.acquire() as connection, connection.transaction():
            await growing.begin(connection)
            signed = await self._signed(connection, position)
        if signed:
            self._signed_at = time.monotonic()
            await self.client.jetstream().publish(subject(self.service), signed.encode())
        return bool(signed)

    async def _grown(self, position: int) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            await growing.begin(connection)
            return await growing.grow(connection, position)

    async def _signed(self, connection: Connection, position: int) -> str:
        """Sign the log up to a position; return the note, or nothing where another replica has signed more."""
        row = await connection.fetchrow("select size, root from checkpoint order by size desc limit 1")
        stored = Checkpoint(self.signer.name, row["size"], bytes(row["root"])) if row else None
        for before in filter(None, (stored, self.last)):
            await self._goes_on(connection, before, position)
        self.last = max(filter(None, (stored, self.last)), key=lambda one: one.size, default=None)
        if not position or (self.last is not None and self.last.size >= position):
            return ""
        fresh = Checkpoint(self.signer.name, position, await growing.root(connection, position))
        signed = note.signed(fresh, [self.signer.sign(fresh.text)])
        await connection.execute(
            "insert into checkpoint (size, root, signed) values ($1, $2, $3)", fresh.size, fresh.root, signed
        )
        self.last = fresh
        return signed

    async def _thin(self) -> None:
        """Keep of what is older than a day the last checkpoint of each hour."""
        if time.monotonic() < self._thinned_at + THIN_S:
            return
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "delete from checkpoint as c using (select max(size) as last, min(size) as first from checkpoint"
                " where at < now() - interval '1 day' group by date_trunc('hour', at)) as h"
                " where c.size >= h.first and c.size < h.last"
            )
            await connection.execute(
                "delete from cosignature as c where not exists (select from checkpoint where size = c.size)"
            )
        self._thinned_at = time.monotonic()

    async def _goes_on(self, connection: Connection, before: Checkpoint, position: int) -> None:
        """Hold the log against what was signed before; raises RewrittenError."""
        if before.size > max(position, (await head(connection))[0]):
            raise RewrittenError(f"the log ends at {position}, and {before.size} rows of it were signed")
        if await growing.root(connection, before.size) != before.root:
            raise RewrittenError(f"the first {before.size} rows are not those that were signed")


async def published(client: Client, service: str) -> str | None:
    """Return the last note on a service's log that stands outside the database; None: there is none."""
    try:
        message = await client.jetstream().get_last_msg(CHECKPOINTS, subject(service), direct=True)
    except NotFoundError:
        return None
    return (message.data or b"").decode(errors="replace")


def subject(service: str) -> str:
    """Return where a service's checkpoints are published."""
    return f"crm.log.{service}"


def signer(settings: Settings, service: str) -> Signer | None:
    """Return with what a service signs its log; None: it has no key, and none is asked for. Raises NoteError."""
    if settings.log_key is None:
        if settings.environment == "production":
            raise NoteError("CRM_LOG_KEY must name the file of the key with which the log is signed")
        return None
    try:
        own = note.signer_in(settings.log_key)
    except (NoteError, OSError) as error:
        raise NoteError(
            f"CRM_LOG_KEY holds no key: {error if isinstance(error, NoteError) else error.strerror}"
        ) from None
    if own.kind != note.SIGNS or own.name.rpartition("/")[2] != service:
        raise NoteError(f"CRM_LOG_KEY holds the key of {own.name}")
    return own
