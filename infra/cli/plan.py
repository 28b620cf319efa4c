"""`crm plan`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.indicators.figures.examples import Example
    from services.indicators.planned.plan import Plan

plan = typer.Typer(name="plan", help="The Plan as data.", no_args_is_help=True)

WIDTH_PIPED = 160
"""Columns where nobody's terminal says how many: nothing of the ids and types is cut."""

Folder = Annotated[
    Path | None, typer.Option("--plan", help="A plan's folder; without it, CRM_PLAN_FOLDER, or else the 2003 Plan.")
]
File = Annotated[
    Path | None, typer.Option("--catalogue", help="The ids it must have; without it, the 2003 Plan's for that plan.")
]


@plan.callback()
def _plan() -> None:
    """Look after the Plan's rows."""


@plan.command()
def check(folder: Folder = None, catalogue: File = None) -> None:
    """Show every row and milestone with what feeds it, and play its worked examples; exit 1 if anything is wrong.

    Wrong is what is missing, unused, without an example, on no objective, or otherwise than an example says. The
    examples are played on a PostgreSQL of their own, that ends with the command.
    """
    from services.indicators.figures import examples  # noqa: PLC0415 - late: `crm --help` answers at once
    from services.indicators.publish import coverage  # noqa: PLC0415 - late: `crm --help` answers at once
    from services.indicators.settings import IndicatorsSettings  # noqa: PLC0415

    found, worked, faults = _read(folder or IndicatorsSettings().plan_folder)
    _table(found, coverage.feeds(found))
    if catalogue is None and found.id == coverage.CATALOGUED:
        catalogue = coverage.CATALOGUE
    faults += coverage.faults(found, coverage.catalogue(catalogue) if catalogue else None)
    faults += [*examples.missing(found, worked), *_played(found, worked)]
    for fault in faults:
        typer.echo(fault, err=True)
    levels = Counter(node.level for node in found.hierarchy.nodes.values())
    typer.echo(
        f"{len(found.areas)} areas, {levels['objective']} objectives, {levels['result']} results,"
        f" {levels['activity']} activities"
    )
    figures = sum(examples.asked(one) for example in worked for one in example.expect)
    rows = sum(not row.belongs for row in found.rows.values())
    further = len(found.rows) - rows
    typer.echo(
        f"{rows} rows with {further} further figures, {len(found.milestones)} milestones, {len(coverage.fed(found))}"
        f" event types that feed them; {len(worked)} examples with {figures} figures played; faults: {len(faults)}"
    )
    if faults:
        raise typer.Exit(1)


def _read(folder: Path) -> "tuple[Plan, list[Example], list[str]]":
    """Return a plan with its examples and the faults of its links; others end the command."""
    from services.indicators.figures import examples  # noqa: PLC0415
    from services.indicators.planned.plan import PlanError, load  # noqa: PLC0415

    worked: list[Example] = []
    try:
        worked = examples.load(folder)
        return load(folder), worked, []
    except PlanError as error:
        if error.plan is None:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        return error.plan, worked, str(error).splitlines()


def _played(found: "Plan", worked: "list[Example]") -> list[str]:
    """Play the examples and print for each row and milestone whether its figures are equal; return the differences."""
    from infra.examples.playing import played, servers  # noqa: PLC0415

    async def everything() -> dict[int, list[str]]:
        async with servers() as addresses:
            return await played(found, worked, addresses)

    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    differing = asyncio.run(everything())
    for identity in [*found.rows, *found.milestones]:
        places = [place for place, example in enumerate(worked) if example.about(identity)]
        wrong = any(one.startswith(f"{identity} ") for place in places for one in differing[place])
        if places:
            typer.echo(f"{identity}: example played, figures {'DIFFERENT' if wrong else 'equal'}")
    return [one for those in differing.values() for one in those]


def _table(found: "Plan", feeds: dict[str, list[str]]) -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD)
    for name, whole in (("id", True), ("", False), ("kind", True), ("labels", False), ("target", True)):
        table.add_column(name, no_wrap=whole)
    table.add_column("fed by", no_wrap=True)
    for row in found.rows.values():
        target = "" if row.target is None else f"{row.direction.replace('_', ' ')} {row.target:g}"
        name = f"  {row.id}" if row.belongs else row.id
        table.add_row(name, row.title.en, row.kind, ", ".join(row.labels), target, "\n".join(feeds[row.id]))
    for milestone in found.milestones.values():
        table.add_row(milestone.id, milestone.title.en, "milestone", "", "", "\n".join(feeds[milestone.id]))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_PIPED
    console.print(table)
