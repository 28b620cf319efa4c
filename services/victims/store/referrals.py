"""Referrals, and where each stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts import identity
from shared.database import Connection

OPEN = ("pending", "overdue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A referral of a victim from one country to another."""

    referral_id: str
    sender: str
    receiver: str
    urgency: str
    since: datetime
    """When it was sent, by its own report."""
    sent: datetime
    """When the region knew."""
    due: datetime
    state: str
    consent_id: str | None = None
    subject: str | None = None
    delivered: datetime | None = None
    offer: bytes | None = None
    """What the receiver was told, sealed with the key of `subject`."""

    @property
    def open(self) -> bool:
        """Whether it may still be answered or revoked."""
        return self.state in OPEN


COLUMNS = "referral_id, sender, receiver, urgency, since, sent, due, state, consent_id, subject, delivered, offer"


async def add(connection: Connection, referral: Referral) -> bool:
    """Insert a referral; return False when its sender has given its id before."""
    return bool(
        await connection.fetchval(
            f"insert into referral ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"  # noqa: S608 - constant
            " on conflict do nothing returning true",
            referral.referral_id,
            referral.sender,
            referral.receiver,
            referral.urgency,
            referral.since,
            referral.sent,
            referral.due,
            referral.state,
            referral.consent_id,
            referral.subject,
            referral.delivered,
            referral.offer,
        )
    )


async def get(connection: Connection, sender: str, referral_id: str) -> Referral | None:
    """Return a country's referral, locked until the transaction ends: of two answers, the second sees the first."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from referral where sender = $1 and referral_id = $2 for update",  # noqa: S608 - constant
        sender,
        referral_id,
    )
    return Referral(**dict(row)) if row else None


async def senders(connection: Connection, receiver: str, ref: str) -> list[str]:
    """Return whose referrals to a country that country may mean by an identifier, in order."""
    owner, referral_id = identity.parted(ref)
    rows = await connection.fetch(
        "select sender from referral where referral_id = $1 and receiver = $2 and $3 in ('', sender) order by sender",
        referral_id,
        receiver,
        owner,
    )
    return [row["sender"] for row in rows]


async def open_to(connection: Connection, receiver: str) -> list[Referral]:
    """Return the referrals that await a country's answer, oldest first."""
    rows = await connection.fetch(
        f"select {COLUMNS} from referral where receiver = $1 and state in ('pending', 'overdue')"  # noqa: S608 - constant
        " order by sent, referral_id",
        receiver,
    )
    return [Referral(**dict(row)) for row in rows]


async def undelivered_to(connection: Connection) -> list[str]:
    """Return the countries that have open referrals before them whose delivery is not known."""
    rows = await connection.fetch(
        "select distinct receiver from referral where delivered is null and state in ('pending', 'overdue')"
        " order by receiver"
    )
    return [row["receiver"] for row in rows]


async def offered_at(connection: Connection, receiver: str, positions: Sequence[int]) -> list[bytes]:
    """Return the first offer, of those at these positions, of each of a country's open, undelivered referrals."""
    rows = await connection.fetch(
        "select payload from (select distinct on (r.sender, r.referral_id) o.position, o.payload from log as o"
        " join referral as r on r.referral_id = o.entity and r.receiver = o.country"
        " and r.sender = convert_from(o.payload, 'UTF8')::jsonb->'data'->>'sender'"
        " where o.position = any($2::bigint[]) and o.type = 'crm.victims.referral.offered.v1' and r.receiver = $1"
        " and r.delivered is null and r.state in ('pending', 'overdue')"
        " order by r.sender, r.referral_id, o.position) as first order by position",
        receiver,
        list(positions),
    )
    return [row["payload"] for row in rows]


async def under(connection: Connection, sender: str, consent_ids: Sequence[str]) -> list[Referral]:
    """Return a country's referrals that rest on one of these consents, in order of id, not locked."""
    rows = await connection.fetch(
        f"select {COLUMNS} from referral where sender = $1 and consent_id = any($2::text[]) order by referral_id",  # noqa: S608 - constant
        sender,
        list(consent_ids),
    )
    return [Referral(**dict(row)) for row in rows]


async def set_state(connection: Connection, sender: str, referral_id: str, state: str) -> None:
    """Move a referral to `state`."""
    await connection.execute(
        "update referral set state = $3 where sender = $1 and referral_id = $2", sender, referral_id, state
    )


async def set_delivered(connection: Connection, sender: str, referral_id: str, delivered: datetime) -> None:
    """Note since when it is known that the receiver's system has the referral."""
    await connection.execute(
        "update referral set delivered = $3 where sender = $1 and referral_id = $2", sender, referral_id, delivered
    )
