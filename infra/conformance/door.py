"""TLS in front of a region, for the inspector: with a certificate that holds, or with one that nobody must take."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from infra.keys.authority import CERTIFICATE_DAYS, Authority, private
from infra.keys.files import write

HOST = "127.0.0.1"
GOOD, EXPIRED, STRANGE = "good", "expired", "strange"
PAST = -timedelta(minutes=30)
CHUNK = 64 * 1024


class Door:
    """Takes connections by TLS and hands them on to a region."""

    def __init__(self, target: tuple[str, int], contexts: Mapping[str, ssl.SSLContext]) -> None:
        """Remember where to, and what can be shown."""
        self.target, self.contexts = target, contexts
        self.shown = GOOD
        self.turned_away = 0
        """How often somebody has looked at what is shown, and gone."""
        self.spoken = False
        """Whether somebody has gone on though what is shown does not hold."""
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, which: str) -> None:
        """Show another certificate from now on; who is connected is cut off."""
        self.shown, self.turned_away, self.spoken = which, 0, False
        self.end()

    def end(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._served(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = self.shown
        try:
            await writer.start_tls(self.contexts[shown])
        except OSError:
            self.turned_away += shown == self.shown
            raise
        far_reader, far = await asyncio.open_connection(*self.target)
        greeting = asyncio.ensure_future(_copied(far_reader, writer))
        try:
            if shown == GOOD:
                await _copied(reader, far)
            elif await reader.read(1):
                self.spoken = self.spoken or shown == self.shown
            else:
                self.turned_away += shown == self.shown
        finally:
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)
            far.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def opened(region: str, seed: Path, country: str, folder: Path) -> AsyncIterator[tuple[Door, dict[str, str]]]:
    """Open a door to a region; give also the environment in which a country's program finds it and trusts it."""
    ours, others = folder / "keys", folder / "others"
    for place in (ours, others):
        place.mkdir()
    authority = Authority(ours)
    _certified(authority, country)
    shutil.copy(seed, authority.folder / f"{country}.nk")
    contexts = {
        GOOD: _context(authority, GOOD, timedelta(days=CERTIFICATE_DAYS)),
        EXPIRED: _context(authority, EXPIRED, PAST),
        STRANGE: _context(Authority(others), STRANGE, timedelta(days=CERTIFICATE_DAYS)),
    }
    host, port = region.removeprefix("nats://").split(":")
    door = Door((host, int(port)), contexts)
    server = await asyncio.start_server(door.taken, HOST, 0)
    env = {
        "CRM_NATS_URL": f"tls://{HOST}:{server.sockets[0].getsockname()[1]}",
        "CRM_KEY": str(authority.folder / f"{country}.nk"),
        "CRM_CA": str(authority.file),
        "CRM_CERTIFICATE": str(authority.folder / f"{country}.crt"),
        "CRM_CERTIFICATE_KEY": str(authority.folder / f"{country}.tls.key"),
    }
    try:
        yield door, env
    finally:
        server.close()
        door.end()
        with contextlib.suppress(OSError):
            await server.wait_closed()


def _context(authority: Authority, name: str, lasts: timedelta) -> ssl.SSLContext:
    _certified(authority, name, HOST, lasts=lasts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.folder / f"{name}.crt", authority.folder / f"{name}.tls.key")
    return context


def _certified(
    authority: Authority, name: str, *hosts: str, lasts: timedelta = timedelta(days=CERTIFICATE_DAYS)
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write(authority.folder / f"{name}.tls.key", private(key))
    write(authority.folder / f"{name}.crt", authority.certify(name, key.public_key(), hosts, lasts), 0o644)
