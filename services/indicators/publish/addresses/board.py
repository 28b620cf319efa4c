"""The pages of the board: the scoreboard, a row, the objectives."""

from collections.abc import Sequence

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures.kinds import Span
from services.indicators.publish import choosing, explained, pages
from services.indicators.publish.asking import EVENTS, BoardPage, CountryPage, Page, RowPage, Watch, language, page
from services.indicators.publish.country import country as country_page
from services.indicators.publish.view import View
from services.indicators.publish.words import words
from shared.contracts.vocabulary import MEMBERS
from shared.run.addresses import HTML, Address
from shared.run.refusals import Refused


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the pages."""

    async def scoreboard(request: Request, asked: BoardPage) -> Response:
        """Show where the Plan stands, what changed, what is due; the rows that are asked for, without any all."""
        lang, seen = language(request), await view.seen(request)
        since = view.live.identity()
        said = words(lang, view.plan)
        found = choosing.chosen(said, seen.now.values(), asked)
        text = pages.scoreboard(
            lang,
            view.plan,
            view.state(),
            view.now(),
            rows=await view.live.rows(lang, found),
            seen=seen,
            events=f"/events?lang={lang}&since={since}",
            played=view.played,
            sorted_by=asked.sort,
            **choosing.form(said, view.plan, asked, len(found)),
        )
        return page(request, text)

    async def country(request: Request, asked: CountryPage) -> Response:
        """Show of a member country what it reported, its public figures, what waits for it, what is due next."""
        if asked.code not in MEMBERS:
            raise Refused(404, "no_country")
        lang, found = language(request), await view.kept[False].fresh()
        return page(
            request,
            country_page(
                lang, view.plan, view.state(), view.now(), found=found, code=asked.code, closed=view.closed[False]()
            ),
        )

    async def events(request: Request, asked: Watch) -> EventSourceResponse:
        """Tell of what changes on the scoreboard as server-sent events, until the client goes or has to come again.

        The data of each is a JSON object: the id of an element -> the element as it is now. `Last-Event-ID` goes before
        `since`; with neither, or with an id of another process, everything comes first.
        """
        return view.live.watched(request, language(request), asked.since)

    async def objectives(request: Request, _asked: Page) -> Response:
        """Show the whole Plan: areas, objectives, results, activities, and what measures each."""
        found = await view.all_figures(request)
        return page(
            request,
            explained.objectives(
                language(request), view.plan, view.state(), view.now(), found, public=not view.exact(request)
            ),
        )

    async def indicator(request: Request, asked: RowPage) -> Response:
        """Show a row's figures by country and label, its place in the Plan, and how it is computed."""
        lang, span = language(request), Span.as_of(asked.as_of) if asked.as_of else None
        found = await view.figures(request, asked.id, span)
        more = explained.row(lang, view.plan, asked.id, view.examples.get(asked.id))
        more["on_time"] = pages.on_time(lang, view.plan, await view.on_time(request, asked.id, span))
        return page(request, pages.indicator(lang, view.plan, view.state(), found, asked.as_of, **more))

    return [
        Address("/", scoreboard, "Pages", gives=[HTML], exact=True),
        Address("/events", events, "Pages", gives=[EVENTS], refuses=[503]),
        Address("/countries/{code}", country, "Pages", gives=[HTML], refuses=[404]),
        Address("/objectives", objectives, "Pages", gives=[HTML], exact=True),
        Address("/indicators/{id}", indicator, "Pages", gives=[HTML], refuses=[404], exact=True),
    ]
