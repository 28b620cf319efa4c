"""The quarterly reports as they were published."""

import hashlib
import re
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.publish import quarterly
from services.indicators.publish.asking import Page, Revision, language, page
from services.indicators.publish.quarterly import latest, quarter_before
from services.indicators.publish.report_parts import Shown
from services.indicators.publish.reports import Report, table
from services.indicators.publish.store import Published
from services.indicators.publish.view import View
from shared.run.addresses import HTML, JSON, Address, Gives, Nothing
from shared.run.refusals import Refused

PAST_MAX = 12
"""So many quarters the curve of the score goes back."""
PAGES_KEPT = 12
"""So many pages are kept as they were made: what they show never changes until another report is published."""
EVALUATION = "evaluation"
"""Under this name the report of the quarter that the Plan sets for its evaluation is told from the first one on."""
_NAME = re.compile(rf"(?P<quarter>\d{{4}}-Q[1-4]|{EVALUATION})(?P<form>|\.json|\.csv)", re.ASCII)


class Asked(Page, frozen=True, kw_only=True):
    """One report."""

    name: Annotated[
        str,
        Meta(
            description="The quarter, with `.json` or `.csv` for tools. `evaluation`: that of the Plan's evaluation.",
            examples=["2004-Q1.json", "evaluation"],
        ),
    ]
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
    made: dict[Hashable, str] = {}

    async def report(request: Request, asked: Asked) -> Response:
        """Serve a quarter's report: a page; with `.json` the bytes whose checksum was recorded; or `.csv`."""
        found = _NAME.fullmatch(asked.name)
        if found is None:
            raise Refused(404, "no_report_name")
        evaluation = found["quarter"] == EVALUATION
        quarter = quarterly.evaluated(view.plan) if evaluation else found["quarter"]
        published = await view.report(quarter, asked.revision) if quarter else None
        if published is None:
            raise Refused(404, "no_report")
        if found["form"] == ".json":
            return Response(published, media_type=JSON)
        one = msgspec.json.decode(published, type=Report)
        if found["form"] == ".csv":
            return Response(table(one), media_type="text/csv")
        held = await view.reports()
        known = (
            language(request),
            evaluation,
            quarter,
            asked.revision,
            *((each.quarter, each.revision) for each in held),
        )
        if known not in made:
            shown = await _shown(view, one, published, asked.revision, held, evaluation=evaluation)
            made[known] = quarterly.page(language(request), view.plan, shown)
            while len(made) > PAGES_KEPT:
                del made[next(iter(made))]
        return page(request, made[known])

    async def index(request: Request, _asked: Page) -> Response:
        """List the quarterly reports that are published."""
        return page(request, quarterly.index(language(request), view.plan, await view.reports()))

    async def listed(_request: Request, _asked: Nothing) -> Reports:
        """List every revision of every quarter's report, in order."""
        return Reports([Listed(one.quarter, one.revision, one.published) for one in await view.reports()])

    forms = [HTML, Gives(schema=Report), Gives("text/csv; charset=utf-8")]
    return [
        Address("/reports", index, "Reports", gives=[HTML], refuses=[503]),
        Address("/reports/{name}", report, "Reports", gives=forms, refuses=[404, 503]),
        Address("/api/reports", listed, "Reports", refuses=[503]),
    ]


async def _shown(  # noqa: PLR0913 - what the page shows
    view: View, one: Report, published: bytes, asked: int | None, held: Sequence[Published], *, evaluation: bool
) -> Shown:
    """Return a report with those that it is compared with; an evaluation with the first of all."""

    async def another(quarter: str, revision: int | None = None) -> Report | None:
        found = await view.report(quarter, revision)
        return msgspec.json.decode(found, type=Report) if found else None

    names = latest(held, quarter_before(one.quarter))
    past = {name: found for name in names[-PAST_MAX:] if (found := await another(name))}
    before, year = quarter_before(one.quarter), quarter_before(one.quarter, quarters=4)
    if evaluation and names:
        before = names[0]
    return Shown(
        one=one,
        checksum=hashlib.sha256(published).hexdigest(),
        asked=asked,
        before=past.get(before) or await another(before),
        year=None if evaluation else past.get(year) or await another(year),
        evaluation=evaluation,
        revised=await another(one.quarter, one.revision - 1) if one.revision > 1 else None,
        revisions=[each for each in held if each.quarter == one.quarter],
        past=[*past.values(), one],
    )
