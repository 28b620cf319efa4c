"""Telephone numbers as they travel: a keyed hash, the same for the same number in every country's book."""

import hashlib
import re
import unicodedata

import phonenumbers

KEY_BYTES = range(16, 65)
WRITTEN = re.compile(r"\+[\d ().\-/\u00a0\u2010-\u2015]{1,40}")
"""A number as it is written down: digits of any script, and what stands between them."""
MEXICO = re.compile(r"\+52(?:1|01|044|045)(\d{10})")
"""Until August 2019 a 1 stood before Mexican mobiles called from abroad, and 044 or 045 in Mexico; books have them."""


def hashed(number: str, key: bytes) -> str:
    """Return the hash (BLAKE2b-256, hex) of a number in international form, keyed with the region's key.

    What is hashed is the number in E.164 (`e164`). The key, 16 to 64 bytes, is the countries' own: the region matches
    hashes without being able to try numbers. Raises ValueError, without the number, for what is no number or no key.
    """
    if len(key) not in KEY_BYTES:
        raise ValueError("the key has 16 to 64 bytes")
    return hashlib.blake2b(e164(number).encode(), key=key, digest_size=32).hexdigest()


def e164(number: str) -> str:
    """Return a number in international form, such as `+502 5551-2345`, as E.164 writes it: `+50255512345`.

    Google's libphonenumber knows what each country's numbers look like and what is not dialled from abroad. Raises
    ValueError, without the number.
    """
    written = unicodedata.normalize("NFKC", number).strip()
    if not WRITTEN.fullmatch(written):
        raise ValueError("not a number in international form: + and the country's code, then digits")
    digits = "+" + "".join(str(unicodedata.decimal(one)) for one in written if one.isdecimal())
    try:
        parsed = phonenumbers.parse(MEXICO.sub(r"+52\1", digits) if MEXICO.fullmatch(digits) else written)
    except phonenumbers.NumberParseException:
        raise ValueError("not a number in international form: no country has its code") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("not a number in international form: the country has none of this length")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
