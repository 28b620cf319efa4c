"""The connection of a service to NATS, in the profile that loses nothing, and the check of the server's durability."""

import asyncio
import json
import os
import ssl
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from faststream.nats import NatsBroker
from faststream.nats.security import NatsNKey, NatsSecurity
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from shared import tls
from shared.run.settings import Settings

log = structlog.get_logger()

EXIT_DISCONNECTED = 70
"""Exit code of a process whose connection is closed for good: its supervisor starts it anew."""


class Closing:
    """Tells a closing that we asked for from one that happened to us."""

    expected = False


def broker(settings: Settings, service: str, closing: Closing, context: ssl.SSLContext | None = None) -> NatsBroker:
    """Return the FastStream broker of a service: endless reconnects, fast detection of a dead link, private inbox.

    `context` is what to connect with over TLS.
    """

    async def closed() -> None:
        if not closing.expected:
            log.critical("connection to NATS closed for good; ending so that the supervisor starts a new process")
            os._exit(EXIT_DISCONNECTED)

    async def failed(error: Exception) -> None:
        # The type only: an error's text may quote what was sent.
        log.warning("nats error", error=type(error).__name__)

    return NatsBroker(
        settings.nats_url.split(","),
        name=f"crm-{service}",
        security=_security(settings, context),
        inbox_prefix=f"_INBOX_{service}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=5,
        max_outstanding_pings=2,
        closed_cb=closed,
        error_cb=failed,
        drain_timeout=5,
        graceful_timeout=settings.stop_grace_s,
        logger=None,
        apply_types=False,
    )


def guard(client: Client) -> None:
    """Have the client read on, whatever a sender put where text belongs, and however late the server answers.

    nats-py (2.16) ends its reading at a subject or reply that is not UTF-8 and at headers that are none; a message of a
    stream then comes again, for ever. Such a subject is read with a mark for each wrong byte, such headers as none. It
    also ends at the answer to a ping that nobody waits for any more: then it is deaf until it connects anew, 15 seconds
    later, and what it was asked meanwhile is lost.
    """
    process, read_headers = client._process_msg, client._process_headers  # noqa: SLF001 - no public place to stand
    answered = client._process_pong  # noqa: SLF001

    async def processed(sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        await process(sid, _text(subject), _text(reply), data, headers)

    async def headers_of(headers: bytes) -> Any:
        try:
            return await read_headers(headers)
        except Exception:  # noqa: BLE001 - whatever it is, what is in them is not for us
            return None

    async def ponged() -> None:
        if (waiting := client._pongs) and waiting[0].done():  # noqa: SLF001
            waiting[0] = asyncio.get_running_loop().create_future()
        await answered()

    client._process_pong = ponged  # type: ignore[method-assign]  # noqa: SLF001
    client._process_msg = processed  # type: ignore[method-assign]  # noqa: SLF001 - the library's objects take it
    client._process_headers = headers_of  # type: ignore[method-assign]  # noqa: SLF001


def _text(raw: bytes) -> bytes:
    return raw if not raw or raw.isascii() else raw.decode(errors="replace").encode()


def _security(settings: Settings, context: ssl.SSLContext | None) -> NatsSecurity | None:
    context = (context or tls.anonymous()) if settings.nats_url.startswith("tls://") else None
    first = context is not None  # no word in clear: somebody between could say there that no TLS is needed
    if settings.nats_seed is None:
        return NatsSecurity(ssl_context=context, tls_handshake_first=first) if context else None
    seed = settings.nats_seed.read_text().strip()
    return NatsNKey.from_seed(seed, ssl_context=context, tls_handshake_first=first)


async def again(client: Client, seed: Path | None) -> None:
    """Connect anew, with the keys that the files have now; what is under way meanwhile comes again."""
    if seed is not None:
        client._nkeys_seed_str = seed.read_text().strip()  # noqa: ASYNC240, SLF001 - one line; nats-py has no way for it
        client._setup_nkeys_connect()  # noqa: SLF001
    await client.force_reconnect()


class Ends(NamedTuple):
    """Where a stream begins and ends."""

    begun: int
    """The sequence that it was made to begin with: what is before stands in the archive (`crm archive purge`)."""
    first: int
    """Of the messages that it has; without any, the one behind the last."""
    last: int


async def ends(client: Client, stream: str) -> Ends:
    """Return where `stream` begins and ends."""
    info = await client.jetstream().stream_info(stream)
    return Ends(max(1, info.config.first_seq or 1), int(info.state.first_seq), int(info.state.last_seq))


async def last_sequence(client: Client, stream: str) -> int:
    """Return the sequence of the last message of `stream` (0: none yet)."""
    return (await ends(client, stream)).last


async def syncs_every_write(monitor_url: str) -> bool | None:
    """Return whether the NATS server syncs before it acknowledges (`sync_interval: always`); None: no answer."""
    if not monitor_url:
        return None

    def ask() -> bool:
        with urllib.request.urlopen(f"{monitor_url}/jsz?config=true", timeout=5) as answer:  # noqa: S310 - our setting
            return bool(json.load(answer).get("config", {}).get("sync_always"))

    try:
        return await asyncio.to_thread(ask)
    except (OSError, ValueError):
        return None


LOST = (NatsError, APIError, OSError)
"""What NATS being away, or not willing, raises: wait and try again."""
