"""The training service's tables as questions look into them: one query for all questions of a kind in a batch.

`number` in a row is the place (from 1) of the question that it belongs to.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.database import Connection, Row


async def certificates(connection: Connection, officers: Sequence[tuple[str, str]], now: datetime) -> list[Row]:
    """Return the certificates of each (country, officer_pid) that serve now: valid, or stale and within the grace."""
    return await connection.fetch(
        "select q.number, c.cert_id, c.topic, c.institution_type, c.valid_until, s.grace_until"
        " from unnest($1::text[], $2::text[]) with ordinality as q (country, officer_pid, number)"
        " join certificate as c on c.country = q.country and c.officer_pid = q.officer_pid"
        " left join told as s on s.country = c.country and s.cert_id = c.cert_id and s.kind = 'staled'"
        " where c.valid_from <= $3 and c.valid_until >= $3 and (s.grace_until is null or s.grace_until > $4)"
        " and not exists (select from told as t where t.country = c.country and t.cert_id = c.cert_id"
        " and t.kind in ('renewed', 'revoked'))"
        " order by q.number, c.topic, c.cert_id",
        [country for country, _ in officers],
        [officer for _, officer in officers],
        now.date(),
        now,
    )
