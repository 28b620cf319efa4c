"""Where who is not told positions goes on: the positions, sealed, so that nobody can name or read one.

A position grows by one with each report, whoever it is about. Who could ask for what lies behind any would find where
each event stands that is about nobody, and so how many lie between.
"""

import base64
import secrets
from collections.abc import Mapping
from hashlib import blake2b

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from shared.run.refusals import Refused

FILLED_TO = 192
"""So that the length tells nothing: of all five services a position has less."""


class Cursors:
    """Seals and opens them; all processes with the same secret alike, and without one this process for itself."""

    def __init__(self, secret: str) -> None:
        key = blake2b(secret.encode(), digest_size=Aead.KEY_SIZE, person=b"crm cursor").digest()
        self._box = Aead(key if secret else secrets.token_bytes(Aead.KEY_SIZE))

    def sealed(self, reached: Mapping[str, int]) -> str:
        """Return what is given to go on with."""
        return (
            base64.urlsafe_b64encode(self._box.encrypt(plain(reached).encode().ljust(FILLED_TO))).decode().rstrip("=")
        )

    def opened(self, given: str) -> dict[str, int]:
        """Return the positions; refuses (400) what this board did not give."""
        try:
            told = self._box.decrypt(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        except (CryptoError, ValueError):
            raise Refused(400, "after_given") from None
        return positions(told.decode().strip())


def plain(reached: Mapping[str, int]) -> str:
    """Return positions in words, for who may know them."""
    return ",".join(f"{service}:{sequence}" for service, sequence in sorted(reached.items()))


def positions(after: str) -> dict[str, int]:
    """Return the positions that the words name; refuses (400) what is none."""
    found = [one.split(":") for one in after.split(",") if one]
    try:
        return {service: int(sequence) for service, sequence in found}
    except ValueError:
        raise Refused(400, "after_given") from None
