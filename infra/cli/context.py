"""`crm context`: which deployment the other verbs speak to."""

import json
from pathlib import Path
from typing import Annotated

import typer

from infra.cli import running
from infra.cli.showing import Out, Output, show_rows

context = typer.Typer(name="context", help="Names deployments, and which of them is meant.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What it is called, such as production.")]
NAME_MAX = 64


@context.callback()
def verbs() -> None:
    """Name deployments, and which of them is meant."""


@context.command()
def add(  # noqa: PLR0913 - each is an address
    name: Name,
    *,
    creds: Annotated[Path, typer.Option(help="Folder with operator.nk, operator.token, ca.crt, operator.crt …")],
    nats: Annotated[str, typer.Option(help="NATS, such as tls://nats.example.org:4222.")] = "",
    board: Annotated[str, typer.Option(help="The board, such as https://board.example.org:8080.")] = "",
    monitor: Annotated[str, typer.Option(help="NATS's monitoring address.")] = "",
    database: Annotated[
        str, typer.Option(help="PostgreSQL, as operator; a password goes into a file: …?passfile=/path/pgpass")
    ] = "",
    ops: Annotated[list[str] | None, typer.Option(help="A process, such as intel=https://10.0.0.5:8081.")] = None,
    upkeep: Annotated[str, typer.Option(help="The folder in which verifying and backups are noted.")] = "",
) -> None:
    """Add a deployment, or name its addresses anew; without another in use, it is in use from now on."""
    if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > NAME_MAX:
        raise typer.BadParameter("a name has letters, digits and hyphens, at most 64")
    processes = dict(one.partition("=")[::2] for one in ops or [])
    if not all(address.startswith(("http://", "https://")) for address in processes.values()):
        raise typer.BadParameter("--ops is a service and its address, such as intel=https://10.0.0.5:8081")
    told = {"nats": nats, "monitor": monitor, "http": board.rstrip("/"), "postgres": database, "ops": processes}
    folder = running.contexts()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{name}.json"
    file.touch(0o600)
    file.write_text(json.dumps(told | {"creds": str(creds.absolute()), "upkeep": upkeep}, indent=2) + "\n")
    if not running.used():
        (folder / running.USED).write_text(f"{name}\n")
    typer.echo(f"{name} is in {file}" + ("; it is in use" if running.used() == name else f": `crm context use {name}`"))


@context.command()
def use(name: Name) -> None:
    """Have all verbs speak to a deployment from now on, where no copy runs in the folder at hand."""
    running.of(name)
    (running.contexts() / running.USED).write_text(f"{name}\n")
    typer.echo(f"{name} is in use")


@context.command()
def remove(name: Name) -> None:
    """Forget a deployment; its keys stay where they are."""
    if name not in running.known():
        running.of(name)
    (running.contexts() / f"{name}.json").unlink()
    if running.used() == name:
        (running.contexts() / running.USED).unlink()
    typer.echo(f"{name} is forgotten")


@context.command(name="list")
def listed(*, output: Out = Output.TABLE) -> None:
    """List the deployments that are known, and which is in use."""
    rows = [{"name": name, "used": name == running.used(), **_shown(name)} for name in running.known()]
    show_rows(rows, ("name", "used", "board", "nats"), output)


def _shown(name: str) -> dict[str, str]:
    told = running.told_in(name)
    if told is None:
        return {"board": "cannot be read", "nats": ""}
    return {"board": told.get("http", ""), "nats": told.get("nats", "")}
