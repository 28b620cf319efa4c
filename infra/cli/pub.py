"""`crm pub`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.up import State


def pub(
    file: Annotated[str, typer.Argument(help="A report in JSON, or a list of them; - reads standard input.")],
    *,
    country: Annotated[str, typer.Option("--as", help="The country that reports, such as GTM.")],
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    seed: Annotated[Path | None, typer.Option(help="The country's key; by default the running copy's.")] = None,
) -> None:
    """Publish reports as a country, through its own account."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from shared.contracts.vocabulary import MEMBERS  # noqa: PLC0415

    member = next((member for member in MEMBERS if member == country), None)
    if member is None:
        raise typer.BadParameter(f"--as is one of {', '.join(MEMBERS)}")
    if not (nats_url and seed):
        addresses = running(state)
        nats_url, seed = nats_url or addresses["nats"], seed or Path(addresses["creds"][member])
    asyncio.run(_send(_read(file), nats_url, seed, member))


def _read(file: str) -> list[dict[str, Any]]:
    import json  # noqa: PLC0415

    try:
        content = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{file} is not JSON: line {error.lineno}, column {error.colno}") from None
    return content if isinstance(content, list) else [content]


async def _send(reports: list[dict[str, Any]], url: str, seed: Path, country: Any) -> None:
    from shared.client import ClientError, connect  # noqa: PLC0415

    try:
        async with connect(url, seed, country) as client:
            for report in reports:
                sequence = await client.publish(report)
                typer.echo(f"stored {report.get('id')} (intake {sequence})")
    except ClientError as error:
        typer.echo(f"{type(error).__name__.lower()}: {error}", err=True)
        raise typer.Exit(1) from error
