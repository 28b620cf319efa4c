"""Figures, objectives and milestones for tools, as JSON and as CSV."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import UNSET
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures.figures import Figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import occurrences
from services.indicators.figures.objectives import AreaTold, told
from services.indicators.publish import sdmx, table
from services.indicators.publish.answers import Detail, Due, Summary, detail, due, summary
from services.indicators.publish.asking import (
    EVENTS,
    DatedList,
    Listed,
    OneRowTimed,
    Table,
    TimedList,
    WatchFigures,
    label_values,
)
from services.indicators.publish.live import FIGURES
from services.indicators.publish.times import some, timed
from services.indicators.publish.view import View
from services.indicators.publish.words import Words, words
from shared.run import refusals
from shared.run.addresses import JSON, Address, Gives, accepted, encoded

CSV = Gives("text/csv; charset=utf-8; header=present")
SDMX = Gives(sdmx.MEDIA)


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the figures."""

    def observed(request: Request, found: Sequence[Figures]) -> Callable[[], str]:
        return partial(sdmx.data, found, exact=view.exact(request))

    async def indicators(request: Request, asked: TimedList) -> Response:
        """List every row of the Plan in one figure, in the Plan's order. As CSV every figure, one a line."""
        found = await view.all_figures(request, asked.span(view.now().date()))
        uncounted = view.uncounted(request)

        def listed() -> list[Summary]:
            return [timed(summary(one, uncounted), asked) for one in found]

        return _formed(request, asked, listed, partial(table.figures, found), observed(request, found))

    async def events(request: Request, asked: WatchFigures) -> EventSourceResponse:
        """Tell of the rows that change as server-sent events; the data of each is a list as of `/api/indicators`.

        `Last-Event-ID` goes before `since`; with neither, or with an id of another process, every row comes first. Of
        a row whose day alone has changed nothing is told.
        """
        return view.live.watched(request, FIGURES, asked.since)

    async def cells(request: Request, asked: Table) -> Response:
        """Give every figure of every row, one a line. The same as `/api/indicators?format=csv`."""
        return _csv(request, partial(table.figures, await view.all_figures(request, asked.span(view.now().date()))))

    async def indicator(request: Request, asked: OneRowTimed) -> Response:
        """Give one row of the Plan with a cell for each country and label. As CSV one a line."""
        wanted = label_values(asked, view.row(asked.id))
        span = asked.span(view.now().date())
        found, timely = await view.figures(request, asked.id, span), await view.on_time(request, asked.id, span)
        found = some(found, asked.country or "", wanted)
        asker, exact = await view.own(request, span)
        own = some(exact[asked.id], asker, wanted).cells if asker else UNSET

        def told_in_full() -> Detail:
            return timed(detail(found, timely, own), asked)

        return _formed(request, asked, told_in_full, partial(table.figures, [found]), observed(request, [found]))

    async def objectives(request: Request, asked: DatedList) -> Response:
        """Give the areas with all below them: what the Plan says, what carries it, how far it is met."""
        span = Span.as_of(asked.as_of) if asked.as_of else None
        found = told(view.plan, await view.all_figures(request, span))
        return _formed(request, asked, lambda: found, partial(table.objectives, found))

    async def milestones(request: Request, asked: Listed) -> Response:
        """List every due date of every milestone, in the Plan's order."""
        now = view.now()
        found = [due(one, now) for one in occurrences(view.plan, view.state(), public=not view.exact(request))]
        return _formed(request, asked, lambda: found, partial(table.milestones, found))

    all_rows, one_row = [Gives(schema=list[Summary]), CSV, SDMX], [Gives(schema=Detail), CSV, SDMX]
    return [
        Address("/api/indicators", indicators, "Figures", gives=all_rows, exact=True),
        Address("/api/events", events, "Figures", gives=[EVENTS], refuses=[503]),
        Address("/api/indicators.csv", cells, "Figures", gives=[CSV], exact=True),
        Address("/api/indicators/{id}", indicator, "Figures", gives=one_row, refuses=[404], exact=True),
        Address("/api/objectives", objectives, "Figures", gives=[Gives(schema=list[AreaTold]), CSV], exact=True),
        Address("/api/milestones", milestones, "Figures", gives=[Gives(schema=list[Due]), CSV], exact=True),
    ]


def _formed(
    request: Request,
    asked: Listed | DatedList | TimedList,
    content: Callable[[], Any],
    say: Callable[[Words], str],
    observed: Callable[[], str] | None = None,
) -> Response:
    """Return the content in the form that `format` names, else in the one that `Accept` likes best: JSON, CSV, SDMX."""
    offers = {JSON: "json", "text/csv": "csv"} | ({"application/vnd.sdmx.data+csv": "sdmx-csv"} if observed else {})
    form = asked.format or accepted(request, offers)
    if form == "csv":
        return _csv(request, say)
    if observed and form == "sdmx-csv":
        return _either(Response(observed(), media_type=SDMX.media))
    return _either(encoded(content()))


def _csv(request: Request, say: Callable[[Words], str]) -> Response:
    # Programs have English where they ask for nothing; pages have Spanish.
    return _either(Response(say(words(refusals.language(request))), media_type=CSV.media))


def _either(answer: Response) -> Response:
    answer.headers["Vary"] = "Accept, Accept-Language"
    return answer
