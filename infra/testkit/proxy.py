"""A TCP proxy that can do to a connection what a network does: cut, go silent, reset, crawl."""

import asyncio
import contextlib
import socket
import struct

OPEN, CUT, SILENT, DEAF, RESET, SLOW = "open", "cut", "silent", "deaf", "reset", "slow"
CHUNK = 64 * 1024
SLOW_CHUNK, SLOW_DELAY_S = 2048, 0.05


class Proxy:
    """Forwards to one address; `mode` says how, for present and new connections alike.

    cut: present connections end, new ones are refused. silent: connections stand, new ones are taken, no byte moves
    (a half-open link); bytes on their way arrive when it is open again. deaf: what is sent arrives, what is
    answered waits until it is open again. reset: as cut, but by RST. slow: 40 KB/s.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        """Remember where to."""
        self.target = target
        self.mode = OPEN
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moving = asyncio.Event()
        self._moving.set()
        self._hearing = asyncio.Event()
        self._hearing.set()

    async def start(self) -> None:
        """Listen on a free port of loopback (`port`)."""
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut all connections and listen no more."""
        self.become(RESET)
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn

    def become(self, mode: str) -> None:
        """Change the mode now."""
        self.mode = mode
        if mode in (CUT, RESET):
            for writer in list(self._writers):
                _end(writer, reset=mode == RESET)
        for event, held in ((self._moving, mode == SILENT), (self._hearing, mode == DEAF)):
            event.clear() if held else event.set()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._joined(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            _end(writer)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            if self.mode in (CUT, RESET):
                _end(writer, reset=self.mode == RESET)
                return
            await self._moving.wait()
            far_reader, far = await asyncio.open_connection(*self.target)
            self._writers.add(far)
            ways = [
                asyncio.ensure_future(self._copy(reader, far, self._moving)),
                asyncio.ensure_future(self._copy(far_reader, writer, self._hearing)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._writers.discard(writer)
            if far is not None:
                self._writers.discard(far)
                _end(far)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, let: asyncio.Event) -> None:
        while data := await reader.read(SLOW_CHUNK if self.mode == SLOW else CHUNK):
            await self._moving.wait()
            await let.wait()
            if self.mode == SLOW:
                await asyncio.sleep(SLOW_DELAY_S)
            writer.write(data)
            await writer.drain()


def _end(writer: asyncio.StreamWriter, *, reset: bool = False) -> None:
    if reset and (sock := writer.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError, RuntimeError):
        writer.transport.abort() if reset else writer.close()
