"""What the board's addresses may be asked: the types of their parameters, and what several of them share."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.indicators.figures.kinds import Span
from services.indicators.figures.series import PERIODS_MAX, By, Period, periods
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.publish.coverage import labels_shown
from services.indicators.publish.words import LANGUAGES
from shared.contracts.vocabulary import Country
from shared.run import refusals
from shared.run.addresses import Gives
from shared.run.refusals import Refused

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2200, 12, 31)
"""The days that may be asked for: from before the Plan to further than anything in it lies ahead."""

Day = Annotated[
    date,
    Meta(
        description="The end of this day, UTC.",
        examples=["2004-06-30"],
        extra_json_schema={
            "pattern": "^(199[0-9]|20[0-9]{2}|21[0-9]{2}|2200)-[0-9]{2}-[0-9]{2}$",
            "formatMinimum": f"{FIRST_DAY}",
            "formatMaximum": f"{LAST_DAY}",
        },
    ),
]
Lang = Annotated[
    Literal["es", "en", "fr"],
    Meta(description="The page's language; without it, what the browser accepts, else Spanish."),
]
RowId = Annotated[str, Meta(description="A row of the Plan.", examples=["LE-2.1"])]
Revision = Annotated[
    int, Meta(ge=1, le=999_999, description="Which revision of the report; without it, the latest.", examples=[1])
]


Place = Annotated[Literal[Country, "REG"], Meta(description="A member country, or the region.", examples=["GTM"])]
Labels = Annotated[
    str,
    Meta(
        description="Label values of the row's cells, `name:value` by comma; without it, all.",
        examples=["instrument:TIP"],
        pattern="^[a-z][a-z0-9_]{0,63}:[^,:]{1,256}(,[a-z][a-z0-9_]{0,63}:[^,:]{1,256}){0,9}$",
    ),
]
Format = Annotated[
    Literal["json", "csv"],
    Meta(description="The form of the answer; without it, what `Accept` likes best of both, else JSON."),
]
FigureFormat = Annotated[
    Literal["json", "csv", "sdmx-csv"],
    Meta(description="The form of the answer; without it, what `Accept` likes best of them, else JSON."),
]
TitleLang = Annotated[
    Literal["es", "en", "fr"],
    Meta(description="The language of texts in CSV (JSON has all); without it, as `Accept-Language` says, or English."),
]


class Page(Struct, frozen=True, kw_only=True):
    """A page in a language."""

    lang: Lang | None = None


Standing = Literal["met", "not_met", "not_known", "no_data", "not_published", "no_target"]
Sort = Literal["title", "standing", "coverage"]


class BoardPage(Page, frozen=True, kw_only=True):
    """The scoreboard, and which of its rows."""

    q: Annotated[
        str,
        Meta(max_length=60, description="Words of a row's id or title, all of them.", examples=["trata"]),
    ] = ""
    area: Annotated[
        str, Meta(pattern="^([A-Z]{2,4})?$", description="Rows of this work area of the Plan.", examples=["IE"])
    ] = ""
    show: Annotated[Standing, Meta(description="Rows that stand so against their target.")] | None = None
    country: Annotated[Country, Meta(description="Rows with figures of this country.")] | None = None
    sort: Annotated[Sort, Meta(description="By what the rows are sorted; without it, as in the Plan.")] | None = None


class CountryPage(Page, frozen=True, kw_only=True):
    """The page of a country."""

    code: Annotated[str, Meta(description="A member country, by ISO 3166-1 alpha-3.", examples=["GTM"])]


class Dated(Struct, frozen=True, kw_only=True):
    """Figures as of a day; without it, as of now."""

    as_of: Day | None = None


class OneRow(Dated, frozen=True, kw_only=True):
    """One row as of a day."""

    id: RowId


class BehindPage(OneRow, frozen=True, kw_only=True):
    """The page of what is behind a row."""

    lang: Lang | None = None


Which = Annotated[
    Literal["period", "end"],
    Meta(description="`period`: each period's own figure; `end`: what had happened by its end."),
]


class RowPage(OneRow, frozen=True, kw_only=True):
    """The page of one row."""

    lang: Lang | None = None
    by: Annotated[By, Meta(description="The calendar periods of its curves, UTC.")] = "quarter"
    figure: Which = "end"


class Stretch(Struct, frozen=True, kw_only=True):
    """A period's own figures, as they are known now or were on a day."""

    since: Annotated[Day, Meta(description="First day of a period, UTC: the figures are the period's own.")] | None = (
        None
    )
    until: Annotated[Day, Meta(description="Its last day; without it, the last that is known.")] | None = None
    known_on: Annotated[Day, Meta(description="Only what was recorded by the end of this day, UTC, counts.")] | None = (
        None
    )

    def span(self, today: date) -> Span | None:
        """Return the time that is asked for, None for now; refuses (400) what contradicts itself or lies ahead."""
        for name in ("since", "until", "known_on"):
            day = getattr(self, name)
            if day is not None and day > today:
                raise Refused(400, "day_ahead", name=name)
        last, as_of = min(today, self.known_on or today), getattr(self, "as_of", None)
        if self.since is None and self.until is not None:
            raise Refused(400, "until_alone", name="until")
        if self.since is not None and as_of is not None:
            raise Refused(400, "as_of_or_period", name="as_of")
        until = self.until or as_of or last
        if self.since is not None and self.since > until:
            raise Refused(400, "period_backwards", name="since")
        if self.known_on is not None and until > self.known_on:
            raise Refused(400, "known_before", name="known_on")
        if self.since is not None:
            span = Span.of(self.since, until)
        elif as_of is None and self.known_on is None:
            return None
        else:
            span = Span.as_of(until)
        return span if self.known_on is None else span.known_on(self.known_on)


