"""A report as the JSON that is sent, of which nothing is lost on the way."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.client.errors import Invalid
from shared.contracts import Problem


def encoded(report: Mapping[str, Any]) -> bytes:
    """Return a report as JSON. Raises Invalid (`not_json`) where JSON has no way to say what is in it."""
    try:
        payload = msgspec.json.encode(report)
        endless = b"null" in payload and not _finite(report)  # of NaN and infinities nothing would be left
    except (OverflowError, UnicodeEncodeError, RecursionError):
        raise _unfit("a number too long, half a character, or too deep") from None
    if endless:
        raise _unfit("NaN or an infinity, which JSON does not know; leave it out")
    return payload


def _unfit(why: str) -> Invalid:
    return Invalid([Problem("", "not_json", why)])


def _finite(value: Any) -> bool:
    """Say whether each number in a report is one."""
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
