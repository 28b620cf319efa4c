"""Telephone numbers as they travel: a keyed hash, the same for the same number in every country's book."""

import hashlib
import re

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"""ITU-T E.164: a plus sign, the country code, at most fifteen digits in all."""
SPACING = re.compile(r"[ ().\-/]")
KEY_BYTES = range(16, 65)


def hashed(number: str, key: bytes) -> str:
    """Return the hash (BLAKE2b-256, hex) of a number in international form, keyed with the region's key.

    Spaces and the like are taken out first. The key, 16 to 64 bytes, is the countries' own: the region matches hashes
    without being able to try numbers. Raises ValueError, without the number, for what is no E.164 number or no key.
    """
    if len(key) not in KEY_BYTES:
        raise ValueError("the key has 16 to 64 bytes")
    plain = SPACING.sub("", number)
    if not E164.fullmatch(plain):
        raise ValueError("not a number in international form: + and at most 15 digits")
    return hashlib.blake2b(plain.encode(), key=key, digest_size=32).hexdigest()