class Timed(Stretch, frozen=True, kw_only=True):
    """Figures as of a day, or a period's own; as they are known now, or were on a day."""

    as_of: Day | None = None


class TimedList(Timed, frozen=True, kw_only=True):
    """Figures of a time, as JSON, CSV or SDMX-CSV."""

    format: FigureFormat | None = None
    lang: TitleLang | None = None


class OneRowTimed(TimedList, frozen=True, kw_only=True):
    """Some cells of one row, as JSON, CSV or SDMX-CSV."""

    id: RowId
    country: Place | None = None
    labels: Labels | None = None


class Lines(Stretch, frozen=True, kw_only=True):
    """Figures by month, quarter or year."""

    country: Place | None = None
    labels: Labels | None = None
    by: Annotated[By, Meta(description="The calendar periods, UTC.")]
    figure: Which = "period"

    def periods(self, plan: Plan, today: date) -> list[Period]:
        """Return the periods asked for; by default from the Plan's first day on."""
        first = self.since or plan.start
        span = msgspec.structs.replace(self, since=first).span(max(today, first))
        assert span is not None
        found = periods(self.by, first, span.day)
        if len(found) > PERIODS_MAX:
            raise Refused(400, "too_many_periods", name="by", most=PERIODS_MAX)
        return found


class RowLines(Lines, frozen=True, kw_only=True):
    """One row by month, quarter or year."""

    id: RowId


class Spark(Struct, frozen=True, kw_only=True):
    """A row's one figure over two years, as a small picture."""

    id: RowId


class Curve(Stretch, frozen=True, kw_only=True):
    """A row's one figure by month, quarter or year, as a picture."""

    id: RowId
    by: Annotated[By, Meta(description="The calendar periods, UTC.")] = "quarter"
    figure: Which = "end"
    lang: Lang | None = None


class RowsLines(Lines, frozen=True, kw_only=True):
    """Several rows by month, quarter or year."""

    indicator: Annotated[
        str,
        Meta(
            description="Rows of the Plan, at most 12, with commas between.",
            examples=["LE-2.1,IE-3.1i"],
            pattern="^[A-Za-z0-9.-]{1,64}(,[A-Za-z0-9.-]{1,64}){0,11}$",
        ),
    ]


class CountryAsked(Timed, frozen=True, kw_only=True):
    """All that is known of a country."""

    code: Annotated[Country, Meta(description="A member country.", examples=["GTM"])]


class Listed(Struct, frozen=True, kw_only=True):
    """A list as JSON or CSV."""

    format: Format | None = None
    lang: TitleLang | None = None


class DatedList(Dated, frozen=True, kw_only=True):
    """Figures as of a day, as JSON or CSV."""

    format: Format | None = None
    lang: TitleLang | None = None


class Table(Timed, frozen=True, kw_only=True):
    """Figures as of a day, as CSV."""

    lang: TitleLang | None = None


class WatchFigures(Struct, frozen=True, kw_only=True):
    """What has changed since an event."""

    since: Annotated[
        str,
        Meta(
            pattern="^([0-9a-f]{8}-[0-9]{1,15}-[0-9]{1,15})?$",
            description="The id of an event: what has changed since then comes first.",
            examples=["00000000-1-1"],
        ),
    ] = ""


class Watch(WatchFigures, frozen=True, kw_only=True):
    """The same of a page in a language."""

    lang: Lang | None = None


EVENTS = Gives("text/event-stream")


def label_values(asked: OneRowTimed | Lines, row: Row) -> dict[str, str]:
    """Return the label values asked for; refuses (400) what is no label of the row."""
    given = [one.split(":", 1) for one in (asked.labels or "").split(",") if one]
    found = dict(given)
    if len(found) < len(given):
        raise Refused(400, "given_twice")
    known = labels_shown(row)
    if not {*found} <= {*known}:
        raise Refused(400, "labels_of", names=", ".join(known) or "-")
    return found


_REMEMBERED = "lang"
_YEAR_S = 365 * 86_400
BY_LANGUAGE = {"Vary": "Cookie, Accept-Language"}
"""Of each answer in the reader's language: a cache keeps one for each."""


def language(request: Request) -> str:
    """Return the language asked for, else the one remembered, else what the browser likes best, else Spanish."""
    known = tuple(code for code, _ in LANGUAGES)
    remembered = request.cookies.get(_REMEMBERED, "")
    if request.query_params.get("lang") not in known and remembered in known:
        return remembered
    return refusals.language(request, known)


def private(answer: HTMLResponse, *, own: bool) -> HTMLResponse:
    """Return a page; one with a country's own part (`own`) no cache stores."""
    answer.headers.add_vary_header("Authorization")
    if own:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def page(request: Request, text: str, status: int = 200) -> HTMLResponse:
    """Return a page; the browser remembers the language that was asked for."""
    answer = HTMLResponse(text, status)
    answer.headers.update(BY_LANGUAGE)
    asked = request.query_params.get("lang", "")
    if asked in [code for code, _ in LANGUAGES] and asked != request.cookies.get(_REMEMBERED):
        answer.set_cookie(_REMEMBERED, asked, max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer
