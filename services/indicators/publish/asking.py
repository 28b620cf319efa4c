"""What a request to the board may ask for: its parameters, each at most once, known, and within bounds."""

import re
from collections.abc import Awaitable, Callable
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish.pages import LANGUAGES

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2200, 12, 31)
"""The days that figures may be asked for as of: from before the Plan to further than anything in it lies ahead."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_REVISION = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_LANGUAGES = [code for code, _ in LANGUAGES]

Page = Callable[[Request], Awaitable[Response]]


def taking(page: Page, *known: str) -> Page:
    """Return the page, refusing (400) parameters that it does not know, or is given twice."""

    async def asked(request: Request) -> Response:
        given = [name for name, _ in request.query_params.multi_items()]
        if not {*given} <= {*known}:
            takes = f"the parameters here are: {', '.join(known)}" if known else "there are no parameters here"
            raise HTTPException(400, takes)
        if len(given) != len({*given}):
            raise HTTPException(400, "a parameter is given twice")
        return await page(request)

    return asked


def as_of(request: Request) -> date | None:
    """Return the day asked for, None for now; refuses (400) what is no day from `FIRST_DAY` to `LAST_DAY`."""
    given = request.query_params.get("as_of", "")
    if not given:
        return None
    try:
        day = date.fromisoformat(given if _DAY.fullmatch(given) else "")
    except ValueError:
        raise HTTPException(400, "as_of must be a date, YYYY-MM-DD") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise HTTPException(400, f"as_of must be a date from {FIRST_DAY} to {LAST_DAY}")
    return day


def revision(request: Request) -> int | None:
    """Return the revision asked for, None for the latest; refuses (400) what is no whole number from 1 to 999999."""
    given = request.query_params.get("revision", "")
    if given and not _REVISION.fullmatch(given):
        raise HTTPException(400, "revision must be a whole number from 1 to 999999")
    return int(given) if given else None


def language(request: Request) -> str:
    """Return the language asked for, else the first that the browser accepts and we have, else Spanish."""
    given = request.query_params.get("lang", "")
    if given and given not in _LANGUAGES:
        raise HTTPException(400, f"lang must be one of: {', '.join(_LANGUAGES)}")
    accepted = [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return given or next((code for code in accepted if code in _LANGUAGES), _LANGUAGES[0])
