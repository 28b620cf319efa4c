"""The legal service's tables."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.legal import LawRepealed
from shared.contracts.vocabulary import Instrument
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Act:
    """What a country did towards a treaty on a day."""

    event_id: str
    act: str
    day: date


async def acts(connection: Connection, country: str, instrument: str) -> list[Act]:
    """Return what a country did towards a treaty."""
    rows = await connection.fetch(
        "select event_id, act, day from treaty_act where country = $1 and instrument = $2", country, instrument
    )
    return [Act(**dict(row)) for row in rows]


async def put_act(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert what a country did towards a treaty, on the day of the report's time (UTC)."""
    await connection.execute(
        "insert into treaty_act (event_id, source, country, instrument, act, day) values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        data.country,
        data.instrument,
        event.name.rpartition(".")[2],
        event.time.astimezone(UTC).date(),
    )


async def put_mapping(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert how far a law carries out an obligation."""
    await connection.execute(
        "insert into mapping (event_id, source, country, instrument, article, law_id, degree, judged)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.id,
        event.source,
        data.country,
        data.obligation.instrument,
        data.obligation.article,
        data.law_id or "",
        data.degree,
        event.time,
    )


async def carried_out(connection: Connection, country: str, instrument: str) -> set[str]:
    """Return the articles that some law carries out in full, as last judged and neither changed since nor repealed."""
    rows = await connection.fetch(
        "select article from (select distinct on (article, law_id) article, law_id, degree, judged from mapping"
        " where country = $1 and instrument = $2 order by article, law_id, judged desc, event_id desc) as last"
        " where degree = 'full' and not exists (select from law_change as c"
        " where c.country = $1 and c.law_id = last.law_id and (c.changed > last.judged or c.repealed))",
        country,
        instrument,
    )
    return {row["article"] for row in rows}


async def put_law_change(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert a change of a law."""
    await connection.execute(
        "insert into law_change (event_id, source, country, law_id, changed, repealed) values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        data.country,
        data.law_id,
        event.time,
        isinstance(data, LawRepealed),
    )


async def instruments_of(connection: Connection, country: str, law_id: str) -> list[Instrument]:
    """Return the treaties that a law was judged to carry out, in order."""
    rows = await connection.fetch(
        "select distinct instrument from mapping where country = $1 and law_id = $2 order by instrument",
        country,
        law_id,
    )
    return [row["instrument"] for row in rows]


async def party_since(connection: Connection, country: str, instrument: str) -> date | None:
    """Return since when a country is party to a treaty; None: it is not."""
    since: date | None = await connection.fetchval(
        "select since from party where country = $1 and instrument = $2", country, instrument
    )
    return since


async def gaps(connection: Connection, country: str, instrument: str) -> dict[str, datetime]:
    """Return the open gaps: since when, by article."""
    rows = await connection.fetch(
        "select article, since from gap where country = $1 and instrument = $2", country, instrument
    )
    return {row["article"]: row["since"] for row in rows}


async def open_gap(connection: Connection, country: str, instrument: str, article: str, since: datetime) -> None:
    """Insert a gap."""
    await connection.execute(
        "insert into gap (country, instrument, article, since) values ($1, $2, $3, $4)",
        country,
        instrument,
        article,
        since,
    )


async def close_gap(connection: Connection, country: str, instrument: str, article: str) -> None:
    """Delete a gap."""
    await connection.execute(
        "delete from gap where country = $1 and instrument = $2 and article = $3", country, instrument, article
    )


async def put_case(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert a resolved case."""
    await connection.execute(
        "insert into resolved_case (event_id, source, country, case_id, resolved, known)"
        " values ($1, $2, $3, $4, $5, $6)",
        event.id,
        event.source,
        event.country,
        data.case_id,
        event.time,
        event.recordedtime,
    )


async def put_witness_care(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert that the protection of a case's witness was reviewed, or ended."""
    await connection.execute(
        "insert into witness_care (event_id, source, country, case_id, reviewed) values ($1, $2, $3, $4, $5)",
        event.id,
        event.source,
        event.country,
        data.case_id,
        event.time,
    )


async def unreviewed_since(connection: Connection, country: str, case_id: str) -> datetime | None:
    """Return since when a resolved case is known whose witnesses were not seen to after it; None: there is none."""
    since: datetime | None = await connection.fetchval(
        "select min(known) from resolved_case as r where country = $1 and case_id = $2 and not exists"
        " (select from witness_care as w where w.country = r.country and w.case_id = r.case_id"
        " and w.reviewed >= r.resolved)",
        country,
        case_id,
    )
    return since


async def put_entry_rule(event: Event[Any], data: Any, connection: Connection) -> None:
    """Insert an entry rule that rests on a law."""
    if data.legal_ref is None:
        return
    await connection.execute(
        "insert into entry_rule (event_id, source, country, law_id, declared) values ($1, $2, $3, $4, $5)",
        event.id,
        event.source,
        data.destination,
        data.legal_ref,
        event.time,
    )


async def entry_rules_before(connection: Connection, country: str, law_id: str, changed: datetime) -> bool:
    """Return whether the country declared entry rules under this law before it was changed."""
    return bool(
        await connection.fetchval(
            "select exists (select from entry_rule where country = $1 and law_id = $2 and declared < $3)",
            country,
            law_id,
            changed,
        )
    )


async def changed_since(connection: Connection, country: str, law_id: str, declared: datetime) -> bool:
    """Return whether the law was changed after an entry rule was declared under it."""
    return bool(
        await connection.fetchval(
            "select exists (select from law_change where country = $1 and law_id = $2 and changed > $3)",
            country,
            law_id,
            declared,
        )
    )
