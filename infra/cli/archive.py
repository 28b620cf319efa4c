"""`crm archive`."""

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.up import State

if TYPE_CHECKING:
    import asyncpg

archive = typer.Typer(name="archive", help="Keeps closed months of the logs as files.", no_args_is_help=True)

MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"
Folder = Annotated[Path | None, typer.Option(envvar="CRM_ARCHIVE", help="By default `archive` in the state's folder.")]
Owner = Annotated[
    str, typer.Option(envvar="CRM_DATABASE_URL", help="PostgreSQL, as the owner. By default the running copy's.")
]
Services = Annotated[list[str] | None, typer.Argument(help="Some services; without them, all.")]


@archive.callback()
def verbs() -> None:
    """Keep closed months of the logs as files."""


@archive.command()
def write(
    services: Services = None,
    *,
    until: Annotated[str, typer.Option(help="The last month, such as 2003-05; by default the last closed one.")] = "",
    folder: Folder = None,
    state: State = Path(".crm"),
    database_url: Owner = "",
) -> None:
    """Write each closed month of the logs that is not archived yet to a file, and read it back; the system may run.

    A month is closed when something of a later month is recorded. Nothing is ever written over, and nothing is taken
    from the log or its stream. Exit code 1 when a file or the log is not as it should be.
    """
    import re  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.recovery.archiving import write as written  # noqa: PLC0415

    if until and not re.fullmatch(MONTH, until):
        raise typer.BadParameter("a month is written like 2003-05")
    place = _place(folder, state)

    async def each(service: str, connection: "asyncpg.Connection[Any]") -> None:
        if not await written(connection, place, service, until, typer.echo):
            typer.echo(f"{service}: no further month is closed")

    _each(services, _owner(database_url, state), each)


@archive.command()
def purge(  # noqa: PLR0913 - each is a flag
    services: Services = None,
    *,
    folder: Folder = None,
    state: State = Path(".crm"),
    database_url: Owner = "",
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    creds: Annotated[Path | None, typer.Option(help="Folder of keys. By default the running copy's.")] = None,
) -> None:
    """Take from the streams what is archived, so that each begins behind it; the logs keep their rows.

    Every file is proved first. Nothing is taken that a service, a mailbox or the figures have still to read. A stream
    is made anew and filled from its log. From then on `crm restore` and indicators need the archive (`CRM_ARCHIVE`).
    """
    from infra.cli.running import running  # noqa: PLC0415 - late: `crm --help` answers at once

    place, keys = _place(folder, state), creds or state / "creds"
    server = nats_url or running(state)["nats"]
    address = _owner(database_url, state)

    async def each(service: str, _connection: "asyncpg.Connection[Any]") -> None:
        typer.echo(f"{service}: {await _purged(service, place, address, server, keys)} messages taken from the stream")

    _each(services, address, each)


async def _purged(service: str, folder: Path, address: str, nats_url: str, creds: Path) -> int:
    import asyncpg  # noqa: PLC0415

    from infra.nats.config import seed_file  # noqa: PLC0415
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.rights import PROVISIONER  # noqa: PLC0415
    from infra.recovery.purging import purge as purged  # noqa: PLC0415
    from shared.run import database  # noqa: PLC0415

    async with (
        connected(nats_url, seed_file(creds, PROVISIONER), PROVISIONER) as nc,
        connected(nats_url, seed_file(creds, service), service) as own,
        asyncpg.create_pool(
            address, connect=database.connected, min_size=1, max_size=2, server_settings={"search_path": service}
        ) as pool,
    ):
        return await purged(service, folder, pool, nc, own, typer.echo)


@archive.command()
def verify(services: Services = None, *, folder: Folder = None, state: State = Path(".crm")) -> None:
    """Read every file of the archive and hold each row against the hash chain; needs no server.

    Exit code 1 when a file is missing, or is not what was written.
    """
    from shared.record.archive import ArchiveError, manifests, proved  # noqa: PLC0415

    place = _place(folder, state)
    try:
        for service in _named(services):
            found = manifests(place, service)
            for one in found:
                proved(place, one)
            last = f"up to position {found[-1].last}, {found[-1].month}, head {found[-1].head}" if found else "nothing"
            typer.echo(f"{service}: {len(found)} files, {last}")
    except ArchiveError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _named(services: list[str] | None) -> list[str]:
    from shared.contracts import SERVICES  # noqa: PLC0415

    if unknown := sorted({*(services or [])} - {*SERVICES}):
        raise typer.BadParameter(f"no such service: {', '.join(unknown)}")
    return services or list(SERVICES)


def _place(folder: Path | None, state: Path) -> Path:
    return folder or state / "archive"


def _owner(database_url: str, state: Path) -> str:
    """Return the owner's address of the database; of the running copy, unless one is named."""
    from infra.cli.running import running  # noqa: PLC0415
    from infra.local.postgres import OWNER  # noqa: PLC0415

    if database_url:
        return database_url
    address = running(state)["postgres"].rpartition("@")[2]
    return f"postgresql://{OWNER}:{(state / 'postgres' / 'owner.pw').read_text().strip()}@{address}"


def _each(services: list[str] | None, address: str, work: Any) -> None:
    """Do something for each service with a connection on its schema; exit 1 when that cannot be done."""
    import asyncio  # noqa: PLC0415

    from infra.nats.asking import ProvisionError  # noqa: PLC0415
    from shared.flow.lost import LOST  # noqa: PLC0415
    from shared.record.archive import ArchiveError  # noqa: PLC0415

    named = _named(services)
    try:
        for service in named:
            asyncio.run(_with(address, service, work))
    except (ArchiveError, ProvisionError, *LOST) as error:
        typer.echo(f"not done: {error or type(error).__name__}", err=True)
        raise typer.Exit(1) from error


async def _with(address: str, service: str, work: Any) -> None:
    from shared.run import database  # noqa: PLC0415

    connection = await database.connected(address, server_settings={"search_path": service, "timezone": "UTC"})
    try:
        task: Coroutine[Any, Any, None] = work(service, connection)
        await task
    finally:
        await connection.close()
