"""The quarterly reports as they were published."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import pages
from services.indicators.publish.asking import Page, Revision, language, page
from services.indicators.publish.reports import Report, table
from services.indicators.publish.view import View
from shared.run.addresses import HTML, JSON, Address, Gives
from shared.run.refusals import Refused

_NAME = re.compile(r"(?P<quarter>\d{4}-Q[1-4])(?P<form>|\.json|\.csv)", re.ASCII)


class Asked(Page, frozen=True, kw_only=True):
    """One report."""

    name: Annotated[str, Meta(description="The quarter, with `.json` or `.csv` for tools.", examples=["2004-Q1.json"])]
    revision: Revision | None = None


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
        lang, checksum = language(request), hashlib.sha256(published).hexdigest()
        return page(request, pages.report(lang, view.plan, one, checksum, asked.revision))

    forms = [HTML, Gives(schema=Report), Gives("text/csv; charset=utf-8")]
    return [Address("/reports/{name}", report, "Reports", gives=forms, refuses=[404])]
