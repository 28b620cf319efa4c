"""How every HTTP port here is served: requests within bounds and in time, and nothing of them in a log.

uvicorn closes a connection that is idle between requests, and no other: what is half sent, or not read, is ended here.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import h11
import structlog
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.run.certificates import Kept
from shared.run.refusals import problem
from shared.run.telemetry import where

log = structlog.get_logger()

CONNECTIONS_MAX = 1024
"""Connections at once per port; for a further one the longest idle or half-open one is closed."""
REQUEST_S = 10.0
"""Seconds that a client has from its first byte (or from connecting) to the end of its request."""
READ_S = 60.0
"""Seconds that a client may leave an answer unread."""
TARGET_BYTES_MAX, HEADER_BYTES_MAX = 4 * 1024, 16 * 1024
WHOLE = re.compile(rb"https?://(?P<host>[^/]+)(?P<path>/.*)?", re.IGNORECASE | re.DOTALL)
"""How a client of a proxy asks; a server takes that, too (RFC 9112, 3.2.2)."""
GUARDED = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not say otherwise itself."""


@asynccontextmanager
async def served(  # noqa: PLR0913 - where, to whom, and by what
    app: ASGIApp,
    host: str,
    port: int,
    hosts: Sequence[str] = ("*",),
    *,
    certificates: Kept | None = None,
    anybody: bool = False,
) -> AsyncIterator[None]:
    """Serve `app` on this loop for the duration, to requests for one of `hosts`; signals stay the process's own.

    With `certificates`, by TLS to who has one, or to `anybody`. When these change, each connection is closed: who is
    revoked does not come back.
    """
    config = uvicorn.Config(
        Door(TrustedHostMiddleware(app, hosts, www_redirect=False)),
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    config.load()
    if certificates:
        config.ssl = certificates.server(anybody=anybody)

        async def close() -> None:
            for one in [*server.server_state.connections]:
                one.transport.close()

        certificates.whenever(close)
    server.lifespan = config.lifespan_class(config)
    try:
        await server.startup()
    except SystemExit:
        log.critical("cannot listen: another process has the port, or it may not be used", host=host, port=port)
        raise
    serving = asyncio.create_task(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        await server.shutdown()


class Connection(H11Protocol):
    """One client's connection: a request that does not come to its end, or an answer that is not read, ends it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._refused = False
        self.since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Give it its time; where there are too many, close the one that has been waited for longest."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(REQUEST_S, transport.abort)
        there = [one for one in self.connections if isinstance(one, Connection) and not one.transport.is_closing()]
        if len(there) > CONNECTIONS_MAX:
            oldest = min((one for one in there if one.waiting), key=lambda one: one.since, default=self)
            oldest.transport.abort()

    @property
    def waiting(self) -> bool:
        """Whether it is the client's turn: no request of it is being answered."""
        return not self.cycle or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; its time begins with the first and ends with the last."""
        if self._refused:
            return
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_S, self.transport.abort)
        super().data_received(data)
        if self.cycle and not self.cycle.more_body:
            self._deadline.cancel()
            self._deadline = None
            self.since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        """Say that it is no request, and leave the rest unread until the client closes or its time is over.

        Closed with bytes that are not read, TCP would take the answer back (a reset).
        """
        self._refused = True
        if self.cycle:
            self.cycle.disconnected = True  # whatever is being answered there has nobody to hear it any more
        head = h11.Response(status_code=400, headers=[("content-type", "text/plain"), ("connection", "close")])
        try:
            for part in (head, h11.Data(data=msg.encode()), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
            self.transport.write_eof()
        except (h11.LocalProtocolError, OSError):  # in the middle of an answer to the request before
            self.transport.abort()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read its answer."""
        super().pause_writing()
        self._unread = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop waiting: it reads."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        for timer in (self._deadline, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)


class Door:
    """Bounds a request's head, guards every answer, and tells of a failure nothing but what and where it was."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in GUARDED.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await (_too_large(scope) or self._app)(_addressed(scope), receive, guarded)
        except Exception as error:  # noqa: BLE001 - the server would log it with all that its message quotes
            log.error("a request failed", error=type(error).__name__, where=where(error))  # noqa: TRY400 - the same
            if not begun:
                with contextlib.suppress(OSError):
                    await problem(500, "failed", "a fault of ours; it is in the log")(scope, receive, guarded)


def _addressed(scope: Scope) -> Scope:
    """Return a request whose line has a whole address as one to the server that it names, for the path in it."""
    found = WHOLE.fullmatch(scope["raw_path"])
    if not found:
        return scope
    path = found["path"] or b"/"
    headers = [(b"host", found["host"]), *(one for one in scope["headers"] if one[0] != b"host")]
    return {**scope, "raw_path": path, "path": unquote(path.decode("latin-1")), "headers": headers}


def _too_large(scope: Scope) -> Response | None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > TARGET_BYTES_MAX:
        return problem(414, "too_large", f"an address has at most {TARGET_BYTES_MAX} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES_MAX:
        return problem(431, "too_large", f"the headers have at most {HEADER_BYTES_MAX} bytes")
    return None
