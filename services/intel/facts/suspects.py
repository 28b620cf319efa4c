"""Presumed traffickers, by detection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.intel.facts.rows import found, marks
from services.intel.gate import Marking
from shared.contracts import Event, identity
from shared.contracts.intel import TraffickerDetected
from shared.database import Connection
from shared.facts import Columns


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


def detection(event: Event[Any], data: TraffickerDetected) -> Columns:
    """Keep a detection."""
    return {
        "country": event.country,
        "pid": data.trafficker_pid,
        "sex": data.sex,
        "age_band": data.age_band,
        "role": data.role,
        "nationality": data.nationality,
        "band_id": identity.key(data, "band_id") if data.band_id else None,
        "route_id": identity.key(data, "route_id") if data.route_id else None,
        "modus_operandi": data.modus_operandi,
        "reported_by": data.reported_by,
        **marks(data),
        "detected": event.time,
    }


async def of(connection: Connection, suspects: Sequence[tuple[str, str]]) -> list[Detection]:
    """Return the detections of these suspects (country, pid)."""
    return await found(
        connection,
        Detection,
        f"select {COLUMNS} from detection where (country, pid) in"  # noqa: S608 - constant
        " (select country, pid from unnest($1::text[], $2::text[]) as s (country, pid)) order by event_id",
        [country for country, _ in suspects],
        [pid for _, pid in suspects],
    )


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
    return await found(
        connection,
        Detection,
        f"select {COLUMNS} from detection where band_id = $1 order by detected, event_id",  # noqa: S608 - constant
        band_id,
    )
