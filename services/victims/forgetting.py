"""When a consent is withdrawn, the keys of what was sealed under it are forgotten, at once and for ever.

The log is read behind the recording. How far is noted after the keys are gone: so a crash forgets twice, and never not
at all.
"""

import asyncio
from dataclasses import dataclass

import structlog

from services.victims import keys
from shared import contracts
from shared.run.database import LOST, Connection, Pool

log = structlog.get_logger()

WITHDRAWN = "crm.victims.consent.withdrawn.v1"
READ_MAX = 10_000
"""Positions that are looked at together."""
LOOK_S = 1.0
ALIKE = """
with recursive alike (id) as (
    select $2::text
    union
    select case when m.entity = a.id then m.into_entity else m.entity end
    from alike as a join merged as m on m.country = $1 and m.field = 'consent_id' and a.id in (m.entity, m.into_entity)
)
select id from alike
"""
"""All identifiers of a country's consent, of those that were merged."""


@dataclass(slots=True)
class Forgetting:
    """Forgets the keys of each consent withdrawn; replicas may do the same beside each other."""

    pool: Pool
    _read: int = 0
    """Up to which position this process has looked."""
    _noted: int = -1
    """The same as it is noted for the next start; -1: not known yet."""
    _store: str = ""
    """What the keys are kept in. Another one is looked through from the beginning: it may be an older one."""

    async def run(self) -> None:
        """Look each second, for ever."""
        while True:
            try:
                async with self.pool.acquire() as connection:
                    more = await self.look(connection)
            except LOST as error:
                log.warning("forgetting waits", error=type(error).__name__)
                more = False
            if not more:
                await asyncio.sleep(LOOK_S)

    async def look(self, connection: Connection) -> bool:
        """Look at what was recorded since; return whether there is more."""
        if self._noted < 0:
            self._store = await keys.store()
            noted = "select coalesce(max(position), 0) from forgotten where store in ('', $1)"
            self._read = self._noted = await connection.fetchval(noted, self._store)
        head = await connection.fetchval("select coalesce(max(position), 0) from log")
        to = min(head, self._read + READ_MAX)
        rows = await connection.fetch(
            "select country, payload from log where position > $1 and position <= $2 and type = $3",
            self._read,
            to,
            WITHDRAWN,
        )
        for row in rows:
            consent_id = contracts.decode(row["payload"]).data.consent_id
            alike = await connection.fetch(ALIKE, row["country"], consent_id)
            await keys.kept().delete(row["country"], consents=[one["id"] for one in alike])
        if rows or to - self._noted >= READ_MAX:
            await connection.execute(
                "insert into forgotten as f (position, store) values ($1, $2) on conflict (one) do update set"
                " store = $2, position = case when f.store in ('', $2) then greatest(f.position, $1) else $1 end",
                *(to, self._store),
            )
            self._noted = to
        self._read = max(self._read, to)
        return bool(to < head)
