"""What is sensitive of a person, sealed by its sender so that only its receivers open it, and nobody once it is erased.

It is an age file (age-encryption.org/v1) for the sender and its receivers, cut in two behind its header. The event
holds the body. The header, without which nobody opens it, is kept apart from all data and deleted with the person.
"""

from typing import Annotated

from msgspec import Meta

from shared.contracts.bounds import END
from shared.contracts.envelope import Value

KEY = "k-{}"
"""How a key is called: 16 random bytes in hexadecimal."""
KEY_BYTES = 16
KeyId = Annotated[str, Meta(pattern=rf"^k-[0-9a-f]{{32}}{END}")]
BOX_MAX = 8_000
Box = Annotated[str, Meta(min_length=64, max_length=BOX_MAX, pattern=rf"^[A-Za-z0-9_-]+{END}")]
HEAD_MAX = 2_000
Head = Annotated[str, Meta(min_length=100, max_length=HEAD_MAX, pattern=rf"^age-encryption[.]org/v1\n[ -~\n]+\n{END}")]
"""The header of an age file, to the end of the line that begins with three hyphens."""


class Sealed(Value, frozen=True, kw_only=True):
    """What only the report's receivers open: the body of an age file, whose header `victims.key` gives them."""

    key: KeyId
    """A random name, made anew for each report, under which the header is kept (`victims.keep`)."""
    box: Box
    """What follows on the header: base64url without padding. Its content is JSON, filled up with spaces."""


EXAMPLE = {
    "key": "k-5e2d94f2a1b04c7788d1c6f03be1a975",
    "box": "b0x" * 40,
}
