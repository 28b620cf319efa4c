"""The pages of the board: the scoreboard, a row, the objectives."""

from collections.abc import Sequence

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.indicators.figures.kinds import Span
from services.indicators.publish import explained, pages
from services.indicators.publish.asking import EVENTS, Page, RowPage, Watch, language
from services.indicators.publish.view import View
from shared.run.addresses import HTML, Address


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the pages."""

    async def scoreboard(request: Request, _asked: Page) -> Response:
        """Show every row in one figure, the milestones, and who has been heard of."""
        lang, found = language(request), await view.all_figures(request)
        address = f"/events?lang={lang}&since={view.live.identity()}"
        rows = await view.live.rows(lang, found)
        page = pages.scoreboard(lang, view.plan, view.state(), view.now(), rows, events=address, played=view.played)
        return HTMLResponse(page)

    async def events(request: Request, asked: Watch) -> EventSourceResponse:
        """Tell of what changes on the scoreboard as server-sent events, until the client goes or has to come again.

        The data of each is a JSON object: the id of an element -> the element as it is now. `Last-Event-ID` goes before
        `since`; with neither, or with an id of another process, everything comes first.
        """
        return view.live.watched(request, language(request), asked.since)

    async def objectives(request: Request, _asked: Page) -> Response:
        """Show the whole Plan: areas, objectives, results, activities, and what measures each."""
        found = await view.all_figures(request)
        return HTMLResponse(explained.objectives(language(request), view.plan, view.state(), view.now(), found))

    async def indicator(request: Request, asked: RowPage) -> Response:
        """Show a row's figures by country and label, its place in the Plan, and how it is computed."""
        lang, span = language(request), Span.as_of(asked.as_of) if asked.as_of else None
        found = await view.figures(request, asked.id, span)
        more = explained.row(lang, view.plan, asked.id, view.examples.get(asked.id))
        more["on_time"] = pages.on_time(lang, view.plan, await view.on_time(request, asked.id, span))
        return HTMLResponse(pages.indicator(lang, view.plan, view.state(), found, asked.as_of, **more))

    return [
        Address("/", scoreboard, "Pages", gives=[HTML], exact=True),
        Address("/events", events, "Pages", gives=[EVENTS], refuses=[503]),
        Address("/objectives", objectives, "Pages", gives=[HTML], exact=True),
        Address("/indicators/{id}", indicator, "Pages", gives=[HTML], refuses=[404], exact=True),
    ]
