"""`crm indicators`."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from infra.cli.showing import Json, Out, Output, Watch, again, form, harmless, show_rows, table
from infra.cli.up import State

if TYPE_CHECKING:
    from urllib.error import HTTPError

    from services.indicators.publish.words import Words

REFUSED, NOT_FOUND = 400, 404
LANGUAGES = ("es", "en", "fr")
SECONDS = "seconds"
"""The unit of a time: its figures are told in days and hours, and so is their sum."""


def indicators(  # noqa: PLR0913 - options
    indicator: Annotated[str, typer.Argument(help="One indicator, such as LE-2.1; without it, all.")] = "",
    *,
    as_of: Annotated[str, typer.Option(help="As of the end of this day (YYYY-MM-DD).")] = "",
    since: Annotated[str, typer.Option(help="A period's own figures: its first day.")] = "",
    until: Annotated[str, typer.Option(help="Its last day; without it, the last that is known.")] = "",
    known_on: Annotated[str, typer.Option(help="As it was known at the end of this day.")] = "",
    country: Annotated[str, typer.Option(help="Of one indicator: this country's cells (GTM), or REG.")] = "",
    labels: Annotated[str, typer.Option(help="Of one indicator: label values (instrument:TIP,…).")] = "",
    by: Annotated[str, typer.Option(help="Of one indicator, a series: by month, quarter or year.")] = "",
    lang: Annotated[str, typer.Option(help="es, en or fr.")] = "en",
    state: State = Path(".crm"),
    watch: Watch = False,
    output: Out = Output.TABLE,
    as_json: Json = False,
) -> None:
    """Show the Plan's indicators as they stand, or of any time."""
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"--lang is one of {', '.join(LANGUAGES)}")
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    asked = {"as_of": as_of, "since": since, "until": until, "known_on": known_on}
    asked |= {"country": country, "labels": labels, "by": by}
    query = urlencode({name: said for name, said in asked.items() if said})
    where = f"{f'/{indicator}' if indicator else ''}{'/series' if indicator and by else ''}"
    address = f"{running(state)['http']}/api/indicators{where}{f'?{query}' if query else ''}"
    meant = form(output, as_json=as_json)

    def show() -> int:
        found = _get(address, indicator)
        if meant is Output.JSON:
            typer.echo(harmless(json.dumps(found, indent=2, ensure_ascii=False)))
        else:
            kind = _series if indicator and by else _one if indicator else _all
            kind(found, lang, meant)
        return 0

    again(show, watch=watch)


def _get(address: str, asked: str = "") -> Any:
    import urllib.error  # noqa: PLC0415 - late: `crm --help` answers at once
    import urllib.request  # noqa: PLC0415

    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - from our run.json
            return json.load(answer)
    except urllib.error.HTTPError as error:
        typer.echo(_none(address, asked) if error.code == NOT_FOUND else _reason(error), err=True)
        if error.code == REFUSED:
            raise typer.Exit(2) from None
    except OSError:
        typer.echo("the board does not answer", err=True)
    raise typer.Exit(1)


def _none(address: str, asked: str) -> str:
    """Say that there is no such indicator, and which may be meant: one of a like name, or of other capitals."""
    import difflib  # noqa: PLC0415 - late: `crm --help` answers at once

    names = [row["id"] for row in _get(f"{address.partition('/api/')[0]}/api/indicators")]
    alike = difflib.get_close_matches(asked.lower(), [name.lower() for name in names])
    found = [name for one in alike for name in names if name.lower() == one]
    meant = f"; is one of these meant? {', '.join(found)}" if found else ""
    return f"there is no such indicator{meant}"


