"""What stands in a mailbox, for people: of each event one line that says where it stands, when, what, and from whom."""

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.cli import showing
from infra.cli.showing import Output, printable

if TYPE_CHECKING:
    from services.indicators.publish.words import Words
    from shared.contracts.envelope import Problem

WIDTHS = (14, 19, 44, 16, 12, 36)
"""The least widths of all columns but the last; what is longer is never cut."""
COUNTRY, SERVICE = "urn:crm:country:", "urn:crm:service:"


class Letter(NamedTuple):
    """The columns."""

    position: str
    """The service whose log it stands in, and where there."""
    recorded: str
    """When the region knew."""
    what: str
    """In words."""
    subject: str
    sender: str
    """A country and its system, or a service."""
    id: str
    type: str


def letter(event: Any, words: "Words", sealed: str = "") -> Letter:
    """Return what is told of an event, and of what was sealed in it."""
    name = str(event.name)
    service = name.partition(".")[0]
    what = ": ".join(filter(None, (_what(event, name, words), sealed)))
    sender = event.source.removeprefix(COUNTRY).removeprefix(SERVICE)
    when = f"{event.recordedtime:%Y-%m-%d %H:%M:%S}"
    return Letter(f"{service} {event.sequence}", when, what, event.subject, sender, event.id, name)


def _what(event: Any, name: str, words: "Words") -> str:
    if name.endswith(".report.rejected"):
        problems = "; ".join(why(one, words) for one in event.data.problems)
        return f"{_event(name, words)}: {problems}"
    if not name.endswith(".alert.issued"):
        return _event(name, words)
    said = words.called("notice", event.data.kind) or event.data.kind.replace("_", " ")
    due = f"{event.data.due:%Y-%m-%d}" if event.data.due else ""
    return ", ".join(filter(None, (said, words.country(event.data.country) if event.data.country else "", due)))


def unsealed(event: Any, opened: Any, words: "Words") -> str:
    """Return in words what was sealed in an event, by the event as it was opened; None: no key here opens it."""
    import msgspec  # noqa: PLC0415 - late: `crm --help` answers at once

    if opened is None:
        return words.text["sealed_here"]
    clear = {field.name for field in msgspec.structs.fields(event.data)}
    fields = [field for field in msgspec.structs.fields(opened.data) if field.name not in clear]
    given = {field.encode_name: msgspec.to_builtins(getattr(opened.data, field.name)) for field in fields}
    return "; ".join(_said(given, words))


def _said(given: Mapping[str, Any], words: "Words") -> Iterator[str]:
    for name, value in given.items():
        if isinstance(value, dict):
            yield from _said(value, words)
        elif isinstance(value, bool):
            yield f"{words.field(name)} {words.text['yes' if value else 'no']}"
        elif value is not None:
            values = value if isinstance(value, list) else [value]
            yield f"{words.field(name)} {', '.join(words.value(name, str(one)) for one in values)}"


def why(one: "Problem", words: "Words | None") -> str:
    """Return one thing that is wrong with a report: where, its code, and what that means; without words, no more."""
    meaning = words.refusals.get(one.code, "") if words else ""
    return f"{one.pointer or '/'} {one.code}" + (f" ({meaning})" if meaning else "")


def _event(name: str, words: "Words") -> str:
    return words.event(name) or words.events.get(name.rpartition(".")[2]) or name


def line(told: Letter, output: Output) -> str:
    """Return a letter's line: of a table without the type, which the words say; half characters are replaced."""
    if output is Output.CSV:
        return _csv(told)
    cells: Sequence[str] = told if output is Output.WIDE else told[:-1]
    *others, last = (cell or "-" for cell in cells)
    whole = "  ".join([*(f"{cell:{width}}" for cell, width in zip(others, WIDTHS, strict=False)), last])
    return printable(whole.encode(errors="replace").decode())


def head() -> str:
    """Return the first line of CSV."""
    return _csv(Letter._fields)


def _csv(cells: Sequence[str]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([showing.cell(one) for one in cells])
    return row.getvalue()


def meant(output: Output | None) -> Output:
    """Return the form that is meant where none is named: in a pipe all columns, on a terminal those for the eye."""
    return output or (Output.TABLE if sys.stdout.isatty() else Output.WIDE)
