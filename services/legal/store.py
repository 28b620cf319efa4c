"""The legal service's tables."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from shared.contracts import Event
from shared.contracts.legal import LawRepealed
from shared.contracts.vocabulary import Instrument
from shared.database import Connection
from shared.facts import Columns


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


def treaty_act(event: Event[Any], data: Any) -> Columns:
    """Keep what a country did towards a treaty, by the day of the report's time (UTC)."""
    return {
        "country": data.country,
        "instrument": data.instrument,
        "act": event.name.rpartition(".")[2],
        "day": event.time.astimezone(UTC).date(),
    }


def mapping(event: Event[Any], data: Any) -> Columns:
    """Keep how far a law carries out an obligation."""
    return {
        "country": data.country,
        "instrument": data.obligation.instrument,
        "article": data.obligation.article,
        "law_id": data.law_id or "",
        "degree": data.degree,
        "judged": event.time,
    }


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


async def transposing(connection: Connection, country: str, instrument: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return by article what bears on its being carried out: (at, judged, event_id, law_id, full, repealed)."""
    rows = await connection.fetch(
        "select article, judged as at, true as judged, event_id, law_id, degree = 'full' as full, false as repealed"
        " from mapping where country = $1 and instrument = $2 union all"
        " select m.article, c.changed, false, c.event_id, c.law_id, false, c.repealed from law_change as c"
        " join (select distinct article, law_id from mapping where country = $1 and instrument = $2) as m"
        " on m.law_id = c.law_id where c.country = $1",
        country,
        instrument,
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    for article, *act in rows:
        found.setdefault(article, []).append(tuple(act))
    return found


async def transposed(connection: Connection, country: str, instrument: str) -> Counter[tuple[str, datetime, int]]:
    """Return the steps that were told: (article, when, 1 or -1) -> how often."""
    rows = await connection.fetch(
        "select article, at, by from transposition where country = $1 and instrument = $2", country, instrument
    )
    return Counter(tuple(row) for row in rows)


async def note_transposed(
    connection: Connection, country: str, instrument: str, steps: Mapping[tuple[str, datetime, int], int]
) -> None:
    """Note steps as told (above 0), or as taken back."""
    for (article, at, by), number in steps.items():
        values = (country, instrument, article, at, by)
        if number > 0:
            await connection.execute("insert into transposition values ($1, $2, $3, $4, $5)", *values)
        else:
            await connection.execute(
                "delete from transposition where country = $1 and instrument = $2 and article = $3 and at = $4"
                " and by = $5",
                *values,
            )


def law_change(event: Event[Any], data: Any) -> Columns:
    """Keep a change of a law."""
    repealed = isinstance(data, LawRepealed)
    return {"country": data.country, "law_id": data.law_id, "changed": event.time, "repealed": repealed}


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


def resolved_case(event: Event[Any], data: Any) -> Columns:
    """Keep a resolved case."""
    return {"country": event.country, "case_id": data.case_id, "resolved": event.time, "known": event.recordedtime}


def witness_care(event: Event[Any], data: Any) -> Columns:
    """Keep that a case's witness came under protection, or that the protection was reviewed, or ended."""
    return {
        "country": event.country,
        "case_id": data.case_id,
        "reviewed": event.time,
        "witness_pid": data.witness_pid,
        "act": event.name.rpartition(".")[2],
    }


def proceeding(event: Event[Any], data: Any) -> Columns:
    """Keep that proceedings were opened, or closed."""
    opens = event.name.endswith(".opened")
    return {"country": event.country, "case_id": data.case_id, "at": event.time, "opens": opens}


@dataclass(frozen=True, slots=True)
class CaseAct:
    """A report that opens or closes a case, or (with `witness`) the protection of its witness."""

    event_id: str
    source: str
    witness: str | None
    at: datetime
    opens: bool


async def case_acts(connection: Connection, country: str, case_id: str) -> list[CaseAct]:
    """Return the reports of a case and its witnesses."""
    rows = await connection.fetch(
        "select event_id, source, witness_pid as witness, reviewed as at, act <> 'ended' as opens"
        " from witness_care where country = $1 and case_id = $2 and witness_pid is not null"
        " union all select event_id, source, null, at, opens from proceeding where country = $1 and case_id = $2"
        " union all select event_id, source, null, resolved, false from resolved_case"
        " where country = $1 and case_id = $2",
        country,
        case_id,
    )
    return [CaseAct(**dict(row)) for row in rows]


async def unreviewed_since(connection: Connection, country: str, case_id: str) -> datetime | None:
    """Return since when a resolved case is known whose witnesses were not seen to after it; None: there is none."""
    since: datetime | None = await connection.fetchval(
        "select min(known) from resolved_case as r where country = $1 and case_id = $2 and not exists"
        " (select from witness_care as w where w.country = r.country and w.case_id = r.case_id"
        " and w.act <> 'protected' and w.reviewed >= r.resolved)",
        country,
        case_id,
    )
    return since


def entry_rule(event: Event[Any], data: Any) -> Columns:
    """Keep an entry rule that rests on a law."""
    if data.legal_ref is None:
        return None
    return {"country": data.destination, "law_id": data.legal_ref, "declared": event.time}


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
