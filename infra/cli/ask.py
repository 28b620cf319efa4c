"""`crm ask`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.country import As, Seed, Url
from infra.cli.showing import harmless
from infra.cli.up import State


def ask(  # noqa: PLR0913 - each is an argument or a flag
    service: Annotated[str, typer.Argument(help="intel, victims, legal, training or indicators.")],
    question: Annotated[str, typer.Argument(help="Such as document, contact, referral.")],
    data: Annotated[str, typer.Argument(help="What is asked, in JSON.")] = "{}",
    *,
    country: As,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Ask a service as a country and print the answer in JSON."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    try:
        asked = json.loads(data)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"the question is not JSON: column {error.colno}") from None
    typer.echo(asyncio.run(_answer(service, question, asked, (country, state, nats_url, seed))))


async def _answer(service: str, question: str, data: Any, who: tuple[str, Path, str, Path | None]) -> str:
    import msgspec  # noqa: PLC0415

    from infra.cli.country import speaking  # noqa: PLC0415

    async with speaking(*who) as client:
        answer = await client.ask(service, question, data)
        return harmless(msgspec.json.format(msgspec.json.encode(answer)).decode())
