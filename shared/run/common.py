"""What all processes of a service have in common: the kind of time in its log, the clock, the region's data, the store.

A process that differs from those at work records nothing: its times, or whom it believes, would stand in the log for
ever. So it waits until they are gone, and says so. For example: a second replica with another CRM_CLOCK_EPOCH.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.run.database import Connection, Pool, Queried, turn
from shared.run.settings import Settings

REAL, PLAN = "real", "plan"
CURES = {
    REAL: "this log holds real time: unset CRM_CLOCK_START, or take another database for plan time",
    PLAN: "this log holds plan time: set CRM_CLOCK_START and CRM_CLOCK_EPOCH, or take another database for real time",
}


class MixedError(RuntimeError):
    """The log holds the other kind of time; the message says the cure."""


@dataclass(frozen=True, slots=True)
class Common:
    """What one process has."""

    time: str
    clock: str
    region: str
    """A digest of the region's data."""
    store: str = ""
    """The name of what it keeps things in beside its database; empty: it has none, or is of before it was told."""

    @classmethod
    def of(cls, settings: Settings, files: Mapping[str, Path], store: str = "") -> "Common":
        """Return what the settings and the region's files and folders say, by the variable that names another."""
        region = hashlib.sha256()
        for variable, own in sorted(files.items()):
            region.update(_digest(Path(os.environ.get(variable) or own)))
        start, epoch = settings.clock_start, settings.clock_epoch
        plan = f"{start.isoformat()} at {epoch.isoformat() if epoch else ''} by {settings.speed:g}" if start else ""
        return cls(PLAN if start else REAL, plan, region.hexdigest(), store)

    def fits(self, other: "Common") -> bool:
        """Say whether both may work beside each other."""
        same = (self.time, self.clock, self.region) == (other.time, other.clock, other.region)
        return same and (self.store == other.store or not (self.store and other.store))


def _digest(path: Path) -> bytes:
    """Return the digest of a file, or of the files of a folder and their names."""
    if not path.is_dir():
        return hashlib.sha256(path.read_bytes()).digest()
    files = sorted(file for file in path.iterdir() if file.is_file())
    whole = [file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest() for file in files]
    return hashlib.sha256(b"".join(whole)).digest()


async def joined(pool: Pool, service: str, own: Common) -> str:
    """Join those at work; return in words why this process cannot yet, or nothing: it has. Raises MixedError."""
    async with pool.acquire() as connection, connection.transaction():
        await turn(connection, service)
        known = await _known(connection)
        if known and known.time != own.time and await connection.fetchval("select exists (select from log)"):
            raise MixedError(CURES[known.time])
        others = await _at_work(connection)
        if known and others and not own.fits(known):
            return _differs(own, known)
        await connection.execute(
            "insert into common (time, clock, region, store, joined)"
            " values ($1, $2, $3, $4, array_append($5::text[], current_setting('application_name')))"
            " on conflict (one) do update set time = $1, clock = $2, region = $3, store = $4, joined = excluded.joined",
            *(own.time, own.clock, own.region, own.store, others),
        )
        return ""


async def parted(pool: Pool, own: Common) -> str:
    """Say in words how those at work differ from this process, which lost them for a while; empty: they do not."""
    known = await _known(pool)
    return _differs(own, known) if known and not own.fits(known) else ""


def _differs(own: Common, known: Common) -> str:
    if known.region != own.region:
        return (
            "other processes of this service have other region data (quotas, seats, signing, plan): give all the"
            " same, and for a change stop all first"
        )
    if (known.time, known.clock) == (own.time, own.clock):
        return (
            "other processes of this service keep their keys elsewhere (CRM_KEYS_FILE, CRM_KEYS_DATABASE_URL): give all"
            " the same, on several machines a database; for a change stop all first"
        )
    return (
        "other processes of this service run by another clock: give all the same CRM_CLOCK_START, CRM_CLOCK_EPOCH"
        " and CRM_SPEED, and for a change stop all first"
    )


async def _known(queried: Queried) -> Common | None:
    row = await queried.fetchrow("select time, clock, region, store from common")
    return Common(*row) if row else None


async def _at_work(connection: Connection) -> list[str]:
    """Return the others that joined and are still connected; one that waits as this one does is none of them."""
    found: list[str] = await connection.fetchval(
        "select coalesce(array_agg(distinct name), '{}') from common, unnest(joined) as name"
        " join pg_stat_activity on application_name = name and usename = session_user"
        " and datname = current_database() where name <> current_setting('application_name')"
    )
    return found
