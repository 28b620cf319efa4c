"""`crm report verify` and `crm report changes`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from infra.cli.up import State

if TYPE_CHECKING:
    from infra.recovery.refolding import Refolded

report = typer.Typer(
    name="report",
    help="Proves a published report, and compares its revisions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Quarter = Annotated[str, typer.Argument(help="Such as 2004-Q2.")]


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
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False)) if as_json else _compared(found)


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
