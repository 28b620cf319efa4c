"""How an answer travels: not at all if the client has it, and compressed if the client takes that (RFC 9110)."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial

from backports import zstd
from starlette.requests import Request
from starlette.responses import Response

COMPRESSED_FROM = 1024
"""Bytes of the smallest answer that is compressed."""
APART_FROM = 64 * 1024
"""Bytes of the smallest answer that is compressed beside the loop, in a thread."""
LEVEL = 1
"""Of gzip: twice as fast as the next ones, and a tenth larger."""
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": partial(zstd.compress, level=3),
    "gzip": partial(gzip.compress, compresslevel=LEVEL, mtime=0),
}
"""How an answer is compressed; of those liked alike, by the first: zstd (RFC 8878) is faster, and smaller."""
_OFFERED = re.compile(r"([a-z*]+)(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.ASCII)


async def sent(request: Request, answer: Response) -> Response:
    """Return the answer to a GET as it is to travel; one that is no success, or has no body yet, as it is."""
    body = getattr(answer, "body", b"")
    if answer.status_code != 200 or not body:  # noqa: PLR2004 - HTTP's own number
        return answer
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    answer.headers["ETag"] = tag
    if "authorization" not in request.headers:  # what only some may see is stored nowhere
        answer.headers.setdefault("Cache-Control", "no-cache")
    answer.headers.add_vary_header("Accept-Encoding")
    if _has(request, tag):
        headers = {name: answer.headers[name] for name in ("ETag", "Cache-Control", "Vary") if name in answer.headers}
        return Response(status_code=304, headers=headers)
    if len(body) >= COMPRESSED_FROM and (coding := best(request)):
        compress = CODINGS[coding]
        answer.body = compress(body) if len(body) < APART_FROM else await asyncio.to_thread(compress, body)
        answer.headers["Content-Encoding"] = coding
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer


def _has(request: Request, tag: str) -> bool:
    """Say whether the client has what the tag names, by weak comparison."""
    named = request.headers.get("if-none-match", "")
    return named.strip() == "*" or tag.removeprefix("W/") in [
        one.strip().removeprefix("W/") for one in named.split(",")
    ]


def best(request: Request) -> str:
    """Return the coding that the client likes best (RFC 9110, 12.5.3); empty: it takes none of ours."""
    liked = {coding: weight for coding in CODINGS if (weight := _weight(request, coding)) > 0}
    return max(liked, key=liked.__getitem__, default="")


def takes(request: Request, coding: str) -> bool:
    """Say whether the client takes a coding of the content."""
    return _weight(request, coding) > 0


def _weight(request: Request, coding: str) -> float:
    offered = map(_OFFERED.fullmatch, map(str.strip, request.headers.get("accept-encoding", "").lower().split(",")))
    weights = {one[1]: float(one[2] or 1) for one in offered if one}
    return weights.get(coding, weights.get("*", 0.0))
