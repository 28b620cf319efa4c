"""Which rows the scoreboard shows, and in which order, by what its form asks."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from services.indicators.figures.figures import Figures
from services.indicators.planned.plan import Plan
from services.indicators.publish.asking import BoardPage, Sort, Standing
from services.indicators.publish.pages import standing
from services.indicators.publish.words import Words
from shared.contracts.vocabulary import MEMBERS

STANDINGS: tuple[Standing, ...] = ("not_met", "not_known", "met", "no_data", "not_published", "no_target")
SORTS: tuple[Sort, ...] = ("title", "standing", "coverage")


def chosen(said: Words, found: Iterable[Figures], asked: BoardPage) -> list[Figures]:
    """Return the rows that are asked for, in the plan's order unless another is asked for."""
    words = plain(asked.q).split()
    rows = [
        one
        for one in found
        if (not asked.area or one.row.id.partition("-")[0] == asked.area)
        and (not asked.show or standing(one) == asked.show)
        and (not asked.country or any(cell.country == asked.country for cell in one.cells))
        and all(word in plain(f"{one.row.id} {said.title(one.row.title)}") for word in words)
    ]
    if asked.sort:
        rows.sort(key=_order(said, asked.sort))
    return rows


def plain(text: str) -> str:
    """Return a text as it is searched: small letters without accents."""
    split = unicodedata.normalize("NFD", text.casefold())
    return "".join(one for one in split if not unicodedata.combining(one))


def _order(said: Words, sort: Sort) -> Callable[[Figures], Any]:
    """Return by what rows are sorted: title, what is worst first, or what fewest countries report first."""
    if sort == "title":
        return lambda one: plain(said.title(one.row.title))
    if sort == "standing":
        return lambda one: STANDINGS.index(standing(one))
    return lambda one: (one.coverage is None, one.coverage or 0.0)


def form(said: Words, plan: Plan, asked: BoardPage, rows: int) -> dict[str, Any]:
    """Return what the form offers, and what of it was asked."""
    text, everything = said.text, [("", said.text["all"])]
    given = {name: value or "" for name, value in msgspec.structs.asdict(asked).items() if name != "lang"}
    return {
        "asked": given,
        "keep": urlencode({name: value for name, value in given.items() if value}),
        "chosen": said.counted("rows_chosen", rows),
        "choices": [
            ("area", text["area"], everything + [(area.id, said.title(area.title)) for area in plan.areas]),
            ("show", text["standing"], everything + [(one, text[one]) for one in STANDINGS]),
            (
                "country",
                text["country_figures_of"],
                everything + [(one, said.country(one)) for one in said.by_name(MEMBERS)],
            ),
            ("sort", text["sort"], [("", text["sort_plan"]), *((one, text[f"sort_{one}"]) for one in SORTS)]),
        ],
    }
