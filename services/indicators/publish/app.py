"""The board's web application: the addresses of all subjects over one view, and the document of them."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import pages
from services.indicators.publish.addresses import (
    behind,
    board,
    contents,
    contracts,
    desk,
    documents,
    figures,
    logs,
    operators,
    reports,
    static,
    times,
)
from services.indicators.publish.asking import language, page
from services.indicators.publish.auditing import audited
from services.indicators.publish.view import View
from shared.run import openapi, refusals
from shared.run.addresses import JSON, Address, accepted, application

SUBJECTS = (board, desk, contents, figures, times, behind, reports, contracts, documents, logs, operators, static)
"""Each gives its addresses as `addresses(view)`."""
TOOLS = ("/api/", "/contracts/", "/log/", "/metrics")
"""Where these addresses begin so, only tools ask."""
TITLE = "CRM Plan of Action: figures"
ABOUT = """\
The figures of the Regional Conference on Migration's Plan of Action, for people and for tools. Times are UTC.
A figure's unit stands beside it: `ratio` is a share from 0 to 1, `seconds` a time; all others name what is counted.
Figures about persons are those of the last quarter that is over, from 11 on and in multiples of 11; else `suppressed`
is true and `value` null, and cells are not listed. Who sends the operator's token sees all of it exact and live, and
with its own token a country its own part. What is refused is told as problem details (RFC 9457), in the reader's
language. Answers get further fields with time: ignore those that you do not know."""


def addresses(view: View) -> Sequence[Address]:
    """Return every address, the first that fits a request first."""
    return openapi.described(
        audited(view, [one for subject in SUBJECTS for one in subject.addresses(view)]), TITLE, ABOUT
    )


def app(view: View) -> Starlette:
    """Return the web application. Who reads pages is told on a page what is refused; tools get problem details."""
    found = application(addresses(view))

    async def answered(request: Request, error: Exception) -> Response:
        told = await refusals.answered(request, error)
        forms = {JSON: "json", refusals.MEDIA: "json", "text/html": "html"}
        if request.url.path.startswith(TOOLS) or accepted(request, forms) == "json":
            return told
        assert isinstance(error, HTTPException)
        lang = language(request)
        text = pages.error(lang, view.plan, error.status_code, refusals.why(error, lang), refusals.parameter(error))
        shown = page(request, text, error.status_code)
        shown.headers.update(error.headers or {})
        return shown

    found.add_exception_handler(HTTPException, answered)
    return found
