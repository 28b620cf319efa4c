"""`crm report`: a published report as a file, its proof, and what its revisions changed."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

import typer
from typer.core import TyperGroup

from infra.cli.showing import Out, Output, Watch, again, harmless, printable, show_rows
from infra.cli.up import State

if TYPE_CHECKING:
    from infra.recovery.refolding import Refolded

PDF = "a report as PDF needs WeasyPrint and Pango: pip install weasyprint, apt install libpango-1.0-0 libpangoft2-1.0-0"


class _Named(TyperGroup):
    """`crm report 2004-Q2 …` is `crm report show 2004-Q2 …`; `evaluation` is a name as well."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: Typer has its Click to itself
        named = args and re.fullmatch(r"\d{4}-Q[1-4]|evaluation", args[0])
        return super().parse_args(ctx, ["show", *args] if named else args)


report = typer.Typer(
    name="report",
    cls=_Named,
    help="Fetches a published report (`crm report 2004-Q2 --pdf`), proves it, compares its revisions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Quarter = Annotated[str, typer.Argument(help="Such as 2004-Q2; `evaluation` for that of the whole Plan.")]


@report.command(name="list")
def listed(*, state: State = Path(".crm"), watch: Watch = False, output: Out = Output.TABLE) -> None:
    """List the reports that are published."""
    from infra.cli.explain import get  # noqa: PLC0415
    from infra.cli.running import running  # noqa: PLC0415

    address = f"{running(state)['http']}/api/reports"

    def show() -> int:
        show_rows(get(address)["reports"], ("quarter", "revision", "published"), output)
        return 0

    again(show, watch=watch)


@report.command()
def show(  # noqa: PLR0913 - each is an argument or a flag
    quarter: Quarter,
    *,
    revision: Annotated[int, typer.Option(help="Which one; without it, the latest.")] = 0,
    lang: Annotated[str, typer.Option(help="es, en or fr.")] = "es",
    pdf: Annotated[bool, typer.Option("--pdf", help="As PDF, into a file.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="A line for each figure.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The bytes whose checksum was recorded.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write it here; without it, to the output (PDF: beside you).")
    ] = None,
    state: State = Path(".crm"),
) -> None:
    """Fetch a report as it was published: the page, or what the flags say."""
    from infra.cli.explain import fetched  # noqa: PLC0415
    from infra.cli.running import running  # noqa: PLC0415

    if pdf + csv + as_json > 1:
        raise typer.BadParameter("--pdf, --csv and --json exclude each other")
    http, form = running(state)["http"], ".csv" if csv else ".json" if as_json else ""
    asked = urlencode({"lang": lang} | ({"revision": revision} if revision else {}))
    content = fetched(f"{http}/reports/{quote(quarter, safe='')}{form}?{asked}")
    if pdf:
        content, out = _printed(content, http), out or Path(f"{quarter}-{lang}.pdf")
    if out is None:
        text = content.decode(errors="backslashreplace")
        typer.echo(printable(text, kept="\n") if sys.stdout.isatty() else content, nl=False)
    else:
        out.write_bytes(content)
        typer.echo(str(out), err=True)


def _printed(page: bytes, address: str) -> bytes:
    try:
        import weasyprint  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; late, as it is optional
    except (ImportError, OSError) as error:
        typer.echo(PDF, err=True)
        raise typer.Exit(2) from error
    return bytes(weasyprint.HTML(string=page.decode(), base_url=f"{address}/").write_pdf(pdf_variant="pdf/ua-1"))


@report.command()
def verify(
    quarter: Quarter,
    *,
    revision: Annotated[int, typer.Option(help="Which one; without it, the latest.")] = 0,
    archive: Annotated[
        Path | None, typer.Option(envvar="CRM_ARCHIVE", help="The archive's folder, with the logs' first months.")
    ] = None,
    database_url: Annotated[
        str, typer.Option(envvar="CRM_DATABASE_URL", help="As operator. By default the running copy's.")
    ] = "",
    state: State = Path(".crm"),
) -> None:
    """Fold the logs anew up to where a published report was made: it must give the same bytes.

    The hash of each log at its end is told: it is recomputed from the first row on, and held against the log's and
    against what the report names. Exit code 1 where anything differs.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.explain import fetched  # noqa: PLC0415
    from infra.cli.running import running  # noqa: PLC0415
    from infra.recovery.refolding import refolded  # noqa: PLC0415
    from shared.record.archive import ArchiveError  # noqa: PLC0415
    from shared.run.database import LOST  # noqa: PLC0415

    addresses = running(state)
    query = f"?revision={revision}" if revision else ""
    published = fetched(f"{addresses['http']}/reports/{quote(quarter, safe='')}.json{query}")
    try:
        found = asyncio.run(refolded(database_url or addresses["postgres"], published, archive))
    except LOST as error:
        typer.echo(f"the database does not answer ({type(error).__name__})", err=True)
        raise typer.Exit(1) from error
    except ArchiveError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    _show(found)
    if found.faults:
        raise typer.Exit(1)


@report.command()
def changes(
    quarter: Quarter,
    *,
    before: Annotated[int, typer.Option("--from", help="The earlier revision.")] = 1,
    after: Annotated[int, typer.Option("--to", help="The later one.")] = 2,
    state: State = Path(".crm"),
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what changed from one revision to another, by how much, and because of how many events of whom."""
    from infra.cli.explain import get  # noqa: PLC0415
    from infra.cli.running import running  # noqa: PLC0415

    place = f"/api/reports/{quote(quarter, safe='')}/changes"
    found = get(f"{running(state)['http']}{place}?from={before}&to={after}")
    typer.echo(harmless(json.dumps(found, indent=2, ensure_ascii=False))) if as_json else _compared(found)


def _show(found: "Refolded") -> None:
    typer.echo(f"{found.quarter} revision {found.revision}: SHA-256 {found.published}")
    for service, (position, head) in found.heads.items():
        typer.echo(f"  {service:<10} {position:>10} {head}")
    for fault in found.faults:
        typer.echo(fault, err=True)
    if not found.faults:
        typer.echo("folded anew, it has the same bytes")


def _compared(found: dict[str, Any]) -> None:
    typer.echo(f"{found['quarter']}: revision {found['before']} to {found['after']}")
    for row in found["indicators"]:
        met = (row["met_before"], row["met_after"])
        typer.echo(row["id"] + ("" if met[0] == met[1] else f"  met: {met[0]} -> {met[1]}"))
        for one in row["cells"]:
            labels = "".join(f" {value}" for value in one["labels"].values())
            by = "" if one["by"] is None else f"  ({one['by']:+g})"
            typer.echo(f"  {one['country']}{labels}: {one['before']} -> {one['after']}{by}")
    for one in found["milestones"]:
        typer.echo(f"{one['id']}: {one['before']} -> {one['after']}")
    for one in found["because"]:
        number = "not published" if one["events"] is None else one["events"]
        typer.echo(f"because of {one['country']} {one['type'][4:]}: {number}")
    if found["note"]:
        typer.echo(found["note"])
