"""`crm restore`."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.up import State


def restore(  # noqa: PLR0913 - each is a flag
    service: Annotated[str, typer.Argument(help="The service whose log and stream are to be copies again.")],
    *,
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    database_url: Annotated[
        str, typer.Option(envvar="CRM_DATABASE_URL", help="As the service. By default the running copy's.")
    ] = "",
    creds: Annotated[Path | None, typer.Option(help="Folder of keys. By default the running copy's.")] = None,
    archive: Annotated[
        Path | None, typer.Option(envvar="CRM_ARCHIVE", help="Where closed months are, if streams were purged of them.")
    ] = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoints that a country kept: files, or folders of *.checkpoint. May be repeated."),
    ] = None,
) -> None:
    """Make a lost or damaged stream anew from its log, or bring a log from an older backup to its stream's end.

    Which of the two is found out. Safe to run again, also after it was cut short; the service may run. Exit code 1:
    it cannot be done, the judgements now give something else than was recorded, or the log ends before what was signed.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from infra.nats.asking import ProvisionError  # noqa: PLC0415
    from infra.recovery.recount import Witnessed  # noqa: PLC0415
    from infra.recovery.restore import UnrestorableError  # noqa: PLC0415
    from infra.recovery.restore import restore as restored  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415
    from shared.flow.lost import LOST  # noqa: PLC0415
    from shared.record.archive import ArchiveError  # noqa: PLC0415
    from shared.record.note import NoteError  # noqa: PLC0415

    if service not in SERVICES:
        raise typer.BadParameter(f"no such service: {service}")
    if not (nats_url and database_url and creds):
        addresses = running(state)
        creds = creds or state / "creds"
        nats_url = nats_url or addresses["nats"]
        database_url = database_url or _as_service(service, addresses["postgres"], creds)
    try:
        witnessed = Witnessed.of(creds, checkpoints or ())
        differences = asyncio.run(restored(service, database_url, nats_url, creds, typer.echo, archive, witnessed))
    except (UnrestorableError, ArchiveError, ProvisionError, NoteError, *LOST) as error:
        typer.echo(f"not restored: {error}", err=True)
        raise typer.Exit(1) from error
    for line in differences:
        typer.echo(f"differs: {line}")
    if differences:
        raise typer.Exit(1)


def _as_service(service: str, operator_url: str, creds: Path) -> str:
    """Return the same database's address for the service's role."""
    from infra.postgres.provision import passwords  # noqa: PLC0415

    server = operator_url.rpartition("@")[2].replace("/operator.", f"/{service}.")  # certificate and key, with TLS
    return f"postgresql://{service}:{passwords(creds)[service]}@{server}"
