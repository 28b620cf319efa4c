"""The victims service's tables."""

from dataclasses import dataclass
from datetime import datetime

from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral of a victim from one country to another."""

    referral_id: str
    sender: str
    receiver: str
    urgency: str
    sent: datetime
    due: datetime
    state: str


async def add_referral(connection: Connection, referral: Referral) -> bool:
    """Insert a referral; return False when its id is taken."""
    return bool(
        await connection.fetchval(
            "insert into referral (referral_id, sender, receiver, urgency, sent, due, state)"
            " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning true",
            referral.referral_id,
            referral.sender,
            referral.receiver,
            referral.urgency,
            referral.sent,
            referral.due,
            referral.state,
        )
    )


async def referral(connection: Connection, referral_id: str) -> Referral | None:
    """Return a referral, locked until the transaction ends: of two answers, the second sees the first."""
    row = await connection.fetchrow(
        "select referral_id, sender, receiver, urgency, sent, due, state from referral where referral_id = $1"
        " for update",
        referral_id,
    )
    return Referral(**dict(row)) if row else None


async def set_state(connection: Connection, referral_id: str, state: str) -> None:
    """Move a referral to `state`."""
    await connection.execute("update referral set state = $2 where referral_id = $1", referral_id, state)


async def count_service(connection: Connection, country: str, victim_pid: str, year: int, change: int) -> int:
    """Add `change` to the services that a victim got in a year; return how many there are now."""
    return int(
        await connection.fetchval(
            "insert into assistance (country, victim_pid, year, services) values ($1, $2, $3, greatest($4, 0))"
            " on conflict (country, victim_pid, year)"
            " do update set services = greatest(assistance.services + $4, 0) returning services",
            country,
            victim_pid,
            year,
            change,
        )
    )
