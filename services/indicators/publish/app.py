"""The board's web application: the addresses of all subjects over one view."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from services.indicators.publish.addresses import board, contracts, figures, operators, reports
from services.indicators.publish.view import View
from shared.run.addresses import Address, application

STATIC = Path(__file__).parents[1] / "static"
SUBJECTS = (board, figures, reports, contracts, operators)
"""Each gives its addresses as `addresses(view)`."""


def addresses(view: View) -> Sequence[Address]:
    """Return every address, the first that fits a request first."""
    return [address for subject in SUBJECTS for address in subject.addresses(view)]


def app(view: View) -> Starlette:
    """Return the web application."""
    return application(addresses(view), Mount("/static", StaticFiles(directory=STATIC)))
