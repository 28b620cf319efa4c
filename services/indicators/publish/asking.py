"""What the board's addresses may be asked: the types of their parameters, and what several of them share."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct
from starlette.requests import Request

from services.indicators.publish.words import LANGUAGES
from shared.run import refusals
from shared.run.addresses import Gives

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


class Dated(Struct, frozen=True, kw_only=True):
    """Figures as of a day; without it, as of now."""

    as_of: Day | None = None


class OneRow(Dated, frozen=True, kw_only=True):
    """One row as of a day."""

    id: RowId


class RowPage(OneRow, frozen=True, kw_only=True):
    """The page of one row."""

    lang: Lang | None = None


class Listed(Struct, frozen=True, kw_only=True):
    """A list as JSON or CSV."""

    format: Format | None = None
    lang: TitleLang | None = None


class DatedList(Dated, frozen=True, kw_only=True):
    """Figures as of a day, as JSON or CSV."""

    format: Format | None = None
    lang: TitleLang | None = None


class Figured(Dated, frozen=True, kw_only=True):
    """Figures as of a day, as JSON, CSV or SDMX-CSV."""

    format: FigureFormat | None = None
    lang: TitleLang | None = None


class OneRowFigured(Figured, frozen=True, kw_only=True):
    """One row as of a day, as JSON, CSV or SDMX-CSV."""

    id: RowId


class Table(Dated, frozen=True, kw_only=True):
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


def language(request: Request) -> str:
    """Return the language asked for, else the first that the browser accepts and we have, else Spanish."""
    return refusals.language(request, tuple(code for code, _ in LANGUAGES))
