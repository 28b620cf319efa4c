"""`crm conform`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.conformance.verdict import Verdict
    from shared.record.note import Signer

UNUSABLE = 2


def conform(  # noqa: PLR0913 - each is a flag
    file: Annotated[
        str, typer.Argument(help="Reports as they would be sent, a JSON object a line; - reads standard input.")
    ] = "",
    *,
    country: Annotated[str, typer.Option("--as", help="Whose reports they are; by default as their source says.")] = "",
    live: Annotated[str, typer.Option(help="A program to be inspected on a region of its own (crm-testkit).")] = "",
    patience_s: Annotated[float, typer.Option("--patience", min=1, help="Seconds that anything may take, live.")] = 60,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts there, as JUnit.")] = None,
    certify: Annotated[str, typer.Option(help="Live: what the system is called in its certificate (GTM:sicam).")] = "",
    certificate: Annotated[Path, typer.Option(help="Where its certificate is written.")] = Path("conformance.txt"),
    key: Annotated[Path, typer.Option(help="The key that signs it; made where there is none.")] = Path("conform.key"),
) -> None:
    """Say of each report what the region's door would, or of a country's system which rules it keeps.

    Exit code 0: all is kept; 1: something is not; 2: there is nothing that could be looked at.
    """
    from infra.conformance import verdict  # noqa: PLC0415 - late: `crm --help` answers at once

    if bool(file) == bool(live):
        typer.echo("name a file of reports, or a program with --live", err=True)
        raise typer.Exit(UNUSABLE)
    if certify and not live:
        typer.echo("only a program is certified: --live", err=True)
        raise typer.Exit(UNUSABLE)
    signer = _signer(certify, key) if certify else None
    verdicts = _live(live, patience_s) if live else _offline(file, country)
    if not verdicts:
        typer.echo("there is no line in it", err=True)
        raise typer.Exit(UNUSABLE)
    if junit:
        verdict.junit(verdicts, "crm conform --live" if live else "crm conform", junit)
    for line in verdict.told(verdicts):
        typer.echo(line)
    if any(one.faults for one in verdicts):
        raise typer.Exit(1)
    if signer:
        from datetime import UTC, datetime  # noqa: PLC0415

        from infra.conformance import certificate as certificates  # noqa: PLC0415
        from services.indicators.publish.pages import VERSION  # noqa: PLC0415

        kept = [one.what for one in verdicts]
        note = certificates.certificate(certify, VERSION, datetime.now(UTC).date(), kept, signer)
        certificate.write_text(note)
        typer.echo(f"certificate: {certificate}")


def _signer(system: str, key: Path) -> "Signer":
    from infra.conformance import certificate  # noqa: PLC0415

    if not certificate.SYSTEM.fullmatch(system):
        typer.echo("a system is called by letters, digits and . _ : -, at most 64", err=True)
        raise typer.Exit(UNUSABLE)
    try:
        return certificate.key_in(key)
    except (OSError, ValueError):
        typer.echo("the key cannot be read or made", err=True)
        raise typer.Exit(UNUSABLE) from None


def _offline(file: str, country: str) -> "list[Verdict]":
    from datetime import UTC, datetime  # noqa: PLC0415

    from infra.conformance.offline import judged  # noqa: PLC0415
    from shared.flow.streams import SENDERS  # noqa: PLC0415

    if country and country not in SENDERS:
        typer.echo(f"--as is one of {', '.join(SENDERS)}", err=True)
        raise typer.Exit(UNUSABLE)
    try:
        lines = (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).splitlines()
    except OSError as error:
        typer.echo(f"the file cannot be read: {error.strerror}", err=True)
        raise typer.Exit(UNUSABLE) from None
    return list(judged(lines, datetime.now(UTC), country))


def _live(command: str, patience_s: float) -> "list[Verdict]":
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    try:
        from infra.conformance.live import inspected  # noqa: PLC0415
        from infra.testkit.servers import servers  # noqa: PLC0415
        from infra.testkit.system import fresh  # noqa: PLC0415
    except ModuleNotFoundError as error:
        typer.echo(f"{error.name} is missing: install the wheel crm-testkit", err=True)
        raise typer.Exit(UNUSABLE) from None

    async def inspect() -> "list[Verdict]":
        async with servers() as running, fresh(running, start=datetime.now(UTC)) as system:
            return await inspected(system, shlex.split(command), patience_s)

    try:
        return asyncio.run(inspect())
    except (FileNotFoundError, PermissionError):
        typer.echo("the program cannot be started", err=True)
        raise typer.Exit(UNUSABLE) from None
