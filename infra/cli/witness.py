"""`crm witness`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.country import As, Seed, Url
from infra.cli.up import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.client import CountryClient
    from shared.client.witness import Witness

    Work = Callable[[Witness, CountryClient], Awaitable[None]]

witness = typer.Typer(name="witness", no_args_is_help=True, help="Hold the logs to what they signed, as a country.")

Keys = Annotated[
    Path | None, typer.Option(help="Folder with <country>.witness, logs and witnesses. By default the running copy's.")
]
Folder = Annotated[Path, typer.Option(help="Where the last checkpoint of each log, and evidence, are kept.")]
Service = Annotated[str, typer.Argument(help="intel, victims, legal, training or indicators.")]
Who = tuple[str, Path, str, Path | None]


@witness.command()
def watch(  # noqa: PLR0913 - each is a flag
    *,
    country: As,
    folder: Folder = Path("witnessed"),
    once: Annotated[bool, typer.Option(help="Look at each log once, and end.")] = False,
    keys: Keys = None,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Look at each log when it is signed anew, and cosign it, until Ctrl-C.

    Exit code 1 when one is not what it was.
    """
    from shared.contracts import SERVICES  # noqa: PLC0415 - late: `crm --help` answers at once

    async def work(own: "Witness", client: "CountryClient") -> None:
        for service in SERVICES:
            seen = await own.look(client, service)
            typer.echo(f"{service:<10} {f'{seen.size} rows, {seen.root.hex()}' if seen else 'nothing signed yet'}")
        if not once:
            await own.watch(client)

    _run(work, (country, state, nats_url, seed), keys, folder)


@witness.command()
def confront(  # noqa: PLR0913 - each is a flag
    service: Service,
    checkpoint: Annotated[Path, typer.Argument(help="Another country's checkpoint of that log.")],
    *,
    country: As,
    folder: Folder = Path("witnessed"),
    keys: Keys = None,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Hold another country's checkpoint against what the log shows this one; exit code 1 when they differ."""

    async def work(own: "Witness", client: "CountryClient") -> None:
        await own.confront(client, service, checkpoint.read_text())
        typer.echo("one log")

    _run(work, (country, state, nats_url, seed), keys, folder)


@witness.command()
def receipt(  # noqa: PLR0913 - each is a flag
    service: Service,
    report_id: Annotated[str, typer.Argument(help="The id of a report, or of what the country was told.")],
    *,
    country: As,
    cosigned: Annotated[int, typer.Option(help="Wait until so many countries have cosigned.")] = 0,
    source: Annotated[str, typer.Option(help="Of several systems that gave this id, the one that is meant.")] = "",
    keys: Keys = None,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Print the proof that a report stands in the log (C2SP tlog-proof); it is checked first."""

    async def work(own: "Witness", client: "CountryClient") -> None:
        found = await own.receipt(client, service, report_id, cosigned, source)
        typer.echo(found.text, nl=False)
        by = ", ".join(one.name.rpartition("/")[2] for one in own.received(service, found))
        typer.echo(f"cosigned by: {by or 'nobody'}", err=True)

    _run(work, (country, state, nats_url, seed), keys, Path())


@witness.command()
def evidence(
    file: Annotated[Path, typer.Argument(help="What a witness wrote down.")],
    *,
    keys: Annotated[Path, typer.Option(help="Folder with `logs`, the public keys.")],
) -> None:
    """Say whether evidence proves by itself that a log was rewritten; exit code 1 when it does not."""
    import msgspec  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.client.witness import LOGS, Evidence, proven  # noqa: PLC0415
    from shared.record.note import NoteError, verifiers_in  # noqa: PLC0415

    try:
        found = msgspec.json.decode(file.read_bytes(), type=Evidence)
        holds = proven(found, verifiers_in(keys / LOGS))
    except (NoteError, msgspec.DecodeError, OSError) as error:
        typer.echo(f"no evidence: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{found.why}: {'proven' if holds else 'not proven by this alone'}")
    if not holds:
        raise typer.Exit(1)


def _run(work: "Work", who: Who, keys: Path | None, folder: Path) -> None:
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once
    import contextlib  # noqa: PLC0415

    from infra.cli.country import speaking  # noqa: PLC0415
    from shared.client.witness import Witness  # noqa: PLC0415
    from shared.record.note import NoteError  # noqa: PLC0415

    country, state, *_ = who
    try:
        own = Witness.of(keys or state / "creds", country, folder)
    except (NoteError, OSError) as error:
        typer.echo(f"no key: {error}", err=True)
        raise typer.Exit(1) from error

    async def doing() -> None:
        async with speaking(*who) as client:
            await work(own, client)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(doing())
