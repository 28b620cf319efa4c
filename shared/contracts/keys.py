"""What a country says of the keys that sign its reports; each of these is signed with the country's root key."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta
from nacl.bindings import crypto_core_ed25519_is_valid_point

from shared.contracts import Problem, Time, contract, signing
from shared.contracts.bounds import END
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import KeyReason

PublicKey = Annotated[str, Meta(min_length=43, max_length=43, pattern=rf"^[A-Za-z0-9_-]{{43}}{END}")]
"""An Ed25519 public key: its 32 bytes in base64url without padding, as `x` of a JWK (RFC 8037)."""
System = Annotated[str, Meta(min_length=1, max_length=64, pattern=rf"^[a-z0-9_-]+{END}")]
GOOD = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"""The public key of RFC 8037, appendix A."""


class Key(Fact, frozen=True, kw_only=True):
    """A report about one key."""

    key: PublicKey

    def check(self) -> Iterator[Problem]:
        """Yield `bad_format`, too."""
        yield from super().check()
        if not is_key(self.key):
            yield Problem("/data/key", "bad_format", "this is no Ed25519 public key in base64url without padding")


@contract(
    "indicators.key.added",
    good={
        "key": GOOD,
        "system": "sicam",
        "valid_from": "2004-01-01T00:00:00Z",
        "valid_until": "2006-01-01T00:00:00Z",
        "reported_by": "foreign_ministry",
    },
    bad=("key", "sicam"),
)
class KeyAdded(Key, frozen=True, kw_only=True):
    """From now on a country's reports may be signed with this key; it is signed with the country's root key.

    It cannot be corrected or withdrawn: revoke the key, and add another.
    """

    system: System | None = None
    """The only system (the end of `source`) whose reports it signs; without it, all of the country's."""
    valid_from: Time
    valid_until: Time | None = None
    """Reports recorded then or later need another key."""


@contract(
    "indicators.key.revoked",
    good={"key": GOOD, "reason": "replaced", "reported_by": "foreign_ministry"},
    bad=("reason", "tired"),
)
class KeyRevoked(Key, frozen=True, kw_only=True):
    """Nothing recorded from now on is signed with this key; it is signed with the country's root key.

    What was recorded before stays signed. A key that was revoked cannot be added again.
    """

    reason: KeyReason


def is_key(text: str) -> bool:
    """Say whether a text is an Ed25519 public key as it is written everywhere."""
    try:
        return bool(crypto_core_ed25519_is_valid_point(signing.read(text.encode())))
    except (ValueError, TypeError):
        return False
