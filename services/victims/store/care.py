"""The way home of victims, its evaluation, and the contact points of the countries."""

from dataclasses import dataclass
from datetime import datetime

from shared.database import Connection


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


async def set_escalation(connection: Connection, referral_id: str, escalation: str | None) -> Homecoming:
    """Note, of a return, the event that would tell of a missing enrolment (or, with None, that there was no return)."""
    row = await connection.fetchrow(
        "insert into homecoming (referral_id, escalation) values ($1, $2) on conflict (referral_id)"
        " do update set escalation = excluded.escalation returning escalation, enrolments",
        referral_id,
        escalation,
    )
    assert row
    return Homecoming(**dict(row))


async def count_enrolment(connection: Connection, referral_id: str, change: int) -> Homecoming:
    """Add `change` to the enrolments under a referral; return what holds now, locked."""
    row = await connection.fetchrow(
        "insert into homecoming (referral_id, enrolments) values ($1, greatest($2, 0)) on conflict (referral_id)"
        " do update set enrolments = greatest(homecoming.enrolments + $2, 0)"
        " returning escalation, enrolments",
        referral_id,
        change,
    )
    assert row
    return Homecoming(**dict(row))


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


async def evaluations(connection: Connection, subject: str, case_id: str, country: str) -> list[Open]:
    """Return the evaluations of a case that are awaited of this country."""
    rows = await connection.fetch(
        "select case_id, sender, due from evaluation"
        " where subject = $1 and case_id = $2 and (sender = $3 or receiver = $3) order by sender",
        subject,
        case_id,
        country,
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


async def set_contact(connection: Connection, country: str, body: str, *, filled: bool, changed: datetime) -> bool:
    """Note whether anybody holds a contact point's post; return False when later news was heard before."""
    return bool(
        await connection.fetchval(
            "insert into contact_point (country, body, filled, changed) values ($1, $2, $3, $4)"
            " on conflict (country, body) do update set filled = excluded.filled, changed = excluded.changed"
            " where contact_point.changed <= excluded.changed returning true",
            country,
            body,
            filled,
            changed,
        )
    )


async def is_vacant(connection: Connection, country: str) -> bool:
    """Return whether a country had contact points and has none now (its other bodies are deputies)."""
    return bool(await connection.fetchval("select not bool_or(filled) from contact_point where country = $1", country))
