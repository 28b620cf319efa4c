"""The victims service's tables as questions look into them: one query for all questions of a kind in a batch."""

from collections.abc import Sequence

from shared.contracts import identity
from shared.database import Connection, Row


async def referrals(connection: Connection, named: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the referrals from or to each (country, of an id or of one with its owner), in order of sender.

    `number` in a row is the place (from 1) of the question that it belongs to.
    """
    parts = [identity.parted(ref) for _, ref in named]
    return await connection.fetch(
        "select q.number, r.sender, r.receiver, r.urgency, r.sent, r.due, r.state, r.delivered"
        " from unnest($1::text[], $2::text[], $3::text[]) with ordinality as q (country, owner, referral_id, number)"
        " join referral as r on r.referral_id = q.referral_id and q.owner in ('', r.sender)"
        " and q.country in (r.sender, r.receiver) order by q.number, r.sender",
        [country for country, _ in named],
        [owner for owner, _ in parts],
        [referral_id for _, referral_id in parts],
    )
