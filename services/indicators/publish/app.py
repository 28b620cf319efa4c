"""The board's web application: the addresses of all subjects over one view, and the document of them."""

from collections.abc import Sequence

from starlette.applications import Starlette

from services.indicators.publish.addresses import (
    behind,
    board,
    contents,
    contracts,
    figures,
    operators,
    reports,
    static,
    times,
)
from services.indicators.publish.view import View
from shared.run import openapi
from shared.run.addresses import Address, application

SUBJECTS = (board, contents, figures, times, behind, reports, contracts, operators, static)
"""Each gives its addresses as `addresses(view)`."""
TITLE = "CRM Plan of Action: figures"
ABOUT = """\
The figures of the Regional Conference on Migration's Plan of Action, for people and for tools. Times are UTC.
A figure's unit stands beside it: `ratio` is a share from 0 to 1, `seconds` a time; all others name what is counted.
Small figures about victims are not published: `suppressed` is true and `value` null. Who sends the operator's token
sees them. What is refused is told as problem details (RFC 9457), in the reader's language. Answers get further fields
with time: ignore those that you do not know."""


def addresses(view: View) -> Sequence[Address]:
    """Return every address, the first that fits a request first."""
    return openapi.described([one for subject in SUBJECTS for one in subject.addresses(view)], TITLE, ABOUT)


def app(view: View) -> Starlette:
    """Return the web application."""
    return application(addresses(view))
