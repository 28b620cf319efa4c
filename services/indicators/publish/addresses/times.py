"""Figures over time: series of a row or several, and all that is known of a country."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures import series
from services.indicators.figures.kinds import Span
from services.indicators.figures.series import periods
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.rows import Row
from services.indicators.publish import course
from services.indicators.publish.asking import (
    BY_LANGUAGE,
    CountryAsked,
    Curve,
    Lines,
    RowLines,
    RowsLines,
    Spark,
    label_values,
    language,
)
from services.indicators.publish.times import Profile, Series, profile, timed, told_series
from services.indicators.publish.view import View
from shared.run.addresses import Address, Gives
from shared.run.refusals import Refused

SVG = "image/svg+xml"
SPARK_QUARTERS = 8
"""A row of the scoreboard shows two years."""
SPARK_KEPT_S = 300
"""So long a browser may show it again: the scoreboard has a hundred and more of them."""


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of figures over time."""

    async def one_series(request: Request, asked: RowLines) -> Series:
        """Give one row by month, quarter or year; of the region, or of a country and label values."""
        return await _series(view, request, view.row(asked.id), asked)

    async def many_series(request: Request, asked: RowsLines) -> list[Series]:
        """Give several rows by month, quarter or year, as `/api/indicators/{id}/series` does one."""
        names = asked.indicator.split(",")
        if not {*names} <= view.plan.rows.keys():
            raise Refused(400, "no_indicator", name="indicator")
        if len(names) * len(asked.periods(view.plan, view.now().date())) > series.PERIODS_MAX:
            raise Refused(400, "too_many_periods", name="by", most=series.PERIODS_MAX // len(names))
        return [await _series(view, request, view.plan.rows[name], asked) for name in names]

    async def curve(request: Request, asked: Curve) -> Response:
        """Draw a row's one figure by period, with its target and a trend's baseline, in the reader's language."""
        row, lang = view.row(asked.id), language(request)
        each = Lines(since=asked.since, until=asked.until, by=asked.by).periods(view.plan, view.now().date())
        found = await view.series(request, row, series.spans(each, ends=asked.figure == "end", known=asked.known_on))
        drawn = course.picture(lang, view.plan, row, asked.by, asked.figure, each, found)
        return Response(drawn, media_type=SVG, headers=BY_LANGUAGE)

    async def spark(request: Request, asked: Spark) -> Response:
        """Draw a row's one figure at the ends of the last eight quarters, small and without words."""
        row, today = view.row(asked.id), view.now().date()
        start = view.plan.start or today
        each = periods("quarter", start, max(today, start))[-SPARK_QUARTERS:]
        found = (
            [] if row.kind in COMPOSED else await view.series(request, row, series.spans(each, ends=True, known=None))
        )
        answer = Response(course.spark(row, found), media_type=SVG)
        answer.headers["Cache-Control"] = f"private, max-age={SPARK_KEPT_S}"
        return answer

    async def country(request: Request, asked: CountryAsked) -> Profile:
        """Give all that is known of a country: its figures in every row, and the due dates that wait for it."""
        today = view.now().date()
        span = asked.span(today) or Span.now(today)
        found = await view.all_figures(request, asked.span(today))
        asker, exact = await view.own(request, asked.span(today))
        if asker == asked.code:  # its own figures, beside those of the region that are public
            found = [msgspec.structs.replace(one, cells=exact[one.row.id].cells, refused="") for one in found]
        return timed(profile(view.plan, view.state(), asked.code, span, found, public=not view.exact(request)), asked)

    return [
        Address("/indicators/{id}/curve.svg", curve, "Figures", gives=[Gives(SVG)], refuses=[404], exact=True),
        Address("/indicators/{id}/spark.svg", spark, "Figures", gives=[Gives(SVG)], refuses=[404], exact=True),
        Address("/api/indicators/{id}/series", one_series, "Figures", refuses=[404], exact=True),
        Address("/api/series", many_series, "Figures", exact=True),
        Address("/api/countries/{code}", country, "Figures", refuses=[404], exact=True),
    ]


async def _series(view: View, request: Request, row: Row, asked: Lines) -> Series:
    wanted = label_values(asked, row)
    each = asked.periods(view.plan, view.now().date())
    spans = series.spans(each, ends=asked.figure == "end", known=asked.known_on)
    found = await view.series(request, row, spans)
    lines = series.lines(found, asked.country or "", wanted)
    if len(lines) > series.LINES_MAX:
        raise Refused(400, "too_many_lines", name="labels", most=series.LINES_MAX)
    return timed(told_series(row, asked.by, asked.figure, each, found, lines), asked)
