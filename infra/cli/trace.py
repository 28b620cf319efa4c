"""`crm trace`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.showing import printable
from infra.cli.up import State

if TYPE_CHECKING:
    from rich.tree import Tree

    from infra.recovery.chain import Step


LINE_MAX = 500


def trace(
    event_id: Annotated[str, typer.Argument(help="The id of a recorded event.")],
    *,
    state: State = Path(".crm"),
    database_url: Annotated[
        str, typer.Option(envvar="CRM_DATABASE_URL", help="As operator. By default the running copy's.")
    ] = "",
    figures: Annotated[bool, typer.Option("--figures", help="Also which figures each moved, and by how much.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what an event came of and all that it set off, across services and countries, as a tree with times.

    Events of several sources may share an id: then there is a tree for each.
    Exit code 1 when no service has recorded it.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from shared.run.database import LOST  # noqa: PLC0415

    try:
        firsts = asyncio.run(_found(database_url or running(state)["postgres"], event_id))
    except LOST as error:
        typer.echo(f"the database does not answer ({type(error).__name__})", err=True)
        raise typer.Exit(1) from error
    if not firsts:
        typer.echo("no service has recorded an event with this id", err=True)
        raise typer.Exit(1)
    for first in firsts:
        if as_json:
            typer.echo(json.dumps(_told(first, figures=figures), indent=2))
        else:
            _show(first, event_id, figures=figures)


async def _found(database_url: str, event_id: str) -> "list[Step]":
    from infra.recovery.chain import chains  # noqa: PLC0415
    from shared.run import database  # noqa: PLC0415

    connection = await database.connected(database_url)
    try:
        return await chains(connection, event_id)
    finally:
        await connection.close()


def _told(step: "Step", *, figures: bool) -> dict[str, Any]:
    event = step.event
    return {
        "id": event.id,
        "type": event.type,
        "service": step.service,
        "sequence": event.sequence,
        "source": event.source,
        "country": event.country,
        "subject": event.subject,
        "time": event.time.isoformat(),
        "recordedtime": event.recordedtime.isoformat(),
        **({"unreadable": step.unreadable} if step.unreadable else {}),
        **({"moved": _moved(step)} if figures else {}),
        "consequences": [_told(one, figures=figures) for one in step.consequences],
    }


def _moved(step: "Step") -> list[dict[str, Any]]:
    """Return which figures an event moved, as the board's `/api/events` tells it."""
    import msgspec  # noqa: PLC0415

    from services.indicators.publish.explaining import moved_by  # noqa: PLC0415
    from services.indicators.settings import current  # noqa: PLC0415

    if step.unreadable:
        return []
    told = moved_by(current(), step.service, step.event.sequence, msgspec.json.encode(step.event))
    found: list[dict[str, Any]] = msgspec.to_builtins(told.moved)
    return found


def _show(first: "Step", asked: str, *, figures: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.tree import Tree  # noqa: PLC0415

    tree = Tree(_line(first, asked))
    _branch(tree, first, asked, figures=figures)
    # As wide as it takes: a tree is cut at the width of the terminal, and the end of a line is the id.
    Console(highlight=False, markup=False, width=LINE_MAX).print(tree)


def _branch(tree: "Tree", step: "Step", asked: str, *, figures: bool) -> None:
    for moved in _moved(step) if figures else []:
        where = " ".join(moved["cell"])
        back = "taken back: " if moved["sign"] < 0 else ""
        tree.add(f"  {moved['id']} {moved['part']} {where}: {back}{moved['amount']}", style="dim")
    for one in step.consequences:
        _branch(tree.add(_line(one, asked)), one, asked, figures=figures)


def _line(step: "Step", asked: str) -> str:
    """Return when it happened, what, who recorded it at which position, to whom it went, and under which id."""
    event = step.event
    mark = f"  <-- asked for, from {event.source}" if event.id == asked else ""
    mark += f"  cannot be read ({step.unreadable})" if step.unreadable else ""
    where = f"{step.service} {event.sequence}"
    time = "-" if step.unreadable else f"{event.time:%Y-%m-%d %H:%M:%S}"
    line = f"{time}  {event.name}  ({where}, {event.country})  {event.subject}  {event.id}{mark}"
    return printable(line.encode(errors="replace").decode())
