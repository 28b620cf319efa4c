"""Figures, objectives and milestones for tools, as JSON and as CSV."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures.milestones import occurrences
from services.indicators.figures.objectives import AreaTold, told
from services.indicators.publish import table
from services.indicators.publish.answers import Detail, Due, Summary, detail, due, summary
from services.indicators.publish.asking import EVENTS, DatedList, Listed, OneRowList, Table, WatchFigures
from services.indicators.publish.index import Index, index
from services.indicators.publish.live import FIGURES
from services.indicators.publish.view import View
from services.indicators.publish.words import Words, words
from shared.run import refusals
from shared.run.addresses import JSON, Address, Gives, Nothing, accepted, encoded

CSV = Gives("text/csv; charset=utf-8; header=present")


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the figures."""

    async def contents(_request: Request, _asked: Nothing) -> Index:
        """Say what there is to ask for: rows with units, labels, values and targets; milestones; words of all codes."""
        return index(view.plan)

    async def indicators(request: Request, asked: DatedList) -> Response:
        """List every row of the Plan in one figure, in the Plan's order. As CSV every figure, one a line."""
        found = await view.all_figures(request, asked.as_of)
        uncounted = view.state().uncounted
        return _formed(request, asked, [summary(one, uncounted) for one in found], partial(table.figures, found))

    async def events(request: Request, asked: WatchFigures) -> EventSourceResponse:
        """Tell of the rows that change as server-sent events; the data of each is a list as of `/api/indicators`.

        `Last-Event-ID` goes before `since`; with neither, or with an id of another process, every row comes first. Of
        a row whose day alone has changed nothing is told.
        """
        return view.live.watched(FIGURES, request.headers.get("last-event-id", "") or asked.since)

    async def cells(request: Request, asked: Table) -> Response:
        """Give every figure of every row, one a line. The same as `/api/indicators?format=csv`."""
        return _csv(request, partial(table.figures, await view.all_figures(request, asked.as_of)))

    async def indicator(request: Request, asked: OneRowList) -> Response:
        """Give one row of the Plan with a cell for each country and label. As CSV one a line."""
        found = await view.figures(request, asked.id, asked.as_of)
        return _formed(request, asked, detail(found), partial(table.figures, [found]))

    async def objectives(request: Request, asked: DatedList) -> Response:
        """Give the areas with all below them: what the Plan says, what carries it, how far it is met."""
        found = told(view.plan, await view.all_figures(request, asked.as_of))
        return _formed(request, asked, found, partial(table.objectives, found))

    async def milestones(request: Request, asked: Listed) -> Response:
        """List every due date of every milestone, in the Plan's order."""
        now = view.now()
        found = [due(one, now) for one in occurrences(view.plan, view.state())]
        return _formed(request, asked, found, partial(table.milestones, found))

    one_row = [Gives(schema=Detail), CSV]
    return [
        Address("/api/index", contents, "Figures"),
        Address("/api/indicators", indicators, "Figures", gives=[Gives(schema=list[Summary]), CSV], exact=True),
        Address("/api/events", events, "Figures", gives=[EVENTS], refuses=[503]),
        Address("/api/indicators.csv", cells, "Figures", gives=[CSV], exact=True),
        Address("/api/indicators/{id}", indicator, "Figures", gives=one_row, refuses=[404], exact=True),
        Address("/api/objectives", objectives, "Figures", gives=[Gives(schema=list[AreaTold]), CSV], exact=True),
        Address("/api/milestones", milestones, "Figures", gives=[Gives(schema=list[Due]), CSV]),
    ]


def _formed(request: Request, asked: Listed | DatedList, content: Any, say: Callable[[Words], str]) -> Response:
    """Return the content as JSON, or what is said of it as CSV: by `format`, else by `Accept`."""
    form = asked.format or accepted(request, {JSON: "json", "text/csv": "csv"})
    return _csv(request, say) if form == "csv" else _either(encoded(content))


def _csv(request: Request, say: Callable[[Words], str]) -> Response:
    # Programs have English where they ask for nothing; pages have Spanish.
    return _either(Response(say(words(refusals.language(request))), media_type=CSV.media))


def _either(answer: Response) -> Response:
    answer.headers["Vary"] = "Accept, Accept-Language"
    return answer
