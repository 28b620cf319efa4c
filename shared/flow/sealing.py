"""Sealing: raw messages, which may name anybody, are kept so that only those can read them for whom they are.

A refused report is an age file (age-encryption.org/v1) for its sender and for the operator on call: no service can open
it again. What is set aside is sealed with a key of the service's own (XChaCha20-Poly1305), which lies in no database.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyrage
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from pyrage import x25519

from shared.run.settings import Settings

ON_CALL = "operator"
"""Who reads what was refused, beside its sender."""
AGE = "age"
"""What the header `Crm-Sealed` of a message in QUARANTINE says; without it, it is of before, and in clear."""


class SealingError(Exception):
    """The keys that a service seals with are not as they must be; in words, without any key."""


class Unopened(ValueError):  # noqa: N818 - to its callers, a value that they cannot read
    """None of the service's own keys opens it: it was sealed with another, for another place, or is damaged."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """What a service seals with."""

    recipients: Mapping[str, x25519.Recipient]
    """Public keys by sender and of `ON_CALL`."""
    own: Sequence[Aead]
    """Keys of the service's own: the first seals, all open."""

    @classmethod
    def of(cls, settings: Settings) -> "Sealing":
        """Read the files that the settings name; raises SealingError."""
        return cls(recipients(settings.recipients), own(settings.sealing_key))

    def for_sender(self, sender: str, content: bytes) -> bytes:
        """Return an age file that `sender`, where its public key is known, and the operator on call can open."""
        to = [self.recipients[name] for name in (ON_CALL, sender) if name in self.recipients]
        return bytes(pyrage.encrypt(content, to))

    def kept(self, content: bytes, place: str) -> bytes:
        """Return content sealed with the own key; it opens at this place only, so that rows cannot be exchanged."""
        return bytes(self.own[0].encrypt(content, place.encode()))

    def named(self, value: str) -> list[str]:
        """Return what stands for an identifier in the service's own tables: its hash with each key, the first first."""
        return [blake2b(value.encode(), key=bytes(key), digest_size=32).hexdigest() for key in self.own]

    def opened(self, sealed: bytes, place: str) -> bytes:
        """Return what `kept` sealed; raises Unopened."""
        for key in self.own:
            try:
                return bytes(key.decrypt(sealed, place.encode()))
            except (CryptoError, ValueError):
                continue
        raise Unopened


def recipients(file: Path | None) -> dict[str, x25519.Recipient]:
    """Return the public keys (`age1…`) in the JSON object in the file, by name; raises SealingError."""
    if file is None:
        raise SealingError("CRM_RECIPIENTS must name the file of public keys that `crm provision` makes")
    try:
        found = {name: x25519.Recipient.from_str(key) for name, key in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError, pyrage.RecipientError) as error:
        message = f"CRM_RECIPIENTS names no file of public keys ({type(error).__name__})"
        raise SealingError(message) from None
    if ON_CALL not in found:
        message = f"CRM_RECIPIENTS has no public key of `{ON_CALL}`"
        raise SealingError(message)
    return found


def own(file: Path | None) -> list[Aead]:
    """Return the keys in the file, one a line in hexadecimal (32 bytes each); raises SealingError."""
    if file is None:
        raise SealingError("CRM_SEALING_KEY must name the file with the key that the service seals with")
    try:
        found = [Aead(bytes.fromhex(line)) for line in file.read_text().split()]
    except (OSError, ValueError) as error:
        message = f"CRM_SEALING_KEY names no file of keys ({type(error).__name__})"
        raise SealingError(message) from None
    if not found:
        raise SealingError("CRM_SEALING_KEY names a file without a key")
    return found


def opened(sealed: bytes, identities: Path) -> bytes:
    """Return what an age file holds, by the secret keys in a file (as `age-keygen` writes it); raises Unopened."""
    lines = (line.strip() for line in identities.read_text().splitlines())
    try:
        keys = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
        return bytes(pyrage.decrypt(sealed, keys))
    except (pyrage.IdentityError, pyrage.DecryptError):
        raise Unopened from None
