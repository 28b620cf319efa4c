"""The intel service's tables as questions look into them: one query for all questions of a kind in a batch.

`number` in a row is the place (from 1) of the question that it belongs to.
"""

from collections.abc import Sequence
from datetime import date, datetime

from shared.database import Connection, Row


async def listings(connection: Connection, documents: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the last listing or delisting (status null) of each (doc_ref, issuing)."""
    return await connection.fetch(
        "select q.number, l.status, l.recorded"
        " from unnest($1::text[], $2::text[]) with ordinality as q (doc_ref, issuing, number)"
        " cross join lateral (select status, recorded from listing"
        " where doc_ref = q.doc_ref and issuing = q.issuing order by acted desc, recorded desc limit 1) as l",
        [doc_ref for doc_ref, _ in documents],
        [issuing for _, issuing in documents],
    )


async def requirements(connection: Connection, entries: Sequence[tuple[str, str, date]]) -> list[Row]:
    """Return what holds for each (destination, nationality, day)."""
    return await connection.fetch(
        "select q.number, r.required, r.effective_from, r.doc_codes, r.legal_ref"
        " from unnest($1::text[], $2::text[], $3::date[]) with ordinality as q (destination, nationality, day, number)"
        " cross join lateral (select required, effective_from, doc_codes, legal_ref from entry_requirement"
        " where destination = q.destination and nationality = q.nationality and effective_from <= q.day"
        " order by effective_from desc, declared desc limit 1) as r",
        [destination for destination, _, _ in entries],
        [nationality for _, nationality, _ in entries],
        [day for _, _, day in entries],
    )


async def specimens(connection: Connection, documents: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the specimens of each (issuing, doc_code) that were not withdrawn, by series and age."""
    return await connection.fetch(
        "select q.number, s.specimen_id, s.series, s.tier, s.valid_from, s.valid_to, s.features, s.image_ref,"
        " e.superseded_by"
        " from unnest($1::text[], $2::text[]) with ordinality as q (issuing, doc_code, number)"
        " join specimen as s on s.issuing = q.issuing and s.doc_code = q.doc_code"
        " cross join lateral (select max(superseded_by) as superseded_by,"
        " bool_or(superseded_by is null) as withdrawn from specimen_end"
        " where issuing = s.issuing and specimen_id = s.specimen_id and ended >= s.deposited) as e"
        " where e.withdrawn is not true order by q.number, s.series, s.deposited, s.event_id",
        [issuing for issuing, _ in documents],
        [doc_code for _, doc_code in documents],
    )


async def contact_points(connection: Connection, countries: Sequence[str], now: datetime) -> list[Row]:
    """Return the contact points of each country that are filled now, by body."""
    return await connection.fetch(
        "select q.number, a.country, a.body, a.officer_ref, a.channel"
        " from unnest($1::text[]) with ordinality as q (country, number)"
        " cross join lateral (select distinct on (body) country, body, officer_ref, channel from contact_act"
        " where country = q.country and acted <= $2 order by body, acted desc, event_id) as a"
        " where a.officer_ref is not null order by q.number, a.body",
        countries,
        now,
    )


async def openings(connection: Connection, hashes: Sequence[str]) -> list[Row]:
    """Return to whom which country opened a book with each of these numbers."""
    return await connection.fetch(
        "select q.number, d.country, d.recipients, d.tlp, d.handling, d.srceval, d.infoeval"
        " from unnest($1::text[]) with ordinality as q (hash, number)"
        " join phone_hash as h on h.hash = q.hash"
        " join dissemination as d on d.event_id = h.event_id and d.source = h.source order by q.number, d.country",
        hashes,
    )
