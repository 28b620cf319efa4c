"""The pages of the board: the scoreboard, a row, the objectives."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.indicators.publish import explained, pages
from services.indicators.publish.asking import Page, RowPage, language
from services.indicators.publish.view import View
from shared.run.addresses import HTML, Address


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the pages."""

    async def scoreboard(request: Request, _asked: Page) -> Response:
        """Show every row in one figure, the milestones, and who has been heard of."""
        found = await view.all_figures(request)
        page = pages.scoreboard(language(request), view.plan, view.state(), view.now(), found, played=view.played)
        return HTMLResponse(page)

    async def objectives(request: Request, _asked: Page) -> Response:
        """Show the whole Plan: areas, objectives, results, activities, and what measures each."""
        found = await view.all_figures(request)
        return HTMLResponse(explained.objectives(language(request), view.plan, view.state(), view.now(), found))

    async def indicator(request: Request, asked: RowPage) -> Response:
        """Show a row's figures by country and label, its place in the Plan, and how it is computed."""
        lang, found = language(request), await view.figures(request, asked.id, asked.as_of)
        more = explained.row(lang, view.plan, asked.id, view.examples.get(asked.id))
        return HTMLResponse(pages.indicator(lang, view.plan, view.state(), found, asked.as_of, **more))

    return [
        Address("/", scoreboard, "Pages", gives=[HTML], exact=True),
        Address("/objectives", objectives, "Pages", gives=[HTML], exact=True),
        Address("/indicators/{id}", indicator, "Pages", gives=[HTML], refuses=[404], exact=True),
    ]
