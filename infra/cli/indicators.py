"""`crm indicators`."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.up import State

NOT_FOUND = 404


def indicators(
    indicator: Annotated[str, typer.Argument(help="One indicator, such as LE-2.1; without it, all.")] = "",
    *,
    as_of: Annotated[str, typer.Option(help="As of the end of this day (YYYY-MM-DD).")] = "",
    lang: Annotated[str, typer.Option(help="es, en or fr.")] = "en",
    state: State = Path(".crm"),
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the Plan's indicators as they stand."""
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    query = f"?as_of={as_of}" if as_of else ""
    found = _get(f"{running(state)['http']}/api/indicators{f'/{indicator}' if indicator else ''}{query}")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif indicator:
        _one(found, lang)
    else:
        _all(found, lang)


def _get(address: str) -> Any:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - from our run.json
            return json.load(answer)
    except urllib.error.HTTPError as error:
        what = "there is no such indicator" if error.code == NOT_FOUND else f"the board answers {error.code}"
        typer.echo(what, err=True)
    except OSError:
        typer.echo("the board does not answer", err=True)
    raise typer.Exit(1)


def _all(rows: list[dict[str, Any]], lang: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("indicator", "", "region", "target", "met", "reporting")
    for row in rows:
        covered = "-" if row.get("coverage") is None else f"{row['coverage']:.0%}".replace("%", " %")
        figures = (_value(row), _plain(row.get("target")), _met(row), covered)
        table.add_row(row["id"], _title(row, lang), *figures)
    Console(highlight=False).print(table)


def _one(row: dict[str, Any], lang: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(f"{row['id']}  {_title(row, lang)}", markup=False)
    console.print(f"as of {row['as_of']}; target {_plain(row['target'])}; met: {_met(row)}", markup=False)
    table = Table("country", "labels", row["unit"], "numerator", "denominator")
    for cell in row["values"]:
        labels = ", ".join(f"{key} {value}" for key, value in cell["labels"].items())
        parts = (_plain(cell.get("numerator")), _plain(cell.get("denominator")))
        table.add_row(cell["country"], labels, _value(cell), *parts)
    console.print(table)


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
