"""Texts that must be nowhere, however they are written down: plain, in UTF-16, hexadecimal, base64, URL and JSON."""

import base64
import json
from itertools import pairwise
from urllib.parse import quote

WRAPPED = "-> X25519 "
"""With what the line begins that tells whom an age file's key is wrapped for; the next line is that key."""


def written(text: str) -> set[bytes]:
    """Every way in which a text may be written down; of base64, what is the same wherever the text begins."""
    plain = text.encode()
    unicode = "".join(f"\\u{ord(one):04x}" for one in text)
    forms = {plain, text.encode("utf-16-le"), text.encode("utf-16-be"), unicode.encode(), unicode.upper().encode()}
    forms |= {json.dumps(text)[1:-1].encode(), json.dumps(json.dumps(text)[1:-1])[1:-1].encode()}
    forms |= {json.dumps(text)[1:-1].replace("/", "\\/").encode(), quote(text, safe="").encode()}
    forms |= {quote(text, safe="").lower().encode(), "".join(f"%{one:02X}" for one in plain).encode()}
    forms |= {plain.hex().encode(), plain.hex().upper().encode()}
    for shift in range(3):
        inner = base64.b64encode(b"x" * shift + plain).rstrip(b"=")[(8 * shift + 5) // 6 : -1]
        forms |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


def of_head(head: str) -> list[str]:
    """What in an age file's header gives the key to those for whom it is: the wrapped keys."""
    lines = head.splitlines()
    return [after for line, after in pairwise(lines) if line.startswith(WRAPPED)]
