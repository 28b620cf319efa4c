"""Presumed traffickers, by detection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.intel.gate import Marking
from shared.contracts import Event
from shared.contracts.intel import TraffickerDetected
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One detection of a presumed trafficker, under the identifier that its country gives the person."""

    event_id: str
    country: str
    pid: str
    sex: str
    age_band: str
    role: str
    nationality: str | None = None
    band_id: str | None = None
    route_id: str | None = None
    modus_operandi: tuple[str, ...] = ()
    reported_by: str = "police"
    marking: Marking = field(default_factory=Marking)
    detected: datetime

    @property
    def suspect(self) -> tuple[str, str]:
        """Who, for the country."""
        return self.country, self.pid


COLUMNS = (
    "event_id, country, pid, sex, age_band, role, nationality, band_id, route_id, modus_operandi, reported_by,"
    " tlp, handling, srceval, infoeval, detected"
)


async def put_detection(event: Event[TraffickerDetected], data: TraffickerDetected, connection: Connection) -> None:
    """Insert a detection."""
    await connection.execute(
        f"insert into detection (source, {COLUMNS})"  # noqa: S608 - constant
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        event.source,
        event.id,
        event.country,
        data.trafficker_pid,
        data.sex,
        data.age_band,
        data.role,
        data.nationality,
        data.band_id,
        data.route_id,
        data.modus_operandi,
        data.reported_by,
        data.tlp,
        data.handling,
        data.srceval,
        data.infoeval,
        event.time,
    )


async def of(connection: Connection, suspects: Sequence[tuple[str, str]]) -> list[Detection]:
    """Return the detections of these suspects (country, pid)."""
    rows = await connection.fetch(
        f"select {COLUMNS} from detection where (country, pid) in"  # noqa: S608 - constant
        " (select country, pid from unnest($1::text[], $2::text[]) as s (country, pid)) order by event_id",
        [country for country, _ in suspects],
        [pid for _, pid in suspects],
    )
    return [_detection(row) for row in rows]


async def sharing(connection: Connection, bands: Sequence[str], routes: Sequence[str]) -> set[tuple[str, str]]:
    """Return the suspects who were detected with one of these bands or on one of these routes."""
    rows = await connection.fetch(
        "select country, pid from detection where band_id = any($1::text[])"
        " union select country, pid from detection where route_id = any($2::text[])",
        list(bands),
        list(routes),
    )
    return {(row["country"], row["pid"]) for row in rows}


async def with_band(connection: Connection, band_id: str) -> list[Detection]:
    """Return the detections of members of a band, oldest first."""
    rows = await connection.fetch(
        f"select {COLUMNS} from detection where band_id = $1 order by detected, event_id",  # noqa: S608 - constant
        band_id,
    )
    return [_detection(row) for row in rows]


def _detection(row: Any) -> Detection:
    fields = dict(row)
    marking = Marking(*(fields.pop(name) for name in ("tlp", "handling", "srceval", "infoeval")))
    return Detection(**{**fields, "modus_operandi": tuple(fields["modus_operandi"])}, marking=marking)
