"""What the service keeps of a person is sealed with a key of that person's own: without the key, nobody reads it."""

import nacl.exceptions
from nacl.secret import Aead
from nacl.utils import random

from shared.database import Connection


async def seal(connection: Connection, country: str, subject: str, plain: bytes) -> bytes:
    """Return `plain` sealed (XChaCha20-Poly1305) with the key of `subject`, which is made when there is none."""
    made = random(Aead.KEY_SIZE)
    key = await connection.fetchval(
        "insert into subject_key (country, subject, key) values ($1, $2, $3)"
        " on conflict (country, subject) do update set key = subject_key.key returning key",
        country,
        subject,
        made,
    )
    return bytes(Aead(key).encrypt(plain, aad=_bound(country, subject)))


async def unseal(connection: Connection, country: str, subject: str, sealed: bytes) -> bytes | None:
    """Return what was sealed; None when the person's key is gone, for ever."""
    key = await connection.fetchval("select key from subject_key where country = $1 and subject = $2", country, subject)
    if key is None:
        return None
    try:
        return Aead(key).decrypt(sealed, aad=_bound(country, subject))
    except nacl.exceptions.CryptoError:
        return None  # sealed with a key that was destroyed and, with a new consent, made anew


async def destroy(connection: Connection, country: str, subject: str) -> None:
    """Forget the person's key, and what was sealed with it."""
    await connection.execute("delete from subject_key where country = $1 and subject = $2", country, subject)
    await connection.execute(
        "update referral set offer = null, subject = null where sender = $1 and subject = $2", country, subject
    )


def _bound(country: str, subject: str) -> bytes:
    return f"{country}/{subject}".encode()
