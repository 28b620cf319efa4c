"""`crm keys`."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.showing import Json, Out, Output, form, show_rows
from infra.cli.up import State

if TYPE_CHECKING:
    from infra.keys.ring import Ring

keys = typer.Typer(
    name="keys", help="Makes, shows, replaces and revokes keys and certificates (docs/keys.md).", no_args_is_help=True
)
Who = Annotated[str, typer.Argument(help="A principal, a database role or a server: GTM, intel, operator, nats ...")]
Creds = Annotated[Path | None, typer.Option(help="The folder of keys; by default that of the running copy.")]
Config = Annotated[Path | None, typer.Option(help="The NATS server's configuration, to be written anew.")]


@keys.command()
def init(
    creds: Annotated[Path, typer.Argument(help="The folder of keys.")] = Path("creds"),
    host: Annotated[
        list[str] | None, typer.Option(help="A name or address by which this system is reached from elsewhere.")
    ] = None,
) -> None:
    """Make the region's authority, and keys and a certificate for each principal and server; what exists is kept."""
    ring = _ring(creds, host or ())
    typer.echo(f"{len(ring.state())} certificates of the authority in {creds / 'ca.crt'}")


@keys.command(name="list")
def listed(
    creds: Creds = None,
    state: State = Path(".crm"),
    output: Out = Output.TABLE,
    as_json: Json = False,
) -> None:
    """Show what there is, until when it is valid, and how it stands."""
    rows = sorted(_ring(creds or state / "creds").state(), key=lambda row: row.get("days", 0))
    show_rows(rows, ("name", "state", "until", "days", "serial"), form(output, as_json=as_json))


@keys.command()
def rotate(
    who: Who,
    *,
    overlap: Annotated[bool, typer.Option(help="The old ones hold on, until `crm keys end`.")] = False,
    creds: Creds = None,
    config: Config = None,
    state: State = Path(".crm"),
) -> None:
    """Replace all keys of one: servers take the new ones first, then its files change, then the old ones end."""
    ring, apply = _placed(creds, config, state)
    began = time.monotonic()
    _known(ring.prepare, who)
    apply()
    ring.settle(who)
    if not overlap:
        ring.end(who)
    apply(who)
    old = "hold until `crm keys end`" if overlap else "are ended"
    typer.echo(f"{who} has new keys, the old ones {old} ({time.monotonic() - began:.2f} s)")


@keys.command()
def end(who: Who, *, creds: Creds = None, config: Config = None, state: State = Path(".crm")) -> None:
    """End the old keys of one that was rotated with --overlap."""
    ring, apply = _placed(creds, config, state)
    _known(ring.end, who)
    apply()
    typer.echo(f"the old keys of {who} are ended")


@keys.command()
def revoke(who: Who, *, creds: Creds = None, config: Config = None, state: State = Path(".crm")) -> None:
    """End all that one has, at once: connections are closed, and it does not come back until `crm keys rotate`."""
    ring, apply = _placed(creds, config, state)
    began = time.monotonic()
    _known(ring.revoke, who)
    apply(who)
    typer.echo(f"{who} is revoked ({time.monotonic() - began:.2f} s)")


@keys.command()
def accept(  # noqa: PLR0913 - each is a flag
    who: Who,
    *,
    nkey: Annotated[str, typer.Option(help="Its public nkey (U...).")],
    request: Annotated[Path, typer.Option(help="Its request for a certificate (PEM, PKCS #10).")],
    creds: Creds = None,
    config: Config = None,
    state: State = Path(".crm"),
) -> None:
    """Take keys that one made and keeps to itself; what it had holds on, until `crm keys end`."""
    ring, apply = _placed(creds, config, state)
    try:
        _known(lambda name: ring.accept(name, nkey, request.read_bytes()), who)
    except ValueError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    ring.settle(who)
    apply(who)
    typer.echo(f"its certificate: {ring.certificate(who)}")


@keys.command()
def take(
    who: Who,
    to: Annotated[Path, typer.Argument(help="A folder elsewhere: a stick.")],
    *,
    creds: Creds = None,
    state: State = Path(".crm"),
) -> None:
    """Move the secrets of one away, and leave what is public: its key is then used by hand, from there."""
    ring = _ring(creds or state / "creds")
    _known(lambda name: ring.take(name, to), who)
    typer.echo(f"the secrets of {who} are in {to}, and no longer in {ring.folder}")


@keys.command()
def record(*, creds: Creds = None, state: State = Path(".crm")) -> None:
    """Show what the provisioner's key was used for, and whether the record is as it was signed (exit 1: it is not)."""
    from infra.cli.provision import RECORD  # noqa: PLC0415
    from infra.nats.record import faults  # noqa: PLC0415

    file = (creds or state / "creds") / RECORD
    if not file.exists():
        typer.echo("nothing is recorded")
        return
    for line in file.read_text().splitlines():
        typer.echo(line)
    found = faults(file)
    for fault in found:
        typer.echo(fault, err=True)
    if found:
        raise typer.Exit(1)


def _ring(creds: Path, hosts: Any = ()) -> "Ring":
    from infra.keys.authority import AwayError  # noqa: PLC0415 - late: `crm --help` answers at once
    from infra.keys.ring import Ring  # noqa: PLC0415

    try:
        return Ring(creds, hosts)
    except AwayError as error:  # a version that has a principal more
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _known(act: Callable[[str], None], who: str) -> None:
    from infra.keys.authority import AwayError  # noqa: PLC0415
    from infra.keys.ring import UnknownNameError  # noqa: PLC0415

    try:
        act(who)
    except (UnknownNameError, AwayError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _placed(creds: Path | None, config: Path | None, state: Path) -> tuple["Ring", Callable[..., None]]:
    """Return the keys, and what has servers take them: those of the running copy, or else the file that is named."""
    if creds is None:
        from infra.cli.running import running  # noqa: PLC0415
        from infra.keys.applying import Running  # noqa: PLC0415

        ring = _ring(state / "creds")
        return ring, Running(ring, state, running(state)).apply

    ring = _ring(creds)

    def apply(_: str = "") -> None:
        from infra.keys.ring import rewrite  # noqa: PLC0415

        if config is not None:
            rewrite(config, ring.nats(config.parent))

    return ring, apply
