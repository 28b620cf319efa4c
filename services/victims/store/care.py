"""The way home of victims, its evaluation, and the contact points of the countries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts import Event, identity
from shared.contracts.intel import ContactPointDesignated, ContactPointVacated
from shared.database import Connection
from shared.facts import Columns


@dataclass(frozen=True, slots=True)
class Homecoming:
    """What is told if nobody enrolls after a return, and the enrolments."""

    escalation: str | None
    enrolments: int


@dataclass(frozen=True, slots=True)
class Open:
    """An evaluation that is, or was, awaited."""

    case_id: str
    sender: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a country was told of another service's report, about which entity, by which event."""

    country: str
    entity: str
    event_id: str
    type: str


async def owners(connection: Connection, receiver: str, ref: str) -> list[str]:
    """Return whose referrals a country may mean that enrolls a victim who was taken home to it."""
    owner, referral_id = identity.parted(ref)
    if owner:
        return [owner]
    rows = await connection.fetch(
        "select sender as owner from referral where referral_id = $1 and receiver = $2"
        " union select owner from homecoming where referral_id = $1 and receiver in ($2, '') order by owner",
        referral_id,
        receiver,
    )
    return [row["owner"] for row in rows]


def of_case(ref: str) -> str:
    """Return what stands for the referral of a return that has none; no identifier has a slash."""
    return f"case/{identity.parted(ref)[1]}"


async def returned(connection: Connection, receiver: str, ref: str) -> list[tuple[str, str]]:
    """Return the referrals (owner, id) of the returns to a country whose case it may mean."""
    owner, case_id = identity.parted(ref)
    rows = await connection.fetch(
        "select owner, referral_id from homecoming where case_id = $1 and receiver = $2 and $3 in ('', owner)"
        " order by owner, referral_id",
        case_id,
        receiver,
        owner,
    )
    return [(row["owner"], row["referral_id"]) for row in rows]


async def set_escalation(
    connection: Connection, referral: tuple[str, str], receiver: str, escalation: str | None, case_id: str
) -> Homecoming:
    """Note, of a return, the event that would tell of a missing enrolment (or, with None, that there was no return).

    Enrolments that came before anything was known of the referral (owner, id), or of the case, are its own.
    """
    for named in (referral[1], of_case(case_id)):
        await connection.execute(
            "update homecoming set owner = $1, referral_id = $2, receiver = $3 where referral_id = $5"
            " and owner in ($4, '') and not exists (select from homecoming where owner = $1 and referral_id = $2)",
            *referral,
            receiver,
            unclaimed(receiver),
            named,
        )
    row = await connection.fetchrow(
        "insert into homecoming (owner, referral_id, receiver, escalation, case_id) values ($1, $2, $3, $4, $5)"
        " on conflict (owner, referral_id) do update set receiver = excluded.receiver,"
        " escalation = excluded.escalation, case_id = excluded.case_id returning escalation, enrolments",
        *referral,
        receiver,
        escalation,
        case_id if escalation else None,
    )
    assert row
    return Homecoming(**dict(row))


async def count_enrolment(connection: Connection, referral: tuple[str, str], receiver: str, change: int) -> Homecoming:
    """Add `change` to the enrolments under a referral (owner, id); return what holds now, locked."""
    row = await connection.fetchrow(
        "insert into homecoming (owner, referral_id, receiver, enrolments) values ($1, $2, $3, greatest($4, 0))"
        " on conflict (owner, referral_id) do update set enrolments = greatest(homecoming.enrolments + $4, 0)"
        " returning escalation, enrolments",
        *referral,
        receiver,
        change,
    )
    assert row
    return Homecoming(**dict(row))


def unclaimed(receiver: str) -> str:
    """Return what stands for the owner of a referral that is not known, while `receiver` enrolled a victim under it."""
    return f"to:{receiver}"


async def recorded(connection: Connection, event_id: str | None, source: str) -> bool:
    """Return whether an event stands in the log."""
    return bool(await connection.fetchval("select true from log where id = $1 and source = $2", event_id, source))


async def await_evaluation(connection: Connection, subject: str, due: Open, receiver: str) -> None:
    """Note that an evaluation is awaited of one of two countries."""
    await connection.execute(
        "insert into evaluation (subject, case_id, sender, receiver, due) values ($1, $2, $3, $4, $5)"
        " on conflict (subject, case_id, sender) do update set receiver = excluded.receiver, due = excluded.due",
        subject,
        due.case_id,
        due.sender,
        receiver,
        due.due,
    )


async def forget_evaluation(connection: Connection, subject: str, case_id: str, sender: str) -> None:
    """Note that an evaluation is not awaited after all."""
    await connection.execute(
        "delete from evaluation where subject = $1 and case_id = $2 and sender = $3", subject, case_id, sender
    )


async def evaluations(connection: Connection, subject: str, ref: str, country: str) -> list[Open]:
    """Return the evaluations that are awaited of this country, of the cases that it may mean by an identifier."""
    owner, case_id = identity.parted(ref)
    rows = await connection.fetch(
        "select case_id, sender, due from evaluation where subject = $1 and case_id = $2"
        " and (sender = $3 or receiver = $3) and $4 in ('', sender) order by sender",
        subject,
        case_id,
        country,
        owner,
    )
    return [Open(**dict(row)) for row in rows]


async def told(connection: Connection, about: str, source: str) -> list[Told]:
    """Return what was told of a report and holds, in order of country."""
    rows = await connection.fetch(
        "select country, entity, event_id, type from told where about = $1 and source = $2 order by country, entity",
        about,
        source,
    )
    return [Told(**dict(row)) for row in rows]


async def add_told(connection: Connection, about: str, source: str, one: Told) -> None:
    """Note what a country was told of a report."""
    await connection.execute(
        "insert into told (about, source, country, entity, event_id, type) values ($1, $2, $3, $4, $5, $6)",
        about,
        source,
        one.country,
        one.entity,
        one.event_id,
        one.type,
    )


async def drop_told(connection: Connection, one: Told) -> None:
    """Forget what a country was told of a report."""
    await connection.execute("delete from told where event_id = $1", one.event_id)


def contact_act(event: Event[Any], data: ContactPointDesignated | ContactPointVacated) -> Columns:
    """Keep that somebody took a contact point's post, or that nobody holds it."""
    filled = isinstance(data, ContactPointDesignated)
    return {"country": data.country, "body": data.body, "filled": filled, "changed": event.time}


async def is_latest(connection: Connection, event: Event[Any]) -> bool:
    """Say whether no later news of this contact point was heard."""
    latest = await connection.fetchval(
        "select event_id from contact_act where country = $1 and body = $2"
        " order by changed desc, event_id desc limit 1",
        event.data.country,
        event.data.body,
    )
    return bool(latest == event.id)


async def is_vacant(connection: Connection, country: str) -> bool:
    """Return whether a country had contact points and has none now (its other bodies are deputies)."""
    return bool(
        await connection.fetchval(
            "select not bool_or(filled) from (select distinct on (body) filled from contact_act where country = $1"
            " order by body, changed desc, event_id desc) as latest",
            country,
        )
    )
