"""`crm backup`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

backup = typer.Typer(
    name="backup", help="Seals backups as they are made, for who may open them (age).", no_args_is_help=True
)
To = Annotated[list[str], typer.Option(help="A public key (age1...), the operator's on call say; may be given again.")]


@backup.command()
def seal(to: To) -> None:
    """Seal standard input to standard output; nobody reads it without one of the secret keys.

    Where CRM_UPKEEP names a folder, it is noted there that a backup was made. Exit code 1 where nothing came.
    """
    import pyrage  # noqa: PLC0415 - late: `crm --help` answers at once

    try:
        recipients = [pyrage.x25519.Recipient.from_str(one) for one in to]
    except pyrage.RecipientError:
        typer.echo("a public key begins with age1: `age-keygen -y operator.age` shows it", err=True)
        raise typer.Exit(2) from None
    if not sys.stdin.buffer.peek(1):  # type: ignore[union-attr] # of a pipe or file it is buffered
        typer.echo("nothing came to be sealed: did pg_dump fail?", err=True)
        raise typer.Exit(1)
    pyrage.encrypt_io(sys.stdin.buffer, sys.stdout.buffer, recipients)
    if folder := os.environ.get("CRM_UPKEEP"):
        from shared.run import upkeep  # noqa: PLC0415

        upkeep.note(Path(folder), "backup")


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