def _reason(error: "HTTPError") -> str:
    """Return why it is refused, in the board's words."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, LookupError):
        return f"the board answers {error.code}"


def _all(rows: list[dict[str, Any]], lang: str, output: Output) -> None:
    if output is Output.CSV:
        plain = [row | {"title": _title(row, lang)} for row in rows]
        show_rows(plain, ("id", "title", "value", "unit", "target", "met", "coverage", "suppressed"), output)
        return
    lines = [
        [
            row["id"],
            _title(row, lang),
            row.get("refused") or _value(row, lang, row["unit"]),
            _target(row, lang),
            _met(row),
            _covered(row),
        ]
        for row in rows
    ]
    table(lines, ("indicator", "title", "region", "target", "met", "reporting"), output)


def _one(row: dict[str, Any], lang: str, output: Output) -> None:
    if output is Output.CSV:
        labels = list(dict.fromkeys(key for cell in row["values"] for key in cell["labels"]))
        cells = [cell | cell["labels"] for cell in row["values"]]
        show_rows(cells, ("country", *labels, "value", "numerator", "denominator", "suppressed"), output)
        return
    typer.echo(f"{row['id']}  {_title(row, lang)}")
    days = f"{row['since']} to {row['as_of']}" if row.get("since") else f"as of {row['as_of']}"
    known = f", as known on {row['known_on']}" if row.get("known_on") else ""
    typer.echo(f"{days}{known}; target {_target(row, lang)}; met: {_met(row)}")
    if row.get("refused"):
        typer.echo(f"no figure of this time: {row['refused']}")
        return
    timed = row["unit"] == SECONDS
    lines = [
        [
            cell["country"],
            ", ".join(f"{key} {value}" for key, value in cell["labels"].items()),
            _own(cell, lang, row),
            _plain(cell.get("numerator"), lang, SECONDS if timed else ""),
            _plain(cell.get("denominator"), lang),
        ]
        for cell in row["values"]
    ]
    table(lines, ("country", "labels", "time" if timed else row["unit"], "numerator", "denominator"), output)


def _series(row: dict[str, Any], lang: str, output: Output) -> None:
    named = [" ".join((line["country"], *line["labels"].values())) for line in row["lines"]]
    columns = ("since", "until", *named, "reporting")
    if output is Output.CSV:
        rows = [
            {**period, "reporting": period.get("coverage")}
            | {name: (line["values"][place] or {}).get("value") for name, line in zip(named, row["lines"], strict=True)}
            for place, period in enumerate(row["periods"])
        ]
        show_rows(rows, columns, output)
        return
    typer.echo(f"{row['id']}  {_title(row, lang)} ({row['unit']})")
    lines = [
        [
            period["since"],
            period["until"],
            *(_value(line["values"][place] or {}, lang, row["unit"]) for line in row["lines"]),
            period.get("refused") or _covered(period),
        ]
        for place, period in enumerate(row["periods"])
    ]
    table(lines, columns, output)


def _covered(row: dict[str, Any]) -> str:
    return "-" if row.get("coverage") is None else f"{row['coverage']:.0%}"


def _title(row: dict[str, Any], lang: str) -> str:
    title = row["title"]
    return str(title.get(lang, title["en"]) if isinstance(title, dict) else title)


def _value(cell: dict[str, Any], lang: str, unit: str) -> str:
    return "suppressed" if cell.get("suppressed") else _plain(cell.get("value"), lang, unit)


def _own(cell: dict[str, Any], lang: str, row: dict[str, Any]) -> str:
    """Return a cell's figure as the pages have it: where countries are counted, a country is one of them or is not."""
    if row.get("kind") == "countries" and cell["country"] != "REG" and cell.get("value") is not None:
        return _said(lang).text["yes" if cell["value"] else "no"]
    return _value(cell, lang, row["unit"])


def _plain(value: Any, lang: str, unit: str = "") -> str:
    """Return a number as the pages write it: shares as percentages, times as durations, others with their unit."""
    if value is None:
        return "-"
    words = _said(lang)
    return f"{words.number(value, unit)} {words.unit(unit, value)}".strip() if unit else words.number(value)


def _target(row: dict[str, Any], lang: str) -> str:
    """Return a target as the pages write it: at least 80%."""
    if (aim := row.get("target")) is None:
        return "-"
    words, unit = _said(lang), row["unit"]
    told = f"{words.number(aim, unit, short=True)} {words.unit(unit, aim)}".strip()
    # A board of a version before says it of all rows together only.
    return words.text[row["direction"]].format(n=told) if "direction" in row else told


@cache
def _said(lang: str) -> "Words":
    from services.indicators.publish.words import Words  # noqa: PLC0415 - late: `crm --help` answers at once

    return Words(lang)


def _met(row: dict[str, Any]) -> str:
    """Return whether the target is met; where that is not known, why."""
    if row.get("met") is None:
        return f"? {row['unknown']}" if row.get("unknown") else "-"
    return "yes" if row["met"] else "no"
