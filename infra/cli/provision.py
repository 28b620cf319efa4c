"""`crm provision`."""

from pathlib import Path
from typing import Annotated

import typer

RECORD = "provisioned.jsonl"
"""In the folder of keys: what the provisioner's key was used for, signed by it."""


def provision(  # noqa: PLR0913 - each is a flag
    *,
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="The NATS server.")] = "",
    seed: Annotated[
        Path | None, typer.Option(envvar="CRM_NATS_SEED", help="The provisioner's nkey seed; by default in --creds.")
    ] = None,
    database_url: Annotated[str, typer.Option(envvar="CRM_DATABASE_URL", help="PostgreSQL, as the owner.")] = "",
    creds: Annotated[Path, typer.Option(help="Where keys and passwords lie; missing ones are made.")] = Path("creds"),
    deploy: Annotated[
        bool, typer.Option(help="With the deployer's key: durables only, no stream is made or altered.")
    ] = False,
    write_config: Annotated[
        Path | None, typer.Option(help="Write nats.json (accounts, users, rights) and creds/ here.")
    ] = None,
) -> None:
    """Bring NATS and PostgreSQL to what the contracts ask for; safe to run again.

    With --write-config, the NATS configuration and all keys are written first: a server takes them before it starts,
    or at a reload.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    folder = write_config / "creds" if write_config else creds
    if write_config:
        _write(write_config, folder)
    if not (write_config or nats_url or database_url):
        raise typer.BadParameter("name --nats-url, --database-url, or --write-config")
    asyncio.run(_apply(nats_url, seed, database_url, folder, deploy=deploy))


def _write(target: Path, creds: Path) -> None:
    import json  # noqa: PLC0415

    from infra.nats.config import keys, server  # noqa: PLC0415
    from infra.postgres.provision import passwords  # noqa: PLC0415

    passwords(creds)
    target.mkdir(parents=True, exist_ok=True)
    (target / "nats.json").write_text(json.dumps(server(keys(creds)), indent=1) + "\n")
    typer.echo(f"wrote {target / 'nats.json'} and the keys in {creds}")


async def _apply(nats_url: str, seed: Path | None, database_url: str, creds: Path, *, deploy: bool) -> None:
    from infra.nats import record  # noqa: PLC0415
    from infra.nats.config import seed_file  # noqa: PLC0415
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.provision import ProvisionError  # noqa: PLC0415
    from infra.nats.provision import deploy as deploy_nats  # noqa: PLC0415
    from infra.nats.provision import provision as provision_nats  # noqa: PLC0415
    from infra.nats.rights import DEPLOYER, PROVISIONER  # noqa: PLC0415
    from infra.postgres.provision import MigrationError, passwords  # noqa: PLC0415
    from infra.postgres.provision import provision as provision_postgres  # noqa: PLC0415
    from shared.flow.quotas import QuotasError  # noqa: PLC0415

    done: list[str] = []
    try:
        if nats_url:
            who = DEPLOYER if deploy else PROVISIONER
            seed = seed or seed_file(creds, who)
            async with connected(nats_url, seed, who) as nc:
                done += await (deploy_nats if deploy else provision_nats)(nc)
            if done and not deploy:
                record.add(creds / RECORD, seed, done)
        if database_url:
            done += await provision_postgres(database_url, passwords(creds))
    except (ProvisionError, MigrationError, QuotasError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for line in done or ["nothing to do"]:
        typer.echo(line)
