"""What is behind a figure, what a report moved, and what changed from one revision of a quarter's report to another."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.indicators.figures.behind import Asked
from services.indicators.figures.kinds import Span
from services.indicators.planned.rows import Row
from services.indicators.publish import reasons
from services.indicators.publish.access import PUBLIC, bearer, who
from services.indicators.publish.asking import BehindPage, Dated, Day, language
from services.indicators.publish.asking import page as answer
from services.indicators.publish.changes import Changes, Comparing
from services.indicators.publish.cursors import Cursors
from services.indicators.publish.explaining import Counted, Explained, Explaining, ReportMoved
from services.indicators.publish.recalling import busy
from services.indicators.publish.reports import Report
from services.indicators.publish.view import View
from shared.contracts.vocabulary import REGION, Country
from shared.run.addresses import HTML, Address
from shared.run.refusals import Refused

Labels = Annotated[
    str,
    Meta(
        description="Label values of the row's cells, `name:value` by comma; without it, all (of the region: those of"
        " its one figure).",
        examples=["offence:tip,sex:female"],
        pattern="^[a-z][a-z0-9_]{0,63}:[^,:]{1,256}(,[a-z][a-z0-9_]{0,63}:[^,:]{1,256}){0,9}$",
    ),
]
Place = Annotated[Country, Meta(description="A member country; without it, the region.")]
After = Annotated[
    str,
    Meta(
        description="Go on behind an answer before: what it gave as `next`. The public's cannot be read or made up.",
        examples=["intel:1204"],
        pattern="^([a-z]{1,16}:[0-9]{1,15}(,[a-z]{1,16}:[0-9]{1,15}){0,9}|[A-Za-z0-9_-]{100,400})$",
    ),
]


class BehindAsked(Dated, frozen=True, kw_only=True):
    """A figure: of a row, or a milestone; as of a day or of a period, and as it was known on a day."""

    id: Annotated[str, Meta(description="A row or a milestone of the Plan.", examples=["PC-1c"])]
    country: Place | None = None
    labels: Labels | None = None
    since: Day | None = None
    """The first day of the period whose own figure is meant."""
    until: Day | None = None
    """Its last day."""
    known_on: Day | None = None
    """Only what was recorded by the end of this day counts."""
    after: After | None = None


class EventAsked(Struct, frozen=True, kw_only=True):
    """An event on record."""

    service: Annotated[
        Literal["intel", "victims", "legal", "training", "indicators"],
        Meta(description="Which service recorded it."),
    ]
    sequence: Annotated[int, Meta(ge=1, le=10**12, description="Its position in the service's log.", examples=[1204])]


class ChangesAsked(Struct, frozen=True, kw_only=True):
    """Two revisions of a quarter's report."""

    quarter: Annotated[str, Meta(description="The quarter.", examples=["2004-Q2"], pattern="^[0-9]{4}-Q[1-4]$")]
    before: Annotated[int, Meta(ge=1, le=999_999, description="The earlier revision.", examples=[1])] = msgspec.field(
        name="from"
    )
    after: Annotated[int, Meta(ge=1, le=999_999, description="The later revision.", examples=[2])] = msgspec.field(
        name="to"
    )


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses."""
    kept: dict[tuple[str, int, int], Changes] = {}
    cursors = Cursors(view.token)
    counted: Counted = {}

    def explaining() -> Explaining:
        if view.recall is None:
            raise busy("streams_away")
        return Explaining(view.plan, view.state, view.recall, view.closed[False], cursors, counted)

    def asker(request: Request) -> str:
        return who(bearer(request.headers.get("authorization", "")), view.token)

    async def behind(request: Request, asked: BehindAsked) -> Explained:
        """Tell which events are behind a figure: the operator all, a country its own, the public how many."""
        if asked.id in view.plan.milestones:
            _whole(asked)
            return await explaining().milestone(asked.id, asker(request), view.now().date(), asked.after or "")
        row = view.row(asked.id)
        one = Asked(row, _span(asked, view.now().date()), asked.country or REGION, _labels(row, asked.labels or ""))
        return await explaining().figure(one, asker(request), asked.after or "")

    async def event(request: Request, asked: EventAsked) -> ReportMoved:
        """Tell which figures an event moved, and by how much; to the operator, and to the country whose it is."""
        return await explaining().report(asked.service, asked.sequence, asker(request))

    async def changes(request: Request, asked: ChangesAsked) -> Changes:
        """Tell what changed between two revisions of a report, and because of how many events of whom.

        At which sequences the two were made is told to the operator.
        """
        before, after = [await _published(view, asked.quarter, one) for one in (asked.before, asked.after)]
        found = await Comparing(view.plan, explaining().recall, kept).compare(before, after)
        return found if view.exact(request) else msgspec.structs.replace(found, positions={})

    async def page(request: Request, asked: BehindPage) -> Response:
        """Show how many reports are behind a row's figure, by country and month."""
        row = view.row(asked.id)
        span = _span(BehindAsked(id=asked.id, as_of=asked.as_of), view.now().date())
        found = await explaining().figure(Asked(row, span), PUBLIC)
        return answer(request, reasons.page(language(request), view.plan, row, found, asked.as_of))

    return [
        Address("/indicators/{id}/behind", page, "Pages", gives=[HTML], refuses=[403, 404, 503]),
        Address("/api/behind/{id}", behind, "Reasons", refuses=[403, 404, 503], exact=True),
        Address("/api/events/{service}/{sequence}", event, "Reasons", refuses=[404, 503], exact=True),
        Address("/api/reports/{quarter}/changes", changes, "Reasons", refuses=[404, 503], exact=True),
    ]


async def _published(view: View, quarter: str, revision: int) -> Report:
    found = await view.report(quarter, revision)
    if found is None:
        raise Refused(404, "no_report")
    one = msgspec.json.decode(found, type=Report)
    return one if one.events else msgspec.structs.replace(one, events=await view.folded(quarter, revision))


def _whole(asked: BehindAsked) -> None:
    if asked.country or asked.labels or asked.as_of or asked.since or asked.until or asked.known_on:
        raise Refused(400, "milestone_whole")


def _span(asked: BehindAsked, today: date) -> Span:
    if asked.since and asked.until and asked.since <= asked.until and not asked.as_of:
        span = Span.of(asked.since, asked.until)
    elif asked.since or asked.until:
        raise Refused(400, "period_days")
    else:
        span = Span.as_of(asked.as_of) if asked.as_of else Span.now(today)
    return span.known_on(asked.known_on) if asked.known_on else span


def _labels(row: Row, given: str) -> Mapping[str, str]:
    found = dict(one.split(":", 1) for one in given.split(",") if one)
    if not found.keys() <= row.labels.keys():
        raise Refused(400, "labels_of", names=", ".join(row.labels) or "-")
    return found
