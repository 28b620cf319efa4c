"""The pages of the board: the scoreboard, a row, the objectives."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures import series
from services.indicators.figures.kinds import Span
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.rows import Row
from services.indicators.publish import choosing, explained, pages
from services.indicators.publish.asking import (
    EVENTS,
    BoardPage,
    CountryPage,
    Page,
    RowPage,
    Watch,
    language,
    page,
    private,
)
from services.indicators.publish.country import country as country_page
from services.indicators.publish.course import Course, course, shown_periods
from services.indicators.publish.status import status as status_page
from services.indicators.publish.store import Published
from services.indicators.publish.view import View
from services.indicators.publish.words import words
from shared.contracts.vocabulary import MEMBERS
from shared.run.addresses import HTML, Address
from shared.run.refusals import Refused

COMPARED = 3
"""The period that goes on, the last whole one and the one before."""


async def _published(view: View) -> tuple[Sequence[Published] | None, list[str]]:
    """Return the reports, or None and why they cannot be read: who asks for the state of the system is told that."""
    try:
        return await view.reports(), []
    except Refused:
        return None, ["the database does not answer: reports and seats cannot be read"]


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
        own, found = view.reader(request) == asked.code, await view.kept[False].fresh()
        if own:  # its own figures are exact, and of now
            exact = await view.kept[True].fresh()
            found = {name: msgspec.structs.replace(one, cells=exact[name].cells) for name, one in found.items()}
        text = country_page(
            language(request),
            view.plan,
            view.state(),
            view.now(),
            found=found,
            code=asked.code,
            closed=view.closed[False](),
            owed=await view.owed() or (),
            own=own,
            waits=await view.waits(asked.code) if own else None,
        )
        return private(page(request, text), own=own)

    async def wall(request: Request, _asked: Page) -> Response:
        """Show the first screen of the scoreboard, large, for a wall: it follows by itself."""
        lang, seen = language(request), await view.looked(exact=False)
        events = f"/events?lang={lang}&since={view.live.identity()}"
        return page(request, pages.wall(lang, view.plan, view.state(), view.now(), seen=seen, events=events))

    async def status(request: Request, _asked: Page) -> Response:
        """Say whether anything is broken: whether figures are up to date, and who was heard when."""
        reports, away = await _published(view)
        text = status_page(
            language(request),
            view.plan,
            view.state(),
            view.now(),
            ready=view.ready(),
            faults=[*view.faults(), *away],
            streams=view.streams(),
            reports=reports,
        )
        return page(request, text)

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
        """Show a row's figures over time, by country and label, its place in the Plan, and how it is computed."""
        lang, span = language(request), Span.as_of(asked.as_of) if asked.as_of else None
        found = await view.figures(request, asked.id, span)
        more = explained.row(lang, view.plan, asked.id, view.examples.get(asked.id))
        more["on_time"] = pages.on_time(lang, view.plan, await view.on_time(request, asked.id, span))
        more |= course(lang, view.plan, found.row, await _course(view, request, found.row, asked))
        usual = RowPage(id=asked.id)
        chosen = [(name, getattr(asked, name)) for name in ("as_of", "by", "figure")]
        more["keep"] = urlencode([(name, value) for name, value in chosen if value != getattr(usual, name)])
        return page(request, pages.indicator(lang, view.plan, view.state(), found, asked.as_of, **more))

    return [
        Address("/", scoreboard, "Pages", gives=[HTML], exact=True),
        Address("/wall", wall, "Pages", gives=[HTML]),
        Address("/status", status, "Pages", gives=[HTML]),
        Address("/events", events, "Pages", gives=[EVENTS], refuses=[503]),
        Address("/countries/{code}", country, "Pages", gives=[HTML], refuses=[404]),
        Address("/objectives", objectives, "Pages", gives=[HTML], exact=True),
        Address("/indicators/{id}", indicator, "Pages", gives=[HTML], refuses=[404], exact=True),
    ]


async def _course(view: View, request: Request, row: Row, asked: RowPage) -> Course:
    if row.kind in COMPOSED:  # made of all others: the page does not wait for its curve
        return Course(by=asked.by, figure=asked.figure, each=[], found=[], own=[])
    today = view.now().date()
    each = shown_periods(asked.by, view.plan.start or today, min(asked.as_of or today, today))
    ends = asked.figure == "end"
    found = await view.series(request, row, series.spans(each, ends=ends, known=None))
    own = found
    if ends:  # only the last ones are compared
        last = series.spans(each[-COMPARED:], ends=False, known=None)
        own = [*found[:-COMPARED], *await view.series(request, row, last)] if each else []
    return Course(by=asked.by, figure=asked.figure, each=each, found=found, own=own)
