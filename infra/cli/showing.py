"""How verbs show what they read: a table, all of it in one line each, JSON, or CSV; once, or again and again."""

import csv
import json
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

FINDINGS = 1
"""Exit code of a verb that found something wrong; 0: all is well, 2: it was called wrongly."""
AGAIN_S = 2.0
WIDE = 10_000
OTHER = re.compile(r"[^ -~\n]")
FORMULA = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet takes for a formula."""


class Output(StrEnum):
    """The forms."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    CSV = "csv"


Out = Annotated[
    Output,
    typer.Option(
        "--output",
        "-o",
        help="table (as wide as the terminal, folded), wide (never folded), json, csv.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="The same as -o json.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it anew every two seconds, until Ctrl-C.")]


def form(output: Output, *, as_json: bool) -> Output:
    """Return the form that is meant where `--json` stands for one, too."""
    return Output.JSON if as_json else output


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Output) -> None:
    """Show rows by the columns; JSON has all that they tell. No id and no number is ever cut."""
    if output is Output.JSON:
        typer.echo(harmless(json.dumps([dict(row) for row in rows], indent=2, ensure_ascii=False, default=str)))
    elif output is Output.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    else:
        table([[_text(row.get(column)) for column in columns] for row in rows], columns, output)


def printable(text: str, kept: str = "") -> str:
    """Return text as a terminal may show it: whatever a sender wrote, it moves no cursor and types nothing."""
    return "".join(one if one in kept or unicodedata.category(one)[0] != "C" else ascii(one)[1:-1] for one in text)


def harmless(text: str) -> str:
    """Return JSON that says the same, in which nothing moves a cursor."""
    return OTHER.sub(lambda found: found[0] if unicodedata.category(found[0])[0] != "C" else _escaped(found[0]), text)


def cell(value: Any) -> str:
    """Return a cell of CSV: no terminal is moved by it, and no spreadsheet reckons with what is no number."""
    text = printable(_plain(value), kept="\n")
    return f"'{text}" if text.startswith(FORMULA) and not _number(text) else text


def table(rows: Sequence[Sequence[str]], columns: Sequence[str], output: Output = Output.TABLE) -> None:
    """Print a table. On a terminal what does not fit is folded; in a pipe, or `wide`, a row is a line."""
    from rich.console import Console  # noqa: PLC0415 - late: `crm --help` answers at once
    from rich.table import Table  # noqa: PLC0415

    wide = output is Output.WIDE or not sys.stdout.isatty()
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        number = bool(rows) and all(_number(row[place]) for row in rows)
        shown.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(printable(cell, kept="\n") for cell in row))
    Console(highlight=False, markup=False, width=WIDE if wide else None).print(shown)


def again(show: Callable[[], int], *, watch: bool) -> None:
    """Show it, and with `watch` again and again; end with the exit code that it returns."""
    if not watch:
        raise typer.Exit(show())
    try:
        while True:
            if sys.stdout.isatty():
                typer.echo("\033[2J\033[H", nl=False)
            show()
            time.sleep(AGAIN_S)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def verdict(findings: int, well: str = "all is well") -> int:
    """Say how it stands, in one line to standard error, and return the exit code."""
    said = well if not findings else f"{findings} finding{'s' if findings > 1 else ''}: see above"
    typer.echo(said, err=True)
    return FINDINGS if findings else 0


def _escaped(one: str) -> str:
    return json.dumps(one)[1:-1]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else _plain(value)


def _plain(value: Any) -> str:
    return "" if value is None else json.dumps(value) if isinstance(value, dict | list | bool) else str(value)


def _number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").strip("-+% ").isdecimal() or text == "-"
