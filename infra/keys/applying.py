"""Have the servers of a running local copy take keys anew, without a restart."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from infra.keys.ring import Ring, rewrite
from infra.local.postgres import Postgres
from infra.postgres.provision import ROLES, passwords


@dataclass
class Running:
    """The keys of a copy that runs in `state`, and its run.json."""

    ring: Ring
    state: Path
    addresses: dict[str, Any]

    def apply(self, who: str = "") -> None:
        """Have NATS and PostgreSQL take what the ring says now; sessions of the role `who` are ended."""
        part = self.ring.nats() if self.addresses.get("tls") else self.ring.accounts()
        rewrite(self.state / "nats" / "nats.json", part)
        self._told("nats")
        postgres = Postgres.running(self.state / "postgres", self.ring.folder, self.addresses["postgres"])
        postgres.take_keys()
        self._told("postgres")
        if who in ROLES:
            asyncio.run(renewed(postgres.url(), self.ring.folder, who))

    def _told(self, server: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.addresses["pids"][server], signal.SIGHUP)


async def renewed(owner_url: str, folder: Path, role: str) -> None:
    """Give a role the password of its file, or take from a revoked one the right to log in; end its sessions."""
    connection = await asyncpg.connect(owner_url)
    try:
        password = passwords(folder).get(role)
        form = "alter role %I nologin" if password is None else "alter role %I login password %L"
        await connection.execute(
            await connection.fetchval("select format($1, $2::text, $3::text)", form, role, password)
        )
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)
    finally:
        await connection.close()
