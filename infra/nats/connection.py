"""Connecting as one of the principals inside the account CRM."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.aio.client import Client

from infra.nats.rights import inbox
from shared import tls

CONNECT_S = 5


@asynccontextmanager
async def connected(url: str, seed: Path, principal: str) -> AsyncIterator[Client]:
    """Yield a connection as `principal`; a server that is away raises OSError or nats.errors.Error at once.

    Several addresses, separated by commas, are tried one after another. Where certificates lie beside the seed, they
    are shown to a `tls://` server.
    """
    client = await _to_first(url.split(","), seed, principal)
    try:
        yield client
    finally:
        await client.close()


async def _to_first(addresses: list[str], seed: Path, principal: str) -> Client:
    *others, last = addresses
    for address in others:
        with contextlib.suppress(nats.errors.Error, OSError):
            return await _to(address, seed, principal)
    return await _to(last, seed, principal)


async def _to(address: str, seed: Path, principal: str) -> Client:
    async def quiet(_: Exception) -> None:
        """Leave it to the caller, who gets the same error."""

    return await nats.connect(
        address,
        nkeys_seed=str(seed),
        inbox_prefix=inbox(principal).encode(),
        connect_timeout=CONNECT_S,
        allow_reconnect=False,
        max_reconnect_attempts=1,  # or it tries a server that refuses sixty times, which takes minutes
        reconnect_time_wait=0,
        error_cb=quiet,
        **tls.to_nats(address, tls.beside(seed)),
    )
