"""Routes and bands, by what was reported of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.intel.facts.rows import found, marks
from services.intel.gate import Marking, marking
from shared import contracts
from shared.contracts import Event, identity
from shared.contracts.intel import RouteConfirmed, RouteReported, RouteRetired
from shared.contracts.intel.people import Band
from shared.contracts.vocabulary import MEMBERS, REGION
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class RouteAct:
    """A route reported, confirmed or retired by a country."""

    event_id: str
    country: str
    route_id: str
    """The whole identifier."""
    act: str
    members: tuple[str, ...]
    reported_by: str
    marking: Marking
    acted: datetime

    @property
    def named(self) -> str:
        """The identifier as the country writes it."""
        return identity.written(self.route_id, self.country)


@dataclass(frozen=True, slots=True)
class BandAct:
    """A band identified, dismantled or reactivated, as a country reported it."""

    event_id: str
    country: str
    act: str
    said: Band
    acted: datetime

    @property
    def marking(self) -> Marking:
        """How the report is marked."""
        return marking(self.said)


ROUTE_COLUMNS = "event_id, country, route_id, act, members, reported_by, tlp, handling, srceval, infoeval, acted"


def route_act(event: Event[Any], data: RouteReported | RouteConfirmed | RouteRetired) -> Columns:
    """Keep what a country reported of a route; what this service derived is no report."""
    if contracts.sender_of(event.source) == REGION:
        return None
    legs = data.legs if isinstance(data, RouteReported) else ()
    return {
        "country": event.country,
        "route_id": identity.key(data, "route_id"),
        "act": event.verb,
        "members": sorted({one for leg in legs for one in (leg.origin, leg.to)} & {*MEMBERS}),
        "reported_by": data.reported_by,
        **marks(data),
        "acted": event.time,
    }


async def route_acts(connection: Connection, route_id: str) -> list[RouteAct]:
    """Return what was reported of a route, oldest first."""
    return await found(
        connection,
        RouteAct,
        f"select {ROUTE_COLUMNS} from route_act where route_id = $1 order by acted, event_id",  # noqa: S608 - constant
        route_id,
    )


def band_act(event: Event[Any], data: Band) -> Columns:
    """Keep what a country reported of a band; what this service derived is no report."""
    if contracts.sender_of(event.source) == REGION:
        return None
    return {
        "country": event.country,
        "band_id": identity.key(data, "band_id"),
        "act": event.verb,
        "said": msgspec.json.encode({name: getattr(data, name) for name in Band.__struct_fields__}),
        "acted": event.time,
    }


async def band_acts(connection: Connection, band_id: str) -> list[BandAct]:
    """Return what was reported of a band, oldest first."""
    rows = await connection.fetch(
        "select event_id, country, act, said, acted from band_act where band_id = $1 order by acted, event_id", band_id
    )
    return [
        BandAct(row["event_id"], row["country"], row["act"], msgspec.json.decode(row["said"], type=Band), row["acted"])
        for row in rows
    ]
