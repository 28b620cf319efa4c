"""Why an HTTP request is refused: problem details (RFC 9457) in the reader's language; they never quote it."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType, json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

TEXTS = Path(__file__).with_suffix(".toml")
LANGUAGES = ("en", "es", "fr")
"""The languages of refusals; the first for who names none."""
MEDIA = "application/problem+json"
_CODES = {403: "forbidden", 400: "bad_request", 404: "not_found", 405: "method_not_allowed", 503: "unavailable"}


class Error(Struct, frozen=True):
    """Why there is no answer."""

    code: str
    """For programs: `bad_request`, `forbidden`, `not_found`, `method_not_allowed`, `too_large`, `failed`,
    `unavailable`."""
    message: str
    """For people, in one of their languages: what is wrong, and what would be right."""


class Problem(Struct, frozen=True, kw_only=True):
    """Problem details (RFC 9457); `type` is not given, so it is `about:blank`."""

    title: str
    """The status in words."""
    status: int
    detail: str
    """The same as `error.message`."""
    reason: str | UnsetType = UNSET
    """Which of the reasons it is, for programs: `unknown_parameter`, `given_twice`, `day`, `no_indicator` and so on."""
    parameter: str | UnsetType = UNSET
    """The parameter that is at fault, where it is one of the address's own."""
    error: Error


class Refused(HTTPException):
    """A request that is refused: `reason` is a table of `refusals.toml`, `named` fills in its text."""

    def __init__(self, status: int, reason: str, **named: object) -> None:
        self.reason, self.named = reason, named
        super().__init__(status, _texts()[reason][LANGUAGES[0]].format(**named))

    def told(self, lang: str) -> str:
        """Return why, in one of `LANGUAGES`."""
        return _texts()[self.reason][lang].format(**self.named)


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def liked(given: str) -> list[str]:
    """Return what a header such as `Accept` takes, in small letters, best first (RFC 9110, 12.4.2)."""
    parts = [part.split(";") for part in given.split(",")]
    weighed = sorted(((weight(more), named.strip().lower()) for named, *more in parts), key=lambda one: -one[0])
    return [named for how, named in weighed if how]


def weight(parameters: Sequence[str]) -> float:
    """Return the weight among the parameters of what is accepted; what is none counts as 0."""
    for one in parameters:
        name, _, value = one.strip().partition("=")
        if name.lower() == "q":
            return float(value) if re.fullmatch(r"[01](\.[0-9]{0,3})?", value, re.ASCII) else 0.0
    return 1.0


def language(request: Request, known: tuple[str, ...] = LANGUAGES) -> str:
    """Return the language asked for by `lang`, else that of `known` that the client likes best, else the first."""
    accepted = [media[:2] for media in liked(request.headers.get("accept-language", ""))]
    wanted = [request.query_params.get("lang", ""), *accepted]
    return next((code for code in wanted if code in known), known[0])


def problem(status: int, code: str, message: str, reason: str = "", parameter: object = "") -> Response:
    """Return the answer that says why there is none; `message` never quotes the request."""
    told = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=message,
        reason=reason or UNSET,
        parameter=str(parameter) if parameter else UNSET,
        error=Error(code, message),
    )
    return Response(json.encode(told), status, media_type=MEDIA)


def why(error: HTTPException, lang: str) -> str:
    """Return in one of `LANGUAGES` why a request is refused."""
    return _refused(error).told(lang)


def parameter(error: HTTPException) -> str:
    """Return which parameter of the address is at fault; empty: none is named."""
    return str(_refused(error).named.get("name", ""))


def _refused(error: HTTPException) -> Refused:
    """Return a refusal as one of ours: Starlette has its own."""
    if isinstance(error, Refused):
        return error
    code = _CODES.get(error.status_code, "error")
    return Refused(error.status_code, code if code in _texts() else "bad_request")


async def answered(request: Request, error: Exception) -> Response:
    """Return what a request gets for an `HTTPException`, ours or Starlette's own."""
    assert isinstance(error, HTTPException)
    code, headers = _CODES.get(error.status_code, "error"), error.headers or {}
    error = _refused(error)
    answer = problem(error.status_code, code, error.told(language(request)), error.reason, error.named.get("name", ""))
    answer.headers.update(headers)
    return answer
