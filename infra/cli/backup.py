"""`crm backup`."""

import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.running import noted
from infra.cli.up import State

if TYPE_CHECKING:
    from pyrage.x25519 import Recipient

backup = typer.Typer(
    name="backup", help="Seals backups as they are made, for who may open them (age).", no_args_is_help=True
)
To = Annotated[list[str], typer.Option(help="A public key (age1...), the operator's on call say; may be given again.")]
CALLED = "%Y%m%dT%H%M%SZ"
"""How the time stands in the name of a backup."""


@backup.command()
def seal(to: To, state: State = Path(".crm")) -> None:
    """Seal standard input to standard output; nobody reads it without one of the secret keys.

    That a backup was made is noted in the folder that CRM_UPKEEP names, or with the copy that runs here. Exit code 1
    where nothing came.
    """
    import pyrage  # noqa: PLC0415 - late: `crm --help` answers at once

    recipients = _recipients(to)
    if not sys.stdin.buffer.peek(1):  # type: ignore[union-attr] # of a pipe or file it is buffered
        typer.echo("nothing came to be sealed: did pg_dump fail?", err=True)
        raise typer.Exit(1)
    pyrage.encrypt_io(sys.stdin.buffer, sys.stdout.buffer, recipients)
    noted(state, "backup")


@backup.command()
def take(
    command: Annotated[list[str], typer.Argument(help="What writes the backup to its standard output: -- pg_dump ...")],
    to: To,
    into: Annotated[Path, typer.Option(help="The folder for it; it is called after the present time (UTC).")],
    days: Annotated[int, typer.Option(min=0, help="Afterwards older ones there are deleted; 0: none is.")] = 0,
    state: State = Path(".crm"),
) -> None:
    """Run a program, and seal what it writes into a file; exit 1 where it failed: then there is no file.

    Unlike with a pipe, half a backup never counts as one: the file is there, and noted in the folder that CRM_UPKEEP
    names, or with the copy that runs here, only when the program has ended well.
    """
    import pyrage  # noqa: PLC0415

    recipients = _recipients(to)
    into.mkdir(parents=True, exist_ok=True)
    began = datetime.now(UTC)
    file = into / f"crm-{began:{CALLED}}.age"
    fresh = file.with_suffix(".new")
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process, fresh.open("xb") as sealed:  # noqa: S603 - the operator's own
            assert process.stdout
            pyrage.encrypt_io(process.stdout, sealed, recipients)
            sealed.flush()
            os.fsync(sealed.fileno())
        if process.returncode:
            typer.echo(f"no backup: {command[0]} ended with {process.returncode}", err=True)
            raise typer.Exit(1)
        fresh.replace(file)
    except OSError as error:
        typer.echo(f"no backup: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    finally:
        fresh.unlink(missing_ok=True)
    noted(state, "backup")
    typer.echo(str(file))
    if days:
        _forget(into, began - timedelta(days=days))


def _forget(folder: Path, before: datetime) -> None:
    """Delete the backups that were begun before that, by their names; what is called otherwise stays."""
    for file in folder.glob("crm-*.age"):
        with contextlib.suppress(ValueError):
            if datetime.strptime(file.stem, f"crm-{CALLED}").replace(tzinfo=UTC) < before:
                file.unlink(missing_ok=True)
                typer.echo(f"{file} is deleted")


def _recipients(to: list[str]) -> "list[Recipient]":
    import pyrage  # noqa: PLC0415

    try:
        return [pyrage.x25519.Recipient.from_str(one) for one in to]
    except pyrage.RecipientError:
        typer.echo("a public key begins with age1: `age-keygen -y operator.age` shows it", err=True)
        raise typer.Exit(2) from None


@backup.command(name="open")
def opened(key: Annotated[Path, typer.Option(exists=True, help="A secret key, as `age-keygen` writes it.")]) -> None:
    """Open standard input to standard output; exit 1 where the key does not open it, or a byte of it was changed."""
    import pyrage  # noqa: PLC0415

    lines = [line for line in key.read_text().splitlines() if line and not line.startswith("#")]
    try:
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines]
        pyrage.decrypt_io(sys.stdin.buffer, sys.stdout.buffer, identities)
    except (pyrage.IdentityError, pyrage.DecryptError, OSError):
        typer.echo("not opened: another key, or the file was changed or cut; use nothing of what came out", err=True)
        raise typer.Exit(1) from None
