"""The hash chain of a log: each row's hash covers its payload and the hash of the row before."""

import hashlib

GENESIS = bytes(32)
"""The hash before the first row."""


def chained(previous: bytes, payload: bytes) -> bytes:
    """Return the hash of a row: sha256(previous hash + payload)."""
    return hashlib.sha256(previous + payload).digest()
