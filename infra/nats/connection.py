"""Connecting as one of the principals inside the account CRM."""

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

    Where certificates lie beside the seed, they are shown to a `tls://` server.
    """

    async def quiet(_: Exception) -> None:
        """Leave it to the caller, who gets the same error."""

    client = await nats.connect(
        url,
        nkeys_seed=str(seed),
        inbox_prefix=inbox(principal).encode(),
        connect_timeout=CONNECT_S,
        allow_reconnect=False,
        error_cb=quiet,
        **tls.to_nats(url, tls.beside(seed)),
    )
    try:
        yield client
    finally:
        await client.close()
