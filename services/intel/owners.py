"""Whose bands, routes, places and commitments intel's reports name.

A band, route or place is the country's own unless the report names an owner; what is answered, or kept, is looked up
among what the country was told of. Rows without an owner are of before identifiers had owners, and the
region's: whoever had used the identifier by then goes on with it.
"""

from collections.abc import Sequence
from typing import Any

from shared import references
from shared.contracts import identity, intel
from shared.contracts.identity import Owners
from shared.contracts.vocabulary import REGION
from shared.database import Connection, Row
from shared.owners import Owning, Ownings

USED = {
    "band_id": (("band_act", "country"), ("detection", "country")),
    "route_id": (("route_act", "country"), ("detection", "country")),
    "place_ref": (("place", "reporter"),),
    "commitment_id": (("commitment", "agreed_by"),),
}
"""Where it shows that a country used an identifier: (table, column of the country)."""


def naming(*fields: str) -> Owning:
    """Return how it is found whose identifiers stand in these fields, each the country's own or with its owner."""

    async def owning(country: str, data: Any, connection: Connection) -> Owners:
        named = {field: ref for field in fields if (ref := getattr(data, field)) is not None}
        owners = {field: identity.parted(ref)[0] or country for field, ref in named.items()}
        for field, owner in owners.items():
            if await _used_before(connection, field, owner, identity.parted(named[field])[1]):
                owners[field] = REGION
        return owners

    return owning


async def _used_before(connection: Connection, field: str, country: str, plain: str) -> bool:
    """Return whether the country used the identifier before identifiers had owners."""
    found = " or ".join(
        f"exists (select from {table} where {field} = $1 and {column} = $2)" for table, column in USED[field]
    )
    return bool(await connection.fetchval(f"select {found}", plain, country))


async def known_route(country: str, data: Any, connection: Connection) -> Owners:
    """Return whose route a country says is in use, or no longer: its own, else one that it was told of."""
    rows = await connection.fetch(
        "select distinct route_id as key, country = $1 as own from route_act where act = 'reported'"
        " and (country = $1 or $1 = any(members))"
        " and (route_id = any($2::text[]) or route_id = $3 and country = $4) order by route_id",
        country,
        *_named(data.route_id),
    )
    return _owner("route_id", country, data.route_id, rows)


async def answered(country: str, data: Any, connection: Connection) -> Owners:
    """Return whose place its country answers for."""
    rows = await connection.fetch(
        "select distinct place_ref as key, reporter = $1 as own from place where target = $1"
        " and (place_ref = any($2::text[]) or place_ref = $3 and reporter = $4) order by place_ref",
        country,
        *_named(data.place_ref),
    )
    return _owner("place_ref", country, data.place_ref, rows)


async def kept(country: str, data: Any, connection: Connection) -> Owners:
    """Return whose commitment a country says that it, or who recorded it, sees kept: its own first."""
    rows = await connection.fetch(
        "select distinct commitment_id as key, agreed_by = $1 as own from commitment where $1 in (country, agreed_by)"
        " and (commitment_id = any($2::text[]) or commitment_id = $3 and agreed_by = $4) order by commitment_id",
        country,
        *_named(data.commitment_id),
    )
    return _owner("commitment_id", country, data.commitment_id, rows)


def _named(ref: str) -> tuple[list[str], str, str]:
    """Return what an identifier may stand for: whole ones, and the plain one of before that a country used."""
    owner, plain = identity.parted(ref)
    return identity.keys(ref), plain, owner


def _owner(field: str, country: str, ref: str, rows: Sequence[Row]) -> Owners:
    """Return the one owner that may be meant: first the country itself, then one whose thing it told of itself."""
    found = sorted({row["key"] for row in rows})
    own = [one for one in found if one == identity.whole(ref, country)] or sorted(
        {row["key"] for row in rows if row["own"]}
    )
    return {field: identity.parted(references.meant(own or found, f"/data/{field}"))[0] or REGION}


OWNINGS: Ownings = {
    **dict.fromkeys((intel.BandDismantled, intel.BandIdentified, intel.BandReactivated), naming("band_id")),
    **dict.fromkeys((intel.RouteConfirmed, intel.RouteRetired), known_route),
    **dict.fromkeys((intel.LocationAcknowledged, intel.LocationCleared, intel.LocationVerified), answered),
    intel.CommitmentAgreed: naming("commitment_id"),
    intel.CommitmentFulfilled: kept,
    intel.LocationReported: naming("place_ref"),
    intel.RouteReported: naming("route_id"),
    intel.TraffickerDetected: naming("band_id", "route_id"),
}
