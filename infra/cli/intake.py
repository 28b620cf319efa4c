"""`crm intake`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

import typer

from infra.cli.up import State

intake = typer.Typer(name="intake", help="Looks after the intakes of the countries.", no_args_is_help=True)


@intake.callback()
def verbs() -> None:
    """Look after the intakes of the countries."""


@intake.command()
def purge(
    sender: Annotated[str, typer.Argument(help="Whose intake, such as GTM.")],
    *,
    why: Annotated[str, typer.Option(help="flood, rubbish, test_data, stolen_key or agreed.")],
    state: State = Path(".crm"),
) -> None:
    """Empty one country's intake, after it is recorded for the country to read, and why.

    What was recorded stands in the logs; what was not is lost, and the country is told how much.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415
    from shared.contracts.vocabulary import PurgeReason  # noqa: PLC0415
    from shared.flow.streams import SENDERS  # noqa: PLC0415

    if sender not in SENDERS:
        raise typer.BadParameter(f"there are the intakes of {', '.join(SENDERS)}")
    if why not in get_args(PurgeReason):
        raise typer.BadParameter(f"--why is one of {', '.join(get_args(PurgeReason))}")
    typer.echo(asyncio.run(_purged(sender, why, running(state), state)))


async def _purged(sender: str, why: str, addresses: dict[str, Any], state: Path) -> str:
    from infra.nats.asking import ask, ok  # noqa: PLC0415
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415
    from shared.flow.streams import intake_of  # noqa: PLC0415

    stream = intake_of(sender)
    async with connected(addresses["nats"], Path(addresses["creds"][OPERATOR]), OPERATOR) as nc:
        held = (await ask(nc, f"STREAM.INFO.{stream}"))["state"]["messages"]
        infos = [await ask(nc, f"CONSUMER.INFO.{stream}.{service}") for service in SERVICES]
        waiting = sum(info["num_pending"] + info["num_ack_pending"] for info in infos)
        _record(addresses, state, country=sender, why=why, messages=held, waiting=waiting)
        ok(f"stream {stream}", await ask(nc, f"STREAM.PURGE.{stream}"))
    return f"{stream} is empty: {held} messages are gone, of which {waiting} were not taken; {sender} is told so"


def _record(addresses: Mapping[str, Any], state: Path, **told: Any) -> None:
    """Have the indicators service record it; nothing is emptied where that cannot be."""
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    from infra.cli.running import token as kept  # noqa: PLC0415

    address, token = addresses["http"], kept(state, addresses)
    request = urllib.request.Request(  # noqa: S310 - from our run.json
        f"{address}/purged?{urlencode(told)}", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            json.load(answer)
    except urllib.error.HTTPError as error:
        typer.echo(f"not recorded, so nothing is emptied: the board answers {error.code}", err=True)
        raise typer.Exit(1) from None
    except OSError:
        typer.echo("not recorded, so nothing is emptied: the board does not answer", err=True)
        raise typer.Exit(1) from None
