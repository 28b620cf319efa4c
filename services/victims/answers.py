"""The victims service's tables as questions look into them: one query for all questions of a kind in a batch."""

from collections.abc import Sequence

from shared.database import Connection, Row


async def referrals(connection: Connection, referral_ids: Sequence[str]) -> dict[str, Row]:
    """Return the referrals that there are, by id."""
    rows = await connection.fetch(
        "select referral_id, sender, receiver, urgency, sent, due, state, delivered from referral"
        " where referral_id = any($1::text[])",
        referral_ids,
    )
    return {row["referral_id"]: row for row in rows}
