"""The training service's tables."""

from dataclasses import dataclass
from datetime import datetime

from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Certificate:
    """An officer's certificate in one topic."""

    country: str
    cert_id: str
    topic: str
    institution_type: str


async def add_confirmation(  # noqa: PLR0913 - the columns
    connection: Connection, *, event_id: str, country: str, bcp: str, pattern: str, confirmed: datetime
) -> None:
    """Insert a confirmed fake document."""
    await connection.execute(
        "insert into confirmation (event_id, country, bcp, pattern, confirmed) values ($1, $2, $3, $4, $5)",
        event_id,
        country,
        bcp,
        pattern,
        confirmed,
    )


async def open_confirmations(
    connection: Connection, country: str, bcp: str, pattern: str
) -> list[tuple[str, datetime]]:
    """Return event id and time of the confirmations that have not raised a need, oldest first.

    They are locked until the transaction ends, so that two replicas do not raise one need each.
    """
    rows = await connection.fetch(
        "select event_id, confirmed from confirmation"
        " where country = $1 and bcp = $2 and pattern = $3 and need_id is null"
        " order by confirmed, event_id for update",
        country,
        bcp,
        pattern,
    )
    return [(row["event_id"], row["confirmed"]) for row in rows]


async def lock_post(connection: Connection, country: str, bcp: str) -> None:
    """Let one transaction at a time judge a border post."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"training/{country}/{bcp}")


async def close_confirmations(connection: Connection, event_ids: list[str], need_id: str) -> None:
    """Mark the confirmations that raised a need."""
    await connection.execute(
        "update confirmation set need_id = $2 where event_id = any($1::text[])", event_ids, need_id
    )


async def add_certificate(
    connection: Connection, certificate: Certificate, certified: datetime, law_ids: list[str]
) -> bool:
    """Insert a certificate with the laws it is aligned to; return False when its id is taken."""
    added = await connection.fetchval(
        "insert into certificate (country, cert_id, topic, institution_type, certified, state)"
        " values ($1, $2, $3, $4, $5, 'valid') on conflict do nothing returning true",
        certificate.country,
        certificate.cert_id,
        certificate.topic,
        certificate.institution_type,
        certified,
    )
    if added and law_ids:
        await connection.execute(
            "insert into alignment (country, cert_id, law_id)"
            " select $1, $2, law_id from unnest($3::text[]) as l (law_id)",
            certificate.country,
            certificate.cert_id,
            law_ids,
        )
    return bool(added)


async def amended_since(connection: Connection, country: str, law_ids: list[str], since: datetime) -> bool:
    """Return whether one of these laws is known to have been amended after `since`."""
    return bool(
        await connection.fetchval(
            "select exists (select 1 from law where country = $1 and law_id = any($2::text[]) and amended > $3)",
            country,
            law_ids,
            since,
        )
    )


async def set_amended(connection: Connection, country: str, law_id: str, amended: datetime) -> None:
    """Note when a law was last amended."""
    await connection.execute(
        "insert into law (country, law_id, amended) values ($1, $2, $3)"
        " on conflict (country, law_id) do update set amended = greatest(law.amended, excluded.amended)",
        country,
        law_id,
        amended,
    )


async def valid_certificates(connection: Connection, country: str, law_id: str, before: datetime) -> list[Certificate]:
    """Return the valid certificates aligned to a law and given before it was amended, locked, in order of id."""
    rows = await connection.fetch(
        "select c.country, c.cert_id, c.topic, c.institution_type"
        " from alignment a join certificate c on c.country = a.country and c.cert_id = a.cert_id"
        " where a.country = $1 and a.law_id = $2 and c.state = 'valid' and c.certified <= $3"
        " order by c.cert_id for update of c",
        country,
        law_id,
        before,
    )
    return [Certificate(**dict(row)) for row in rows]


async def set_state(connection: Connection, country: str, cert_id: str, state: str) -> str | None:
    """Move a certificate to `state`; return the state it left, None when there is no such certificate."""
    left = await connection.fetchval(
        "select state from certificate where country = $1 and cert_id = $2 for update", country, cert_id
    )
    if left is not None:
        await connection.execute(
            "update certificate set state = $3 where country = $1 and cert_id = $2", country, cert_id, state
        )
    return str(left) if left is not None else None
