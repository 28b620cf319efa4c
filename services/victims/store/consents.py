"""Consents, and who still has to erase what was given under one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.contracts import identity
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person consented to, by the country that recorded it."""

    country: str
    consent_id: str
    victim_pid: str
    scope: str
    valid_until: date | None
    withdrawn: bool = False


COLUMNS = "country, consent_id, victim_pid, scope, valid_until, withdrawn"


async def add(connection: Connection, consent: Consent) -> bool:
    """Insert a consent; return False when its id is taken in its country."""
    return bool(
        await connection.fetchval(
            f"insert into consent ({COLUMNS}) values ($1, $2, $3, $4, $5, $6)"  # noqa: S608 - constant
            " on conflict do nothing returning true",
            consent.country,
            consent.consent_id,
            consent.victim_pid,
            consent.scope,
            consent.valid_until,
            consent.withdrawn,
        )
    )


async def change(connection: Connection, consent: Consent) -> None:
    """Put right what a consent says."""
    await connection.execute(
        "update consent set victim_pid = $3, scope = $4, valid_until = $5 where country = $1 and consent_id = $2",
        consent.country,
        consent.consent_id,
        consent.victim_pid,
        consent.scope,
        consent.valid_until,
    )


async def held(connection: Connection, country: str, consent_id: str) -> Consent | None:
    """Return a consent that cannot be withdrawn until the transaction ends."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from consent where country = $1 and consent_id = $2 for share",  # noqa: S608 - constant
        country,
        consent_id,
    )
    return Consent(**dict(row)) if row else None


async def get(connection: Connection, country: str, consent_id: str) -> Consent | None:
    """Return a consent, locked until the transaction ends."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from consent where country = $1 and consent_id = $2 for update",  # noqa: S608 - constant
        country,
        consent_id,
    )
    return Consent(**dict(row)) if row else None


async def withdraw(connection: Connection, country: str, consent_id: str) -> None:
    """Mark a consent as withdrawn."""
    await connection.execute(
        "update consent set withdrawn = true where country = $1 and consent_id = $2", country, consent_id
    )


async def of_person(connection: Connection, country: str, victim_pid: str) -> list[str]:
    """Return the ids of the consents of a person that are not withdrawn."""
    rows = await connection.fetch(
        "select consent_id from consent where country = $1 and victim_pid = $2 and not withdrawn order by consent_id",
        country,
        victim_pid,
    )
    return [row["consent_id"] for row in rows]


async def await_erasure(connection: Connection, owner: str, consent_id: str, holders: Sequence[str]) -> None:
    """Note which countries have to erase."""
    await connection.execute(
        "insert into erasure (owner, consent_id, holder) select $1, $2, holder from unnest($3::text[]) as h (holder)"
        " on conflict do nothing",
        owner,
        consent_id,
        list(holders),
    )


async def owners(connection: Connection, holder: str, ref: str) -> list[str]:
    """Return whose consents, under which a holder was to erase, the holder may mean by an identifier."""
    owner, consent_id = identity.parted(ref)
    rows = await connection.fetch(
        "select owner from erasure where holder = $1 and consent_id = $2 and $3 in ('', owner) order by owner",
        holder,
        consent_id,
        owner,
    )
    return [row["owner"] for row in rows]


async def set_erased(connection: Connection, owner: str, consent_id: str, holder: str) -> None:
    """Note that a holder has erased."""
    await connection.execute(
        "update erasure set erased = true where owner = $1 and consent_id = $2 and holder = $3",
        owner,
        consent_id,
        holder,
    )
