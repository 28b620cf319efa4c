"""How an answer travels: not at all if the client has it, and compressed if the client takes that (RFC 9110)."""

import asyncio
import gzip
import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

COMPRESSED_FROM = 1024
"""Bytes of the smallest answer that is compressed."""
APART_FROM = 64 * 1024
"""Bytes of the smallest answer that is compressed beside the loop, in a thread."""
LEVEL = 1
"""Of gzip: twice as fast as the next ones, and a tenth larger."""
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$", re.ASCII)


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
    if len(body) >= COMPRESSED_FROM and takes(request, "gzip"):
        if len(body) < APART_FROM:
            answer.body = gzip.compress(body, LEVEL, mtime=0)
        else:
            answer.body = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer


def _has(request: Request, tag: str) -> bool:
    """Say whether the client has what the tag names, by weak comparison."""
    named = request.headers.get("if-none-match", "")
    return named.strip() == "*" or tag.removeprefix("W/") in [
        one.strip().removeprefix("W/") for one in named.split(",")
    ]


def takes(request: Request, coding: str) -> bool:
    """Say whether the client takes a coding of the content."""
    offered = request.headers.get("accept-encoding", "").lower().split(",")
    return any(one.partition(";")[0].strip() == coding and not _REFUSED.search(one) for one in offered)
