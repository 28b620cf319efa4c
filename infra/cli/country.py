"""Whom a verb speaks for: a country, and how its connection is made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.client import CountryClient

As = Annotated[str, typer.Option("--as", help="The country that speaks, such as GTM.")]
Url = Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")]
Seed = Annotated[Path | None, typer.Option(help="The country's key; by default the running copy's.")]


def folder_of(country: str, state: Path, seed: Path | None) -> Path:
    """Return where the country's keys lie: its own for NATS, and beside that what it seals and opens with."""
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    return (seed or Path(running(state)["creds"][country])).parent


@asynccontextmanager
async def speaking(country: str, state: Path, url: str, seed: Path | None) -> "AsyncIterator[CountryClient]":
    """Connect as the country; what goes wrong is told in one line, with exit code 1."""
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once
    from shared.client import ClientError, connect  # noqa: PLC0415
    from shared.flow.streams import RECEIVERS  # noqa: PLC0415

    member = next((member for member in RECEIVERS if member == country), None)
    if member is None:
        raise typer.BadParameter(f"--as is one of {', '.join(RECEIVERS)}")
    if not (url and seed):
        addresses = running(state)
        url, seed = url or addresses["nats"], seed or Path(addresses["creds"][member])
    try:
        async with connect(url, seed, member) as client:
            yield client
    except FileNotFoundError as error:
        if str(error.filename) != str(seed):
            raise
        typer.echo(f"there is no key of {member} ({seed}): name it with --seed", err=True)
        raise typer.Exit(1) from None
    except ClientError as error:
        typer.echo(f"{type(error).__name__.lower()}: {error}", err=True)
        raise typer.Exit(1) from error
