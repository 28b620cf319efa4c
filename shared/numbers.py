"""Telephone numbers as they travel: a keyed hash, the same for the same number in every country's book.

The key is the region's, in a service that has no address book, and nobody can try numbers with it unseen: a country
blinds a number, the service works on the blinded point, the country unblinds it (RFC 9497, ristretto255-SHA512, mode
VOPRF). So neither learns what the other has; the proof shows that all are answered with the same key.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import phonenumbers
from voprf.ristretto import Client, Evaluator, PublicKey, VerifiableOutput

from shared.contracts.questions import NUMBERS_MAX

if TYPE_CHECKING:
    from shared.client import CountryClient

KEY_BYTES = range(16, 65)
SEED_BYTES = 32
TOKEN_BYTES = 32
"""Of the 64 bytes of the output, as many as a hash of before has."""
WRITTEN = re.compile(r"\+[\d ().\-/\u00a0\u2010-\u2015]{1,40}")
"""A number as it is written down: digits of any script, and what stands between them."""
MEXICO = re.compile(r"\+52(?:1|01|044|045)(\d{10})")
"""Until August 2019 a 1 stood before Mexican mobiles called from abroad, and 044 or 045 in Mexico; books have them."""


class NotProven(ValueError):  # noqa: N818 - a verdict on an answer
    """What was answered was not made with the key that the country was given: use none of it."""


async def tokens(
    client: "CountryClient", numbers: Sequence[str], public_keys: Mapping[int, str], version: int | None = None
) -> list[str]:
    """Return the hashes (hex, 64 digits) of numbers in international form, which the region does not get to see.

    `public_keys` (hex, by version) are as the country was given them; `version` is by default the newest of them.
    Raises ValueError, without the number, for what is no number; NotProven; and as `CountryClient.ask` does.
    """
    version = max(public_keys) if version is None else version
    key = PublicKey.deserialize(bytes.fromhex(public_keys[version]))
    whole = [e164(number) for number in numbers]
    found: list[str] = []
    for start in range(0, len(whole), NUMBERS_MAX):
        blinded = [Client.blind(number.encode()) for number in whole[start : start + NUMBERS_MAX]]
        points = [point.serialize().hex() for _, point in blinded]
        answer = await client.ask("legal", "numbers", {"blinded": points, "version": version})
        try:
            # One by one: of many together, the library (voprf 0.2.0) panics where the proof does not hold.
            for (own, _), proof, evaluated in zip(blinded, answer.proofs, answer.evaluated, strict=True):
                output = VerifiableOutput.deserialize(bytes.fromhex(proof + evaluated))
                found.append(token(own.finalize(output, key)))
        except ValueError:
            raise NotProven("the answer is not proven to be made with the key of this version") from None
    return found


def token(output: bytes) -> str:
    """Return what travels of the function's output."""
    return output[:TOKEN_BYTES].hex()


def evaluators(file: Path) -> dict[int, Evaluator]:
    """Return the keys in a file, a line each: version (1 and up) and 32 bytes in hexadecimal.

    The key pair of a version is RFC 9497's `DeriveKeyPair` of these bytes and `crm numbers <version>`.
    Raises ValueError or OSError.
    """
    lines = [line.split() for line in file.read_text().splitlines() if line.strip()]
    if not lines or any(len(line) != 2 or not line[0].isdecimal() for line in lines):  # noqa: PLR2004
        raise ValueError("no lines of version and key")
    named = {int(version): bytes.fromhex(seed) for version, seed in lines}
    if any(len(seed) != SEED_BYTES for seed in named.values()):
        raise ValueError("a key has 32 bytes")
    return {version: Evaluator.from_seed(seed, b"crm numbers %d" % version) for version, seed in named.items()}


def hashed(number: str, key: bytes) -> str:
    """Return the hash of before (BLAKE2b-256, hex) of a number in international form, keyed with a shared key.

    Books that were hashed so match with each other, and not with `tokens`.

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
