"""The files that the pages load."""

import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.indicators.publish.view import View
from shared.run.addresses import Address, Gives
from shared.run.refusals import Refused
from shared.run.sending import best

STATIC = Path(__file__).parents[2] / "static"

SPAN = "(?:[0-9]{1,18}-(?:[0-9]{1,18})?|-[0-9]{1,18})"
SPANS = re.compile(rf"bytes={SPAN}(?:[ \t]*,[ \t]*{SPAN})*", re.IGNORECASE | re.ASCII)
CLOSED = re.compile("([0-9]+)-([0-9]+)")


class Asked(Struct, frozen=True):
    """One file."""

    file: Annotated[str, Meta(description="Its name.", examples=["board.css"])]


def _ranged(request: Request) -> bool:
    """Say whether a part is asked for so that it can be understood: else the whole is given (RFC 9110, 14.2)."""
    given = request.headers.get("range", "").strip()
    return bool(SPANS.fullmatch(given)) and all(int(first) <= int(last) for first, last in CLOSED.findall(given))


def addresses(_view: View) -> Sequence[Address]:
    """Return the address of the files."""
    files = StaticFiles(directory=STATIC)
    there = {file.name for file in STATIC.iterdir()}

    async def static(request: Request, asked: Asked) -> Response:
        """Serve a file that the pages load."""
        if asked.file not in there:
            raise Refused(404, "not_found")
        ranged = _ranged(request)
        if best(request) and not ranged:
            media = mimetypes.guess_type(asked.file)[0]
            return Response((STATIC / asked.file).read_bytes(), media_type=media)  # compressed on its way
        if not ranged:  # the answer looks at the header again
            request.scope["headers"] = [one for one in request.scope["headers"] if one[0] != b"range"]
        return await files.get_response(asked.file, request.scope)

    forms = [
        Gives("text/css"),
        Gives("text/javascript"),
        Gives("", status=304, says="It is as the client has it, by `If-None-Match` or `If-Modified-Since`."),
        Gives("text/css", status=206, says="A part of it, by `Range`."),
        Gives("text/plain", status=416, says="It has no such part."),
    ]
    return [Address("/static/{file}", static, "Pages", gives=forms, refuses=[404])]
