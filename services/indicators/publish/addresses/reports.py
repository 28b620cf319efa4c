"""The quarterly reports as they were published."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import quarterly
from services.indicators.publish.asking import Page, Revision, language, page
from services.indicators.publish.quarterly import Shown, latest, quarter_before
from services.indicators.publish.reports import Report, table
from services.indicators.publish.view import View
from shared.run.addresses import HTML, JSON, Address, Gives, Nothing
from shared.run.refusals import Refused

PAST_MAX = 12
"""So many quarters the curve of the score goes back."""
_NAME = re.compile(r"(?P<quarter>\d{4}-Q[1-4])(?P<form>|\.json|\.csv)", re.ASCII)


class Asked(Page, frozen=True, kw_only=True):
    """One report."""

    name: Annotated[str, Meta(description="The quarter, with `.json` or `.csv` for tools.", examples=["2004-Q1.json"])]
    revision: Revision | None = None


class Listed(Struct, frozen=True):
    """A revision of a quarter's report."""

    quarter: str
    revision: int
    published: datetime


class Reports(Struct, frozen=True):
    """All that are published."""

    reports: list[Listed]


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the reports."""

    async def report(request: Request, asked: Asked) -> Response:
        """Serve a quarter's report: a page; with `.json` the bytes whose checksum was recorded; or `.csv`."""
        found = _NAME.fullmatch(asked.name)
        if found is None:
            raise Refused(404, "no_report_name")
        published = await view.report(found["quarter"], asked.revision)
        if published is None:
            raise Refused(404, "no_report")
        if found["form"] == ".json":
            return Response(published, media_type=JSON)
        one = msgspec.json.decode(published, type=Report)
        if found["form"] == ".csv":
            return Response(table(one), media_type="text/csv")
        shown = await _shown(view, one, published, asked.revision)
        return page(request, quarterly.page(language(request), view.plan, shown))

    async def index(request: Request, _asked: Page) -> Response:
        """List the quarterly reports that are published."""
        return page(request, quarterly.index(language(request), view.plan, await view.reports()))

    async def listed(_request: Request, _asked: Nothing) -> Reports:
        """List every revision of every quarter's report, in order."""
        return Reports([Listed(one.quarter, one.revision, one.published) for one in await view.reports()])

    forms = [HTML, Gives(schema=Report), Gives("text/csv; charset=utf-8")]
    return [
        Address("/reports", index, "Reports", gives=[HTML]),
        Address("/reports/{name}", report, "Reports", gives=forms, refuses=[404]),
        Address("/api/reports", listed, "Reports"),
    ]


async def _shown(view: View, one: Report, published: bytes, asked: int | None) -> Shown:
    """Return a report with those that it is compared with."""

    async def another(quarter: str, revision: int | None = None) -> Report | None:
        found = await view.report(quarter, revision)
        return msgspec.json.decode(found, type=Report) if found else None

    held = await view.reports()
    names = latest(held, quarter_before(one.quarter))[-PAST_MAX:]
    past = {name: found for name in names if (found := await another(name))}
    before, year = quarter_before(one.quarter), quarter_before(one.quarter, quarters=4)
    return Shown(
        one=one,
        checksum=hashlib.sha256(published).hexdigest(),
        asked=asked,
        before=past.get(before),
        year=past.get(year) or await another(year),
        revised=await another(one.quarter, one.revision - 1) if one.revision > 1 else None,
        revisions=[each for each in held if each.quarter == one.quarter],
        past=[*past.values(), one],
    )
