"""Places where victims are suspected, what their countries answered, and victims found because of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intel.facts.rows import found, marks
from services.intel.gate import Marking
from services.intel.policy import POLICY
from shared.contracts import Event, identity
from shared.contracts.intel import LocationReported
from shared.contracts.intel.places import KnownPlace
from shared.contracts.victims import VictimIdentified
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class Place:
    """A place as one country reported it to the country that it lies in."""

    event_id: str
    place_ref: str
    """The whole identifier."""
    reporter: str
    target: str
    due: datetime
    marking: Marking

    @property
    def named(self) -> str:
        """The identifier as the reporter writes it."""
        return identity.written(self.place_ref, self.reporter)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the country of a place said of it."""

    event_id: str
    act: str


@dataclass(frozen=True, slots=True)
class Identification:
    """A victim identified because of another event, or of a place that the report names."""

    event_id: str
    causationid: str | None
    place_ref: str | None
    reported_by: str


def place(event: Event[Any], data: LocationReported) -> Columns:
    """Keep a place reported; its acknowledgement is due as the report says, or within the policy's time."""
    return {
        "place_ref": identity.key(data, "place_ref"),
        "reporter": event.country,
        "target": data.target_country,
        "due": data.ack_by or event.recordedtime + POLICY.acknowledged_within,
        **marks(data),
    }


def place_act(event: Event[Any], data: KnownPlace) -> Columns:
    """Keep what the country of a place said of it."""
    return {"place_ref": identity.key(data, "place_ref"), "target": event.country, "act": event.verb}


async def add_identification(connection: Connection, event: Event[VictimIdentified], place_ref: str | None) -> None:
    """Insert a victim identified because of another event, or of a place (whole identifier)."""
    await connection.execute(
        "insert into identification (event_id, source, country, causationid, place_ref, reported_by)"
        " values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        event.country,
        event.causationid or None,
        place_ref,
        event.data.reported_by,
    )


async def drop_identification(connection: Connection, event: Event[VictimIdentified]) -> None:
    """Delete a victim whose report was retracted."""
    await connection.execute("delete from identification where event_id = $1 and source = $2", event.id, event.source)


async def reports(connection: Connection, target: str, place_ref: str) -> list[Place]:
    """Return the reports of a place."""
    return await found(
        connection,
        Place,
        "select event_id, place_ref, reporter, target, due, tlp, handling, srceval, infoeval from place"
        " where place_ref = $1 and target = $2 order by event_id",
        place_ref,
        target,
    )


async def first(connection: Connection, target: str, event_ids: list[str]) -> dict[str, tuple[str, str]]:
    """Return of each event id the first report (reporter, place) of a place in a country that has it."""
    rows = await connection.fetch(
        "select distinct on (p.event_id) p.event_id, p.reporter, p.place_ref from place as p"
        " left join log as l on l.id = p.event_id and l.source = p.source"
        " where p.target = $1 and p.event_id = any($2::text[]) order by p.event_id, l.position nulls last, p.source",
        target,
        event_ids,
    )
    return {row["event_id"]: (row["reporter"], row["place_ref"]) for row in rows}


async def unanswered(connection: Connection, target: str) -> list[Place]:
    """Return the places that others reported in a country and that it has not answered, first due first."""
    return await found(
        connection,
        Place,
        "select event_id, place_ref, reporter, target, due, tlp, handling, srceval, infoeval from place as p"
        " where target = $1 and reporter <> $1 and not exists"
        " (select 1 from place_act where place_ref = p.place_ref and target = p.target) order by due, event_id",
        target,
    )


async def answers(connection: Connection, target: str, place_ref: str) -> list[Answer]:
    """Return what the country of a place said of it."""
    return await found(
        connection,
        Answer,
        "select event_id, act from place_act where place_ref = $1 and target = $2 order by event_id",
        place_ref,
        target,
    )


async def identifications(
    connection: Connection, country: str, causes: list[str], place_ref: str
) -> list[Identification]:
    """Return the victims that a country identified because of these events, or of this place."""
    return await found(
        connection,
        Identification,
        "select event_id, causationid, place_ref, reported_by from identification"
        " where (causationid = any($1::text[]) or place_ref = $3) and country = $2 order by event_id",
        causes,
        country,
        place_ref,
    )


async def meant(connection: Connection, target: str, ref: str) -> list[str]:
    """Return which places reported in a country it may mean by an identifier."""
    rows = await connection.fetch(
        "select distinct place_ref from place where place_ref = any($1::text[]) and target = $2 order by place_ref",
        identity.keys(ref),
        target,
    )
    return [row["place_ref"] for row in rows]


async def caused_by(connection: Connection, country: str, causationid: str) -> list[str]:
    """Return which places of a country an event is about: a report, an answer, or what was told of them."""
    rows = await connection.fetch(
        "select place_ref from place where event_id = $1 and target = $2"
        " union select place_ref from place_act where event_id = $1 and target = $2"
        " union select substr(scope, length('place/' || $2 || '/') + 1) from told where event_id = $1 and country = $2"
        " and starts_with(scope, 'place/' || $2 || '/') order by place_ref",
        causationid,
        country,
    )
    return [row["place_ref"] for row in rows]
