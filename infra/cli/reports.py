"""Reports out of files: JSON, a list, a line each (NDJSON), or CSV; and those that contracts give as examples."""

import codecs
import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

Report = dict[str, Any]
DATA = "data."
"""How the columns of a CSV file begin that are fields of the data."""
SEPARATOR = "sep="
"""How the line begins with which spreadsheets say what stands between cells."""
NAMES_MAX = 5


def read(file: str) -> list[Report]:
    """Return the reports in a file: in UTF-8, or in UTF-16 if it begins with a byte order mark."""
    try:
        payload = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        marked = payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = payload.decode("utf-16" if marked else "utf-8-sig")
        content = [*_rows(text)] if file.lower().endswith(".csv") else _json(text)
        json.dumps(content, ensure_ascii=False).encode()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{file} is not JSON: line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is neither UTF-8 nor UTF-16 with its mark: byte {error.start}") from None
    except UnicodeEncodeError:
        raise typer.BadParameter(f"{file} holds half of a surrogate pair: some text in it was cut apart") from None
    except csv.Error:
        raise typer.BadParameter(f"{file} is no CSV that can be read") from None
    except _LossyError as error:
        raise typer.BadParameter(f"{file} {error}") from None
    except (ValueError, RecursionError):
        raise typer.BadParameter(f"{file} is no JSON that can be read: nested too deep, or a number too long") from None
    reports = content if isinstance(content, list) else [content]
    if not all(isinstance(one, dict) for one in reports):
        raise typer.BadParameter(f"{file} holds something that is no report: each is one JSON object")
    return reports


class _LossyError(ValueError):
    """Something in the file would be lost, or may mean two things; its text says what, behind the file's name."""


def _json(text: str) -> Any:
    """Return JSON, or a list of what stands on each line; of what is neither, what is wrong with it as a whole."""
    try:
        return _loaded(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]  # what else ends lines may stand in a text
        if len(lines) < 2:  # noqa: PLR2004 - then it is one report with a fault
            raise
        try:
            return [_loaded(line) for line in lines]
        except json.JSONDecodeError:
            raise error from None


def _loaded(text: str) -> Any:
    from shared.contracts.refusal import DuplicateKeyError, NotANumberError, unambiguous  # noqa: PLC0415 - late

    try:
        return unambiguous(text.encode())
    except DuplicateKeyError:
        raise _LossyError("has the same field twice in one object: which one is meant?") from None
    except NotANumberError:
        raise _LossyError("has NaN or Infinity, which JSON does not know: leave out what has no value") from None


def _rows(text: str) -> Iterator[Report]:
    """Yield a report for each row of CSV: columns `type`, `id`, `time` …, and `data.<field>`; empty cells are none."""
    for row in _table(text):
        given = {name: value for name, value in row.items() if value}
        data = {name.removeprefix(DATA): value for name, value in given.items() if name.startswith(DATA)}
        report = {name: value for name, value in given.items() if not name.startswith(DATA)}
        kind = report.get("type", "")
        yield {**report, "data": _typed(kind, data)}


def _table(text: str) -> Iterator[dict[str, str]]:
    """Yield each row's cells by the names of their columns.

    Where a comma stands before decimals, spreadsheets write semicolons between cells; some say so in a first line.
    """
    if text[: len(SEPARATOR)].lower() == SEPARATOR:
        text = text[len(SEPARATOR) + 1 :].lstrip("\r\n")
    lines = io.StringIO(text, newline=None)  # whatever ends them
    mark = max(",;\t", key=lines.readline().count)
    lines.seek(0)
    reader = csv.reader(lines, strict=True, delimiter=mark, skipinitialspace=True)
    names = [name.strip() for name in next(reader, [])]
    if "type" not in names:
        raise _LossyError(
            "has no column `type`: its first line names the columns, with commas, semicolons or tabs between"
        )
    if len({name for name in names if name}) < len([name for name in names if name]):
        raise _LossyError("names a column twice")
    for number, cells in enumerate((row for row in reader if row), 1):
        if any(cell for at, cell in enumerate(cells) if not names[at : at + 1] or not names[at]):
            raise _LossyError(f"has a cell in row {number} for which there is no column")
        yield {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _typed(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return data with numbers where the contract has numbers; what does not fit is left for it to refuse."""
    import msgspec  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.contracts import registry  # noqa: PLC0415

    agreed = registry().get(kind)
    found = dict(data)
    for field in msgspec.structs.fields(agreed.data) if agreed else ():
        name = field.encode_name
        if isinstance(found.get(name), str):
            try:
                found[name] = msgspec.to_builtins(msgspec.convert(found[name], field.type, strict=False))
            except msgspec.ValidationError:
                continue
    return found


def contract(name: str) -> Any:
    """Return the contract of a type, by its whole name or without `crm.` and version; exit 2 with those alike."""
    import difflib  # noqa: PLC0415

    from shared.contracts import registry  # noqa: PLC0415

    known = registry()
    short = {kind.removeprefix("crm.").rpartition(".")[0]: one for kind, one in known.items()}
    if found := known.get(name) or short.get(name):
        return found
    alike = difflib.get_close_matches(name, [*short, *known], n=NAMES_MAX, cutoff=0.5)
    meant = f"; is one of these meant? {', '.join(alike)}" if alike else ": `crm contracts list`"
    raise typer.BadParameter(f"there is no such type{meant}")


def example(name: str, country: str) -> Report:
    """Return the contract's good example as a report of `country`, with an id and the present time of its own."""
    import uuid  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from shared import contracts  # noqa: PLC0415
    from shared.contracts.schema import example as good  # noqa: PLC0415

    agreed = contract(name)
    if not agreed.reported:
        raise typer.BadParameter(f"{agreed.type} is told by {agreed.service}: no country reports it")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    own = {"id": str(uuid.uuid4()), "source": contracts.source_of(country, "example"), "time": now}
    return {**good(agreed), **own}
