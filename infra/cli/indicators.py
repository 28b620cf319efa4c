"""`crm indicators`."""

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.up import State

NOT_FOUND = 404


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
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the Plan's indicators as they stand, or of any time."""
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    asked = {"as_of": as_of, "since": since, "until": until, "known_on": known_on}
    asked |= {"country": country, "labels": labels, "by": by}
    query = urllib.parse.urlencode({name: said for name, said in asked.items() if said})
    where = f"{f'/{indicator}' if indicator else ''}{'/series' if indicator and by else ''}"
    found = _get(f"{running(state)['http']}/api/indicators{where}{f'?{query}' if query else ''}")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif indicator and by:
        _series(found, lang)
    elif indicator:
        _one(found, lang)
    else:
        _all(found, lang)


def _get(address: str) -> Any:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - from our run.json
            return json.load(answer)
    except urllib.error.HTTPError as error:
        typer.echo("there is no such indicator" if error.code == NOT_FOUND else _reason(error), err=True)
    except OSError:
        typer.echo("the board does not answer", err=True)
    raise typer.Exit(1)


def _reason(error: urllib.error.HTTPError) -> str:
    """Return why it is refused, in the board's words."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, LookupError):
        return f"the board answers {error.code}"


def _all(rows: list[dict[str, Any]], lang: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("indicator", "", "region", "target", "met", "reporting")
    for row in rows:
        figures = (row.get("refused") or _value(row), _plain(row.get("target")), _met(row), _covered(row))
        table.add_row(row["id"], _title(row, lang), *figures)
    Console(highlight=False).print(table)


def _one(row: dict[str, Any], lang: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(f"{row['id']}  {_title(row, lang)}", markup=False)
    days = f"{row['since']} to {row['as_of']}" if row.get("since") else f"as of {row['as_of']}"
    known = f", as known on {row['known_on']}" if row.get("known_on") else ""
    console.print(f"{days}{known}; target {_plain(row['target'])}; met: {_met(row)}", markup=False)
    if row.get("refused"):
        console.print(f"no figure of this time: {row['refused']}", markup=False)
        return
    table = Table("country", "labels", row["unit"], "numerator", "denominator")
    for cell in row["values"]:
        labels = ", ".join(f"{key} {value}" for key, value in cell["labels"].items())
        parts = (_plain(cell.get("numerator")), _plain(cell.get("denominator")))
        table.add_row(cell["country"], labels, _value(cell), *parts)
    console.print(table)


def _series(row: dict[str, Any], lang: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(f"{row['id']}  {_title(row, lang)} ({row['unit']})", markup=False)
    named = [" ".join((line["country"], *line["labels"].values())) for line in row["lines"]]
    table = Table("since", "until", *named, "reporting")
    for place, period in enumerate(row["periods"]):
        values = [_value(line["values"][place] or {}) for line in row["lines"]]
        table.add_row(period["since"], period["until"], *values, period.get("refused") or _covered(period))
    console.print(table)


def _covered(row: dict[str, Any]) -> str:
    return "-" if row.get("coverage") is None else f"{row['coverage']:.0%}".replace("%", " %")


def _title(row: dict[str, Any], lang: str) -> str:
    title = row["title"]
    return str(title.get(lang, title["en"]) if isinstance(title, dict) else title)


def _value(cell: dict[str, Any]) -> str:
    return "suppressed" if cell.get("suppressed") else _plain(cell.get("value"))


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _met(row: dict[str, Any]) -> str:
    """Return whether the target is met; where that is not known, why."""
    if row.get("met") is None:
        return f"? {row['unknown']}" if row.get("unknown") else "-"
    return "yes" if row["met"] else "no"
